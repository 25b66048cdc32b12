"""How many different things a customer buys, and how much of it again.

Reads  a :class:`Past` of m customers.
Gives  float64 (m,): counts and shares.
Never  lines: the same item twice on one day is one purchase of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .events import offsets_of
from .past import Past
from .segments import run_starts, segment_max

Array = NDArray[Any]


def n_items(past: Past) -> Array:
    return np.diff(past.pair_offsets).astype(np.float64)


def n_categories(past: Past) -> Array:
    """Categories bought from; NaN where the log has no categories."""
    m = past.events.n_customers
    if past.category is None:
        return np.full(m, np.nan)
    category = past.category[past.pairs.item].astype(np.int64)
    known = category >= 0
    span = np.int64(category.max(initial=0)) + 1
    key = np.sort(past.pairs.customer[known] * span + category[known])
    customer = key[run_starts(key)] // span
    return np.diff(offsets_of(customer, m)).astype(np.float64)


def repeat_share(past: Past) -> Array:
    """Share of the item purchases that were not the customer's first of that item."""
    n_all = _n_item_purchases(past)
    share = np.full(len(n_all), np.nan)
    return np.divide(n_all - np.diff(past.pair_offsets), n_all, out=share, where=n_all > 0)


def top_item_share(past: Past) -> Array:
    """Share of the item purchases that went to the customer's favourite item."""
    n_all = _n_item_purchases(past)
    most = segment_max(past.pairs.n_visits, past.pair_offsets, 0)
    share = np.full(len(n_all), np.nan)
    return np.divide(most, n_all, out=share, where=n_all > 0)


def _n_item_purchases(past: Past) -> Array:
    """int64 (m,): distinct (item, purchase day)."""
    return np.diff(past.pairs.visit_offsets[past.pair_offsets])
