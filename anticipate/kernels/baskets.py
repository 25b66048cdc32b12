"""Baskets: what a customer bought on one local calendar day.

Reads  purchase events of whole customers.
Gives  one entry per (customer, purchase day), in order of time.
Never  another customer's rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .events import Events
from .segments import run_starts

Array = NDArray[Any]


@dataclass(frozen=True)
class Baskets:
    """b baskets of m customers and n purchase lines."""

    offsets: Array  # int64 (m + 1,): baskets of customer c are offsets[c]:offsets[c + 1]
    line_offsets: Array  # int64 (b + 1,) into the purchases
    visit: Array  # int64 (b,): microseconds of each basket's first line
    last_line: Array  # int64 (b,): microseconds of its last line

    @property
    def n(self) -> int:
        return len(self.visit)

    @property
    def counts(self) -> Array:
        """int64 (m,): purchase days per customer."""
        return np.diff(self.offsets)


def find_baskets(purchases: Events) -> Baskets:
    """Baskets of the purchase events. O(n)."""
    starts = run_starts(purchases.customer, purchases.day)
    line_offsets = np.append(starts, purchases.n)
    return Baskets(
        offsets=np.searchsorted(starts, purchases.offsets),
        line_offsets=line_offsets,
        visit=purchases.timestamp[starts],
        last_line=purchases.timestamp[line_offsets[1:] - 1],
    )
