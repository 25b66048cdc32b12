"""How a customer's carts look: how large, how much of them repeats, how much is owned.

Reads  events of whole customers, cart lines, which lines repeat what is owned.
Gives  per line: the customer's past before it, and the rest of its cart.
Never  the line itself among the rest of its cart; a purchase at or after it; gifts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import PURCHASE_CODE, Events
from .order import group_order
from .owned import DAY, Lines, run_ends

Array = NDArray[Any]
Floats = NDArray[np.float64]


class Habits(NamedTuple):
    """Of each line's customer before that line, (n,)."""

    n_owned: Array  # int64: distinct items bought
    n_repeats: Array  # int64: lines of an item bought in an earlier cart
    n_later: Array  # int64: lines of all carts but the first
    days_since_cart: Floats  # NaN without a cart


class Rest(NamedTuple):
    """The other lines of each line's cart, (n,)."""

    n_lines: Array
    n_owned: Array  # of them repeat what is owned


def find_habits(events: Events, lines: Lines) -> Habits:
    """Counts up to each line; whole numbers, so alone and in a batch they are the same."""
    rows = ((events.event == PURCHASE_CODE) & ~events.gift).nonzero()[0]
    customer, time = events.customer[rows], events.timestamp[rows]
    low = rows.searchsorted(events.offsets[lines.customer])
    high = rows.searchsorted(events.offsets[lines.customer + 1])
    end = run_ends(time, low, high, lines.timestamp)
    first_place = _first_places(events, rows)
    first = first_place == np.arange(len(rows))
    repeats = time > time[first_place]
    start = np.minimum(rows.searchsorted(events.offsets[:-1]), max(len(rows) - 1, 0))
    later = time > time[start][customer] if len(rows) else np.zeros(0, dtype=bool)
    has = end > low
    last = time[np.maximum(end - 1, 0)] if len(rows) else np.zeros(len(low), dtype=np.int64)
    return Habits(
        n_owned=_between(first, low, end),
        n_repeats=_between(repeats, low, end),
        n_later=_between(later, low, end),
        days_since_cart=np.where(has, (lines.timestamp - last) / DAY, np.nan),
    )


def _first_places(events: Events, rows: Array) -> Array:
    """Of each purchase, the place in ``rows`` of the first one by the same customer of the item."""
    item, place = events.item[rows], np.arange(len(rows))
    n_items = int(item.max(initial=0)) + 1
    if events.n_customers == 1:  # on line: the last one written stays, and that is the first
        first = np.empty(n_items, dtype=np.int64)
        first[item[::-1]] = place[::-1]
        return np.asarray(first[item])
    key = events.customer[rows] * np.int64(n_items) + item
    order = group_order(key)
    new = np.ones(len(rows), dtype=bool)
    new[1:] = key[order[1:]] != key[order[:-1]]
    found = np.empty(len(rows), dtype=np.int64)
    found[order] = order[np.maximum.accumulate(np.where(new, place, 0))]
    return found


class LastHabits(NamedTuple):
    """Of each customer, up to the last event, whole numbers (m,): to be stored."""

    n_owned: Array
    n_repeats: Array
    n_later: Array
    last_cart: Array  # int64 microseconds UTC; 0 without a cart


def last_habits(events: Events) -> LastHabits:
    """What ``find_habits`` would start from after all events."""
    m = events.n_customers
    end = np.full(m, np.iinfo(np.int64).max)
    nothing, none = np.zeros(m), np.zeros(m, dtype=bool)
    habits = find_habits(events, Lines(np.arange(m), np.zeros(m, np.int64), end, nothing, none))
    rows = ((events.event == PURCHASE_CODE) & ~events.gift).nonzero()[0]
    last = rows.searchsorted(events.offsets[1:]) - 1
    has = ~np.isnan(habits.days_since_cart)
    time = events.timestamp[rows[np.where(has, last, 0)]] if len(rows) else np.zeros(m, np.int64)
    return LastHabits(*habits[:3], np.where(has, time, 0))


def habits_from(stored: LastHabits, lines: Lines) -> Habits:
    """The same as ``find_habits`` where no event is at or after a line."""
    n_owned, n_repeats, n_later, last = (column[lines.customer] for column in stored)
    days = np.where(n_owned > 0, (lines.timestamp - last) / DAY, np.nan)
    return Habits(n_owned, n_repeats, n_later, days)


def rest_of_cart(lines: Lines, owned: Array) -> Rest:
    """The other lines at the same instant; gifts are none of them."""
    own = ~lines.gift
    repeats = owned & own
    customer, time = lines.customer, lines.timestamp
    if bool(((customer == customer[:1]) & (time == time[:1])).all()):
        return Rest(own.sum() - own, repeats.sum() - repeats)
    order = np.lexsort((time, customer))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (customer[order[1:]] != customer[order[:-1]]) | (time[order[1:]] != time[order[:-1]])
    cart = np.empty(len(order), dtype=np.int64)
    cart[order] = np.cumsum(new) - 1
    n_lines = np.bincount(cart[own], minlength=int(new.sum()))
    n_owned = np.bincount(cart[repeats], minlength=int(new.sum()))
    return Rest(n_lines[cart] - own, n_owned[cart] - repeats)


def _between(flags: Array, low: Array, end: Array) -> Array:
    total = np.concatenate(([0], np.cumsum(flags)))
    return np.asarray(total[end] - total[low])
