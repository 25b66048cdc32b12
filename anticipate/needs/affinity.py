"""Shelves a customer buys from, and the price they are used to there.

Reads  item categories and usual prices, purchases on the target's clock.
Gives  ``Affinity``: own items and what sells lately in the categories a customer buys from.
Never  an item without a category; a guess where no item has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.needs import keep_best, sum_by
from ..kernels.order import group_order
from ..kernels.ranking import rank_within_group
from .intact import codes_below, of_length, sparse_from
from .profiles import csr_of, keys_of, nothing, rows_of
from .references import sparse_arrays
from .source import ItemFacts, View

Array = NDArray[Any]
N_CATEGORIES = 30  # of one customer
N_ITEMS = 20  # of one category that are proposed
N_BANDS = 3  # of price, within the category: low, middle, high
EVER = 0.1  # what a buyer of long ago counts beside one of the last period
PRIOR = 3.0  # purchases that the whole's price bands count for in a customer's own
_PLAIN = ("category", "band", "share", "shelf", "bands")


@dataclass(frozen=True)
class Affinity:
    """score(u, i) = p_i sqrt(p_uc / p_c * p_ub / p_b).

    p_i is the item's part of everybody's late purchases, p_c and p_b those of its category and
    of its price band; p_uc and p_ub are the same of the customer's own purchases, weighed as
    ``View.lately`` does. The root: who buys much of a shelf has much of it already. Bands
    count 1 where the price is unknown.
    """

    name: ClassVar[str] = "affinity"
    floor: ClassVar[float] = 1e-5

    category: Array  # int64 (n_items,) from 0, -1 unknown
    band: Array  # int64 (n_items,): 0 .. N_BANDS - 1, N_BANDS unknown
    share: Array  # float64 (n_items,): p_i / p_c
    shelf: Array  # float64 (n_categories,): p_c
    bands: Array  # float64 (N_BANDS,): of everybody's purchases
    best: csr_matrix  # float64 (n_categories, n_items): shares of the ``N_ITEMS`` best

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        """Popularity of the moment within categories, and price bands; no seed is used."""
        n_items = everyone.shoppers.n_known
        _, category = np.unique(items.category, return_inverse=True)
        category = category.astype(np.int64) - int((items.category < 0).any())
        weight = _popularity(everyone)
        n_categories = int(category.max(initial=-1)) + 1
        known = category >= 0
        total = sum_by(category[known], weight[known], n_categories)
        share = np.zeros(n_items)
        share[known] = weight[known] / np.maximum(total[category[known]], EVER)
        shelf = total / max(float(weight.sum()), EVER)
        band = _bands(category, items.price)
        sold = sum_by(band, weight, N_BANDS + 1)[:N_BANDS] + 1.0
        best = _best(category, share, n_categories)
        return cls(category, band, share, shelf, sold / sold.sum(), best)

    def score(self, some: View) -> csr_matrix:
        """Own items with a category, and the best of the customer's categories (m, n_known)."""
        shape = (some.shoppers.n, some.shoppers.n_known)
        if not self.best.nnz:
            return nothing(*shape).astype(np.float64)
        bought = some.lately
        part = self._categories(bought)
        proposed = _most(part) @ self.best
        pairs = np.union1d(keys_of(proposed.tocsr()), self._own(bought))
        row, item = pairs // shape[1], pairs % shape[1]
        ratio = self._band_ratios(bought)[row, self.band[item]]
        of_shelf = _at(part, row, self.category[item])
        return csr_of(row, item, of_shelf * self.share[item] * np.sqrt(ratio), shape)

    def to_arrays(self) -> dict[str, Array]:
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | sparse_arrays("best", self.best)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        plain = {name: arrays[name] for name in _PLAIN}
        n = len(plain["shelf"])
        codes_below(arrays, "category", n, least=-1)
        codes_below(arrays, "band", N_BANDS + 1)
        lengths = {"category": n_items, "band": n_items, "share": n_items, "bands": N_BANDS}
        for name, length in lengths.items():
            of_length(arrays, name, length)
        return cls(**plain, best=sparse_from(arrays, "best", n_items, n_rows=n))

    def _categories(self, bought: csr_matrix) -> csr_matrix:
        """sqrt(p_uc p_c): how much of its items to expect of each category (m, n_categories)."""
        sums = _sums(bought, self.category, self.best.shape[0])
        row = rows_of(sums)
        total = sum_by(row, sums.data, sums.shape[0])
        expected = np.sqrt(sums.data / total[row] * self.shelf[sums.indices])
        return csr_of(row, sums.indices, expected, sums.shape)

    def _own(self, bought: csr_matrix) -> Array:
        """Keys of own items that have a share of a category."""
        return keys_of(bought)[self.share[bought.indices] > 0]

    def _band_ratios(self, bought: csr_matrix) -> Array:
        """How usual each price band is for each customer; 1 where unknown (m, N_BANDS + 1)."""
        band = np.where(self.band < N_BANDS, self.band, -1)
        sums = _sums(bought, band, N_BANDS).toarray()
        # bands one after the other: the order of a sum must not depend on the batch
        total = sums[:, 0] + sums[:, 1] + sums[:, 2] + PRIOR
        ratio = np.ones((bought.shape[0], N_BANDS + 1))
        ratio[:, :N_BANDS] = (sums + PRIOR * self.bands) / total[:, None] / self.bands
        return ratio


