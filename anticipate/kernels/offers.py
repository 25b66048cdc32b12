"""What a customer has done with each item that might be offered.

Reads  events of customers 0..m-1 and candidate rows (customer, item), any order.
Gives  per candidate: visits, first and last purchase, the last liking or disliking.
Never  a candidate of another customer; code for code, so one customer = the same in a batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import PURCHASE_CODE, Events

Array = NDArray[Any]
CANCEL_CODE, RETURN_CODE, RATING_CODE, WISH_CODE, NOT_INTERESTED_CODE = 5, 4, 9, 10, 11
LOW_RATING = 2.0  # of five stars
DISLIKED, WISHED = -1, 1
SIGNAL_CODES = (CANCEL_CODE, RETURN_CODE, RATING_CODE, WISH_CODE, NOT_INTERESTED_CODE)
_SIGNALS = np.zeros(128, dtype=bool)  # by event code
_SIGNALS[list(SIGNAL_CODES)] = True
_DISLIKES = _SIGNALS.copy()
_DISLIKES[WISH_CODE] = False


class OwnState(NamedTuple):
    """Per candidate (c,); times in microseconds UTC, valid where ``n_visits > 0``."""

    n_visits: Array  # int64: calendar days on which it was bought
    first: Array  # int64: first line of the first visit
    last: Array  # int64: first line of the last visit
    last_row: Array  # int64: row of that line, -1 none


def own_state(events: Events, customer: Array, item: Array) -> OwnState:
    """Purchases of each candidate pair."""
    rows = (events.event == PURCHASE_CODE).nonzero()[0]
    return visits_of(events, *_match(events, rows, customer, item), len(item))


def own_states(
    events: Events, customer: Array, item: Array, *, new: Array
) -> tuple[OwnState, OwnState]:
    """The same, and the same as if the ``new`` rows, a mask (n,), were not there.

    One object twice where no candidate has a new row. ``last_row`` of both counts all rows.
    """
    rows = (events.event == PURCHASE_CODE).nonzero()[0]
    candidate, rows = _match(events, rows, customer, item)
    now, old = visits_of(events, candidate, rows, len(item)), ~new[rows]
    if old.all():
        return now, now
    return now, visits_of(events, candidate[old], rows[old], len(item))


def visits_of(events: Events, candidate: Array, rows: Array, n: int) -> OwnState:
    """From purchase rows by candidate, then time."""
    day = events.day[rows]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (candidate[1:] != candidate[:-1]) | (day[1:] != day[:-1])
    rows, candidate = rows[new], candidate[new]
    time = events.timestamp[rows]
    n_visits = np.bincount(candidate, minlength=n)
    first, last = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    last_row = np.full(n, -1, dtype=np.int64)
    first[candidate[::-1]] = time[::-1]  # the earliest is written last
    last[candidate] = time
    last_row[candidate] = rows
    return OwnState(n_visits, first, last, last_row)


def is_dislike(event: Array, value: Array) -> Array:
    """Which events speak against their item, bool (n,): a low rating, a return, a refusal."""
    return _DISLIKES[event] & ((event != RATING_CODE) | (value <= LOW_RATING))


def latest_signal(events: Events, customer: Array, item: Array, since: int) -> Array:
    """DISLIKED, WISHED or 0 per candidate: its latest such event at or after ``since``.

    A low rating, a return, a cancellation and ``not_interested`` are dislikes.
    """
    rows = (events.timestamp >= since).nonzero()[0]
    rows = rows[_SIGNALS[events.event[rows]]]
    rows = rows[(events.event[rows] != RATING_CODE) | (events.value[rows] <= LOW_RATING)]
    signal = np.zeros(len(item), dtype=np.int64)
    if len(rows):
        candidate, rows = _match(events, rows, customer, item)
        signal[candidate] = np.where(events.event[rows] == WISH_CODE, WISHED, DISLIKED)
    return signal


def _match(events: Events, rows: Array, customer: Array, item: Array) -> tuple[Array, Array]:
    """Candidate of each row that has one, and those rows; by candidate, then time."""
    empty = np.empty(0, dtype=np.int64)
    if len(rows) == 0 or len(item) == 0:
        return empty, empty
    span = np.int64(max(int(item.max()), int(events.item.max()))) + 2
    key = customer.astype(np.int64) * span + item + 1
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    if len(rows) == events.n:  # no copy where that is all
        wanted = events.customer.astype(np.int64) * span + events.item + 1
    else:
        wanted = events.customer[rows].astype(np.int64) * span + events.item[rows] + 1
    position = np.minimum(ranked.searchsorted(wanted), len(ranked) - 1)
    hit = ranked[position] == wanted
    candidate, rows = order[position[hit]], rows[hit]
    by_candidate = np.argsort(candidate, kind="stable")
    return candidate[by_candidate], rows[by_candidate]
