"""What each customer did with each item: the pairs of a history.

Reads  purchase events of whole customers.
Gives  one entry per (customer, item) bought, sorted by both, with its lines and visits.
Never  a float sum by any road but ``np.add.reduceat``; times stay int64 until the last step.

A *visit* is one calendar day on which the pair was bought; gaps lie between visits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .events import Events, is_constant
from .order import group_order
from .segments import run_starts, segment_sum

Array = NDArray[Any]
DAY = 86_400_000_000


@dataclass(frozen=True)
class Pairs:
    """p pairs of n purchase lines with v visits."""

    customer: Array  # int32 (p,)
    item: Array  # int32 (p,)
    rows: Array  # int64 (n,): positions in the purchases, by (customer, item, time)
    offsets: Array  # int64 (p + 1,) into rows
    visit: Array  # int64 (v,): microseconds of each visit's first line
    visit_offsets: Array  # int64 (p + 1,) into visit

    @property
    def n(self) -> int:
        return len(self.customer)

    @property
    def n_lines(self) -> Array:
        return np.diff(self.offsets)

    @property
    def n_visits(self) -> Array:
        return np.diff(self.visit_offsets)

    @property
    def first(self) -> Array:
        """int64 (p,): first visit, microseconds UTC."""
        return self.visit[self.visit_offsets[:-1]]

    @property
    def last(self) -> Array:
        """int64 (p,): last visit, microseconds UTC."""
        return self.visit[self.visit_offsets[1:] - 1]

    @property
    def n_gaps(self) -> Array:
        return self.n_visits - 1

    @property
    def gap_sum_days(self) -> Array:
        """float64 (p,): days from the first to the last visit = sum of the gaps, exact."""
        return (self.last - self.first) / DAY

    def gaps_days(self) -> tuple[Array, Array]:
        """All closed gaps in days (v - p,), by pair, and their offsets (p + 1,)."""
        is_first = np.zeros(len(self.visit), dtype=bool)
        is_first[self.visit_offsets[:-1]] = True
        gaps = np.diff(self.visit, prepend=0)[~is_first] / DAY
        return gaps, self.visit_offsets - np.arange(len(self.visit_offsets))

    def sum_lines(self, values: Array) -> Array:
        """Sum of a purchase column over each pair's lines."""
        if is_constant(values) and len(values):
            return self.n_lines * values[0]
        return segment_sum(values[self.rows], self.offsets)


def find_pairs(purchases: Events, n_items: int) -> Pairs:
    """All (customer, item) pairs of the purchase events. O(n log n)."""
    span = np.int64(max(n_items, 1))
    key = purchases.customer.astype(np.int64) * span + purchases.item
    rows = group_order(key)
    key = key[rows]
    starts = run_starts(key)
    day = purchases.day[rows]
    new_visit = np.ones(len(rows), dtype=bool)
    new_visit[1:] = (day[1:] != day[:-1]) | (key[1:] != key[:-1])
    before = np.concatenate(([0], np.cumsum(new_visit, dtype=np.int64)))
    offsets = np.append(starts, len(rows))
    customer, item = np.divmod(key[starts], span)
    return Pairs(
        customer=customer.astype(np.int32),
        item=item.astype(np.int32),
        rows=rows,
        offsets=offsets,
        visit=purchases.timestamp[rows[new_visit]],
        visit_offsets=before[offsets],
    )
