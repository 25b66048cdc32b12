"""Customers alike: what those bought lately who own the same items.

Reads  the sets of items of a capped, seeded reference set of customers, and their last baskets.
Gives  ``AlikeLately``: the similarity-weighted share of late baskets of the most similar ones,
       who they are, and how many of them have an item.
Never  the customer's own reference.
Source Faggioli et al., "Recency Aware Collaborative Filtering for Next Basket Recommendation"
       (UP-CF@r), UMAP 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.needs import keep_best
from ..kernels.segments import segment_count
from .intact import sparse_from
from .profiles import csr_of, product_terms
from .references import (
    WIDTH,
    References,
    best_and_own,
    held,
    in_blocks,
    row_means,
    sample_filled,
    sparse_arrays,
    with_items,
)
from .shoppers import Shoppers
from .source import ItemFacts, View

Array = NDArray[Any]
N_NEIGHBOURS = 200
N_LATE = 5  # r: the baskets that count
LOCALITY = 1.0  # q: higher listens more to the most similar
ASYMMETRY = 0.75  # a: sim = |I_u & I_v| / (|I_u|^a |I_v|^(1-a)), at .5 the cosine


@dataclass(frozen=True)
class AlikeLately:
    """UP-CF@r over at most ``N_REFERENCES`` customers; the customer's own baskets apart."""

    name: ClassVar[str] = "up_cf"
    floor: ClassVar[float] = 1e-3

    references: References  # sets of items
    lately: csr_matrix  # float32 (r, n_items): share of late baskets; a stored 0 was bought before

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        chosen = sample_filled(with_items(everyone.shoppers), seed)
        lately, ids = late_shares(everyone.shoppers.take(chosen)), everyone.ids[chosen]
        return cls(References.of(_sets(lately), ids, np.arange(len(ids))), lately)

    def alike(self, some: View) -> csr_matrix:
        """Weights of the most similar references of each customer, summing to one (m, r)."""
        sets = _sets(late_shares(some.shoppers))
        return in_blocks(
            lambda rows: self._alike(sets[rows], some.ids[rows]), len(some.ids),
            len(self.references.owner),
        )  # fmt: skip

    def _alike(self, sets: csr_matrix, ids: Array) -> csr_matrix:
        # Binary vectors: |I_v| is the squared length. |I_u|^a is the same for a whole row.
        products = self.references.products(sets, ids)
        near = self.references.near_in_angle(products, N_NEIGHBOURS, 2 * (1 - ASYMMETRY))
        return row_means(near, near.data.astype(np.float64) ** LOCALITY)

    def score(self, some: View) -> csr_matrix:
        """Weighted mean, over the customers alike, of an item's share of their late baskets."""
        sets, own = _sets(late_shares(some.shoppers)), held(some.shoppers)

        def block(rows: slice) -> csr_matrix:
            return best_and_own(self._alike(sets[rows], some.ids[rows]) @ self.lately, own[rows])

        return in_blocks(block, *own.shape)

    def share(self, alike: csr_matrix, customer: Array, item: Array) -> Array:
        """Plain share of the customers alike who have bought the item at any time."""
        had = _sets(self.lately)
        _, value, offsets = product_terms(alike, had, customer, item)
        return segment_count(value > 0, offsets) / np.maximum(np.diff(offsets), 1)

    def without(self, customer_ids: Array) -> AlikeLately:
        """The same without the references of these customers."""
        references, stays = self.references.without(customer_ids)
        return AlikeLately(references, self.lately[np.flatnonzero(stays)])

    def to_arrays(self) -> dict[str, Array]:
        return self.references.to_arrays() | sparse_arrays("lately", self.lately)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        references = References.from_arrays(arrays, n_items)
        n = len(references.owner)
        return cls(references, sparse_from(arrays, "lately", n_items, n_rows=n))


def late_shares(shoppers: Shoppers) -> csr_matrix:
    """Share of each one's last ``N_LATE`` baskets with the item (customers, n_known), float32.

    Every known item ever bought is stored, with 0 if not lately; past ``WIDTH`` items the ones
    bought last.
    """
    known = shoppers.item < shoppers.n_known
    last = shoppers.visit_back[shoppers.visit_offsets[1:] - 1]
    newest = np.where(known, 1.0 / last, 0.0)
    rows = keep_best(shoppers.offsets, newest, shoppers.item, WIDTH)
    rows = rows[known[rows]]
    count = segment_count(shoppers.visit_back <= N_LATE, shoppers.visit_offsets)
    customer = shoppers.customer[rows]
    share = (count[rows] / np.minimum(shoppers.n_baskets[customer], N_LATE)).astype(np.float32)
    return csr_of(customer, shoppers.item[rows], share, (shoppers.n, shoppers.n_known))


def _sets(held: csr_matrix) -> csr_matrix:
    """One wherever something is stored."""
    ones = np.ones(held.nnz, dtype=np.float32)
    return csr_matrix((ones, held.indices, held.indptr), shape=held.shape)
