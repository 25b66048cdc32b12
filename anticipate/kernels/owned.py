"""What customers still have of the items in their carts.

Reads  events, when purchases were undone, cart lines, the items asked for by line.
Gives  per line and item: since when, how often, in what rhythm.
Never  as owned what was sent back by then or given away; a purchase at or after the line's own
       instant. What was sent back still counts as a visit: it had been bought.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import PURCHASE_CODE, Events
from .order import group_order
from .returns import NEVER, ReturnMatch

Array = NDArray[Any]
Floats = NDArray[np.float64]
DAY, MINUTE = 86_400_000_000, 60_000_000


class Lines(NamedTuple):
    """Cart lines, (n,). Lines of a customer at the same instant are one cart."""

    customer: Array  # code in the events
    item: Array  # code; outside the table = unknown
    timestamp: Array  # int64 microseconds UTC
    quantity: Array  # float64 pieces
    gift: Array  # bool


class Owned(NamedTuple):
    """What each line's customer has of an item before that line, (n,)."""

    has: Array  # bool
    row: Array  # int64: latest purchase's event row; -1 none
    n_visits: Array  # int64
    gap_sum_days: Floats
    open_days: Floats  # since the first line of the last visit
    minutes: Floats  # since the latest purchase
    in_batches: Array  # bool: on one day before the last visit more than one, none sent back

    def take(self, positions: Array) -> Owned:
        """The given positions."""
        return Owned(*(column[positions] for column in self))


def undone_times(events: Events, match: ReturnMatch) -> Array:
    """When all of a purchase was known to have come back, int64 (n,); ``NEVER`` if it did not."""
    whole = (match.returned >= events.quantity) & (match.returned > 0)
    at = np.where(whole, match.returned_at, NEVER)
    if events.known_at is not events.timestamp:
        rows = (match.purchase_row >= 0).nonzero()[0]
        rows = rows[whole[match.purchase_row[rows]]]
        np.maximum.at(at, match.purchase_row[rows], events.known_at[rows])
    return np.asarray(at)


class Kept(NamedTuple):
    """The purchases that speak for what is owned of each item asked for, (n,).

    Rows of the events; where nothing is kept all are -1 and ``n_visits`` is 1.
    """

    row: Array  # int64: the latest purchase kept
    visit_row: Array  # int64: the first line of its day
    first_row: Array  # int64: the first purchase ever
    n_visits: Array  # int64: days on which it was bought, up to the latest kept
    in_batches: Array  # bool: on one day before the last visit more than one, none sent back


def find_owned(
    events: Events, undone_at: Array, lines: Lines, *, asked: Array, n_items: int
) -> Owned | None:
    """What each line's customer owned of each item asked for, before that line.

    ``undone_at`` is (n_events,), see ``undone_times``; ``asked`` is (w, n), item codes by line,
    -1 none; the answer is flat, (w n,). None if no customer has bought any of them.
    """
    kept = find_kept(events, undone_at, lines, asked=asked, n_items=n_items)
    return None if kept is None else owned_at(kept, events.timestamp, asked_at(lines, asked))


def asked_at(lines: Lines, asked: Array) -> Array:
    """The instant at which each of the items is asked for, flat."""
    return np.concatenate([lines.timestamp] * len(asked))


def owned_at(kept: Kept, timestamp: Array, at: Array) -> Owned:
    """What is owned at those instants, none of them before the purchases, (n,)."""
    has = kept.row >= 0
    last, start, low = (timestamp[np.maximum(rows, 0)] for rows in kept[:3])
    return Owned(
        has=has,
        row=kept.row,
        n_visits=kept.n_visits,
        gap_sum_days=np.where(has, start - low, 0) / DAY,
        open_days=np.where(has, at - start, 0) / DAY,
        minutes=np.where(has, (at - last) / MINUTE, np.inf),
        in_batches=kept.in_batches,
    )


def find_kept(
    events: Events, undone_at: Array, lines: Lines, *, asked: Array, n_items: int
) -> Kept | None:
    """The purchases behind ``find_owned``."""
    size = max(int(events.item.max(initial=0)), int(asked.max(initial=0)), n_items) + 2
    rows = _bought_rows(events, asked, size)
    if not len(rows):
        return None
    span = np.int64(size)
    key = events.customer[rows] * span + events.item[rows]
    order = group_order(key)
    key, rows = key[order], rows[order]
    time, day, undone = events.timestamp[rows], events.day[rows], undone_at[rows]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (day[1:] != day[:-1]) | (key[1:] != key[:-1])
    visit, place = np.cumsum(new), np.arange(len(rows))
    visit_start = np.maximum.accumulate(np.where(new, place, 0))

    wanted = (lines.customer * span + asked).ravel()
    at = asked_at(lines, asked)
    low = key.searchsorted(wanted)
    last = run_ends(time, low, key.searchsorted(wanted, side="right"), at) - 1
    while (gone := (last >= low) & (undone[last] <= at)).any():  # passed over, one by one
        last = last - gone
    has = (last >= low) & (asked.ravel() >= 0)
    last, low = np.where(has, last, 0), np.where(has, low, 0)
    start = visit_start[last]
    # Lines beyond the first of a day, of those that nobody sent back.
    again = np.concatenate(([0], np.cumsum(~new & (undone == NEVER))))
    in_batches = again[start] > again[low]
    back = (~new & (undone < NEVER)).nonzero()[0]
    if len(back):
        in_batches |= _back_only_later(back, low, start, undone, at)
    return Kept(
        row=np.where(has, rows[last], -1),
        visit_row=np.where(has, rows[start], -1),
        first_row=np.where(has, rows[low], -1),
        n_visits=np.where(has, visit[last] - visit[low] + 1, 1),
        in_batches=has & in_batches,
    )


def _back_only_later(back: Array, low: Array, end: Array, undone: Array, at: Array) -> Array:
    """Whether one of the places ``back`` within [low, end) was sent back only after ``at``."""
    first, last = back.searchsorted(low), back.searchsorted(end)
    found = np.zeros(len(low), dtype=bool)
    while (open_ := first < last).any():  # on line all of them were sent back before: no pass
        found |= open_ & (undone[back[np.where(open_, first, 0)]] > at)
        first = np.where(found, last, first + 1)
    return found


def _bought_rows(events: Events, asked: Array, size: int) -> Array:
    """Purchases of any item asked for that were not given away."""
    matters = np.zeros(size, dtype=bool)
    matters[asked] = True
    matters[-1] = False  # the place of -1
    return np.asarray(
        (matters[events.item] & (events.event == PURCHASE_CODE) & ~events.gift).nonzero()[0]
    )


def owns_nothing(n: int) -> Owned:
    """The answer where no customer has kept anything asked for, (n,)."""
    zero, none = np.zeros(n), np.zeros(n, dtype=bool)
    return Owned(none, np.full(n, -1), np.ones(n, np.int64), zero, zero, zero + np.inf, none)


def run_ends(time: Array, low: Array, high: Array, at: Array) -> Array:
    """End of each run [low, end) within [low, high) of times that lie before ``at``, (n,)."""
    late = high > low
    if len(time):
        late = late & (time[np.maximum(high - 1, 0)] >= at)
    if not late.any():  # on line all events lie before the cart
        return high
    low, high = low.copy(), high.copy()
    while (open_ := low < high).any():  # bisection, all lines at once
        middle = (low + high) // 2
        under = open_ & (time[np.minimum(middle, len(time) - 1)] < at)
        low = np.where(under, middle + 1, low)
        high = np.where(open_ & ~under, middle, high)
    return low
