"""TIFU-KNN: a decayed picture of each customer, mixed with that of the nearest others.

Reads  ``Visits``.
Gives  lists; settings tuned by ``peers.tuning``.
Source Hu et al., Modeling Personalized Item Frequency Information for Next-basket
       Recommendation, SIGIR 2020. Symbols are the paper's: m groups, r_b and r_g decays within
       the history and between groups, k neighbours, alpha the own share.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from .baskets import Array, Visits, best_items, best_of_mixes, blocks

PUBLISHED: dict[str, Any] = {"m": 7, "r_b": 0.9, "r_g": 0.7, "k": 300, "alpha": 0.7}
GRID: dict[str, tuple[Any, ...]] = {
    "r_g": (0.6, 0.7, 0.8, 0.9, 1.0),
    "r_b": (0.8, 0.9, 0.95, 1.0),
    "m": (3, 7, 13, 17, 23),
    "k": (100, 300, 500, 900),
    "alpha": (0.1, 0.2, 0.3, 0.5, 0.7, 0.9),
}


def picture(visits: Visits, *, m: int, r_b: float, r_g: float) -> csr_matrix:
    """Customers × items: sum over baskets of r_b^(n-1-b) * r_g^(m-1-g) / (group size * groups).

    n baskets fall into min(m, n) groups in order; the later groups take the remainder.
    """
    n = visits.n_baskets[visits.customer]
    groups = np.minimum(n, m)
    size, extra = np.divmod(n, groups)
    small = (groups - extra) * size  # baskets in groups of the smaller size
    late = visits.basket >= small
    group = np.where(
        late, groups - extra + (visits.basket - small) // (size + 1), visits.basket // size
    )
    weight = r_b ** (n - 1.0 - visits.basket) * r_g ** (m - 1.0 - group)
    return visits.matrix(weight / ((size + late) * groups))


def tifu_lists(
    visits: Visits, asked: Array, *, m: int, r_b: float, r_g: float, k: int, alpha: float,
    among: Array | None = None, n: int = 10,
) -> Array:  # fmt: skip
    """Lists of one setting; ``among`` = customers who may be neighbours (None: all others)."""
    found = [
        best_items(alpha * own + (1 - alpha) * others, visits.popularity, n)
        for own, others in _halves(visits, asked, among, (m, r_b, r_g, k))
    ]
    return np.concatenate(found)


def tifu_lists_of_all_alphas(
    visits: Visits, asked: Array, alphas: tuple[float, ...], *, m: int, r_b: float, r_g: float,
    k: int, among: Array | None = None, n: int = 10,
) -> dict[float, Array]:  # fmt: skip
    """Lists per alpha: the neighbours are the same, so tuning finds them once."""
    found = [
        best_of_mixes(own, others, alphas, visits.popularity, n)
        for own, others in _halves(visits, asked, among, (m, r_b, r_g, k))
    ]
    return {alpha: np.concatenate([part[alpha] for part in found]) for alpha in alphas}


def _halves(
    visits: Visits, asked: Array, among: Array | None, setting: tuple[int, float, float, int]
) -> Iterator[tuple[Array, Array]]:
    """Own scores and the neighbours' mean, dense, a block of customers at a time."""
    m, r_b, r_g, k = setting
    vectors = picture(visits, m=m, r_b=r_b, r_g=r_g)
    pool = np.flatnonzero(visits.n_baskets) if among is None else among
    others = vectors[pool]
    squares = np.asarray(others.multiply(others).sum(axis=1)).ravel()
    for rows in blocks(asked):
        own = vectors[asked[rows]]
        far = squares - 2.0 * (own @ others.T).toarray()  # + |own|^2, equal within a row
        far[asked[rows][:, None] == pool] = np.inf
        near = np.argpartition(far, min(k, len(pool)) - 1, axis=1)[:, :k]
        at = (np.repeat(np.arange(len(near)), near.shape[1]), near.ravel())
        share = np.full(near.size, 1.0 / near.shape[1])
        weights = csr_matrix((share, at), shape=far.shape)
        yield own.toarray(), (weights @ others).toarray()
