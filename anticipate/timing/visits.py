"""What a timer reads of a history, and how it answers.

Reads  purchases of those who do not object to profiling.
Gives  pairs, customers as pairs with the shop, and the columns of a prediction.
Never  the day of the cutoff as a day without a purchase: time is counted to the microsecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_positive
from ..columns import CATEGORY, CUSTOMER, MICROSECONDS_PER_DAY, NO_TIME
from ..exceptions import ParameterError
from ..kernels.events import Events, constant
from ..kernels.log_gap import LogGaps, LogGapTable, log_gap_law, log_gaps
from ..kernels.next_gap import GapTable, NextLaw, chance_within, days_until, gap_law
from ..kernels.pairs import Pairs, find_pairs
from ..log import History, check_history
from ..log.ids import check_ids
from ..log.objections import objectors

Array = NDArray[Any]
DATES = {"due": 0.5, "due_low": 0.1, "due_high": 0.9}


def asked(history: History, customers: Iterable[Any] | None) -> tuple[History, Array | None]:
    check_history(history)
    if customers is None:
        return history, None
    wanted = check_ids(customers, history.customer_ids, CUSTOMER)
    return history.select(wanted), wanted


def allowed_purchases(history: History) -> Events:
    """Purchases of those who do not object to profiling."""
    objects = objectors(history)
    bought = history.purchases
    return bought.take(~objects[bought.customer]) if objects.any() else bought


def orders_of(bought: Events) -> Pairs:
    """Customers as pairs with the shop: visits are the days on which they bought anything."""
    return find_pairs(replace(bought, item=constant(0, np.int32, bought.n)), 1)


def open_days_of(pairs: Pairs, history: History) -> Array:
    """Days from each pair's last visit to its customer's cutoff."""
    return np.asarray((history.cutoffs[pairs.customer] - pairs.last) / MICROSECONDS_PER_DAY)


def order_law(table: GapTable | LogGapTable, orders: Pairs, n_customers: int) -> NextLaw:
    """The law of each customer's next order, (m,); who never ordered is a first-time buyer."""

    def by_customer(values: Array, otherwise: float) -> Array:
        out = np.full(n_customers, otherwise, dtype=values.dtype)
        out[orders.customer] = values
        return out

    n_visits = by_customer(orders.n_visits, 1)
    if isinstance(table, GapTable):
        no_item = np.full(n_customers, -1)
        return gap_law(table, no_item, n_visits, by_customer(orders.gap_sum_days, 0.0))
    own = log_gaps(*orders.gaps_days(), float(table.kept[0]))
    return log_gap_law(table, n_visits, LogGaps(*(by_customer(part, 0.0) for part in own)))


def outlook(
    law: NextLaw, open_days: Array, cutoffs: Array, within_days: Sequence[float]
) -> dict[str, Any]:
    """Dates as microseconds (NO_TIME = may never) and chances, by column name."""
    columns: dict[str, Any] = {}
    for name, share in DATES.items():
        days = days_until(law, open_days, share)
        ahead = np.nan_to_num(days * MICROSECONDS_PER_DAY).round().astype(np.int64)
        columns[name] = np.where(np.isnan(days), NO_TIME, cutoffs + ahead)
    if np.ndim(within_days) == 0:
        raise ParameterError(
            f"within_days must be a list of days; got {type(within_days).__name__}."
        )
    for days_ahead in within_days:
        h = check_positive("within_days", days_ahead)
        columns[f"p_within_{h:g}d"] = chance_within(law, open_days, h)
    return columns


def category_codes(history: History) -> NDArray[np.int64] | None:
    """A code per item, one for all without a category; None where the log has none."""
    if CATEGORY not in history.items.columns or not history.n_items:
        return None
    names = ["" if pd.isna(name) else str(name) for name in history.items[CATEGORY]]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
