"""Linear item-item model in closed form: what each item says beside all the others.

Reads  who has what.
Gives  ``Ease``: weights between the most bought items, and scores for profiles.
Never  more than ``MOST_ITEMS`` items: beyond them it is silent, and the item neighbours of
       ``collaborative`` speak alone.
Source Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from .collaborative import added_up, strongest
from .intact import of_length, sparse_from
from .profiles import csr_of, nothing, rows_of
from .references import highest, sparse_arrays
from .source import ItemFacts, View

Array = NDArray[Any]
MOST_ITEMS = 2_500  # two dense squares of 50 MB, and a second or two: time grows with the cube
LEAST_BUYERS = 2
N_WEIGHTS = 100  # of an item, by absolute value
LEAST_WEIGHT = 1e-6  # below, it is rounding
PENALTY = 500.0  # in buyers; tuned on the Complete Journey, flat from 100 to 1,000 on Toys


@dataclass(frozen=True)
class Ease:
    """B_ij = -P_ij / P_jj, B_jj = 0, P = (X'X + l I)^-1, X yes or no, l ``PENALTY``.

    score(u, j) = sum over items i of u: decay(u, i) * B_ij, where positive.
    """

    name: ClassVar[str] = "ease"
    floor: ClassVar[float] = 1e-4

    weights: csr_matrix  # float32 (n_items, n_items), negative ones too
    covers: Array  # int64 (2,): items that have weights, of how many with enough buyers

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        """Who has what; facts and seed are not used."""
        held = everyone.profiles
        count = np.bincount(held.indices, minlength=held.shape[1])
        often = int(np.count_nonzero(count >= LEAST_BUYERS))
        codes = np.lexsort((np.arange(len(count)), -count))[: min(MOST_ITEMS, often)]
        codes = np.sort(codes)
        if len(codes) < 2:
            return cls(nothing(*(held.shape[1],) * 2), np.array([0, often]))
        with threadpool_limits(1, "blas"):
            dense = _closed_form(held[:, codes])
        return cls(_largest(dense, codes, held.shape[1]), np.array([len(codes), often]))

    @property
    def falls_back(self) -> bool:
        """Whether items were left to the item neighbours, there being too many."""
        return bool(self.covers[0] < self.covers[1])

    def score(self, some: View) -> csr_matrix:
        """Weights of the items of each profile, added up, where positive (m, n_items)."""
        return added_up(some, self.weights)

    def because(self, some: View, customer: Array, item: Array) -> Array:
        """The item of the profile that speaks most for each candidate; -1 none."""
        return strongest(some.lately, self.weights, customer, item)

    def to_arrays(self) -> dict[str, Array]:
        return sparse_arrays("weights", self.weights) | {"covers": self.covers}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        weights = sparse_from(arrays, "weights", n_items, n_rows=n_items)
        return cls(weights, of_length(arrays, "covers", 2))


def _closed_form(held: csr_matrix) -> Array:
    """B of a few items (k, k)."""
    ones = csr_matrix((np.ones(held.nnz), held.indices, held.indptr), shape=held.shape)
    gram = (ones.T @ ones).toarray()
    diagonal = np.diag_indices_from(gram)
    gram[diagonal] += PENALTY
    # Symmetric and, with the penalty, well conditioned: Cholesky, overwriting to save memory.
    factor = cho_factor(gram, overwrite_a=True, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(gram)), overwrite_b=True, check_finite=False)
    inverse /= -np.diag(inverse)
    inverse[diagonal] = 0.0
    return inverse


def _largest(dense: Array, codes: Array, n_items: int) -> csr_matrix:
    """The ``N_WEIGHTS`` largest by absolute value of each row, as float32 by item code."""
    largest = highest(np.abs(dense).astype(np.float32), N_WEIGHTS)
    large = largest.data > LEAST_WEIGHT
    row, column = rows_of(largest)[large], largest.indices[large]
    value = dense[row, column].astype(np.float32)
    return csr_of(codes[row], codes[column].astype(np.int32), value, (n_items, n_items))
