"""Matrix factorisation: what customers with the same mixture of tastes buy.

Reads  who bought what and how lately.
Gives  ``Factors``: how close each item lies to a customer's taste; own items and the best new.
Never  an item of few buyers; a customer's vector from training: each is solved from their own
       purchases when asked for, so unknown customers are answered alike.
Source Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets",
       ICDM 2008; Rendle et al., "Revisiting the performance of iALS", RecSys 2022; fitted by
       implicit.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from threadpoolctl import threadpool_limits

from .intact import codes_below, of_length, require
from .profiles import WIDTH, csr_of, nothing, rows_of
from .source import ItemFacts, View

with warnings.catch_warnings():
    # implicit asks for notebook widgets to draw progress bars with; none are drawn here.
    warnings.simplefilter("ignore")
    from implicit.als import AlternatingLeastSquares

Array = NDArray[Any]
N_FACTORS = 64
N_ITERATIONS = 8
# The papers weigh an observed cell 1 + a0 and an unobserved one a0, and let the penalty of a
# vector grow with its observations, l n. implicit weighs them c and 1, with one penalty r for
# all: divided by a0, c = 1 + 1 / a0 and r = (l / a0) n, n the mean items of a customer.
# Tuned on the second last items of Amazon Toys and on 56 days of the Complete Journey.
ALPHA = 50.0  # c - 1 of an item just bought: a0 = .02
PENALTY = 0.03  # l
LEAST_BUYERS = 5  # an item of fewer has no vector
LEAST_CUSTOMERS, LEAST_ITEMS = 200, 200  # below, nothing is fitted
MOST_CUSTOMERS = 100_000  # a seeded sample of more: time, and all are solved anew when asked for
MOST_ITEMS = 40_000  # the most bought ones: a customer is compared with each
N_NEW = 64
BLOCK = 32  # rows of every product, padded with zeros: one row and many give the same bits
_SIZES = (8, 32, WIDTH)  # a customer's items are padded to one of these


@dataclass(frozen=True)
class Factors:
    """score(u, i) = x_u . y_i where positive.

    x_u = (Y'Y + r I + sum_i (c_ui - 1) y_i y_i')^-1 sum_i c_ui y_i over the items of u;
    c_ui = 1 + ALPHA * weight of the purchase (``View.lately``). Y has shape (k, f).
    """

    name: ClassVar[str] = "factors"
    floor: ClassVar[float] = 1e-2

    items: Array  # int64 (k,) codes that have a vector, ascending
    vectors: Array  # float32 (k, f)
    penalty: Array  # float64 (1,): r

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        """Vectors of items with enough buyers; none where data are few."""
        bought = _sampled(everyone.lately, seed)
        number = int(seed.randint(2**31 - 1))
        kept = _often_bought(bought)
        some = bought[:, kept]
        n_customers = np.count_nonzero(np.diff(some.indptr))
        if len(kept) < LEAST_ITEMS or n_customers < LEAST_CUSTOMERS:
            return cls(kept[:0], np.empty((0, N_FACTORS), dtype=np.float32), np.zeros(1))
        penalty = ALPHA * PENALTY * some.nnz / n_customers
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                N_FACTORS, regularization=penalty, alpha=1.0, iterations=N_ITERATIONS,
                num_threads=1, random_state=number,
            )  # fmt: skip
            model.fit(_confidence(some).astype(np.float32), show_progress=False)
        return cls(kept, model.item_factors, np.array([penalty]))

    def score(self, some: View) -> csr_matrix:
        """Own items and the ``N_NEW`` best new ones, positive products only (m, n_known)."""
        n_known = some.shoppers.n_known
        if not len(self.items) or not some.shoppers.n:
            return nothing(some.shoppers.n, n_known).astype(np.float64)
        bought = some.lately[:, self.items].tocsr()
        bought.sort_indices()
        blocks = []
        with threadpool_limits(1, "blas"):
            tastes = self._tastes(bought)
            for start in range(0, bought.shape[0], BLOCK):
                blocks.append(self._block(tastes[start : start + BLOCK], bought, start))
        found = vstack(blocks, format="csr")
        return csr_of(
            rows_of(found), self.items[found.indices], found.data, (bought.shape[0], n_known)
        )

    def to_arrays(self) -> dict[str, Array]:
        return {"items": self.items, "vectors": self.vectors, "penalty": self.penalty}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        items, vectors = codes_below(arrays, "items", n_items), arrays["vectors"]
        require((np.diff(items) > 0).all(), "items do not ascend")
        fits = vectors.ndim == 2 and len(vectors) == len(items)
        require(fits, f"vectors has shape {vectors.shape}; {len(items)} rows are needed")
        return cls(items, vectors, of_length(arrays, "penalty", 1))

    @cached_property
    def _exact(self) -> tuple[Array, Array]:
        """Vectors and one of zeros (k + 1, f), and Y'Y + r I (f, f), in float64."""
        vectors = np.vstack((self.vectors, np.zeros_like(self.vectors[:1]))).astype(np.float64)
        return vectors, vectors.T @ vectors + self.penalty * np.eye(vectors.shape[1])

    def _tastes(self, bought: csr_matrix) -> Array:
        """x of each customer (m, f), solved one by one; zero without an item."""
        vectors, base = self._exact
        tastes = np.zeros((bought.shape[0], vectors.shape[1]))
        count = np.diff(bought.indptr)
        for least, size in zip((0, *_SIZES), _SIZES, strict=False):
            rows = np.flatnonzero((count > least) & (count <= size))
            for start in range(0, len(rows), BLOCK):
                part = rows[start : start + BLOCK]
                tastes[part] = _solved(base, vectors, bought[part], size)
        return tastes

    def _block(self, tastes: Array, bought: csr_matrix, start: int) -> csr_matrix:
        """The best of at most ``BLOCK`` customers (rows, k)."""
        padded = np.zeros((BLOCK, tastes.shape[1]), dtype=np.float32)
        padded[: len(tastes)] = tastes
        near = (padded @ self.vectors.T)[: len(tastes)]
        own = bought[start : start + len(tastes)]
        return _own_and_best(near, own)


