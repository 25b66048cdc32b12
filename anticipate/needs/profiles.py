"""Customers as sparse vectors, and sparse scores of many items for many customers.

Reads  kept purchases on the target's clock.
Gives  profiles: at most ``WIDTH`` items per customer, recent and frequent ones first;
       ``Scores``: look-up by pair, the best items of each customer; the terms of a product.
Never  a dense customer-by-item matrix; a row depends on its own customer only.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.needs import decayed_counts, find_keys, keep_best
from .shoppers import Shoppers, take_segments

Array = NDArray[Any]
WIDTH = 200
HALF_LIFE = 3.0  # periods
# Tuned on the second last items of Amazon Toys and on 56 days of the Complete Journey.
STEEPNESS = 0.25  # an item last bought b baskets back counts b^-steepness
FAINTEST = 1e-4  # what the oldest purchase still counts


def profiles_of(shoppers: Shoppers, period: float) -> csr_matrix:
    """Root of the decayed count of each known item, at most 1 (m, n_known)."""
    weight = decayed_counts(shoppers.visit_age, shoppers.visit_offsets, HALF_LIFE * period)
    known = shoppers.item < shoppers.n_known
    rows = keep_best(shoppers.offsets, np.where(known, weight, 0.0), shoppers.item, WIDTH)
    rows = rows[known[rows]]
    values = np.minimum(np.sqrt(weight[rows]), 1.0).astype(np.float32)
    shape = (shoppers.n, shoppers.n_known)
    return csr_of(shoppers.customer[rows], shoppers.item[rows], values, shape)


def lately_bought(shoppers: Shoppers, period: float) -> csr_matrix:
    """Known items of each customer, the last bought weighing most, at most 1 (m, n_known).

    b^-STEEPNESS * 2^(-age / (HALF_LIFE * period)), b baskets back and age since it was last
    bought; the ``WIDTH`` heaviest items. One falls off fast after the last basket, the other
    lets go of what is long past, however few baskets lie between.
    """
    last = shoppers.visit_offsets[1:] - 1
    weight = shoppers.visit_back[last] ** -STEEPNESS
    weight = weight * np.exp2(-shoppers.visit_age[last] / (HALF_LIFE * period))
    weight = np.maximum(weight, FAINTEST)
    known = shoppers.item < shoppers.n_known
    rows = keep_best(shoppers.offsets, np.where(known, weight, 0.0), shoppers.item, WIDTH)
    rows = rows[known[rows]]
    shape = (shoppers.n, shoppers.n_known)
    return csr_of(shoppers.customer[rows], shoppers.item[rows], weight[rows], shape)


def csr_of(row: Array, column: Array, value: Array, shape: tuple[int, int]) -> csr_matrix:
    """A sparse matrix from entries sorted by row."""
    indptr = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=shape[0]))))
    return csr_matrix((value, column, indptr), shape=shape)


def nothing(n_rows: int, n_columns: int) -> csr_matrix:
    """A sparse matrix without entries."""
    none = np.empty(0, dtype=np.int64)
    return csr_of(none, none, np.empty(0, dtype=np.float32), (n_rows, n_columns))


def rows_of(matrix: csr_matrix) -> Array:
    """Row number of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def keys_of(matrix: csr_matrix) -> Array:
    """row * n_columns + column of each stored entry; ascending where indices are sorted."""
    return rows_of(matrix) * np.int64(max(matrix.shape[1], 1)) + matrix.indices


class Scores(NamedTuple):
    """Positive scores of a batch of customers, sorted by customer and item."""

    key: Array  # int64: customer * n_items + item
    offsets: Array  # int64 (m + 1,)
    item: Array
    value: Array  # float64
    n_items: int

    @classmethod
    def of(cls, product: csr_matrix) -> Self:
        product.sort_indices()
        offsets, item = product.indptr.astype(np.int64), product.indices.astype(np.int64)
        values = product.data.astype(np.float64)
        return cls(keys_of(product), offsets, item, values, product.shape[1])

    def at(self, customer: Array, item: Array) -> Array:
        """The score of each pair; 0 where there is none."""
        place = self._find(customer, item)
        found = place >= 0
        out = np.zeros(len(place))
        out[found] = self.value[place[found]]
        return out

    def best(self, k: int, owned: Shoppers, allowed: Array | None) -> tuple[Array, Array, Array]:
        """Customer, item and score of the k best new items of each customer."""
        value = self.value.copy()
        own = self._find(owned.customer, owned.item)
        value[own[own >= 0]] = 0.0
        if allowed is not None:
            value[~allowed[self.item]] = 0.0
        rows = keep_best(self.offsets, value, self.item, k)
        rows = rows[value[rows] > 0]
        return self.key[rows] // max(self.n_items, 1), self.item[rows], value[rows]

    def _find(self, customer: Array, item: Array) -> Array:
        known = item < self.n_items
        return find_keys(self.key, np.where(known, customer * self.n_items + item, -1))


def product_terms(
    left: csr_matrix, right: csr_matrix, row: Array, column: Array
) -> tuple[Array, Array, Array]:
    """What the sum (left @ right)[row, column] is made of, for a few of its entries.

    Returns the inner index and value of every possible term (0 where ``right`` has none), and
    offsets (len(row) + 1,) into both.
    """
    entries, offsets = take_segments(left.indptr.astype(np.int64), row)
    inner = left.indices[entries].astype(np.int64)
    wanted = inner * np.int64(max(right.shape[1], 1)) + np.repeat(column, np.diff(offsets))
    place = find_keys(keys_of(right), wanted)
    value = np.zeros(len(inner))
    found = place >= 0
    value[found] = left.data[entries[found]].astype(np.float64) * right.data[place[found]]
    return inner, value, offsets
