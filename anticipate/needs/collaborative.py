"""Items that are bought by the same customers.

Reads  which customers bought which items (yes or no).
Gives  each item's most similar items (cosine), and scores of items for a customer's profile.
Never  an item bought by a single customer: one buyer makes no pattern.
Source Sarwar et al., "Item-based collaborative filtering", WWW 2001; fitted by implicit.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from implicit.nearest_neighbours import CosineRecommender
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from .shoppers import Shoppers

Array = NDArray[Any]
N_SIMILAR = 50


class Collaborative(NamedTuple):
    similar: csr_matrix  # (n_items, n_items): row i holds the items most like i, without i

    @classmethod
    def learn(cls, item: Array, offsets: Array, n_items: int, k: int = N_SIMILAR) -> Self:
        buyers = np.bincount(item, minlength=n_items)
        customer = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        keep = buyers[item] >= 2
        shape = (len(offsets) - 1, n_items)
        bought = csr_matrix((np.ones(int(keep.sum())), (customer[keep], item[keep])), shape=shape)
        if bought.nnz == 0:
            return cls(csr_matrix((n_items, n_items)))
        model = CosineRecommender(K=k + 1, num_threads=1)
        with threadpool_limits(1, "blas"):
            model.fit(bought, show_progress=False)
        similar = model.similarity.tocsr()
        similar.sort_indices()
        row = np.repeat(np.arange(n_items), np.diff(similar.indptr))
        other = (similar.indices != row) & (similar.data > 0)
        counts = np.bincount(row[other], minlength=n_items)
        indptr = np.concatenate(([0], np.cumsum(counts)))
        return cls(
            csr_matrix((similar.data[other], similar.indices[other], indptr), shape=similar.shape)
        )

    def score(self, profiles: csr_matrix) -> csr_matrix:
        return (profiles @ self.similar).tocsr()
