"""What customers bought and kept, on the clock of the target.

Reads  a History; purchases that came back in full are left out.
Gives  pairs, visits and baskets with their ages: days before the cutoff, or baskets back.
Never  codes of one history in another: items are numbered as the model knows them, then
       those that only this history has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import CANCEL, EVENT_CODES, MICROSECONDS_PER_DAY, PURCHASE, RETURN
from ..kernels.events import Events
from ..kernels.pairs import find_pairs
from ..kernels.segments import run_starts
from ..log import History
from ..log.ids import lookup_codes

Array = NDArray[Any]


@dataclass(frozen=True)
class Codes:
    """Item codes shared by a model and a history."""

    ids: Array  # the model's ids (sorted), then ids only the history has (sorted)
    n_known: int
    of_history: Array  # int64 (history.n_items,): code of each history item

    @classmethod
    def of(cls, model_ids: Array, history: History) -> Codes:
        found = lookup_codes(history.item_ids, model_ids)
        strange = found < 0
        codes = np.where(strange, len(model_ids) + np.cumsum(strange) - 1, found)
        if not strange.any():
            return cls(model_ids, len(model_ids), codes)
        ids = np.concatenate((model_ids.astype(history.item_ids.dtype), history.item_ids[strange]))
        return cls(ids, len(model_ids), codes)

    @property
    def n(self) -> int:
        return len(self.ids)

    def tie_codes(self) -> Array:
        """Rank of each code's id among all (n,): ties break by item id."""
        if self.n == self.n_known:
            return np.arange(self.n)
        rank = np.empty(self.n, dtype=np.int64)
        rank[np.argsort(self.ids, kind="stable")] = np.arange(self.n)
        return rank


@dataclass(frozen=True)
class Shoppers:
    """m customers, p pairs sorted by customer and item, v visits and b baskets in time order.

    Ages count from the customer's cutoff back: in days, or in baskets (the last one has 1).
    """

    n_known: int  # items from here on are not in the model
    item: Array  # int64 (p,)
    offsets: Array  # int64 (m + 1,) into pairs
    visit_age: Array  # float64 (v,)
    visit_offsets: Array  # int64 (p + 1,)
    visit_days: Array  # float64 (v,): age in days, for facts
    basket_age: Array  # float64 (b,)
    basket_offsets: Array  # int64 (m + 1,)

    @property
    def n(self) -> int:
        return len(self.offsets) - 1

    @property
    def customer(self) -> Array:
        """int64 (p,): customer of each pair, from 0."""
        return np.repeat(np.arange(self.n), np.diff(self.offsets))

    @property
    def n_visits(self) -> Array:
        return np.diff(self.visit_offsets)

    @property
    def last_age(self) -> Array:
        return self.visit_age[self.visit_offsets[1:] - 1]

    @property
    def first_age(self) -> Array:
        return self.visit_age[self.visit_offsets[:-1]]

    @property
    def n_baskets(self) -> Array:
        return np.diff(self.basket_offsets)

    def take(self, customers: Array) -> Shoppers:
        """Only these customers, in the order given."""
        pairs, offsets = take_segments(self.offsets, customers)
        visits, visit_offsets = take_segments(self.visit_offsets, pairs)
        baskets, basket_offsets = take_segments(self.basket_offsets, customers)
        return Shoppers(
            self.n_known, self.item[pairs], offsets, self.visit_age[visits], visit_offsets,
            self.visit_days[visits], self.basket_age[baskets], basket_offsets,
        )  # fmt: skip


def take_segments(offsets: Array, segments: Array) -> tuple[Array, Array]:
    """Row numbers of the given segments, one after the other, and their new offsets."""
    counts = np.diff(offsets)[segments]
    taken = np.concatenate(([0], np.cumsum(counts)))
    return np.arange(taken[-1]) + np.repeat(offsets[segments] - taken[:-1], counts), taken


def shoppers_of(history: History, codes: Codes, target: str) -> Shoppers:
    """The kept purchases of a history. O(n log n)."""
    kept = kept_purchases(history)
    pairs = find_pairs(kept, history.n_items)
    # A visit is a pair's first line of a local day, as find_pairs counts them.
    pair = np.repeat(np.arange(pairs.n), pairs.n_lines)
    rows = pairs.rows[run_starts(pair, kept.day[pairs.rows])]
    basket_rows = run_starts(kept.customer, kept.day)
    basket_offsets = np.searchsorted(kept.customer[basket_rows], np.arange(history.n_customers + 1))
    days = (history.cutoffs[kept.customer] - kept.timestamp) / MICROSECONDS_PER_DAY
    if target == "next_basket":
        ordinal = np.searchsorted(basket_rows, np.arange(kept.n), side="right")
        age = (basket_offsets[1:][kept.customer] - ordinal + 1).astype(np.float64)
    else:
        age = days
    return Shoppers(
        codes.n_known,
        codes.of_history[pairs.item],
        np.searchsorted(pairs.customer, np.arange(history.n_customers + 1)),
        age[rows],
        pairs.visit_offsets,
        days[rows],
        age[basket_rows],
        basket_offsets,
    )


def kept_purchases(history: History) -> Events:
    """Purchase events of which at least a part did not come back."""
    events = history.events
    came_back = (events.event == EVENT_CODES[RETURN]) | (events.event == EVENT_CODES[CANCEL])
    if not came_back.any():
        return history.purchases
    kept = events.quantity - history.returns.returned > 0
    return events.take(kept & (events.event == EVENT_CODES[PURCHASE]))