def _popularity(everyone: View) -> Array:
    """Buyers of the last period, and ``EVER`` of all buyers, per item (n_known,)."""
    shoppers = everyone.shoppers
    known = shoppers.item < shoppers.n_known
    lately = known & (shoppers.last_age <= everyone.clock.period)
    ever, late = (
        np.bincount(shoppers.item[rows], minlength=shoppers.n_known) for rows in (known, lately)
    )
    return np.asarray(late + EVER * ever)


def _bands(category: Array, price: Array) -> Array:
    """Third of its category's items by price, equal prices together; N_BANDS unknown."""
    band = np.full(len(price), N_BANDS)
    known = np.flatnonzero((category >= 0) & np.isfinite(price))
    rows = known[np.lexsort((price[known], category[known]))]
    if not len(rows):
        return band
    group = category[rows]
    start = np.searchsorted(group, group)
    count = np.searchsorted(group, group, side="right") - start
    first_new = np.append(True, (group[1:] != group[:-1]) | (price[rows][1:] > price[rows][:-1]))
    place = np.maximum.accumulate(np.where(first_new, np.arange(len(rows)), 0)) - start
    band[rows] = place * N_BANDS // count
    return band


def _best(category: Array, share: Array, n_categories: int) -> csr_matrix:
    """Shares of the ``N_ITEMS`` largest of each category (n_categories, n_items)."""
    known = np.flatnonzero((category >= 0) & (share > 0))
    rows = known[group_order(category[known])]
    counts = np.bincount(category[rows], minlength=n_categories)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    rows = rows[rank_within_group(offsets, share[rows], rows) <= N_ITEMS]
    return csr_of(category[rows], rows, share[rows], (n_categories, len(category)))


def _sums(bought: csr_matrix, group: Array, n_groups: int) -> csr_matrix:
    """Weights of each customer's items by group, -1 left out (m, n_groups)."""
    known = np.flatnonzero(group >= 0)
    member = csr_of(known, group[known], np.ones(len(known)), (len(group), n_groups))
    sums = (bought @ member).tocsr()
    sums.sort_indices()
    return sums


def _most(part: csr_matrix) -> csr_matrix:
    """The ``N_CATEGORIES`` largest entries of each row."""
    rows = keep_best(part.indptr.astype(np.int64), part.data, part.indices, N_CATEGORIES)
    return csr_of(rows_of(part)[rows], part.indices[rows], part.data[rows], part.shape)


def _at(part: csr_matrix, row: Array, column: Array) -> Array:
    """Stored values at places that are stored."""
    wanted = row * np.int64(part.shape[1]) + column
    return part.data[np.searchsorted(keys_of(part), wanted)]