def _sampled(bought: csr_matrix, seed: np.random.RandomState) -> csr_matrix:
    """Rows of customers with an item, not too many."""
    filled = np.flatnonzero(np.diff(bought.indptr))
    if len(filled) > MOST_CUSTOMERS:
        filled = np.sort(seed.permutation(filled)[:MOST_CUSTOMERS])
    return bought[filled]


def _often_bought(bought: csr_matrix) -> Array:
    """Codes of items with enough buyers, ascending; the most bought where they are too many."""
    count = np.bincount(bought.indices, minlength=bought.shape[1])
    order = np.lexsort((np.arange(len(count)), -count))[:MOST_ITEMS]
    return np.sort(order[count[order] >= LEAST_BUYERS])


def _confidence(bought: csr_matrix) -> csr_matrix:
    return csr_matrix((1.0 + ALPHA * bought.data, bought.indices, bought.indptr), bought.shape)


def _solved(base: Array, vectors: Array, bought: csr_matrix, size: int) -> Array:
    """Least squares of a few customers, each padded to ``size`` items with zero vectors."""
    count, row = np.diff(bought.indptr), rows_of(bought)
    place = np.arange(len(row)) - np.repeat(bought.indptr[:-1], count)
    item = np.full((len(count), size), len(vectors) - 1)
    extra = np.zeros((len(count), size))
    item[row, place], extra[row, place] = bought.indices, ALPHA * bought.data
    held = vectors[item]
    weighted = held * extra[:, :, None]
    left = base + weighted.transpose(0, 2, 1) @ held
    right = (weighted + held).sum(axis=1)
    return np.linalg.solve(left, right[:, :, None])[:, :, 0]


def _own_and_best(near: Array, own: csr_matrix) -> csr_matrix:
    """Own entries and the best others of each row, where positive; all that equal the last."""
    row = rows_of(own)
    mine = near[row, own.indices]
    near[row, own.indices] = 0.0
    kth = np.zeros(len(near), dtype=near.dtype)
    if near.shape[1] > N_NEW:
        kth = np.partition(near, near.shape[1] - N_NEW, axis=1)[:, -N_NEW]
    near[row, own.indices] = np.where(mine > 0, mine, 0.0)
    keep = near >= kth[:, None]
    keep[row, own.indices] = True
    rows, columns = np.nonzero(keep & (near > 0))
    value = near[rows, columns].astype(np.float64)
    return csr_of(rows, columns, value, near.shape)
