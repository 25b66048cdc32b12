"""What a customer said about an item: for it (wish, cart, view) or against it.

Reads  events of all kinds after the last kept purchase of the pair: a later purchase
       outweighs what was said before it.
Gives  one flag per kind and pair.
Never  a sign that is turned round: what speaks against an item never raises it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..columns import (
    CART,
    EVENT_CODES,
    MICROSECONDS_PER_DAY,
    NO_TIME,
    NOT_INTERESTED,
    RATING,
    RETURN,
    VIEW,
    WISH,
)
from ..kernels.needs import find_keys
from ..kernels.order import group_order
from ..kernels.segments import run_starts
from ..log import History
from .shoppers import Codes, kept_purchases, take_segments

Array = NDArray[Any]
KINDS = (RETURN, RATING, NOT_INTERESTED, WISH, CART, VIEW)
AGAINST = np.array([True, True, True, False, False, False])
LOOK_DAYS = 60.0  # older views and carts say nothing


class Signals(NamedTuple):
    """Pairs with a flag, sorted by customer and item; m customers."""

    offsets: Array  # int64 (m + 1,)
    item: Array  # int64 (s,)
    flags: Array  # bool (s, 6), columns as in KINDS
    days: Array  # float64 (s,): since the first wish that still stands, NaN without one

    @classmethod
    def of(cls, history: History, codes: Codes, middle: float) -> Self:
        """Flags of a history; ratings below ``middle`` are low (NaN: none is)."""
        events = history.events
        kinds = [EVENT_CODES[name] for name in KINDS]
        rows = np.flatnonzero(np.isin(events.event, kinds) & (events.item >= 0))
        key = events.customer[rows].astype(np.int64) * max(history.n_items, 1) + events.item[rows]
        days = history.cutoffs[events.customer[rows]] - events.timestamp[rows]
        kind = events.event[rows]
        looked = (kind == EVENT_CODES[VIEW]) | (kind == EVENT_CODES[CART])
        counts = events.timestamp[rows] > _last_kept(history, key)
        counts &= (kind != EVENT_CODES[RATING]) | (events.value[rows] < middle)
        counts &= ~looked | (days <= LOOK_DAYS * MICROSECONDS_PER_DAY)
        rows, key, kind, days = rows[counts], key[counts], kind[counts], days[counts]
        pair, inverse = np.unique(key, return_inverse=True)
        flags = np.zeros((len(pair), len(KINDS)), dtype=bool)
        flags[inverse, np.array(_POSITION)[kind]] = True
        customer, item = np.divmod(pair, max(history.n_items, 1))
        offsets = np.searchsorted(customer, np.arange(history.n_customers + 1))
        wished = np.full(len(pair), np.nan)
        # rows of a pair come in time order, so the oldest wish is written last
        wishes = np.flatnonzero(kind == EVENT_CODES[WISH])[::-1]
        wished[inverse[wishes]] = days[wishes] / MICROSECONDS_PER_DAY
        return cls(offsets, codes.of_history[item], flags, wished)

    @classmethod
    def none(cls) -> Self:
        """One customer who said nothing."""
        nothing = np.empty((0, len(KINDS)), dtype=bool)
        return cls(np.zeros(2, np.int64), np.empty(0, np.int64), nothing, np.empty(0))

    def take(self, customers: Array) -> Signals:
        rows, offsets = take_segments(self.offsets, customers)
        return Signals(offsets, self.item[rows], self.flags[rows], self.days[rows])

    @property
    def customer(self) -> Array:
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def place(self, customer: Array, item: Array, n_items: int) -> Array:
        """Position of each pair among the flagged ones, -1 without a flag."""
        keys = self.customer * n_items + self.item
        order = np.argsort(keys, kind="stable")
        found = find_keys(keys[order], customer * n_items + item)
        return np.where(found >= 0, order[found], -1) if len(order) else found


_POSITION = [KINDS.index(name) if name in KINDS else -1 for name in EVENT_CODES]


def _last_kept(history: History, key: Array) -> Array:
    """Time of the last kept purchase line of each pair key, the smallest time without one."""
    out = np.full(len(key), NO_TIME)
    kept = kept_purchases(history)
    if not len(key) or not kept.n:
        return out
    pair = kept.customer.astype(np.int64) * history.n_items + kept.item
    order = group_order(pair)  # stable: lines of a pair stay in time order
    last = np.append(run_starts(pair[order])[1:], kept.n) - 1
    place = find_keys(pair[order][last], key)
    out[place >= 0] = kept.timestamp[order][last[place[place >= 0]]]
    return out


def rating_middle(history: History) -> float:
    """Middle of the ratings' scale as seen; NaN where all are equal or there are none."""
    values = history.events.value[history.events.event == EVENT_CODES[RATING]]
    values = values[~np.isnan(values)]
    if not len(values) or values.min() == values.max():
        return float("nan")
    return float(values.min() + values.max()) / 2
