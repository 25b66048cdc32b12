"""Plain rules for next needs: what sells, and what this customer buys most often.

Reads  the purchases of a History.
Gives  ranked tables ``customer_id, item_id, rank`` like ``NextNeedRanker.recommend``.
Never  learns: counts, ties by popularity, then by item id.
Source Li et al., ACM TOIS 41(4), 2023: own frequency with popularity tie-break (GP-TopFreq) is
       the strongest simple baseline of next-basket data sets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import check_count
from ..columns import CUSTOMER, ITEM
from ..kernels.events import Events
from ..kernels.segments import run_starts
from ..log import History
from .matching import RANK

Ints = npt.NDArray[np.int64]


def popular_lists(
    history: History, *, customers: Iterable[Any] | None = None, n: int = 10
) -> pd.DataFrame:
    """The n items with most buyers, the same for everybody.

    Parameters
    ----------
    history : History
        As of the cutoff.
    customers : iterable of ids or None
        Whose lists; None = all of the history. Unknown ones get the list too.
    n : int, default=10
        Length (>= 1).

    Returns
    -------
    DataFrame
        ``customer_id, item_id, rank``, sorted by customer and rank.

    Examples
    --------
    >>> from anticipate.log import InteractionLog
    >>> log = InteractionLog.from_frame(
    ...     {"customer_id": [1, 2, 2], "item_id": ["mug", "mug", "tea"],
    ...      "timestamp": ["2025-01-01"] * 3}, timezone="UTC", closed_until="2025-02-01")
    >>> popular_lists(log.as_of("2025-02-01"), customers=[1], n=1)["item_id"].tolist()
    ['mug']
    """
    check_count("n", n)
    wanted = _customers(history, customers)
    best = popularity_order(history)[:n]
    return _table(
        np.repeat(wanted, best.size),
        np.tile(history.item_ids[best], len(wanted)),
        np.tile(np.arange(1, best.size + 1), len(wanted)),
    )


def frequent_lists(
    history: History, *, customers: Iterable[Any] | None = None, n: int = 10
) -> pd.DataFrame:
    """The customer's own items by number of purchase days, then what is popular.

    Parameters
    ----------
    history : History
        As of the cutoff.
    customers : iterable of ids or None
        Whose lists; None = all of the history. Unknown ones get what is popular.
    n : int, default=10
        Length (>= 1).

    Returns
    -------
    DataFrame
        ``customer_id, item_id, rank``, sorted by customer and rank. Equal counts break by
        popularity; lists are filled up with the most popular items not yet in them.

    Examples
    --------
    >>> from anticipate.log import InteractionLog
    >>> log = InteractionLog.from_frame(
    ...     {"customer_id": [1, 2, 2], "item_id": ["mug", "mug", "tea"],
    ...      "timestamp": ["2025-01-01"] * 3}, timezone="UTC", closed_until="2025-02-01")
    >>> frequent_lists(log.as_of("2025-02-01"), customers=[1], n=2)["item_id"].tolist()
    ['mug', 'tea']
    """
    check_count("n", n)
    wanted = _customers(history, customers)
    order = popularity_order(history)
    popular_place = np.empty(max(history.n_items, 1), dtype=np.int64)
    popular_place[order] = np.arange(order.size)
    row, item = _own_items(history, wanted, popular_place, n)
    fill = order[:n]  # even a list without own items ends here
    rows = np.concatenate((row, np.repeat(np.arange(len(wanted)), fill.size)))
    items = np.concatenate((item, np.tile(fill, len(wanted))))
    _, first = np.unique(rows * np.int64(max(history.n_items, 1)) + items, return_index=True)
    kept = np.sort(first)  # own before popular, each in its order
    kept = kept[np.argsort(rows[kept], kind="stable")]
    rank = _place(rows[kept]) + 1
    kept, rank = kept[rank <= n], rank[rank <= n]
    return _table(wanted[rows[kept]], history.item_ids[items[kept]], rank)


def popularity_order(history: History) -> Ints:
    """Item codes that were ever bought, most buyers first; ties by purchase days, then item.

    Parameters
    ----------
    history : History
        As of the cutoff.

    Returns
    -------
    int64 ndarray
        Codes into ``history.item_ids``.
    """
    _, item, n_days = _pairs(history.purchases)
    buyers = np.bincount(item, minlength=history.n_items)
    days = np.bincount(item, weights=n_days, minlength=history.n_items)
    order = np.lexsort((np.arange(history.n_items), -days, -buyers))
    return order[buyers[order] > 0].astype(np.int64)


def _pairs(purchases: Events) -> tuple[Ints, Ints, Ints]:
    """Distinct (customer, item) codes in order, and the days on which each was bought."""
    order = np.lexsort((purchases.day, purchases.item, purchases.customer))
    customer, item = purchases.customer[order], purchases.item[order]
    days = run_starts(customer, item, purchases.day[order])
    customer, item = customer[days].astype(np.int64), item[days].astype(np.int64)
    starts = run_starts(customer, item)
    n_days = np.diff(np.append(starts, customer.size))
    return customer[starts], item[starts], n_days


def _own_items(
    history: History, wanted: npt.NDArray[Any], popular_place: Ints, n: int
) -> tuple[Ints, Ints]:
    """Up to n own items of each wanted customer, best first, as (row of wanted, item)."""
    customer, item, n_days = _pairs(history.purchases)
    order = np.lexsort((popular_place[item], -n_days, customer))
    customer, item = customer[order], item[order]
    near = _place(customer) < n
    customer, item = customer[near], item[near]
    row_of = pd.Index(wanted).get_indexer(pd.Index(history.customer_ids))
    row = row_of[customer].astype(np.int64)
    return row[row >= 0], item[row >= 0]


def _place(sorted_groups: npt.NDArray[Any]) -> Ints:
    """Position of each row within its run of equal values."""
    return np.arange(sorted_groups.size) - np.searchsorted(sorted_groups, sorted_groups)


def _customers(history: History, customers: Iterable[Any] | None) -> npt.NDArray[Any]:
    if customers is None:
        return history.customer_ids
    return np.asarray(history.select(customers).customer_ids)


def _table(customer: Any, item: Any, rank: Any) -> pd.DataFrame:
    return pd.DataFrame({CUSTOMER: customer, ITEM: item, RANK: np.asarray(rank, dtype=np.int64)})
