"""UP-CF@r: what people alike bought in their last r baskets.

Reads  ``Visits``.
Gives  lists; settings tuned by ``peers.tuning``.
Source Faggioli et al., Recency Aware Collaborative Filtering for Next Basket Recommendation,
       UMAP 2020. Symbols are the paper's: r baskets, q the locality, alpha the asymmetry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from .baskets import Array, Visits, lists_by_block

ALL = 10**6
START: dict[str, Any] = {"r": 25, "q": 10, "alpha": 0.25}
GRID: dict[str, tuple[Any, ...]] = {
    "q": (1, 5, 10, 50, 100, 1000),
    "r": (1, 5, 10, 25, 50, 100, ALL),
    "alpha": (0.0, 0.25, 0.5, 0.75, 1.0),
}
NEGLIGIBLE = 1e-9  # of a similarity of 1: such neighbours move no list


def upcf_lists(
    visits: Visits, asked: Array, *, r: int, q: float, alpha: float, n: int = 10
) -> Array:
    """s(u, i) = sum over v of sim(u, v)^q * share of v's last min(r, n_v) baskets with i.

    sim(u, v) = |I_u & I_v| / (|I_u|^alpha * |I_v|^(1 - alpha)), 1 with oneself.
    """
    n_v = visits.n_baskets[visits.customer]
    share = (visits.basket >= n_v - r) / np.minimum(n_v, r)
    habits = visits.matrix(share)
    habits.eliminate_zeros()
    owned = visits.matrix()
    sizes = np.maximum(np.asarray(owned.sum(axis=1)).ravel(), 1.0)

    def score(rows: slice) -> Array:
        who = asked[rows]
        common = (owned[who] @ owned.T).toarray()
        alike = common / (sizes[who][:, None] ** alpha * sizes ** (1 - alpha))
        weight = alike**q
        weight[weight < NEGLIGIBLE * weight.max(axis=1, keepdims=True)] = 0.0
        return (csr_matrix(weight) @ habits).toarray()

    return lists_by_block(asked, score, visits.popularity, n)
