"""When the next purchase is due: per customer, and per customer and item.

Reads  a History: the days on which customers bought, and the silence since.
Gives  dates with an 80 % interval, and chances within given days.
Never  a date for what may never come; customers who object to profiling, in training or out.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..columns import CUSTOMER, ITEM, NO_TIME
from ..exceptions import EmptyHistoryError, MinimumDataWarning, ParameterError
from ..kernels.gap_learning import gap_data
from ..kernels.ids import build_id_index, ids_at
from ..kernels.log_gap import LogGapTable
from ..kernels.next_gap import VISIT_EDGES, GapTable, gap_law
from ..kernels.pairs import Pairs, find_pairs
from ..log import History
from ..log.clock import to_timestamps
from ..log.ids import lookup_codes
from .fit import fit_gap_table
from .tuning import tune_items, tune_orders
from .visits import (
    DATES,
    allowed_purchases,
    asked,
    category_codes,
    open_days_of,
    order_law,
    orders_of,
    outlook,
)

Array = NDArray[Any]
FEWEST_GAPS = 30  # below, dates rest on what is common elsewhere
WITHIN_DAYS = (7, 14, 28)


class PurchaseTimer(BaseEstimator):  # type: ignore[misc]
    """Expected time to the next order, and to the next purchase of each item.

    Gaps between purchase days are gamma with a scale of each pair's own, known the better the
    more gaps it has; before, its item speaks, shrunk to its category and the whole. Besides,
    there may be no next purchase at all: that share is learned by item and number of visits,
    with the open gaps counted as censored. A customer is treated as a pair with the shop, and
    may have log-normal gaps instead, with a spread of their own and older gaps forgotten. What
    all gaps together make most likely is then fitted to forecasts made at an earlier moment;
    which law is used is decided at a later one that it was not fitted to.

    Attributes
    ----------
    item_table_ : GapTable of n_items + 1 rows
        By item of ``item_ids_``; the last row speaks for any other.
    customer_table_ : GapTable or LogGapTable
        For the next order; its last row.
    report_ : dict
        ``n_customers``, ``n_pairs``, ``n_gaps`` (of pairs), ``n_order_gaps``, the whole's
        ``shape`` (of gamma gaps) and ``chance_of_second`` for both, ``missing`` (sentences on
        missing data), ``law`` for both: ``chosen``, ``log_likelihood`` (nats per pair, of each
        law on a slice of ``window_days`` before the cutoff that it was not fitted to), ``gain``
        over plain gamma, ``n_returns`` in the slice it was fitted to and in that one. With
        fewer than 100 returns nothing is compared.
    cutoff_ : Timestamp or DatetimeIndex
        Of the history it was fitted on; arrays do not keep it.

    Notes
    -----
    Fitted on at most 5,000 evenly spaced pairs by maximum likelihood, items by four EM steps on
    all pairs, both at two earlier moments too: some 15 s for 900,000 pairs. Season and weekday
    are not modelled.

    Examples
    --------
    >>> import warnings
    >>> from anticipate import load_example
    >>> history = load_example("three_buyers").as_of("2025-02-01")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # three customers are few, and it says so
    ...     timer = PurchaseTimer().fit(history)
    >>> timer.predict(history).columns.tolist()
    ['due', 'due_low', 'due_high', 'p_within_7d', 'p_within_14d', 'p_within_28d']
    """

    item_table_: GapTable
    customer_table_: GapTable | LogGapTable
    item_ids_: Array
    report_: dict[str, Any]
    cutoff_: Any

    def fit(self, history: History, y: None = None) -> Self:
        """Learn from every purchase before ``history.cutoff``.

        Raises
        ------
        EmptyHistoryError
            If nobody bought anything (those who object to profiling do not count).

        Warns
        -----
        MinimumDataWarning
            If fewer than 30 purchases were repeats.
        """
        bought = allowed_purchases(history)
        if bought.n == 0:
            raise EmptyHistoryError(
                "there is no purchase before the cutoff by anybody who does not object to "
                "profiling; timing needs some. Take a later cutoff."
            )
        pairs, orders = find_pairs(bought, history.n_items), orders_of(bought)
        at, category = history.cutoffs, category_codes(history)
        items = fit_gap_table(gap_data(pairs, at), history.n_items, category, by_item=True)
        every = fit_gap_table(gap_data(orders, at), 1, None, by_item=False)
        self.item_table_, of_items = tune_items(pairs, at, items, category)
        self.customer_table_, of_orders = tune_orders(orders, at, every)
        self.item_ids_ = history.item_ids
        self.cutoff_ = history.cutoff
        self.report_ = _report(self, pairs, orders, laws={"item": of_items, "order": of_orders})
        for sentence in self.report_["missing"]:
            warnings.warn(sentence, MinimumDataWarning, stacklevel=2)
        return self

    def predict(
        self,
        history: History,
        *,
        customers: Iterable[Any] | None = None,
        within_days: Sequence[float] = WITHIN_DAYS,
    ) -> pd.DataFrame:
        """When each customer orders next.

        Parameters
        ----------
        history : History
            Asked as of its cutoff; the date moves on with every day without an order.
        customers : iterable of ids, optional
            Only these, in this order; by default all of the history.
        within_days : sequence of float, days (> 0)

        Returns
        -------
        DataFrame indexed by customer_id
            ``due, due_low, due_high`` (UTC; median, 10th and 90th percentile; NaT = may never),
            ``p_within_7d`` and so on. Who has not bought anything has no date, and the chances
            of a first-time buyer on that day; so have those who object to profiling.
        """
        check_is_fitted(self, "item_table_")
        history, wanted = asked(history, customers)
        orders = orders_of(allowed_purchases(history))
        m = history.n_customers
        open_days = np.zeros(m)
        open_days[orders.customer] = open_days_of(orders, history)
        law = order_law(self.customer_table_, orders, m)
        columns = outlook(law, open_days, history.cutoffs, within_days)
        unknown = np.ones(m, dtype=bool)
        unknown[orders.customer] = False
        for name in DATES:
            columns[name] = to_timestamps(np.where(unknown, NO_TIME, columns[name]))
        table = pd.DataFrame(columns, index=pd.Index(history.customer_ids, name=CUSTOMER))
        return table.reindex(pd.Index(wanted, name=CUSTOMER)) if wanted is not None else table

    def predict_pairs(
        self,
        history: History,
        *,
        customers: Iterable[Any] | None = None,
        within_days: Sequence[float] = WITHIN_DAYS,
    ) -> pd.DataFrame:
        """When each customer buys each item next, of those bought before.

        Parameters
        ----------
        history, customers, within_days
            As for ``predict``.

        Returns
        -------
        DataFrame
            ``customer_id, item_id`` and the columns of ``predict``, sorted by both (customers
            in the order asked for). No rows for those who object to profiling.
        """
        check_is_fitted(self, "item_table_")
        history, wanted = asked(history, customers)
        pairs = find_pairs(allowed_purchases(history), history.n_items)
        table = GapTable.from_mapping(self.item_table(history.item_ids))
        law = gap_law(table, pairs.item, pairs.n_visits, pairs.gap_sum_days)
        at = history.cutoffs[pairs.customer]
        columns = outlook(law, open_days_of(pairs, history), at, within_days)
        dates = {name: to_timestamps(columns[name]) for name in DATES}
        ids = {
            CUSTOMER: history.customer_ids[pairs.customer],
            ITEM: history.item_ids[pairs.item],
        }
        found = pd.DataFrame({**ids, **columns, **dates})
        if wanted is None:
            return found
        place = np.full(history.n_customers, 0)
        place[lookup_codes(wanted[::-1], history.customer_ids)] = np.arange(len(wanted))[::-1]
        order = np.argsort(place[pairs.customer], kind="stable")
        return found.iloc[order].reset_index(drop=True)

    def item_table(self, item_ids: Array) -> dict[str, Array]:
        """The item table aligned with another sorted vocabulary, one more row for all others.

        Parameters
        ----------
        item_ids : array of shape (n,)

        Returns
        -------
        dict of arrays of n + 1 rows
            The fields of :class:`anticipate.kernels.next_gap.GapTable`.
        """
        check_is_fitted(self, "item_table_")
        rows = np.append(lookup_codes(item_ids, self.item_ids_), -1)
        return {name: column[rows] for name, column in self.item_table_._asdict().items()}

    def to_arrays(self) -> dict[str, Array]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "item_table_")
        index = {f"ids.{name}": array for name, array in build_id_index(self.item_ids_).items()}
        customer = {f"customer.{name}": a for name, a in self.customer_table_._asdict().items()}
        report = np.frombuffer(json.dumps(self.report_).encode(), dtype=np.uint8)
        return {**self.item_table_._asdict(), **customer, **index, "report": report}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The timer that ``to_arrays`` was called on, bit for bit; but ``cutoff_``.

        Raises
        ------
        ParameterError
            If an array is missing, or of another length than the others.
        """
        try:
            return cls._from_arrays(arrays)
        except (KeyError, IndexError, ValueError) as error:
            raise ParameterError(
                f"arrays of a timer: they do not fit together ({type(error).__name__}: {error}). "
                "Give all of to_arrays(), or save the model again."
            ) from error

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        timer = cls()
        timer.item_table_ = GapTable.from_mapping(arrays)
        customer = _part(arrays, "customer.")
        law = LogGapTable if "mean_log" in customer else GapTable
        timer.customer_table_ = law.from_mapping(customer)
        index = _part(arrays, "ids.")
        _check_rows(timer.item_table_)
        _check_rows(timer.customer_table_)
        timer.item_ids_ = ids_at(index, np.arange(len(timer.item_table_.shape) - 1))
        timer.report_ = json.loads(arrays["report"].tobytes())
        return timer


