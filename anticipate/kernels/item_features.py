"""How an item is bought: by how many, how many again, after how long, at what price.

Reads  a :class:`Past` of a whole population, seen item by item.
Gives  float64 (n_items,): counts, shares, days, currency; NaN where nobody bought.
Never  an open gap: only gaps that a purchase closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import pair_features
from .events import offsets_of
from .gaps import closed_gaps_days
from .order import group_order
from .pairs import Pairs
from .past import DAY, Past
from .segments import segment_count, segment_sd, segment_sum

Array = NDArray[Any]


@dataclass(frozen=True)
class Shelf:
    """The pairs of a past, sorted by item instead of customer."""

    past: Past

    @property
    def n_items(self) -> int:
        return self.past.n_items

    @cached_property
    def order(self) -> Array:
        """int64 (n_pairs,): pairs by (item, customer)."""
        return group_order(self.past.pairs.item)

    @cached_property
    def offsets(self) -> Array:
        """int64 (n_items + 1,) into ``order``."""
        return offsets_of(self.past.pairs.item, self.n_items)

    @cached_property
    def gaps(self) -> tuple[Array, Array]:
        """Closed gaps in days, ascending in each item, and their offsets (n_items + 1,)."""
        pairs = self.past.pairs
        gaps, gap_offsets = closed_gaps_days(pairs.visit, pairs.visit_offsets)
        item = np.repeat(pairs.item, np.diff(gap_offsets))
        order = np.argsort(gaps, kind="stable")
        order = order[group_order(item[order])]
        return gaps[order], offsets_of(item, self.n_items)

    def sum_pairs(self, values: Array) -> Array:
        """Sum of a number per pair over each item's pairs."""
        return segment_sum(values[self.order], self.offsets)


def n_buyers(shelf: Shelf) -> Array:
    return np.diff(shelf.offsets).astype(np.float64)


def n_purchases(shelf: Shelf) -> Array:
    """Purchase days, each buyer's counted."""
    return shelf.sum_pairs(shelf.past.pairs.n_visits).astype(np.float64)


def repeat_buyer_share(shelf: Shelf) -> Array:
    """Share of the buyers who bought on two days or more."""
    again = segment_count(shelf.past.pairs.n_visits[shelf.order] > 1, shelf.offsets)
    return _ratio(again, np.diff(shelf.offsets))


def n_gaps(shelf: Shelf) -> Array:
    return np.diff(shelf.gaps[1]).astype(np.float64)


def gap_mean_days(shelf: Shelf) -> Array:
    days, rest_us, counts = gap_sums(shelf.past.pairs, shelf.n_items)
    return mean_gap_days(days, rest_us, counts)


def gap_sd_days(shelf: Shelf) -> Array:
    return segment_sd(*shelf.gaps)


def gap_quantile_days(shelf: Shelf, *, q: float) -> Array:
    """Linear between the two gaps beside the q-quantile's place (n - 1) q."""
    gaps, offsets = shelf.gaps
    counts = np.diff(offsets)
    some = np.flatnonzero(counts)
    place = (counts[some] - 1) * q
    low = np.floor(place).astype(np.int64)
    below = gaps[offsets[some] + low]
    above = gaps[offsets[some] + np.minimum(low + 1, counts[some] - 1)]
    out = np.full(len(counts), np.nan)
    out[some] = below + (above - below) * (place - low)
    return out


def return_share(shelf: Shelf) -> Array:
    """Share of the pieces sold that came back or were cancelled."""
    past = shelf.past
    back = shelf.sum_pairs(past.pairs.sum_lines(past.returned))
    return _ratio(back, shelf.sum_pairs(pair_features.quantity(past)))


def price_mean(shelf: Shelf) -> Array:
    """Mean price per piece of the lines with a known one."""
    bought, pairs = shelf.past.purchases, shelf.past.pairs
    known = ~np.isnan(bought.price)
    prices = shelf.sum_pairs(pairs.sum_lines(np.where(known, bought.price, 0.0)))
    return _ratio(prices, np.bincount(bought.item[known], minlength=shelf.n_items))


def price_last(shelf: Shelf) -> Array:
    """Price per piece of the latest line with a known one; the highest of several."""
    bought = shelf.past.purchases
    rows = np.flatnonzero(~np.isnan(bought.price))
    item, at = bought.item[rows], bought.timestamp[rows]
    latest = np.full(shelf.n_items, np.iinfo(np.int64).min)
    np.maximum.at(latest, item, at)
    rows = rows[at == latest[item]]
    price = np.full(shelf.n_items, np.nan)
    np.fmax.at(price, bought.item[rows], bought.price[rows])
    return price


def gap_sums(pairs: Pairs, n_items: int) -> tuple[Array, Array, Array]:
    """Whole days, left-over microseconds and number of each item's closed gaps.

    int64 (n_items,) each, so sums over customers are exact in any order and any parts.
    """
    several = np.flatnonzero(pairs.n_visits > 1)
    item, offsets = pairs.item[several], pairs.visit_offsets
    span = pairs.visit[offsets[several + 1] - 1] - pairs.visit[offsets[several]]
    days, rest_us, counts = (np.zeros(n_items, dtype=np.int64) for _ in range(3))
    np.add.at(days, item, span // DAY)
    np.add.at(rest_us, item, span % DAY)
    np.add.at(counts, item, pairs.n_visits[several] - 1)
    return days, rest_us, counts


def mean_gap_days(days: Array, rest_us: Array, counts: Array) -> Array:
    """Mean gaps of summed ones; NaN where there is none."""
    return _ratio(days + rest_us / DAY, counts)


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
