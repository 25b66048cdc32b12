"""What customers bought and kept, on the clock of the target.

Reads  a History; purchases that came back in full are left out.
Gives  pairs, visits and baskets with their ages: days before the cutoff, or baskets back.
Never  codes of one history in another: items are numbered as the model knows them, then
       those that only this history has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import (
    CANCEL,
    EVENT_CODES,
    MICROSECONDS_PER_DAY,
    PURCHASE,
    RETURN,
)
from ..exceptions import IdTypeError
from ..kernels.events import Events
from ..kernels.pairs import find_pairs
from ..kernels.segments import run_starts, segment_sum
from ..log import History
from ..log.ids import lookup_codes, one_kind

Array = NDArray[Any]
HORIZON, NEXT_BASKET = "horizon", "next_basket"


@dataclass(frozen=True)
class Codes:
    """Item codes shared by a model and a history."""

    ids: Array  # the model's ids (sorted), then ids only the history has (sorted)
    n_known: int
    of_history: Array  # int64 (history.n_items + 1,): code of each history item; -1 stays -1

    @classmethod
    def of(cls, model_ids: Array, item_ids: Array) -> Codes:
        """Codes for a history's vocabulary beside a model's.

        Raises
        ------
        IdTypeError
            If one has whole numbers and the other text.
        """
        if not len(item_ids):
            return cls(model_ids, len(model_ids), np.array([-1]))
        if (model_ids.dtype == object) != (item_ids.dtype == object):
            raise IdTypeError(
                "item_id: the model's ids and the history's are not both text or both whole "
                "numbers. Convert them when you make the log."
            )
        known, ids = one_kind(model_ids, item_ids)
        found = lookup_codes(ids, known)
        strange = found < 0
        codes = np.where(strange, len(known) + np.cumsum(strange) - 1, found)
        every = np.concatenate((known, ids[strange])) if strange.any() else known
        return cls(every, len(known), np.append(codes, -1))

    @property
    def n(self) -> int:
        return len(self.ids)

    @property
    def of_rank(self) -> Array:
        """Codes in the order of their ids (n,)."""
        return np.argsort(self.by_id)

    @property
    def sorted_ids(self) -> Array:
        """All ids, ascending (n,)."""
        return self.ids[self.of_rank]

    @cached_property
    def by_id(self) -> Array:
        """Rank of each code's id among all (n,): the union's code, and how ties break."""
        if self.n == self.n_known:
            return np.arange(self.n)
        rank = np.empty(self.n, dtype=np.int64)
        rank[np.argsort(self.ids, kind="stable")] = np.arange(self.n)
        return rank


@dataclass(frozen=True)
class Shoppers:
    """m customers, p pairs sorted by customer and item, v visits and b baskets in time order.

    Ages count from the customer's cutoff back, on the target's clock: days for a horizon,
    baskets (the last one has 1) for the next basket.
    """

    n_known: int  # items from here on are not in the model
    item: Array  # int64 (p,)
    offsets: Array  # int64 (m + 1,) into pairs
    visit_age: Array  # float64 (v,)
    visit_offsets: Array  # int64 (p + 1,)
    visit_days: Array  # float64 (v,): days before the cutoff
    visit_back: Array  # int64 (v,): baskets before the cutoff, the last one is 1
    visit_units: Array  # float64 (v,)
    basket_age: Array  # float64 (b,)
    basket_offsets: Array  # int64 (m + 1,)
    gone: Array  # int64 (g,): items bought and brought back in full
    gone_offsets: Array  # int64 (m + 1,)

    @property
    def n(self) -> int:
        return len(self.offsets) - 1

    @cached_property
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

    @property
    def last_basket_age(self) -> Array:
        """float64 (m,): infinite without a basket."""
        age = np.full(self.n, np.inf)
        has = self.n_baskets > 0
        age[has] = self.basket_age[self.basket_offsets[1:][has] - 1]
        return age

    @classmethod
    def nobody(cls, n_known: int) -> Shoppers:
        """One customer of whom nothing is known."""
        none, ends = np.empty(0), np.zeros(2, dtype=np.int64)
        codes = np.empty(0, dtype=np.int64)
        return cls(n_known, codes, ends, none, ends[:1], none, codes, none, none, ends, codes, ends)

    def take(self, customers: Array) -> Shoppers:
        """Only these customers, in the order given."""
        pairs, offsets = take_segments(self.offsets, customers)
        visits, visit_offsets = take_segments(self.visit_offsets, pairs)
        baskets, basket_offsets = take_segments(self.basket_offsets, customers)
        gone, gone_offsets = take_segments(self.gone_offsets, customers)
        return Shoppers(
            self.n_known, self.item[pairs], offsets, self.visit_age[visits], visit_offsets,
            self.visit_days[visits], self.visit_back[visits], self.visit_units[visits],
            self.basket_age[baskets], basket_offsets, self.gone[gone], gone_offsets,
        )  # fmt: skip


def shoppers_of(history: History, codes: Codes, target: str) -> Shoppers:
    """The kept purchases of a history. O(n log n)."""
    kept = kept_purchases(history)
    pairs = find_pairs(kept, history.n_items)
    # A visit is a pair's first line of a local day, as find_pairs counts them.
    pair = np.repeat(np.arange(pairs.n), pairs.n_lines)
    starts = run_starts(pair, kept.day[pairs.rows])
    rows = pairs.rows[starts]
    basket_rows = run_starts(kept.customer, kept.day)
    customers = np.arange(history.n_customers + 1)
    basket_offsets = np.searchsorted(kept.customer[basket_rows], customers)
    days = (history.cutoffs[kept.customer] - kept.timestamp) / MICROSECONDS_PER_DAY
    ordinal = np.searchsorted(basket_rows, np.arange(kept.n), side="right")
    back = basket_offsets[1:][kept.customer] - ordinal + 1
    gone = _gone(history, kept)
    age = back.astype(np.float64) if target == NEXT_BASKET else days
    return Shoppers(
        n_known=codes.n_known,
        item=codes.of_history[pairs.item],
        offsets=np.searchsorted(pairs.customer, customers),
        visit_age=age[rows],
        visit_offsets=pairs.visit_offsets,
        visit_days=days[rows],
        visit_back=back[rows],
        visit_units=segment_sum(kept.quantity[pairs.rows], np.append(starts, kept.n)),
        basket_age=age[basket_rows],
        basket_offsets=basket_offsets,
        gone=codes.of_history[gone % max(history.n_items, 1)],
        gone_offsets=np.searchsorted(gone, customers * max(history.n_items, 1)),
    )


def kept_purchases(history: History) -> Events:
    """Purchase events of which at least a part did not come back."""
    events = history.events
    came_back = (events.event == EVENT_CODES[RETURN]) | (events.event == EVENT_CODES[CANCEL])
    if not came_back.any():
        return history.purchases
    kept = events.quantity - history.returns.returned > 0
    return events.take(kept & (events.event == EVENT_CODES[PURCHASE]))


def _gone(history: History, kept: Events) -> Array:
    """Sorted keys customer * n_items + item of pairs bought and no longer kept."""
    if kept is history.purchases:
        return np.empty(0, dtype=np.int64)
    n_items = max(history.n_items, 1)
    ever, still = (part.customer.astype(np.int64) * n_items + part.item
                   for part in (history.purchases, kept))  # fmt: skip
    return np.setdiff1d(ever, still)


def take_segments(offsets: Array, segments: Array) -> tuple[Array, Array]:
    """Row numbers of the given segments, one after the other, and their new offsets."""
    counts = np.diff(offsets)[segments]
    taken = np.concatenate(([0], np.cumsum(counts)))
    return np.arange(taken[-1]) + np.repeat(offsets[segments] - taken[:-1], counts), taken
