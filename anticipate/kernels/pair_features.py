"""What a customer did with one item: how much, how often, how long ago, whether it stayed.

Reads  a :class:`Past`; p pairs bought, sorted by (customer, item).
Gives  float64 (p,): counts, pieces, days, shares.
Never  items that were only looked at: a pair begins with its first purchase.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import EVENT_CODES, RATING
from . import gaps
from .past import DAY, Past
from .segments import segment_last

Array = NDArray[Any]


def n_purchases(past: Past) -> Array:
    """Purchase days of the pair."""
    return past.pairs.n_visits.astype(np.float64)


def quantity(past: Past) -> Array:
    return past.pairs.sum_lines(past.purchases.quantity)


def days_since_first(past: Past) -> Array:
    return (past.cutoffs[past.pairs.customer] - past.pairs.first) / DAY


def days_since_last(past: Past) -> Array:
    """From the last line of the last purchase."""
    return (past.cutoffs[past.pairs.customer] - past.pair_last) / DAY


def gap_mean_days(past: Past) -> Array:
    return gaps.gap_mean_days(past.pairs.visit, past.pairs.visit_offsets)


def gap_sd_days(past: Past) -> Array:
    return gaps.gap_sd_days(past.pairs.visit, past.pairs.visit_offsets)


def overdue_ratio(past: Past) -> Array:
    """The open gap in the pair's mean gaps; in the item's where the pair has none."""
    gap_days = gap_mean_days(past)
    if past.item_gap_days is not None:
        single = np.isnan(gap_days)
        gap_days[single] = past.item_gap_days[past.pairs.item[single]]
    return gaps.overdue_ratio(days_since_last(past), gap_days)


def quantity_kept(past: Past) -> Array:
    """Pieces bought and not returned or cancelled."""
    return quantity(past) - past.pairs.sum_lines(past.returned)


def return_share(past: Past) -> Array:
    bought = quantity(past)
    return past.pairs.sum_lines(past.returned) / bought


def n_ratings(past: Past) -> Array:
    pair, _ = _ratings(past)
    return np.bincount(pair, minlength=past.pairs.n).astype(np.float64)


def rating_last(past: Past) -> Array:
    pair, value = _ratings(past)
    order = np.argsort(pair, kind="stable")
    offsets = np.searchsorted(pair[order], np.arange(past.pairs.n + 1))
    return segment_last(value[order], offsets, np.nan)


def _ratings(past: Past) -> tuple[Array, Array]:
    """Pair and value of each rating of an item that its customer bought, by time."""
    rows = past.rows_of(EVENT_CODES[RATING])
    rows = rows[~np.isnan(past.events.value[rows])]
    pair = past.pair_of(rows)
    return pair[pair >= 0], past.events.value[rows[pair >= 0]]
