"""A customer's purchase days, reduced to what the churn formulas need.

Reads  events of customers 0..m-1 and the local day of each one's cutoff.
Gives  one number per customer and statistic: repeats, times, gaps, spend per purchase day.
Never  the hour: purchases of one local calendar day are one purchase, and times are whole days.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import PURCHASE_CODE, Events, offsets_of
from .returns import CANCEL_CODE, RETURN_CODE, match_returns
from .segments import run_starts, segment_first, segment_last, segment_sum

Floats = NDArray[np.float64]
USUAL_TENTHS = 9  # a gap is usual if at least nine tenths of the gaps are no longer
LAPSE_CODE, SUBSCRIBING_CODES = 17, (15, 16)  # positions in columns.EVENTS; held by a test
DAY_BIAS = np.int64(2**31)  # makes days before 1970 sort as unsigned numbers


class PurchaseState(NamedTuple):
    """Per customer; float64 (m,) days or counts. Zero and NaN where there was no purchase."""

    n_days: Floats  # purchase days; the paper's x + 1
    last_repeat_days: Floats  # first to last purchase day; t_x
    age_days: Floats  # first purchase day to cutoff; T
    first_gap_days: Floats  # first to second purchase day; NaN below two
    last_gap_days: Floats  # the gap that the last purchase closed; NaN below two
    usual_gap_days: Floats  # smallest gap that nine tenths of the own gaps do not exceed
    earlier_usual_gap_days: Floats  # the same without the last gap
    n_priced_days: Floats  # days on which something was bought at a known price and kept
    spend: Floats  # sum of price times pieces kept, where the price is known
    closed_days: Floats  # since a contract ended that nothing reopened; NaN if none
    n_events: Floats  # events of any kind

    @property
    def n_repeats(self) -> Floats:
        return np.maximum(self.n_days - 1, 0.0)

    @property
    def silent_days(self) -> Floats:
        """Last purchase day to cutoff: the open gap."""
        return self.age_days - self.last_repeat_days


def purchase_state(events: Events, cutoff_day: NDArray[Any]) -> PurchaseState:
    """Reduce each customer's events to a :class:`PurchaseState`.

    Parameters
    ----------
    events : Events
        All before the cutoff.
    cutoff_day : int array of shape (m,)
        Local calendar day in which each customer's cutoff lies, since 1970-01-01.

    Returns
    -------
    PurchaseState
        Whole days, except spend.

    Notes
    -----
    O(n) in events; O(n log n) in purchase days, for the quantile.
    """
    m = events.n_customers
    rows = np.flatnonzero(events.event == PURCHASE_CODE)
    customer, day = _distinct_days(events, rows)
    offsets = offsets_of(customer, m)
    first = segment_first(day, offsets, 0)
    last = segment_last(day, offsets, 0)
    n_days = np.diff(offsets)
    gaps, gap_offsets = _gaps(customer, day, m)
    n_priced_days, spend = _spending(events, rows, n_days)
    return PurchaseState(
        n_days=n_days.astype(np.float64),
        last_repeat_days=(last - first).astype(np.float64),
        age_days=np.where(n_days > 0, cutoff_day - first, 0).astype(np.float64),
        first_gap_days=segment_first(gaps, gap_offsets, np.nan),
        last_gap_days=segment_last(gaps, gap_offsets, np.nan),
        usual_gap_days=_usual_gap(gaps, gap_offsets),
        earlier_usual_gap_days=_usual_gap(*_without_last(gaps, gap_offsets)),
        n_priced_days=n_priced_days,
        spend=spend,
        closed_days=_closed_days(events, cutoff_day),
        n_events=np.diff(events.offsets).astype(np.float64),
    )


class PurchaseSums(NamedTuple):
    """What BTYD and spend models learn from, per customer; float64 (m,) days or counts."""

    n_days: Floats  # purchase days
    last_repeat_days: Floats  # first to last purchase day
    age_days: Floats  # first purchase day to cutoff
    log_gap_sum: Floats  # of the gaps in days
    n_priced_days: Floats
    spend: Floats


def purchase_sums(events: Events, cutoff_day: NDArray[Any]) -> PurchaseSums:
    """The part of :func:`purchase_state` that models learn from, and the sums of log gaps."""
    rows = np.flatnonzero(events.event == PURCHASE_CODE)
    customer, day = _distinct_days(events, rows)
    offsets = offsets_of(customer, events.n_customers)
    first, last = segment_first(day, offsets, 0), segment_last(day, offsets, 0)
    n_days = np.diff(offsets)
    gaps, gap_offsets = _gaps(customer, day, events.n_customers)
    return PurchaseSums(
        n_days.astype(np.float64),
        (last - first).astype(np.float64),
        np.where(n_days > 0, cutoff_day - first, 0).astype(np.float64),
        segment_sum(np.log(gaps), gap_offsets),
        *_spending(events, rows, n_days),
    )


def log_gap_sums(events: Events) -> Floats:
    """Sum of the logarithms of the gaps (days) between a customer's purchase days, shape (m,)."""
    rows = np.flatnonzero(events.event == PURCHASE_CODE)
    gaps, offsets = _gaps(*_distinct_days(events, rows), events.n_customers)
    return np.asarray(segment_sum(np.log(gaps), offsets))


