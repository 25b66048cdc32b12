"""Ranked lists laid over what was really bought: one row per customer, one column per rank.

Reads  lists and truth, as tables of ids or as packed int64 codes (customer * n_items + item).
Gives  ``MatchedLists``: hit, repeat and filled flags per place; target counts per customer.
Never  scores: places are taken from ``rank``; a customer without a target is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import check_columns, check_count, check_numbers
from ..columns import CUSTOMER, ITEM
from ..exceptions import IdTypeError, ParameterError

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
RANK = "rank"


@dataclass(frozen=True)
class MatchedLists:
    """Lists of up to ``width`` items for n customers who bought something.

    Attributes
    ----------
    customers : ndarray of shape (n,)
        Sorted ids (or codes) of the customers with at least one target.
    hits, repeats, filled : bool ndarray of shape (n, width)
        Place r holds a bought item; an item already in the history; an item at all.
    n_targets, n_repeat_targets : int64 ndarray of shape (n,)
        Distinct items bought in the window; those among them already in the history.
    """

    customers: npt.NDArray[Any]
    hits: Flags
    repeats: Flags
    filled: Flags
    n_targets: Ints
    n_repeat_targets: Ints

    @property
    def width(self) -> int:
        return self.hits.shape[1]

    @property
    def n_new_targets(self) -> Ints:
        return self.n_targets - self.n_repeat_targets


def match_codes(
    listed: Ints, rank: Ints, truth: Ints, *, n_items: int, width: int, seen: Ints | None = None
) -> MatchedLists:
    """Match packed lists with packed targets.

    Parameters
    ----------
    listed : int64 ndarray of shape (n_rows,)
        ``customer * n_items + item`` of each list entry, in any order.
    rank : int64 ndarray of shape (n_rows,)
        Orders the entries of a customer; only the order counts, ties break by item code.
    truth : int64 ndarray of shape (n_truth,)
        Packed pairs that were bought; repeated pairs count once.
    n_items : int
        Factor of the packing (> every item code).
    width : int
        Places kept of each list (>= 1).
    seen : int64 ndarray or None
        Packed pairs of the history; None: nothing was seen before.

    Returns
    -------
    MatchedLists
        Customers are codes. Those with targets and no list have no filled place.

    Raises
    ------
    ParameterError
        If a customer's list names an item twice, or ``width`` < 1.

    Examples
    --------
    >>> import numpy as np
    >>> m = match_codes(np.array([1, 2]), np.array([1, 2]), np.array([2]), n_items=10, width=3)
    >>> m.hits.tolist()
    [[False, True, False]]
    """
    check_count("width", width)
    if np.unique(listed).size != listed.size:
        n_twice = listed.size - np.unique(listed).size
        raise ParameterError(f"lists: {n_twice} entries name an item their list already holds.")
    targets = np.unique(truth)
    known = np.unique(seen) if seen is not None else np.zeros(0, dtype=np.int64)
    customers, first, n_targets = np.unique(
        targets // n_items, return_index=True, return_counts=True
    )
    entries, row, place = _places(listed, rank, customers, n_items=n_items, width=width)
    shape = (customers.size, width)
    return MatchedLists(
        customers=customers,
        hits=_grid(shape, row, place, _is_in(entries, targets)),
        repeats=_grid(shape, row, place, _is_in(entries, known)),
        filled=_grid(shape, row, place, np.ones(entries.size, dtype=np.bool_)),
        n_targets=n_targets.astype(np.int64),
        n_repeat_targets=_sum_runs(_is_in(targets, known), first),
    )


def match_lists(
    recommendations: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    width: int = 10,
    history_pairs: pd.DataFrame | None = None,
) -> MatchedLists:
    """Match a table of ranked lists with a table of bought pairs.

    Parameters
    ----------
    recommendations : DataFrame
        ``customer_id, item_id, rank`` (1 is best).
    truth : DataFrame
        ``customer_id, item_id`` of what was bought; repeated pairs count once. Its customers
        are the ones judged.
    width : int, default=10
        Places kept of each list (>= 1).
    history_pairs : DataFrame or None
        ``customer_id, item_id`` bought before the cutoff; tells repeat from new.

    Returns
    -------
    MatchedLists
        Customers are ids, sorted.

    Raises
    ------
    ColumnError
        If a table lacks a column.
    ParameterError
        If a customer's list names an item twice.

    Examples
    --------
    >>> import pandas as pd
    >>> lists = pd.DataFrame({"customer_id": ["a", "a"], "item_id": ["x", "y"], "rank": [1, 2]})
    >>> bought = pd.DataFrame({"customer_id": ["a"], "item_id": ["y"]})
    >>> match_lists(lists, bought, width=2).hits.tolist()
    [[False, True]]
    """
    seen = history_pairs if history_pairs is not None else truth.iloc[:0]
    tables = (recommendations, truth, seen)
    for name, table in zip(("recommendations", "truth", "history_pairs"), tables, strict=True):
        check_columns(name, (CUSTOMER, ITEM), table.columns, hint="One row per pair.")
    check_columns("recommendations", (RANK,), recommendations.columns, hint="1 is best.")
    customer_ids, item_ids = _vocabulary(tables, CUSTOMER), _vocabulary(tables, ITEM)
    n_items = max(len(item_ids), 1)
    listed, bought, known = (_pack(table, customer_ids, item_ids) for table in tables)
    matched = match_codes(
        listed,
        _ranks(recommendations[RANK]),
        bought,
        n_items=n_items,
        width=width,
        seen=known,
    )
    ids = customer_ids.to_numpy()[matched.customers]
    return MatchedLists(**{**vars(matched), "customers": ids})


def _ranks(column: pd.Series) -> Ints:
    ranks = check_numbers("recommendations: rank", column)
    if not np.isfinite(ranks).all():
        bad = int((~np.isfinite(ranks)).sum())
        raise ParameterError(f"recommendations: {bad} of {len(ranks)} ranks are missing.")
    return ranks.astype(np.int64)


def _places(
    listed: Ints, rank: Ints, customers: Ints, *, n_items: int, width: int
) -> tuple[Ints, Ints, Ints]:
    """Entries of judged customers within ``width``, with their row and place."""
    order = np.lexsort((listed, rank, listed // n_items))
    entries = listed[order]
    owner = entries // n_items
    place = np.arange(entries.size) - np.searchsorted(owner, owner)
    row = np.searchsorted(customers, owner)
    keep = (place < width) & _is_in(owner, customers)
    return entries[keep], row[keep].astype(np.int64), place[keep].astype(np.int64)


def _is_in(values: Ints, sorted_values: Ints) -> Flags:
    if not sorted_values.size:
        return np.zeros(values.size, dtype=np.bool_)
    at = np.minimum(np.searchsorted(sorted_values, values), sorted_values.size - 1)
    return np.asarray(sorted_values[at] == values, dtype=np.bool_)


def _grid(shape: tuple[int, int], row: Ints, place: Ints, flags: Flags) -> Flags:
    grid = np.zeros(shape, dtype=np.bool_)
    grid[row, place] = flags
    return grid


def _sum_runs(flags: Flags, first: npt.NDArray[np.intp]) -> Ints:
    counts = np.add.reduceat(flags.astype(np.int64), first) if first.size else first
    return np.asarray(counts, dtype=np.int64)


def _vocabulary(tables: tuple[pd.DataFrame, ...], column: str) -> pd.Index:
    """Sorted ids of all tables."""
    ids: pd.Index = pd.Index([])
    try:
        for table in tables:
            found = pd.Index(table[column].unique())
            ids = found if not len(ids) else ids.union(found, sort=False) if len(found) else ids
        return ids.sort_values()
    except (TypeError, UnicodeEncodeError):
        raise IdTypeError(
            f"{column}: ids must be all whole numbers or all (valid) text, alike in all tables."
        ) from None


def _pack(table: pd.DataFrame, customer_ids: pd.Index, item_ids: pd.Index) -> Ints:
    customer = customer_ids.get_indexer(pd.Index(table[CUSTOMER])).astype(np.int64)
    item = item_ids.get_indexer(pd.Index(table[ITEM])).astype(np.int64)
    return customer * max(len(item_ids), 1) + item
