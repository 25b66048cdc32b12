"""Contracts: when one was open, when it closed, and the odds that it closes in a horizon.

Reads  contract events of customers 0..m-1 and the ends stated for their contracts.
Gives  one number per customer and statistic, days or counts; closing times; life tables.
Never  another customer's rows; what was stated or happened at or after ``until``.

Rules. ``subscribe`` and ``renew`` open, ``lapse`` closes. A stated end closes when it passes
before another end was stated, unless an opening fell into the second half of its term (an
early renewal) or a lapse into its term; an end stated without a date is taken as constant and
stands whatever came before it. A later end, stated after one has passed, opens again. Nothing
closes whose customer opens again on the same local day, and no passed end whose next opening
is a renewal. At one instant closings come before openings: a change of contract is no end.
Source discrete-time hazards: Singer & Willett, Journal of Educational Statistics 18, 1993.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .days import DAY, local_days
from .events import Events, offsets_of
from .segments import segment_count, segment_max, segment_min

Array = NDArray[Any]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

CONTRACT_CODES = (15, 16, 17)  # subscribe, renew, lapse in columns.EVENTS; held by a test
LAPSE, END, SUBSCRIBE, RENEW, EXTENSION = range(5)  # closings first: ties sort by this number
_KIND_OF_CODE = np.array([SUBSCRIBE, RENEW, LAPSE], dtype=np.int8)
NEVER = -(2**63)  # NO_TIME: an end that is not known, a validity without a beginning
LIFE_WEIGHT = 20.0  # person-periods for which the overall hazard speaks in each age band
MAX_BANDS = 400


class Ends(NamedTuple):
    """Stated contract ends, sorted by (customer, valid_from); int64 (n,)."""

    customer: Array
    valid_from: Array  # microseconds UTC; NEVER = always
    end: Array  # microseconds UTC, first moment no longer covered; NEVER = unknown


class ContractRows(NamedTuple):
    """Openings and closings, sorted by (customer, time, kind)."""

    offsets: Array  # int64 (m + 1,)
    customer: Array  # int64 (n,)
    time: Array  # int64 (n,) microseconds UTC
    day: Array  # int64 (n,) local days
    kind: Array  # int8 (n,)

    def before(self, limit: int) -> ContractRows:
        """Only what lies before an instant."""
        keep = self.time < limit
        customer, time, day, kind = (column[keep] for column in self[1:])
        return ContractRows(offsets_of(customer, len(self.offsets) - 1), customer, time, day, kind)


class ContractState(NamedTuple):
    """Per customer, (m,): days are float64, NaN where they do not apply."""

    open: Mask  # a contract is open at the cutoff
    tenure_days: Floats  # since the open contract began
    days_since_renewal: Floats  # since it was last opened or renewed
    n_renewals: Floats  # of the open contract; 0 if none is open
    days_to_end: Floats  # to the end stated for the open contract; NaN unknown
    closed_days: Floats  # since the last contract closed; NaN while open, or never had
    length_days: Floats  # of the latest contract, open or closed; NaN if its beginning is unknown


def contract_rows(events: Events, ends: Ends, until: Array, timezone: str) -> ContractRows:
    """What opened and closed contracts before ``until`` (int64 microseconds, one per customer).

    O(n log n) in contract events and stated ends. Events at or after ``until`` must have been
    left out by the caller; ends stated or passing then are left out here.
    """
    event = events.of_kind(*CONTRACT_CODES)
    kind = _KIND_OF_CODE[event.event - CONTRACT_CODES[0]]
    known = _keep(ends, ends.valid_from < until[ends.customer])
    passed = _passes(known, until) & ~_void(known, event, kind)
    reopens = np.zeros(len(passed), dtype=bool)
    reopens[1:] = passed[:-1] & (known.customer[1:] == known.customer[:-1])
    reopens &= known.end > known.valid_from
    customer = np.concatenate([event.customer, known.customer[passed], known.customer[reopens]])
    time = np.concatenate([event.timestamp, known.end[passed], known.valid_from[reopens]])
    kinds = np.repeat([END, EXTENSION], [passed.sum(), reopens.sum()])
    kinds = np.concatenate([kind, kinds]).astype(np.int8)
    order = np.lexsort((kinds, time, customer))
    customer, time = customer[order].astype(np.int64), time[order].astype(np.int64)
    day = local_days(time, timezone).astype(np.int64)
    return ContractRows(offsets_of(customer, len(until)), customer, time, day, kinds[order])


def contract_state(rows: ContractRows, ends_at: Array, until: Array) -> ContractState:
    """State at ``until``; ``ends_at`` (m,) from :func:`stated_end`, NEVER = unknown."""
    n = len(rows.kind)
    place, opens, closes = np.arange(n), rows.kind >= SUBSCRIBE, effective_closings(rows)
    who = rows.customer
    last_open = segment_max(np.where(opens, place, -1), rows.offsets, -1)
    closed_before = segment_max(
        np.where(closes & (place < last_open[who]), place, -1), rows.offsets, -1
    )
    first_open = segment_min(
        np.where(opens & (place > closed_before[who]), place, n), rows.offsets, n
    )
    closing = segment_min(np.where(closes & (place > last_open[who]), place, n), rows.offsets, n)
    is_open, closed = (last_open >= 0) & (closing == n), closing < n
    began = np.append(rows.time, 0)[first_open]
    stop = np.where(closed, np.append(rows.time, 0)[closing], until)
    renewed = (rows.kind == RENEW) & (place > closed_before[who])
    return ContractState(
        open=is_open,
        tenure_days=_days(until - began, is_open),
        days_since_renewal=_days(until - np.append(rows.time, 0)[last_open], is_open),
        n_renewals=np.where(is_open, segment_count(renewed, rows.offsets), 0).astype(np.float64),
        days_to_end=_days(
            np.where(ends_at == NEVER, 0, ends_at) - until, is_open & (ends_at != NEVER)
        ),
        closed_days=_days(until - stop, closed),
        length_days=_days(stop - began, last_open >= 0),
    )


def stated_end(events: Events, ends: Ends, until: Array) -> Array:
    """The end in force at ``until`` per customer (m,), microseconds; NEVER = none is known.

    The last one stated, if it has not passed and no event of its term made it void.
    """
    event = events.of_kind(*CONTRACT_CODES)
    kind = _KIND_OF_CODE[event.event - CONTRACT_CODES[0]]
    known = _keep(ends, ends.valid_from < until[ends.customer])
    last = np.ones(len(known.customer), dtype=bool)
    last[:-1] = known.customer[1:] != known.customer[:-1]
    last &= (known.end >= until[known.customer]) & ~_void(known, event, kind)
    out = np.full(len(until), NEVER, dtype=np.int64)
    out[known.customer[last]] = known.end[last]
    return out


def effective_closings(rows: ContractRows, *, forgiving: bool = False) -> Mask:
    """Which rows close a contract (n,); see the rules above.

    ``forgiving``: no passed end counts that any later opening follows.
    """
    n, opens = len(rows.kind), rows.kind >= SUBSCRIBE
    following = np.minimum.accumulate(np.where(opens, np.arange(n), n)[::-1])[::-1]
    has = following < rows.offsets[1:][rows.customer]
    following = np.where(has, following, 0)
    same_day = rows.day[following] == rows.day if n else opens
    renewed = (rows.kind == END) & (forgiving | (rows.kind[following] != SUBSCRIBE))
    return np.asarray(~opens & ~(has & (same_day | renewed)))


def closing_days(rows: ContractRows, at: int) -> Floats:
    """Days from ``at`` to the first closing since then, per customer (m,); inf if none.

    ``rows`` hold everything up to the window's end. A passed end counts only if nothing opened
    again by then. A contract that later news show closed before ``at`` counts as closed at it.
    """
    after = effective_closings(rows, forgiving=True) & (rows.time >= at)
    first = segment_min(np.where(after, (rows.time - at) / DAY, np.inf), rows.offsets, np.inf)
    past = rows.before(at)
    until = np.full(len(first), at, dtype=np.int64)
    known = contract_state(past, np.full(len(first), NEVER), until)
    return np.where(known.open, first, 0.0)


def term_days(rows: ContractRows) -> Floats:
    """Completed terms: from an opening to the customer's next opening or closing, days."""
    counts = (rows.kind >= SUBSCRIBE) | effective_closings(rows)
    time, who, opens = rows.time[counts], rows.customer[counts], rows.kind[counts] >= SUBSCRIBE
    complete = opens[:-1] & (who[1:] == who[:-1]) & (np.diff(time) >= DAY)
    return np.asarray(np.diff(time)[complete] / DAY)


