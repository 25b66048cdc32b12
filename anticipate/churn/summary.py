"""Purchase summary: how many purchase days, over how long, at what spend.

Reads  a History (events strictly before ``history.cutoff``).
Gives  one row per customer who bought: counts, days and currency.
Never  the clock; another customer's rows; hours: a purchase is a local calendar day.
Source the statistics of Fader, Hardie and Lee 2005 (x, t_x, T).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import CUSTOMER
from ..kernels.days import local_days
from ..kernels.purchases import (
    PurchaseState,
    PurchaseSums,
    log_gap_sums,
    nothing_bought,
    purchase_state,
    purchase_sums,
)
from ..log import History


def purchase_summary(history: History) -> pd.DataFrame:
    """What BTYD and spend models learn from.

    Parameters
    ----------
    history : History
        Purchases are counted by local calendar day; other events are ignored.

    Returns
    -------
    DataFrame of shape (n_buyers, 6), indexed by customer_id, sorted
        ``n_repeats`` (purchase days - 1), ``last_repeat_days`` (first to last purchase day),
        ``age_days`` (first purchase day to the day of the cutoff), ``n_priced_days`` (days of
        purchases at a known price that were kept) and ``mean_spend`` (currency per such day; NaN
        if none), ``log_gap_sum`` (sum of the natural logarithms of the gaps in days).
        Customers without a purchase are left out: these models say nothing about them.

    Notes
    -----
    O(n log n) in events. Returns and cancellations are taken off the spend; they do not
    undo a purchase day. Times are days, as their names say. BTYD models take any one unit: for
    weeks divide both times by 7 and take ``n_repeats * log(7)`` off ``log_gap_sum``.

    Examples
    --------
    >>> from anticipate import InteractionLog
    >>> rows = {"customer_id": [1, 1, 1], "item_id": [7, 8, 7], "timestamp":
    ...         ["2025-01-01T09:00", "2025-01-01T17:00", "2025-01-11"], "price": [2.0, 3.0, 1.0]}
    >>> log = InteractionLog.from_frame(
    ...     rows, price="price", timezone="UTC", closed_until="2025-02-01")
    >>> purchase_summary(log.as_of("2025-01-31")).loc[1].tolist()
    [1.0, 10.0, 30.0, 2.0, 3.0, 2.302585092994046]
    """
    sums = purchase_sums(history.events, local_days(history.cutoffs, history.timezone))
    return _table(history, sums, sums.log_gap_sum)


def summary_of(history: History, state: PurchaseState) -> pd.DataFrame:
    """The purchase summary of a history whose state is known already."""
    return _table(history, state, log_gap_sums(history.events))


def _table(
    history: History, state: PurchaseState | PurchaseSums, log_gap_sum: NDArray[np.float64]
) -> pd.DataFrame:
    priced = np.where(state.n_priced_days > 0, state.n_priced_days, np.nan)
    columns = {
        "n_repeats": np.maximum(state.n_days - 1, 0.0),
        "last_repeat_days": state.last_repeat_days,
        "age_days": state.age_days,
        "n_priced_days": state.n_priced_days,
        "mean_spend": state.spend / priced,
        "log_gap_sum": log_gap_sum,
    }
    bought = state.n_days > 0
    index = pd.Index(history.customer_ids[bought], name=CUSTOMER)
    return pd.DataFrame({name: values[bought] for name, values in columns.items()}, index=index)


def history_state(history: History) -> PurchaseState:
    """The purchase state of every customer of a history, row i = customer code i."""
    return purchase_state(history.events, local_days(history.cutoffs, history.timezone))


def forget(state: PurchaseState, mask: NDArray[np.bool_]) -> PurchaseState:
    """The state in which the masked customers have never done anything."""
    if not mask.any():
        return state
    pairs = zip(state, nothing_bought(len(mask)), strict=True)
    return PurchaseState(*(np.where(mask, nothing, seen) for seen, nothing in pairs))
