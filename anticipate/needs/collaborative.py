"""Items that are bought by the same customers, or in the same baskets.

Reads  which customers (or baskets) hold which items, yes or no.
Gives  each item's most similar items by cosine, and scores for profiles.
Never  an item held only once: one buyer makes no pattern.
Source Sarwar et al., "Item-based collaborative filtering", WWW 2001; fitted by implicit.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from ..kernels.segments import segment_max
from .profiles import csr_of, nothing, product_terms, rows_of

with warnings.catch_warnings():
    # implicit asks for notebook widgets to draw progress bars with; none are drawn here.
    warnings.simplefilter("ignore")
    from implicit.nearest_neighbours import ItemItemRecommender

Array = NDArray[Any]
N_SIMILAR = 50


class Collaborative(NamedTuple):
    similar: csr_matrix  # float32 (n_items, n_items): row i holds the items most like i

    @classmethod
    def learn(cls, held: csr_matrix) -> Self:
        """From a customer-by-item matrix; its values do not count."""
        return cls(similar_items(held, N_SIMILAR))

    def score(self, profiles: csr_matrix) -> csr_matrix:
        """Similarity to the items of each profile, added up (m, n_items)."""
        return (profiles.astype(np.float64) @ self.similar).tocsr()

    def because(self, profiles: csr_matrix, customer: Array, item: Array) -> Array:
        """The item of the profile that speaks most for each candidate; -1 none."""
        inner, value, offsets = product_terms(profiles, self.similar, customer, item)
        top = segment_max(value, offsets, 0.0)
        hit = (value > 0) & (value == np.repeat(top, np.diff(offsets)))
        # of equal ones the lowest code: later writes win, so write in descending order
        best = np.full(len(customer), -1, dtype=np.int64)
        rows = np.flatnonzero(hit)[::-1]
        best[np.searchsorted(offsets, rows, side="right") - 1] = inner[rows]
        return best


def similar_items(held: csr_matrix, k: int) -> csr_matrix:
    """Cosine of the k items most often held together with each item (n_items, n_items)."""
    n_items = held.shape[1]
    keep = np.bincount(held.indices, minlength=n_items)[held.indices] >= 2
    if not keep.any():
        return nothing(n_items, n_items)
    count = np.bincount(held.indices[keep], minlength=n_items)
    unit = 1.0 / np.sqrt(count[held.indices[keep]])
    columns = csr_of(rows_of(held)[keep], held.indices[keep], unit, held.shape)
    # Columns of unit length make this implicit's CosineRecommender, which warns about itself.
    model = ItemItemRecommender(K=k + 1, num_threads=1)
    with threadpool_limits(1, "blas"):
        model.fit(columns, show_progress=False)
    similar = model.similarity.tocsr()
    similar.sort_indices()
    row = rows_of(similar)
    other = (similar.indices != row) & (similar.data > 0)
    values = similar.data[other].astype(np.float32)
    return csr_of(row[other], similar.indices[other], values, similar.shape)