class LifeTable(NamedTuple):
    """Hazard per period by age band; the last band holds all older ones."""

    hazard: Floats  # (n_bands,)
    width_days: Floats  # (1,)


def fit_life_table(age_days: Floats, closed: Mask, width_days: float) -> LifeTable:
    """Closings over person-periods at risk in each band, drawn to the overall hazard.

    h_b = (d_b + w h) / (n_b + w), h = (d + 1/2) / (n + 1): d closings, n person-periods, w
    :data:`LIFE_WEIGHT`. No 0 and no 1, so log-odds are finite.
    """
    band = _band(age_days, width_days, MAX_BANDS)
    n, d = np.bincount(band), np.bincount(band[closed], minlength=band.max(initial=0) + 1)
    overall = (closed.sum() + 0.5) / (len(closed) + 1.0)
    hazard = (d + LIFE_WEIGHT * overall) / (n + LIFE_WEIGHT)
    return LifeTable(hazard if len(band) else np.array([overall]), np.array([float(width_days)]))


def life_log_odds(table: LifeTable, age_days: Floats) -> Floats:
    """Log-odds of closing in the period that begins at an age, same shape as ``age_days``."""
    hazard = table.hazard[_band(age_days, float(table.width_days[0]), len(table.hazard))]
    return np.asarray(np.log(hazard) - np.log1p(-hazard))


