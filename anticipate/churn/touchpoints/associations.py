"""Touchpoints and leaving: how the odds differ after each kind. No causal claim.

Reads  a History; labels only through closed windows that end by its cutoff.
Gives  a table with one row per kind of touchpoint: counts, rates, odds ratios, a sentence.
Never  an event at or after a slice's own cutoff; a customer who objects to profiling; a cause.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from ..._checks import check_confidence, check_count, check_positive
from ...log import History, check_history
from .odds import Odds, adjusted_odds
from .rows import TouchpointRows, touchpoint_rows
from .words import say_odds, say_why_not

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
MIN_CUSTOMERS = 20  # with the touchpoint, and without it
MIN_CELL = 5  # customer-slices that left, and that stayed, with the touchpoint and without it
MIN_PER_COLUMN = 5  # the rarer answer, per column of the regression


def touchpoint_associations(
    history: History,
    *,
    horizon_days: float = 90,
    lookback_days: float = 90,
    confidence: float = 0.9,
    max_slices: int = 8,
) -> pd.DataFrame:
    """How the odds of leaving differ after each kind of touchpoint: associations, not effects.

    At several past cutoffs, customers with a touchpoint in the days before are compared with
    customers without it, by whether they bought in the horizon after. The comparison is among
    customers alike in all else that the log shows; it does not say what a touchpoint *does*.
    Who complains, returns or rates differs from others in ways that no log records.

    Parameters
    ----------
    history : History
        Rows are its customers with a purchase, at past cutoffs half a horizon apart whose
        windows are closed. Customers who object to profiling are left out.
    horizon_days : float, default=90
        Leaving is no purchase in the ``horizon_days`` from a cutoff on (> 0).
    lookback_days : float, default=90
        A touchpoint counts if it lies in the ``lookback_days`` before the cutoff (> 0).
    confidence : float, default=0.9
        Of the intervals, in (0, 1), each on its own: of ten touchpoints that go with nothing,
        one has an interval without 1.
    max_slices : int, default=8
        Most cutoffs (>= 1), the newest are taken.

    Returns
    -------
    DataFrame of shape (7 + number of channels - 1, 10), indexed by ``touchpoint``
        Index: ``contact``, ``complaint_resolved`` (by the cutoff), ``complaint_open`` (not by
        then), ``return``, ``cancel``, ``rating_low`` and ``rating_high`` (in the lower or upper
        third of all ratings up to the cutoff, ties at their middle rank), then
        ``channel_<name>`` by name: an event by that channel that the customer made; the most
        used channel is what they are compared with and has no row.

        ``n_with``, ``n_without``: customer-slices with and without it. ``n_customers``: customers
        with it. ``churn_rate_with``, ``churn_rate_without``: shares without a purchase.
        ``odds_ratio, odds_low, odds_high``: adjusted for the other touchpoints, the log-odds of
        MBG/NBD, silence in days and against the usual gap, days since the last event of any
        kind, repeats, age, purchase days in the lookback, spend per purchase day, and the slice.
        ``odds_ratio_unadjusted``: from the four counts alone. ``reading``: a sentence; where the
        odds ratio is NaN, the reason why.

        ``attrs`` holds the settings, ``churn`` (what counts as leaving), ``reference_channel``,
        ``n_customer_slices`` and ``cutoffs``.

    Raises
    ------
    CutoffError
        If no window of ``horizon_days`` with ``lookback_days`` of data before it is closed.
    EmptyHistoryError
        If there is no event, or nobody had bought anything at any cutoff.
    ParameterError
        If an argument is out of its range.

    Notes
    -----
    Logistic regression, without a penalty but for rounding; a customer is in several slices, so
    standard errors are the sandwich clustered by customer (Liang and Zeger 1986). What happened
    between a touchpoint and the cutoff is adjusted for as well: a difference that shows in
    silence before the cutoff is not counted again. Beyond 50,000 customers a fixed sample.

    Examples
    --------
    >>> from anticipate import load_example
    >>> table = touchpoint_associations(load_example("bookshop").as_of("2025-06-30"))
    >>> bool(table.loc["complaint_open", "odds_low"] > 1)
    True
    """
    check_history(history)
    horizon = check_positive("horizon_days", horizon_days)
    lookback = check_positive("lookback_days", lookback_days)
    level = check_confidence(confidence)
    rows = touchpoint_rows(
        history, horizon_days=horizon, lookback_days=lookback,
        max_slices=check_count("max_slices", max_slices),
    )  # fmt: skip
    table = _counts(rows)
    problems = _problems(rows, table)
    usable = np.array([problem == "" for problem in problems])
    odds = _intervals(rows, usable, level)
    table = table.assign(
        odds_ratio=odds[0], odds_low=odds[1], odds_high=odds[2],
        odds_ratio_unadjusted=_unadjusted(rows),
    )  # fmt: skip
    table["reading"] = _readings(rows, odds, problems, horizon, level)
    table.attrs = _settings(rows, horizon, lookback, level)
    return table


def _settings(
    rows: TouchpointRows, horizon: float, lookback: float, level: float
) -> dict[Hashable, Any]:
    return {
        "churn": f"no purchase in {horizon:g} days",
        "horizon_days": horizon,
        "lookback_days": lookback,
        "confidence": level,
        "reference_channel": rows.reference,
        "n_customer_slices": len(rows.left),
        "cutoffs": [cutoff.isoformat() for cutoff in rows.cutoffs],
    }


def _counts(rows: TouchpointRows) -> pd.DataFrame:
    n_with = rows.touched.sum(axis=0)
    n_without = len(rows.left) - n_with
    left_with = (rows.touched & rows.left[:, None]).sum(axis=0)
    return pd.DataFrame(
        {
            "n_with": n_with,
            "n_without": n_without,
            "n_customers": _n_customers(rows.touched, rows),
            "churn_rate_with": _ratio(left_with, n_with),
            "churn_rate_without": _ratio(rows.left.sum() - left_with, n_without),
        },
        index=pd.Index(rows.names, name="touchpoint"),
    )


def _n_customers(touched: Bools, rows: TouchpointRows) -> NDArray[np.int64]:
    return np.array([len(np.unique(rows.person[column])) for column in touched.T])


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def _cells(rows: TouchpointRows) -> NDArray[np.int64]:
    """Shape (4, k): left with and without the touchpoint, stayed with and without it."""
    sides = rows.touched, ~rows.touched
    answers = rows.left[:, None], ~rows.left[:, None]
    return np.array([(side & answer).sum(axis=0) for answer in answers for side in sides])


def _unadjusted(rows: TouchpointRows) -> Floats:
    left_with, left_without, stayed_with, stayed_without = _cells(rows)
    above, below = left_with * stayed_without, left_without * stayed_with
    return np.where(above > 0, _ratio(above, below), np.nan)


def _problems(rows: TouchpointRows, table: pd.DataFrame) -> list[str]:
    """Per touchpoint why no odds ratio can be given; empty where one can."""
    fewest = _cells(rows).min(axis=0)
    without = _n_customers(~rows.touched, rows)
    own = [
        _problem(*numbers) for numbers in zip(table["n_customers"], without, fewest, strict=True)
    ]
    needed = MIN_PER_COLUMN * (1 + own.count("") + rows.alike.shape[1])
    n_left = int(rows.left.sum())
    rarer = min(n_left, len(rows.left) - n_left)
    if rarer >= needed:
        return own
    what = "left" if rarer == n_left else "stayed"
    common = f"only {rarer} of {len(rows.left)} customer-slices {what}, {needed} are needed"
    return [problem or common for problem in own]


def _problem(n_with: int, n_without: int, fewest: int) -> str:
    if not n_with:
        return "no customer had it"
    if n_with < MIN_CUSTOMERS:
        return f"too few customers had it: {n_with}; {MIN_CUSTOMERS} are needed"
    if n_without < MIN_CUSTOMERS:
        return f"too few customers were without it: {n_without}; {MIN_CUSTOMERS} are needed"
    if fewest < MIN_CELL:
        return "nearly all or nearly none left, with it or without it"
    return ""


def _intervals(rows: TouchpointRows, usable: Bools, level: float) -> Floats:
    """Odds ratio, low and high, shape (3, k); NaN where the touchpoint is not usable."""
    odds = np.full((3, len(usable)), np.nan)
    if usable.any():
        found: Odds = adjusted_odds(rows.touched[:, usable], rows.alike, rows.left, rows.person)
        wide = float(ndtri((1 + level) / 2)) * found.standard_error
        ends = found.log_ratio, found.log_ratio - wide, found.log_ratio + wide
        odds[:, usable] = np.exp(np.array(ends))
    return odds


def _readings(
    rows: TouchpointRows, odds: Floats, problems: list[str], horizon: float, level: float
) -> list[str]:
    known: Bools = np.isfinite(odds[0])
    reference = rows.reference
    return [
        say_odds(
            name,
            (ratio[0], ratio[1], ratio[2]),
            reference=reference,
            horizon_days=horizon,
            confidence=level,
        )
        if known[j]
        else say_why_not(
            name, problems[j] or "it cannot be told apart from the rest", reference=reference
        )
        for j, (name, ratio) in enumerate(zip(rows.names, odds.T, strict=True))
    ]
