"""Customers alike: what those buy whose recent baskets look the same.

Reads  profiles of a capped, seeded reference set of customers.
Gives  per customer and item: the similarity-weighted share of the most similar ones.
Never  the customer's own row: a reference of the same id is left out.
Source user-based collaborative filtering with recency, after Faggioli et al., "Recency Aware
       Collaborative Filtering for Next Basket Recommendation", UMAP 2020 (UP-CF).
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.needs import keep_best
from ..kernels.segments import segment_sum

Array = NDArray[Any]
N_REFERENCES = 20_000
N_NEIGHBOURS = 100


class Neighbours(NamedTuple):
    ids: Array  # (r,) reference customers, sorted
    profiles: csr_matrix  # (r, n_items), rows of unit length
    weights: csr_matrix  # (r, n_items): what they buy, as it came

    @classmethod
    def learn(cls, profiles: csr_matrix, ids: Array, seed: np.random.RandomState) -> Self:
        filled = np.flatnonzero(np.diff(profiles.indptr) > 0)
        if len(filled) > N_REFERENCES:
            filled = np.sort(seed.permutation(filled)[:N_REFERENCES])
        chosen = profiles[filled]
        return cls(ids[filled], _unit_rows(chosen), chosen)

    def alike(self, profiles: csr_matrix, ids: Array) -> csr_matrix:
        """The most similar references of each customer, weights summing to one (m, r)."""
        near = (_unit_rows(profiles) @ self.profiles.T.tocsr()).tocsr()
        near.sort_indices()
        customer = np.repeat(np.arange(near.shape[0]), np.diff(near.indptr))
        value = np.where(self.ids[near.indices] == ids[customer], 0.0, near.data)
        offsets = near.indptr.astype(np.int64)
        rows = keep_best(offsets, value, near.indices, N_NEIGHBOURS)
        rows = rows[value[rows] > 0]
        counts = np.bincount(customer[rows], minlength=near.shape[0])
        indptr = np.concatenate(([0], np.cumsum(counts)))
        total = np.repeat(segment_sum(value[rows], indptr), counts)
        return csr_matrix((value[rows] / total, near.indices[rows], indptr), shape=near.shape)

    def score(self, alike: csr_matrix) -> csr_matrix:
        return (alike @ self.weights).tocsr()


def _unit_rows(matrix: csr_matrix) -> csr_matrix:
    length = np.sqrt(segment_sum(matrix.data * matrix.data, matrix.indptr.astype(np.int64)))
    counts = np.diff(matrix.indptr)
    data = matrix.data / np.repeat(np.where(length > 0, length, 1.0), counts)
    return csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape)