def log_survival(z: Floats) -> Floats:
    """Log of P(still open at the end of each period), (n, k), from hazards' log-odds (n, k).

    ln S_j = sum over i <= j of ln(1 - h_i), ln(1 - sigmoid(z)) = -softplus(z): nothing cancels.
    """
    return np.asarray(np.add.accumulate(-np.logaddexp(0.0, np.clip(z, -700.0, 700.0)), axis=1))


def log_odds_closed(log_open: Floats) -> Floats:
    """Log-odds of 1 - S from ln S (n,) <= 0: ln(1 - S) - ln S."""
    return np.asarray(np.log(-np.expm1(log_open)) - log_open)


def _keep(ends: Ends, mask: Mask) -> Ends:
    return Ends(*(column[mask] for column in ends))


def _passes(ends: Ends, until: Array) -> Mask:
    """Known ends that lie before the next one was stated, and before ``until``."""
    stands_until = until[ends.customer]
    same = ends.customer[1:] == ends.customer[:-1]
    stands_until[:-1][same] = ends.valid_from[1:][same]
    return np.asarray((ends.end != NEVER) & (ends.end < stands_until))


def _void(ends: Ends, event: Events, kind: Array) -> Mask:
    """Dated ends before which, in the second half of their term, something opened, or that a
    lapse of their term overtook."""
    dated = (ends.valid_from != NEVER) & (ends.end > ends.valid_from)
    start = np.where(dated, ends.valid_from, ends.end)
    half = start + (ends.end - start) // 2
    opened, lapsed = (_last_before_end(ends, event, of) for of in (kind != LAPSE, kind == LAPSE))
    return np.asarray(dated & ((opened > half) | (lapsed >= start)))


def _last_before_end(ends: Ends, event: Events, wanted: Mask) -> Array:
    """Time of the same customer's last wanted event before each end; NEVER if there is none."""
    customer, time = event.customer[wanted].astype(np.int64), event.timestamp[wanted]
    # One int64 per (customer, time): times by rank, so that nothing overflows.
    ranked = np.unique(np.concatenate([time, ends.end]))
    span = len(ranked) + 1
    keys = customer * span + np.searchsorted(ranked, time)
    place = np.searchsorted(keys, ends.customer * span + np.searchsorted(ranked, ends.end)) - 1
    same = np.append(customer, -1)[place] == ends.customer
    return np.where(same, np.append(time, 0)[place], NEVER)


def _band(age_days: Floats, width_days: float, n_bands: int) -> Array:
    return np.minimum(age_days // width_days, n_bands - 1).astype(np.int64)


def _days(microseconds: Array, known: Mask) -> Floats:
    return np.where(known, microseconds / DAY, np.nan)
