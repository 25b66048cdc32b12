"""Customers at past cutoffs: what lay behind them, how they bought, and whether they came back.

Reads  a History; labels only through closed windows that end by its cutoff.
Gives  one row per customer and slice: touchpoints of the last days, purchase behaviour, label.
Never  an event at or after a slice's own cutoff; a customer who objects to profiling.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...columns import (
    CANCEL,
    CONTACT,
    CONTACTED,
    EVENT_CODES,
    MICROSECONDS_PER_DAY,
    PURCHASE,
    RATING,
    RESOLVED,
    RETURN,
)
from ...evaluation.backtest import training_slices
from ...exceptions import CutoffError, EmptyHistoryError
from ...kernels.complaints import NEVER, match_resolved
from ...kernels.purchases import PurchaseState
from ...kernels.segments import run_starts, segment_last
from ...log import History
from ...log.clock import to_timestamp
from ...outcomes import Outcomes
from ..btyd.modified_beta_geo import ModifiedBetaGeoModel
from ..describer import Describer
from ..rows import learners, without_objectors
from ..summary import history_state, summary_of

Array = NDArray[Any]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
KINDS = (
    CONTACT, "complaint_resolved", "complaint_open", RETURN, CANCEL, "rating_low", "rating_high",
)  # fmt: skip
CHANNEL = "channel_"
THIRD = 1 / 3  # of all ratings: the lower third is low, the upper high
_OURS = (CONTACTED, RESOLVED)  # what we did: no channel that the customer came by


class TouchpointRows(NamedTuple):
    """n rows, oldest slice first; in a slice by customer id."""

    names: tuple[str, ...]  # k touchpoints
    touched: Bools  # (n, k): it happened in the lookback before the slice's cutoff
    alike: Floats  # (n, p): what is adjusted for beside the other touchpoints
    left: Bools  # (n,): no purchase in the horizon
    person: NDArray[np.int64]  # (n,): customer code in the whole history
    reference: str | None  # the most used channel: the others are compared with it
    cutoffs: tuple[pd.Timestamp, ...]  # of the slices


def touchpoint_rows(
    history: History, *, horizon_days: float, lookback_days: float, max_slices: int
) -> TouchpointRows:
    """Rows of up to ``max_slices`` past cutoffs, half a horizon apart.

    Raises
    ------
    CutoffError
        If no window of ``horizon_days`` with ``lookback_days`` before it is closed.
    EmptyHistoryError
        If there is no event, or nobody had bought anything by any of the cutoffs.
    """
    known = learners(without_objectors(history)[0], None)
    slices = _slices(known, horizon_days, lookback_days, max_slices)
    channels, reference = _channels(slices[-1][0])
    names = (*KINDS, *(CHANNEL + name for name in channels))
    parts = list(_parts(slices, history, channels, horizon_days, lookback_days))
    if not parts:
        raise EmptyHistoryError("touchpoints: nobody bought anything before the slices' cutoffs.")
    touched, alike, left, person, cutoffs = zip(*parts, strict=True)
    number = np.repeat(np.arange(len(parts)), [len(part) for part in left])
    return TouchpointRows(
        names=names,
        touched=np.concatenate(touched),
        alike=np.column_stack([np.concatenate(alike), number[:, None] == np.arange(1, len(parts))]),
        left=np.concatenate(left),
        person=np.concatenate(person),
        reference=reference,
        cutoffs=cutoffs,
    )


def _slices(
    history: History, horizon_days: float, lookback_days: float, max_slices: int
) -> list[tuple[History, Outcomes]]:
    if not history.n_events:
        raise EmptyHistoryError(
            "touchpoints: no event lies before the cutoff, those of customers who object to "
            "profiling left aside; there is nothing to compare."
        )
    span = (history.cutoff_us - int(history.events.timestamp.min())) / MICROSECONDS_PER_DAY
    slices = []
    if horizon_days + lookback_days <= span:  # windows of a million years have no calendar
        slices = training_slices(
            history, horizon_days, max_slices,
            min_history_days=lookback_days, step_days=horizon_days / 2,
        )  # fmt: skip
    if not slices:
        raise CutoffError(
            f"touchpoints: no closed window of {horizon_days:g} days has {lookback_days:g} days of "
            "data before it. Give a longer history, or smaller horizon_days or lookback_days."
        )
    return slices


def _parts(
    slices: list[tuple[History, Outcomes]],
    history: History,
    channels: list[str],
    horizon_days: float,
    lookback_days: float,
) -> Iterator[tuple[Bools, Floats, Bools, Array, pd.Timestamp]]:
    for past, labels in slices:
        state = history_state(past)
        bought = state.n_days > 0
        if not bought.any():
            continue
        recent = _recent(past, lookback_days)
        touched = np.column_stack(list(_touched(past, recent, channels)))
        alike = np.column_stack(list(_alike(past, state, recent, horizon_days)))
        left = ~labels.customers["purchased"].to_numpy(dtype=bool)
        person = np.searchsorted(history.customer_ids, past.customer_ids)
        rows = touched[bought], alike[bought], left[bought], person[bought]
        yield *rows, to_timestamp(past.cutoff_us)


def _recent(past: History, lookback_days: float) -> Bools:
    """Events in [cutoff - lookback, cutoff)."""
    start = past.cutoff_us - round(lookback_days * MICROSECONDS_PER_DAY)
    return np.asarray(past.events.timestamp >= start)


def _touched(past: History, recent: Bools, channels: list[str]) -> Iterator[Bools]:
    """One column per touchpoint, shape (n_customers,), in the order of the names."""
    events = past.events
    kind = {
        name: recent & (events.event == EVENT_CODES[name]) for name in (CONTACT, RETURN, CANCEL)
    }
    complaints, resolved_at = match_resolved(events)
    resolved, unresolved = np.zeros((2, events.n), dtype=bool)
    resolved[complaints], unresolved[complaints] = resolved_at < NEVER, resolved_at == NEVER
    low, high = _ratings(past)
    rows = [kind[CONTACT], resolved & recent, unresolved & recent, kind[RETURN], kind[CANCEL]]
    rows += [low & recent, high & recent]
    codes = {name: code for code, name in enumerate(past.vocabulary.channels)}
    theirs = recent & _by_customer(past)
    rows += [theirs & (events.channel == codes.get(name, -2)) for name in channels]
    return (_who(past, mask) for mask in rows)


def _who(past: History, events: Bools) -> Bools:
    who = np.zeros(past.n_customers, dtype=bool)
    who[past.events.customer[events]] = True
    return who


def _ratings(past: History) -> tuple[Bools, Bools]:
    """Events that are low and high ratings, by their rank among all ratings so far.

    Ties share their middle rank: where nearly all give the same mark, that mark is neither.
    """
    events = past.events
    given = (events.event == EVENT_CODES[RATING]) & ~np.isnan(events.value)
    low, high = np.zeros((2, events.n), dtype=bool)
    ranked = np.sort(events.value[given])
    below, upto = (np.searchsorted(ranked, events.value[given], side) for side in ("left", "right"))
    share = (below + upto) / (2 * max(len(ranked), 1))
    low[given], high[given] = share <= THIRD, share >= 1 - THIRD
    return low, high


def _by_customer(history: History) -> Bools:
    event = history.events.event
    return np.logical_and.reduce([event != EVENT_CODES[name] for name in _OURS])


def _channels(history: History) -> tuple[list[str], str | None]:
    """Channels but for the most used one, by name, and that one."""
    names = history.vocabulary.channels
    codes = history.events.channel[_by_customer(history)]
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    used = [str(name) for name, n in zip(names, counts, strict=True) if n]
    reference = str(names[np.argmax(counts)]) if used else None
    return [name for name in used if name != reference], reference


def _alike(
    past: History, state: PurchaseState, recent: Bools, horizon_days: float
) -> Iterator[Floats]:
    """Purchase behaviour: what may make touchpoints and leaving go together. Each (m,)."""
    model = ModifiedBetaGeoModel().fit(summary_of(past, state))
    describer = Describer.learn(state, model, horizon_days)
    usual = (describer.mean_gap_days + state.last_repeat_days) / (1 + state.n_repeats)
    silence = np.log((state.silent_days + 1) / (usual + 1))
    spend = state.spend / np.where(state.n_priced_days > 0, state.n_priced_days, 1.0)
    yield describer.base(state)
    yield silence
    yield np.log1p(state.silent_days)
    yield np.log1p(state.n_repeats)
    yield np.log1p(state.age_days)
    yield np.log1p(_recent_days(past, recent))
    yield np.log1p(spend)
    yield (state.n_priced_days == 0).astype(np.float64)
    # Whoever rated or asked last week was still there last week, whatever came of it. Without this
    # column such proof of life would be booked to the touchpoint.
    yield np.log1p(_days_since_sign(past))


def _days_since_sign(past: History) -> Floats:
    """Days since the last event of any kind that the customer made, shape (n_customers,)."""
    signs = past.events.take(_by_customer(past))
    last = segment_last(signs.timestamp, signs.offsets, past.cutoff_us)
    return np.asarray((past.cutoff_us - last) / MICROSECONDS_PER_DAY)


def _recent_days(past: History, recent: Bools) -> Floats:
    """Purchase days in the lookback, shape (n_customers,)."""
    events = past.events.take(recent & (past.events.event == EVENT_CODES[PURCHASE]))
    days = events.customer[run_starts(events.customer, events.day)]
    return np.bincount(days, minlength=past.n_customers).astype(np.float64)
