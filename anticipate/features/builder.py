"""From a history to a table of features, one row per customer, pair or item.

Reads  a History: each customer's events before that customer's own cutoff.
Gives  a DataFrame of float64 columns, indexed by id.
Never  the clock, the outcome window, another customer's rows (but at level "item", and in
       what ``fit`` learned).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .. import columns as c
from .._checks import check_option
from ..exceptions import ParameterError
from ..kernels.item_features import Shelf, gap_sums, mean_gap_days
from ..kernels.past import Past
from ..log import History
from ..log.ids import lookup_codes
from ..log.vocabulary import union_ids
from . import activity, cadence, contacts, interest, items, pairs, returned, value, variety
from .feature import Feature

Array = NDArray[Any]
T = TypeVar("T")

FEATURES: dict[str, tuple[Feature, ...]] = {
    "customer": (
        *activity.FEATURES, *cadence.FEATURES, *value.FEATURES, *variety.FEATURES,
        *returned.FEATURES, *contacts.FEATURES, *interest.FEATURES,
    ),
    "pair": pairs.FEATURES,
    "item": items.FEATURES,
}  # fmt: skip
# Rows at a time: temporaries of this size stay in the processor's cache and are used again.
BLOCK_ROWS = 1 << 16


class FeatureBuilder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Features of customers, of customer–item pairs, or of items.

    Parameters
    ----------
    level : {"customer", "pair", "item"}, default="customer"
        What a row is: every customer of the history; every pair with a purchase; every item
        of the history.
    features : sequence of str, optional
        Which columns, in this order; all of the level by default. Only what they need is
        computed. ``feature_table(level)`` says what there is.
    n_jobs : int, optional
        Threads; 1 by default. Their number changes no bit of the result.

    Attributes
    ----------
    features_ : list of str
        The columns of the table.
    item_ids_ : ndarray of shape (n_items,)
        Level "pair" with ``overdue_ratio``: the items of the history given to ``fit``.
    item_gap_days_ : ndarray of shape (n_items + 1,)
        Their mean closed gap, days; the mean over all items where an item has none, and, in
        the last place, for items never seen. NaN if nobody bought anything twice.

    Notes
    -----
    O(n log n) in events. Levels "customer" and "item" learn nothing in ``fit``. A row of
    "customer" or "pair" depends on that customer's events alone (and on ``fit``): it is the
    same, bit for bit, in a history of one customer.

    ``set_output(transform="polars")`` gives the columns without the ids: polars has no index.
    For both say ``polars.from_pandas(table, include_index=True)``.

    Examples
    --------
    >>> from anticipate.log import InteractionLog
    >>> rows = {"customer_id": [1, 1, 1], "item_id": [7, 8, 7], "price": [2.0, 3.0, 1.0],
    ...         "timestamp": ["2025-01-01", "2025-01-01", "2025-01-11"]}
    >>> log = InteractionLog.from_frame(rows, price="price", timezone="UTC")
    >>> builder = FeatureBuilder(features=["n_purchases", "gap_mean_days", "spend"])
    >>> builder.fit_transform(log.as_of("2025-01-11")).loc[1].tolist()
    [1.0, nan, 5.0]
    >>> builder.get_feature_names_out().tolist()
    ['n_purchases', 'gap_mean_days', 'spend']
    """

    features_: list[str]
    item_ids_: Array
    item_gap_days_: Array

    def __init__(
        self,
        level: str = "customer",
        features: Sequence[str] | None = None,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.level = level
        self.features = features
        self.n_jobs = n_jobs

    def fit(self, history: History, y: None = None) -> Self:
        """Check the choice of features; learn the items' gaps where pairs need them.

        Raises
        ------
        ParameterError
            If the level or a feature does not exist, or ``history`` is no History.
        """
        return self.finish([self.partial(history)])

    def partial(self, history: History) -> tuple[Array, Array]:
        """What ``fit`` adds up over customers: item ids, and int64 sums of their gaps (3, n)."""
        names = _check_features(self.level, self.features)
        check_history(history)
        if self.level != "pair" or "overdue_ratio" not in names:
            return history.item_ids[:0], np.zeros((3, 0), dtype=np.int64)
        return history.item_ids, self._gap_sums(history)

    def finish(self, parts: Iterable[tuple[Array, Array]]) -> Self:
        """``fit`` from the parts of customers that no two of them share."""
        self.features_ = _check_features(self.level, self.features)
        if self.level == "pair" and "overdue_ratio" in self.features_:
            self.item_ids_, total = reduce(_added, parts)
            own = mean_gap_days(*total)
            overall = mean_gap_days(*total.sum(axis=1, keepdims=True))
            self.item_gap_days_ = np.append(np.where(total[2] > 0, own, overall), overall)
        return self

    def transform(self, history: History) -> pd.DataFrame:
        """The table of a history.

        Returns
        -------
        DataFrame of shape (n_rows, n_features), float64
            Level "customer": index ``customer_id``, row i = customer code i, customers without
            events included. "pair": MultiIndex ``(customer_id, item_id)``, sorted. "item":
            index ``item_id``, row i = item code i. Unknown or undefined is NaN.

        Raises
        ------
        NotFittedError, ParameterError
        """
        check_is_fitted(self, "features_")
        check_history(history)
        tables = {"customer": self._customers, "pair": self._pairs, "item": self._items}
        return tables[self.level](history)

    def get_feature_names_out(self, input_features: None = None) -> Array:
        """The columns of the table, object array of shape (n_features,)."""
        check_is_fitted(self, "features_")
        return np.asarray(self.features_, dtype=object)

    def _chosen(self) -> list[Feature]:
        known = {feature.name: feature for feature in FEATURES[self.level]}
        return [known[name] for name in self.features_]

    def _customers(self, history: History) -> pd.DataFrame:
        chosen = self._chosen()
        category = _category_codes(history) if "n_categories" in self.features_ else None
        past = Past(history.events, history.cutoffs, history.n_items, category=category)
        out = np.empty((len(chosen), history.n_customers))

        def fill(first: int, last: int, part: Past) -> None:
            for row, feature in zip(out, chosen, strict=True):
                row[first:last] = feature.compute(part)

        for _ in self._over_blocks(past, fill):
            pass  # the blocks are filled as they come by
        return self._table(out, pd.Index(history.customer_ids, name=c.CUSTOMER))

    def _pairs(self, history: History) -> pd.DataFrame:
        chosen = self._chosen()
        gap_days = self._aligned_gap_days(history) if "overdue_ratio" in self.features_ else None
        past = Past(history.events, history.cutoffs, history.n_items, item_gap_days=gap_days)

        def build(first: int, last: int, part: Past) -> tuple[Array, Array, Array]:
            values = np.empty((len(chosen), part.pairs.n))
            for row, feature in zip(values, chosen, strict=True):
                row[:] = feature.compute(part)
            return part.pairs.customer + np.int32(first), part.pairs.item, values

        parts = self._over_blocks(past, build)
        customer, item, values = _joined(parts, len(chosen), history.n_purchases)
        # From codes, not from ids: a MultiIndex of ids would be sorted and hashed anew.
        index = pd.MultiIndex(
            levels=[history.customer_ids, history.item_ids],  # type: ignore[list-item]
            codes=[customer, item],  # type: ignore[list-item]
            names=[c.CUSTOMER, c.ITEM], verify_integrity=False,
        )  # fmt: skip
        return self._table(values, index)

    def _items(self, history: History) -> pd.DataFrame:
        shelf = Shelf(Past(history.events, history.cutoffs, history.n_items))
        out = np.empty((len(self.features_), history.n_items))
        for row, feature in zip(out, self._chosen(), strict=True):
            row[:] = feature.compute(shelf)
        return self._table(out, pd.Index(history.item_ids, name=c.ITEM))

    def _table(self, values: Array, index: pd.Index) -> pd.DataFrame:
        return pd.DataFrame(values.T, index=index, columns=self.features_, copy=False)

    def _gap_sums(self, history: History) -> Array:
        past = Past(history.events, history.cutoffs, history.n_items)
        total = np.zeros((3, history.n_items), dtype=np.int64)

        def count(first: int, last: int, part: Past) -> tuple[Array, Array]:
            sums = np.stack(gap_sums(part.pairs, history.n_items))
            seen = np.flatnonzero(sums[2])
            return seen, sums[:, seen]

        for seen, sums in self._over_blocks(past, count):
            total[:, seen] += sums
        return total

    def _aligned_gap_days(self, history: History) -> Array:
        codes = lookup_codes(history.item_ids, self.item_ids_)
        return self.item_gap_days_[codes]  # -1, an item never seen, is the last entry

    def _over_blocks(self, past: Past, work: Callable[[int, int, Past], T]) -> Iterator[T]:
        """``work`` on every block of customers, in their order, each when it is asked for."""
        jobs = (delayed(work)(*block) for block in past.blocks(BLOCK_ROWS))
        threads = Parallel(n_jobs=self.n_jobs, require="sharedmem", return_as="generator")
        return threads(jobs)


def feature_table(level: str) -> pd.DataFrame:
    """Name, unit and formula of every feature of a level.

    Examples
    --------
    >>> feature_table("pair").loc["days_since_last", "unit"]
    'days'
    """
    check_option("level", level, tuple(FEATURES))
    rows = [(feature.name, feature.unit, feature.formula) for feature in FEATURES[level]]
    return pd.DataFrame(rows, columns=["feature", "unit", "formula"]).set_index("feature")


def check_history(history: Any) -> None:
    """A History, and nothing that only looks like one."""
    if not isinstance(history, History):
        raise ParameterError(
            f"history must be a History; got {type(history).__name__}. "
            "Say up to when: log.as_of(cutoff)."
        )


def _check_features(level: str, features: Sequence[str] | None) -> list[str]:
    check_option("level", level, tuple(FEATURES))
    known = [feature.name for feature in FEATURES[level]]
    if features is None:
        return known
    if isinstance(features, str):
        raise ParameterError(f"features must be a list of names; got the text {features!r}.")
    names = list(features)
    unknown = [name for name in names if name not in known]
    if unknown or not names or len(set(names)) < len(names):
        raise ParameterError(
            f"features of level {level!r} must be distinct names out of {known}; "
            f"got {unknown or names}."
        )
    return names


def _added(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    """Sums of the items of either; whole numbers, so their order does not matter."""
    ids = union_ids(one[0], other[0])
    total = np.zeros((3, len(ids)), dtype=np.int64)
    for its, sums in (one, other):
        total[:, lookup_codes(its, ids)] += sums
    return ids, total


def _category_codes(history: History) -> Array | None:
    if c.CATEGORY not in history.items:
        return None
    return np.asarray(pd.factorize(history.items[c.CATEGORY])[0])


def _joined(
    parts: Iterable[tuple[Array, Array, Array]], k: int, most: int
) -> tuple[Array, Array, Array]:
    """Blocks of at most ``most`` pairs one after the other; memory is taken once."""
    customers, items = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int32)
    values, n = np.empty((k, most)), 0
    for customer, item, block in parts:
        here = slice(n, n + len(item))
        customers[here], items[here], values[:, here] = customer, item, block
        n = here.stop
    if n < most // 2:  # few pairs bought often: do not hold on to what is not used
        values = values[:, :n].copy()
    return customers[:n], items[:n], values[:, :n]