def _spending(events: Events, rows: NDArray[Any], n_days: NDArray[Any]) -> tuple[Floats, Floats]:
    """Priced days and spend per customer (m,), of the purchase rows given."""
    m, kept = events.n_customers, _kept_pieces(events)
    priced = rows[np.isfinite(events.price[rows]) & (kept[rows] > 0)]
    spend = events.price[priced] * kept[priced]
    every = len(priced) == events.n  # then the segments are the customers
    offsets = events.offsets if every else offsets_of(events.customer[priced], m)
    spend = segment_sum(spend, offsets)
    if len(priced) == len(rows):  # every day is a priced one
        return n_days.astype(np.float64), spend
    days = np.diff(offsets_of(_distinct_days(events, priced)[0], m))
    return days.astype(np.float64), spend


def _kept_pieces(events: Events) -> Floats:
    """Pieces of each row that did not come back (n,): a cancelled order is no spend."""
    if not np.any((events.event == RETURN_CODE) | (events.event == CANCEL_CODE)):
        return events.quantity
    return events.quantity - match_returns(events).returned


def nothing_bought(m: int) -> PurchaseState:
    """The state of m customers who never did anything."""
    unknown = ("first_gap_days", "last_gap_days", "usual_gap_days", "earlier_usual_gap_days")
    nan = {*unknown, "closed_days"}
    return PurchaseState(
        *(np.full(m, np.nan if name in nan else 0.0) for name in PurchaseState._fields)
    )


def _distinct_days(events: Events, rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    # Local days may step back by one when clocks do, so they are sorted again where needed.
    key = (events.customer[rows].astype(np.int64) << 32) + (events.day[rows] + DAY_BIAS)
    if np.any(key[1:] < key[:-1]):
        key = np.sort(key)
    key = key[run_starts(key)]
    customer = key >> 32
    return customer, key - (customer << 32) - DAY_BIAS


def _gaps(customer: NDArray[Any], day: NDArray[Any], m: int) -> tuple[Floats, NDArray[Any]]:
    same = customer[1:] == customer[:-1]
    gaps = np.diff(day)[same].astype(np.float64)
    return gaps, offsets_of(customer[1:][same], m)


def _without_last(gaps: Floats, offsets: NDArray[Any]) -> tuple[Floats, NDArray[Any]]:
    counts = np.diff(offsets)
    keep = np.ones(len(gaps), dtype=bool)
    keep[offsets[1:][counts > 0] - 1] = False
    fewer = np.maximum(counts - 1, 0)
    return gaps[keep], np.concatenate(([0], np.cumsum(fewer)))


def _usual_gap(gaps: Floats, offsets: NDArray[Any]) -> Floats:
    # The inverted distribution function: an observed gap, so a sentence about it is exact.
    counts = np.diff(offsets)
    owner = np.repeat(np.arange(len(counts)), counts)
    # Gaps are whole days below 2^32: one integer sort orders them by customer, then length.
    ranked = np.sort((owner << 32) + gaps.astype(np.int64)) - (owner << 32)
    position = offsets[:-1] + -(-USUAL_TENTHS * counts // 10) - 1
    usual = np.full(len(counts), np.nan)
    filled = counts > 0
    usual[filled] = ranked[position[filled]]
    return usual


def _closed_days(events: Events, cutoff_day: NDArray[Any]) -> Floats:
    # The latest of lapse, subscribe, renew and purchase decides; a lapse at the same place in
    # the customer's sorted events as the last of them means that the contract is closed.
    if not (events.event == LAPSE_CODE).any():  # most logs know no contracts
        return np.full(events.n_customers, np.nan)
    kinds = (LAPSE_CODE, *SUBSCRIBING_CODES, PURCHASE_CODE)
    rows = np.flatnonzero(np.logical_or.reduce([events.event == kind for kind in kinds]))
    offsets = offsets_of(events.customer[rows], events.n_customers)
    closes = segment_last(events.event[rows], offsets, -1) == LAPSE_CODE
    days = cutoff_day - segment_last(events.day[rows], offsets, 0)
    return np.where(closes, days, np.nan).astype(np.float64)
