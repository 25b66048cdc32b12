"""Customers as vectors of their baskets, late ones heavier, and those whose vectors are near.

Reads  visits of known items, in baskets back; a capped, seeded reference set of customers.
Gives  ``Tifu``: own vector and the mean vector of the nearest customers, added up.
Never  the customer's own reference; an approximate neighbour.
Source Hu et al., "Modeling Personalized Item Frequency Information for Next-basket
       Recommendation" (TIFU-KNN), SIGIR 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.segments import segment_sum
from .profiles import csr_of
from .references import (
    References,
    best_and_own,
    in_blocks,
    narrow,
    row_means,
    sample_filled,
    scaled,
    with_items,
)
from .shoppers import Shoppers
from .source import ItemFacts, View

Array = NDArray[Any]
N_NEIGHBOURS = 150
N_GROUPS, BASKET_DECAY, GROUP_DECAY = 17, 1.0, 0.9
PRIOR_BASKETS = 50.0  # own vectors of so many baskets weigh as much as the neighbours


@dataclass(frozen=True)
class Tifu:
    """TIFU-KNN over at most ``N_REFERENCES`` customers."""

    name: ClassVar[str] = "tifu"
    floor: ClassVar[float] = 2e-4

    references: References
    vectors: csr_matrix  # float32 (r, n_items)

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        chosen = sample_filled(with_items(everyone.shoppers), seed)
        vectors = narrow(_vectors(everyone.shoppers.take(chosen)))
        ids = everyone.ids[chosen]
        return cls(References.of(vectors, ids, np.arange(len(ids))), vectors)

    def score(self, some: View) -> csr_matrix:
        """alpha * own vector + (1 - alpha) * mean vector of the nearest customers.

        alpha = n / (n + PRIOR_BASKETS) for n baskets: the paper's one constant for everybody is
        too much for short pasts and too little for long ones.
        """
        own, n = _vectors(some.shoppers), some.shoppers.n_baskets
        alpha = n / (n + PRIOR_BASKETS)

        def block(rows: slice) -> csr_matrix:
            products = self.references.products(own[rows], some.ids[rows])
            near = self.references.near_in_space(products, N_NEIGHBOURS)
            mean = best_and_own(row_means(near) @ self.vectors, own[rows])
            return scaled(own[rows], alpha[rows]) + scaled(mean, 1.0 - alpha[rows])

        return in_blocks(block, *own.shape)

    def without(self, customer_ids: Array) -> Tifu:
        """The same without the references of these customers."""
        references, stays = self.references.without(customer_ids)
        return Tifu(references, self.vectors[np.flatnonzero(stays)])

    def to_arrays(self) -> dict[str, Array]:
        return self.references.to_arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        references = References.from_arrays(arrays, n_items)
        return cls(references, references.by_item.T.tocsr())


def tifu_vectors(shoppers: Shoppers, m: int, r_b: float, r_g: float) -> csr_matrix:
    """Decayed frequencies of known items (customers, n_known), float64.

    The p-th basket from the end (from 0) weighs r_b ** p; n baskets fall in g = min(m, n)
    groups, the later groups take the remainder; a group's vector is its mean, the q-th group
    from the end weighs r_g ** q / g.
    """
    n_visits = np.diff(shoppers.visit_offsets)
    n = np.repeat(np.repeat(shoppers.n_baskets, np.diff(shoppers.offsets)), n_visits)
    groups, back = np.minimum(n, m), shoppers.visit_back - 1
    size, n_larger = n // groups, n % groups
    in_larger = n_larger * (size + 1)  # baskets in the later groups, of one basket more
    larger = back < in_larger
    group = np.where(larger, back // (size + 1), (back - in_larger) // size + n_larger)
    weight = r_b**back * r_g**group / ((size + larger) * groups)
    value = segment_sum(weight, shoppers.visit_offsets)
    known = shoppers.item < shoppers.n_known
    shape = (shoppers.n, shoppers.n_known)
    return csr_of(shoppers.customer[known], shoppers.item[known], value[known], shape)


def _vectors(shoppers: Shoppers) -> csr_matrix:
    return tifu_vectors(shoppers, N_GROUPS, BASKET_DECAY, GROUP_DECAY)
