"""Customers as sparse vectors, and sparse scores of many items for many customers.

Reads  kept purchases on the target's clock.
Gives  profiles: at most ``WIDTH`` items per customer, recent and frequent ones first;
       ``Scores``: look-up by pair and the best items of each customer.
Never  a dense customer-by-item matrix; a row depends on its own customer only.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.needs import decayed_counts, find_keys, keep_best
from .shoppers import Shoppers

Array = NDArray[Any]
WIDTH = 100
HALF_LIFE = 3.0  # periods


def profiles_of(shoppers: Shoppers, period: float) -> csr_matrix:
    """Decayed counts of known items, capped at 1 per visit's worth (m, n_known)."""
    weight = decayed_counts(shoppers.visit_age, shoppers.visit_offsets, HALF_LIFE * period)
    known = shoppers.item < shoppers.n_known
    rows = keep_best(shoppers.offsets, np.where(known, weight, 0.0), shoppers.item, WIDTH)
    rows = rows[known[rows]]
    counts = np.bincount(shoppers.customer[rows], minlength=shoppers.n)
    indptr = np.concatenate(([0], np.cumsum(counts)))
    values = np.minimum(np.sqrt(weight[rows]), 1.0)
    return csr_matrix((values, shoppers.item[rows], indptr), shape=(shoppers.n, shoppers.n_known))


class Scores(NamedTuple):
    """Positive scores of a batch: sorted by customer and item."""

    offsets: Array
    item: Array
    value: Array
    n_items: int

    @classmethod
    def of(cls, product: csr_matrix) -> Self:
        product.sort_indices()
        return cls(product.indptr.astype(np.int64), product.indices.astype(np.int64), product.data,
                   product.shape[1])

    @property
    def key(self) -> Array:
        customer = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        return customer * self.n_items + self.item

    def at(self, customer: Array, item: Array) -> Array:
        """The score of each pair, 0 where there is none; items past the model's have none."""
        place = find_keys(self.key, np.where(item < self.n_items, customer * self.n_items + item, -1))
        return np.where(place >= 0, self.value[place], 0.0) if len(self.value) else np.zeros(len(place))

    def best(self, k: int, without: Shoppers, allowed: Array | None) -> tuple[Array, Array]:
        """Customer and item of the k best pairs per customer, own pairs left out."""
        customer = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        value = self.value.copy()
        known = without.item < self.n_items
        own = find_keys(customer * self.n_items + self.item, (without.customer * self.n_items + without.item)[known])
        value[own[own >= 0]] = 0.0
        if allowed is not None:
            value[~allowed[self.item]] = 0.0
        rows = keep_best(self.offsets, value, self.item, k)
        rows = rows[value[rows] > 0]
        return customer[rows], self.item[rows]
