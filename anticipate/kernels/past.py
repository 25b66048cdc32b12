"""Some customers' past: their events and the instant that ends each one's.

Reads  events of whole customers, all before that customer's cutoff.
Gives  what several features share, made on first use: purchases, baskets, pairs, returns.
Never  another customer's rows: one customer's past alone gives the same bits as in a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .baskets import Baskets, find_baskets
from .complaints import match_resolved
from .events import PURCHASE_CODE, ROW_COLUMNS, Events, constant, is_constant, offsets_of
from .pairs import Pairs, find_pairs
from .returns import CANCEL_CODE, RETURN_CODE, match_returns

Array = NDArray[Any]
DAY = 86_400_000_000


@dataclass(frozen=True)
class Past:
    """m customers. Features are functions of it, ``(m,)`` or ``(n_pairs,)`` float64.

    ``category`` is a code per item (int, -1 none), or None where the log has no categories.
    ``item_gap_days`` is how long a population waits for each item, ``(n_items,)``: only pairs
    that were bought once need it.
    """

    events: Events
    cutoffs: Array  # int64 (m,), microseconds UTC
    n_items: int
    category: Array | None = None
    item_gap_days: Array | None = None

    @cached_property
    def bought_rows(self) -> Array:
        return self.rows_of(PURCHASE_CODE)

    @cached_property
    def purchases(self) -> Events:
        return self.events.purchases()

    @cached_property
    def line_spend(self) -> Array:
        """float64, row-aligned with ``purchases``: price times quantity, 0 where unknown."""
        amount = self.purchases.price * self.purchases.quantity
        unknown = np.isnan(amount)
        return np.where(unknown, 0.0, amount) if unknown.any() else amount

    @cached_property
    def baskets(self) -> Baskets:
        return find_baskets(self.purchases)

    @cached_property
    def pairs(self) -> Pairs:
        return find_pairs(self.purchases, self.n_items)

    @cached_property
    def pair_offsets(self) -> Array:
        """int64 (m + 1,): pairs of customer c are offsets[c]:offsets[c + 1]."""
        return offsets_of(self.pairs.customer, self.events.n_customers)

    @cached_property
    def pair_last(self) -> Array:
        """int64 (n_pairs,): the last line of each pair, microseconds UTC."""
        pairs = self.pairs
        return self.purchases.timestamp[pairs.rows[pairs.offsets[1:] - 1]]

    @cached_property
    def complaints(self) -> tuple[Array, Array]:
        """Positions of the complaints and when each was resolved."""
        return match_resolved(self.events)

    @cached_property
    def returned(self) -> Array:
        """float64, row-aligned with ``purchases``: pieces of each that came back."""
        if not len(self.rows_of(RETURN_CODE)) and not len(self.rows_of(CANCEL_CODE)):
            return constant(0.0, np.float64, self.purchases.n)
        return match_returns(self.events).returned[self.bought_rows]

    def rows_of(self, *codes: int) -> Array:
        """Positions (int64, ascending) of the events of these kinds."""
        event = self.events.event
        if is_constant(event) and len(event):
            return np.arange(len(event) if event[0] in codes else 0)
        mask = event == codes[0]
        for code in codes[1:]:
            mask = mask | (event == code)
        return np.flatnonzero(mask)

    def pair_of(self, rows: Array) -> Array:
        """The pair (int64) of each event's customer and item; -1 where it was not bought."""
        pairs, span = self.pairs, np.int64(max(self.n_items, 1))
        item = self.events.item[rows]
        if not pairs.n:
            return np.full(len(rows), -1)
        key = pairs.customer * span + pairs.item
        wanted = self.events.customer[rows] * span + item
        pair = np.minimum(np.searchsorted(key, wanted), pairs.n - 1)
        return np.where((key[pair] == wanted) & (item >= 0), pair, -1)

    def count_rows(self, rows: Array) -> Array:
        """How many of the rows each customer has, float64 (m,)."""
        m = self.events.n_customers
        if not len(rows):
            return np.zeros(m)
        return np.bincount(self.events.customer[rows], minlength=m).astype(np.float64)

    def days_before_cutoff(self, timestamp: Array, known: Array) -> Array:
        """Days from one instant per customer to the cutoff; NaN where it is not known."""
        days = (self.cutoffs - timestamp) / DAY
        return np.where(known, days, np.nan)

    def window_starts(self, window_days: int) -> Array:
        """int64 (m,): first instant of the last ``window_days`` before each cutoff."""
        return self.cutoffs - window_days * DAY

    def blocks(self, n_rows: int) -> Iterator[tuple[int, int, Past]]:
        """Runs of customers, first to last (exclusive), of about ``n_rows`` rows each."""
        weight = self.events.offsets + np.arange(len(self.events.offsets))
        edges = np.searchsorted(weight, np.arange(0, int(weight[-1]), n_rows))
        edges = np.unique(np.append(edges, len(weight) - 1))
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            yield first, last, self.between(first, last)

    def between(self, first: int, last: int) -> Past:
        """The past of customers first..last-1 alone, their codes from 0; columns are views."""
        events = slice_customers(self.events, first, last)
        return replace(self, events=events, cutoffs=self.cutoffs[first:last])


def slice_customers(events: Events, first: int, last: int) -> Events:
    """Events of customers first..last-1, renumbered from 0. Columns are views."""
    start, end = int(events.offsets[first]), int(events.offsets[last])
    columns = {name: getattr(events, name)[start:end] for name in ROW_COLUMNS}
    columns["customer"] = columns["customer"] - np.int32(first)
    if events.known_at is events.timestamp:
        columns["known_at"] = columns["timestamp"]
    return Events(offsets=events.offsets[first : last + 1] - start, **columns)
