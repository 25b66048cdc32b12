"""Plain rules for churn: how long has it been silent, and is that long for this customer?

Reads  the purchase days of a History; one past slice of it to turn silence into probability.
Gives  one probability of no purchase in the horizon per customer.
Never  anything but purchase days; nothing at or after the cutoff.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from ..columns import CUSTOMER, MICROSECONDS_PER_DAY, NO_TIME
from ..exceptions import MinimumDataWarning
from ..kernels.segments import segment_first, segment_last
from ..log import History
from .backtest import training_slices
from .groups import purchase_days

Floats = npt.NDArray[np.float64]


def churn_baselines(history: History, horizon_days: float) -> dict[str, pd.Series]:
    """P(no purchase within the horizon) by three plain rules.

    Parameters
    ----------
    history : History
        As of the cutoff. The rules are calibrated on its newest closed window of the same
        length.
    horizon_days : float
        Length of the window (> 0).

    Returns
    -------
    dict of str to Series
        Indexed by customer_id. ``"base rate"``: the same for all; ``"days silent"``: logistic
        in log days since the last purchase; ``"hiatus rule"``: the same, and its ratio to the
        customer's usual gap (own mean gap, else the mean of all). Customers without a
        purchase get their kind's past share.

    Warns
    -----
    MinimumDataWarning
        If the history is too short for a past window: all probabilities are then .5.

    Examples
    --------
    >>> from anticipate.log import InteractionLog
    >>> log = InteractionLog.from_frame(
    ...     {"customer_id": [1, 1, 1, 2], "item_id": [7, 7, 7, 7],
    ...      "timestamp": ["2025-01-01", "2025-01-20", "2025-02-10", "2025-01-03"]},
    ...     timezone="UTC", closed_until="2025-03-01")
    >>> rules = churn_baselines(log.as_of("2025-03-01"), horizon_days=30)
    >>> float(rules["base rate"].iloc[0])
    0.5
    """
    index = pd.Index(history.customer_ids, name=CUSTOMER)
    slices = training_slices(history, horizon_days, 1, min_history_days=1.0)
    if not slices:
        warnings.warn(
            f"churn baselines: the history holds no past window of {horizon_days:g} days with a "
            "day of data before it; the plain rules say 50 %.",
            MinimumDataWarning,
            stacklevel=2,
        )
        half = pd.Series(0.5, index=index)
        return {"base rate": half, "days silent": half, "hiatus rule": half}
    past, outcomes = slices[-1]
    left = ~outcomes.customers["purchased"].to_numpy(dtype=bool)
    then, now = _silence(past), _silence(history)
    rate = (left.sum() + 1.0) / (left.size + 2.0)
    rules = {
        "base rate": np.full(len(index), rate),
        "days silent": _calibrated(then[:, :1], left, now[:, :1], rate),
        "hiatus rule": _calibrated(then, left, now, rate),
    }
    return {name: pd.Series(p, index=index) for name, p in rules.items()}


def _silence(history: History) -> Floats:
    """Per customer: log days silent, and log ratio of it to the usual gap; NaN: no purchase."""
    bought = history.purchases
    last = segment_last(bought.timestamp, bought.offsets, NO_TIME)
    first = segment_first(bought.timestamp, bought.offsets, NO_TIME)
    has = last != NO_TIME
    silent = np.where(has, (history.cutoffs - last) / MICROSECONDS_PER_DAY, np.nan)
    n_gaps = np.maximum(purchase_days(bought) - 1, 0)
    span = np.where(n_gaps > 0, (last - first) / MICROSECONDS_PER_DAY, 0.0)
    all_gaps = n_gaps.sum()
    # Nobody came twice: the ratio then says the same for all.
    usual = span.sum() / all_gaps if all_gaps else 1.0
    gap = np.divide(span, n_gaps, out=np.full(len(span), usual), where=n_gaps > 0)
    log_silent = np.log1p(silent)
    return np.column_stack((log_silent, log_silent - np.log1p(gap)))


def _calibrated(then: Floats, left: npt.NDArray[np.bool_], now: Floats, rate: float) -> Floats:
    """Logistic regression on the past slice, spoken about now."""
    known, known_now = ~np.isnan(then[:, 0]), ~np.isnan(now[:, 0])
    never = left[~known]
    chance = np.full(len(now), (never.sum() + rate) / (never.size + 1.0))
    y = left[known]
    if not 0 < y.sum() < y.size:
        chance[known_now] = (y.sum() + 1.0) / (y.size + 2.0)
        return chance
    model = LogisticRegression(solver="newton-cholesky").fit(then[known], y)
    if known_now.any():
        chance[known_now] = model.predict_proba(now[known_now])[:, 1]
    return chance