def _report(
    timer: PurchaseTimer, pairs: Pairs, orders: Pairs, *, laws: dict[str, Any]
) -> dict[str, Any]:
    n_gaps, n_order_gaps = int(pairs.n_gaps.sum()), int(orders.n_gaps.sum())
    missing = []
    if min(n_gaps, n_order_gaps) < FEWEST_GAPS:
        missing.append(
            f"timing: {n_order_gaps} repeat orders and {n_gaps} repeat purchases of an item, "
            f"fewer than {FEWEST_GAPS}; dates rest on common values more than on this shop."
        )
    tables = {"item": timer.item_table_, "order": timer.customer_table_}
    return {
        "n_customers": orders.n,
        "n_pairs": pairs.n,
        "n_gaps": n_gaps,
        "n_order_gaps": n_order_gaps,
        "law": laws,
        "shape": {n: float(t.shape[-1]) for n, t in tables.items() if isinstance(t, GapTable)},
        "chance_of_second": {name: float(t.next_share[-1, 0]) for name, t in tables.items()},
        "missing": missing,
    }


def _check_rows(table: GapTable | LogGapTable) -> None:
    """A row per item in every column, chances by number of visits."""
    rows = {column.shape for column in table[:-1]}
    n = len(table.next_share)
    if rows != {(n,)} or n == 0 or table.next_share.shape != (n, len(VISIT_EDGES)):
        raise ValueError(f"columns of {sorted(rows)} and {table.next_share.shape}")


def _part(arrays: Mapping[str, Array], head: str) -> dict[str, Array]:
    return {name[len(head) :]: a for name, a in arrays.items() if name.startswith(head)}
