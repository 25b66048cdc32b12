"""How much a customer does, and how long ago.

Reads  a :class:`Past` of m customers.
Gives  float64 (m,): counts, 0 where nothing happened; days before the cutoff, NaN there.
Never  lines where purchases are meant: a purchase is a local calendar day.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .past import Past
from .segments import segment_count, segment_first, segment_last

Array = NDArray[Any]


def n_events(past: Past) -> Array:
    return np.diff(past.events.offsets).astype(np.float64)


def n_purchases(past: Past) -> Array:
    """Purchase days."""
    return past.baskets.counts.astype(np.float64)


def n_lines(past: Past) -> Array:
    return np.diff(past.purchases.offsets).astype(np.float64)


def n_purchases_within(past: Past, *, window_days: int) -> Array:
    """Purchase days with a line in ``[cutoff - window, cutoff)``."""
    baskets = past.baskets
    start = np.repeat(past.window_starts(window_days), baskets.counts)
    return segment_count(baskets.last_line >= start, baskets.offsets).astype(np.float64)


def days_since_first(past: Past) -> Array:
    baskets = past.baskets
    first = segment_first(baskets.visit, baskets.offsets, 0)
    return past.days_before_cutoff(first, baskets.counts > 0)


def days_since_last(past: Past) -> Array:
    """From the last line of the last purchase."""
    baskets = past.baskets
    last = segment_last(baskets.last_line, baskets.offsets, 0)
    return past.days_before_cutoff(last, baskets.counts > 0)


def days_since_first_event(past: Past) -> Array:
    offsets = past.events.offsets
    first = segment_first(past.events.timestamp, offsets, 0)
    return past.days_before_cutoff(first, np.diff(offsets) > 0)


def days_since_last_event(past: Past) -> Array:
    offsets = past.events.offsets
    last = segment_last(past.events.timestamp, offsets, 0)
    return past.days_before_cutoff(last, np.diff(offsets) > 0)
