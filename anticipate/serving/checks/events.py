"""Whether stored events are what they are taken for: in order, in the past, whole.

Reads  the columns of events, each already known to hold codes and numbers of its kind.
Gives  faults of columns beside each other.
Never  all rows at once, nor a copy of a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...columns import EVENTS, ITEM_OPTIONAL, MICROSECONDS_PER_DAY
from ...kernels.events import PURCHASE_CODE
from ...kernels.returns import NEVER
from .parts import in_parts, numbered_parts

Array = NDArray[Any]
Fault = tuple[str, str]

EARLIEST = int(np.datetime64("0001-01-01", "us").astype(np.int64))  # with it calendars begin
_DAY = np.int64(MICROSECONDS_PER_DAY)
_NEEDS_ITEM = np.array([name not in ITEM_OPTIONAL for name in EVENTS])


def event_faults(columns: Mapping[str, Array], n: int, cutoff: int) -> Iterator[Fault]:
    """Faults of n events, by the columns' short names."""
    whole = {name: _whole(column, n) for name, column in columns.items() if name != "offsets"}
    time = whole["timestamp"]
    if not _within(time, EARLIEST, cutoff - 1):
        yield "timestamp", "its times are not all before the cutoff"
    if not _in_order(time, columns["offsets"]):
        yield "timestamp", "its times are not sorted within each customer"
    near = (EARLIEST // int(_DAY) - 1, cutoff // int(_DAY) + 1)  # else a product might overflow
    if not (_within(whole["day"], *near) and _is_day_of(whole["day"], time)):
        yield "day", "its days are not those of the events' times"
    if not _within(whole["undone_at"], EARLIEST, cutoff - 1, besides=NEVER):
        yield "undone_at", "its times are neither before the cutoff nor never"
    yield from _purchase_faults(whole)


def _whole(column: Array, n: int) -> Array:
    """A column stored as one value, in full length without memory."""
    return np.broadcast_to(column, (n,)) if len(column) != n else column


def _within(values: Array, least: int, most: int, *, besides: int | None = None) -> bool:
    """Whether all lie in [least, most], or are the one value beside it."""
    for (part,) in in_parts(values):
        if part.min() < least:
            return False
        if part.max() > most and (part[part > most] != besides).any():
            return False
    return True


def _in_order(time: Array, offsets: Array) -> bool:
    """Whether time falls back only where a customer's events begin."""
    for start, (part,) in numbered_parts(time):
        falls = np.flatnonzero(part[1:] < part[:-1]) + (start + 1)
        if len(falls):
            place = np.minimum(offsets.searchsorted(falls), len(offsets) - 1)
            if (offsets[place] != falls).any():
                return False
    return True


def _is_day_of(day: Array, time: Array) -> bool:
    """Whether each event lies in its local day: no timezone is a day or more from UTC."""
    for days, times in in_parts(day, time):
        within = times - days * _DAY
        if within.min() <= -_DAY or within.max() >= 2 * _DAY:
            return False
    return True


def _purchase_faults(whole: Mapping[str, Array]) -> Iterator[Fault]:
    """Purchases of nothing, of no pieces, for less than nothing; other events without an item."""
    columns = (whole[name] for name in ("event", "item", "quantity", "price"))
    for event, item, quantity, price in in_parts(*columns):
        # Most parts have no such value at all, so that kinds of events are seldom looked at.
        if item.min() < 0 and _NEEDS_ITEM[_known(event[item < 0])].any():
            yield "item", "it has events without the item that their kind needs"
        if quantity.min() <= 0 and (event[quantity <= 0] == PURCHASE_CODE).any():
            yield "quantity", "it has purchases of no pieces"
        if np.fmin.reduce(price) < 0 and (event[price < 0] == PURCHASE_CODE).any():
            yield "price", "it has purchases for less than nothing"


def _known(event: Array) -> Array:
    """Kinds of the contract; a log's own ones need nothing."""
    return event[event < len(EVENTS)]


def habit_faults(habits: Mapping[str, Array], cutoff: int) -> Iterator[Fault]:
    """Faults of how carts looked."""
    if not _within(habits["last_cart"], EARLIEST, cutoff - 1, besides=0):  # 0 without a cart
        yield "last_cart", "its times are not all before the cutoff"
    for later, repeats in in_parts(habits["n_later"], habits["n_repeats"]):
        if (repeats > later).any():
            yield "n_repeats", "it counts more repeats than lines"
