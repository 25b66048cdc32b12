"""Items that the same customers buy, or that lie in the same baskets.

Reads  which customers (or baskets) hold which items, yes or no.
Gives  each item's most similar items; ``Cosine`` and ``BM25``: similarity to what a customer
       bought, what was bought last speaking loudest, and which item spoke most.
Never  an item held only once: one buyer makes no pattern.
Source Sarwar et al., "Item-based collaborative filtering", WWW 2001; Robertson and Zaragoza,
       "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; fitted by implicit.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from ..kernels.segments import segment_max
from .intact import sparse_from
from .profiles import csr_of, nothing, product_terms, rows_of
from .references import sparse_arrays
from .source import ItemFacts, View

with warnings.catch_warnings():
    # implicit asks for notebook widgets to draw progress bars with; none are drawn here.
    warnings.simplefilter("ignore")
    from implicit.nearest_neighbours import ItemItemRecommender, bm25_weight

Array = NDArray[Any]
# Tuned on the second last items of Amazon Toys and on 56 days of the Complete Journey.
K = 80
SHRINKAGE = 10.0  # buyers added to each item's own: a cosine of few buyers is chance
BM25_K1, BM25_B = 0.05, 0.75


@dataclass(frozen=True)
class Cosine:
    """score(u, j) = sum over items i of u: decay(u, i) * n_ij / sqrt((n_i + s) (n_j + s)).

    n_ij customers have both, n_i has i; s is ``SHRINKAGE``.
    """

    name: ClassVar[str] = "cosine"
    floor: ClassVar[float] = 1e-2

    similar: csr_matrix  # float32 (n_items, n_items): row i holds the items most like i

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        """Who has what; facts and seed are not used."""
        return cls(similar_items(everyone.profiles, K, shrinkage=SHRINKAGE))

    def score(self, some: View) -> csr_matrix:
        """Similarity to the items of each profile, added up (m, n_items)."""
        return added_up(some, self.similar)

    def because(self, some: View, customer: Array, item: Array) -> Array:
        """The item of the profile that speaks most for each candidate; -1 none."""
        return strongest(some.lately, self.similar, customer, item)

    def to_arrays(self) -> dict[str, Array]:
        return sparse_arrays("similar", self.similar)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        return cls(sparse_from(arrays, "similar", n_items, n_rows=n_items))


@dataclass(frozen=True)
class BM25:
    """The same, with w_i w_j sum of idf(v)^2 over customers v who have both for the cosine.

    w_i = (K1 + 1) / (K1 (1 - B + B n_i / mean n) + 1): bends to popular items more than a
    cosine; idf(v) = ln n_items - ln(1 + items of v): who has few items counts more.
    """

    name: ClassVar[str] = "bm25"
    floor: ClassVar[float] = 0.1

    similar: csr_matrix  # float32 (n_items, n_items), 1 on average

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        """Who has what; facts and seed are not used."""
        return cls(bm25_items(everyone.profiles, K))

    def score(self, some: View) -> csr_matrix:
        """Similarity to the items of each profile, added up (m, n_items)."""
        return added_up(some, self.similar)

    def because(self, some: View, customer: Array, item: Array) -> Array:
        """The item of the profile that speaks most for each candidate; -1 none."""
        return strongest(some.lately, self.similar, customer, item)

    def to_arrays(self) -> dict[str, Array]:
        return sparse_arrays("similar", self.similar)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        return cls(sparse_from(arrays, "similar", n_items, n_rows=n_items))


def added_up(some: View, table: csr_matrix) -> csr_matrix:
    """Rows of an item-by-item table, weighed by what each customer bought lately, where positive.

    In the table's float32: another type would copy the table for each batch.
    """
    scores = (some.lately.astype(np.float32) @ table).tocsr()
    scores.data[scores.data < 0] = 0.0
    scores.eliminate_zeros()
    scores.sort_indices()
    return scores.astype(np.float64)


def strongest(profiles: csr_matrix, similar: csr_matrix, customer: Array, item: Array) -> Array:
    """The profile's item with the largest term of each candidate's score; -1 none."""
    inner, value, offsets = product_terms(profiles, similar, customer, item)
    top = segment_max(value, offsets, 0.0)
    hit = (value > 0) & (value == np.repeat(top, np.diff(offsets)))
    # of equal ones the lowest code: later writes win, so write in descending order
    best = np.full(len(customer), -1, dtype=np.int64)
    rows = np.flatnonzero(hit)[::-1]
    best[np.searchsorted(offsets, rows, side="right") - 1] = inner[rows]
    return best


def similar_items(held: csr_matrix, k: int, *, shrinkage: float = 0.0) -> csr_matrix:
    """Cosine of the k items most often held together with each item (n_items, n_items)."""
    shared = _held_twice(held)
    count = np.bincount(shared.indices, minlength=held.shape[1])
    # Columns of unit length make this implicit's CosineRecommender, which warns about itself.
    shared.data = 1.0 / np.sqrt(count[shared.indices] + shrinkage)
    return _nearest(shared, k)


def bm25_items(held: csr_matrix, k: int) -> csr_matrix:
    """BM25 similarity of the k items most like each item, 1 on average (n_items, n_items)."""
    shared = _held_twice(held)
    if not shared.nnz:
        return nothing(*(held.shape[1],) * 2)
    similar = _nearest(bm25_weight(shared.T, BM25_K1, BM25_B).T.tocsr(), k)
    similar.data /= similar.data.mean(dtype=np.float64) if similar.nnz else 1.0
    return similar


def _held_twice(held: csr_matrix) -> csr_matrix:
    """Ones where an item is held by two at least."""
    keep = np.bincount(held.indices, minlength=held.shape[1])[held.indices] >= 2
    row, item = rows_of(held)[keep], held.indices[keep]
    return csr_of(row, item, np.ones(len(row)), held.shape)


def _nearest(columns: csr_matrix, k: int) -> csr_matrix:
    """The k other columns of largest product with each column, float32."""
    n_items = columns.shape[1]
    if not columns.nnz:
        return nothing(n_items, n_items)
    model = ItemItemRecommender(K=k + 1, num_threads=1)
    with threadpool_limits(1, "blas"):
        model.fit(columns, show_progress=False)
    similar = model.similarity.tocsr()
    similar.sort_indices()
    row = rows_of(similar)
    other = (similar.indices != row) & (similar.data > 0)
    values = similar.data[other].astype(np.float32)
    return csr_of(row[other], similar.indices[other], values, similar.shape)
