"""Customers alike: what those buy whose recent baskets look the same.

Reads  profiles of a capped, seeded reference set of customers.
Gives  per customer and item: the similarity-weighted share of the most similar ones.
Never  the customer's own row: a reference of the same id is left out.
Source user-based filtering with recent purchases, after Faggioli et al., "Recency Aware
       Collaborative Filtering for Next Basket Recommendation", UMAP 2020.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.needs import keep_best
from ..kernels.segments import segment_count, segment_sum
from ..log.ids import lookup_codes
from .profiles import csr_of, product_terms, rows_of

Array = NDArray[Any]
N_REFERENCES = 20_000
N_NEIGHBOURS = 100


class Neighbours(NamedTuple):
    """r reference customers."""

    ids: Array  # (r,) sorted
    profiles: csr_matrix  # (r, n_items)

    @classmethod
    def learn(cls, profiles: csr_matrix, ids: Array, seed: np.random.RandomState) -> Self:
        """Customers with a profile; a seeded sample where there are more than the cap."""
        filled = np.flatnonzero(np.diff(profiles.indptr) > 0)
        if len(filled) > N_REFERENCES:
            filled = np.sort(seed.permutation(filled)[:N_REFERENCES])
        return cls(ids[filled], profiles[filled])

    def alike(self, profiles: csr_matrix, ids: Array) -> csr_matrix:
        """Weights of the most similar references of each customer, summing to one (m, r)."""
        near = (_unit_rows(profiles) @ _unit_rows(self.profiles).T.tocsr()).tocsr()
        customer = rows_of(near)
        filled = np.diff(profiles.indptr) > 0
        themselves = np.full(len(filled), -1)
        themselves[filled] = lookup_codes(ids[filled], self.ids)
        value = np.where(near.indices == themselves[customer], 0.0, near.data)
        rows = keep_best(near.indptr.astype(np.int64), value, near.indices, N_NEIGHBOURS)
        rows = rows[value[rows] > 0]
        counts = np.bincount(customer[rows], minlength=near.shape[0])
        total = segment_sum(value[rows], np.concatenate(([0], np.cumsum(counts))))
        weight = value[rows] / np.repeat(total, counts)
        alike = csr_of(customer[rows], near.indices[rows], weight, near.shape)
        alike.sort_indices()
        return alike

    def score(self, alike: csr_matrix) -> csr_matrix:
        """Weighted share of the customers alike who buy each item (m, n_items)."""
        return (alike @ self.profiles).tocsr()

    def share(self, alike: csr_matrix, customer: Array, item: Array) -> Array:
        """Plain share of the customers alike in whose profile the item is."""
        _, value, offsets = product_terms(alike, self.profiles, customer, item)
        return segment_count(value > 0, offsets) / np.maximum(np.diff(offsets), 1)


def _unit_rows(matrix: csr_matrix) -> csr_matrix:
    data = matrix.data.astype(np.float64)
    length = np.sqrt(segment_sum(data * data, matrix.indptr.astype(np.int64)))
    unit = data / np.repeat(np.where(length > 0, length, 1.0), np.diff(matrix.indptr))
    return csr_matrix((unit, matrix.indices, matrix.indptr), shape=matrix.shape)
