"""Reference vectors of a capped number of customers, and the nearest ones of each customer.

Reads  sparse vectors over items, and whose they are.
Gives  ``References``: the exact k nearest, by distance or by cosine, as sparse rows.
Never  the customer's own vectors; a dense matrix past a block of customers; an answer that
       depends on who else is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from ..kernels.ids import build_id_index, ids_at
from ..kernels.needs import keep_best
from ..kernels.segments import segment_sum
from ..log.ids import lookup_codes
from .intact import codes_below, require, sparse_from
from .profiles import csr_of, rows_of
from .shoppers import Shoppers

Array = NDArray[Any]
N_REFERENCES = 20_000
WIDTH = 200  # items of one reference
N_BEST = 100  # items kept of a customer's scores, beside the own ones
_BLOCK = 128  # customers at a time: 10 MB of similarities to all references
_NO_ITEMS = -2  # place of a customer without items; -1: no reference is theirs


class Products(NamedTuple):
    """Products of customers' vectors with references (m, r), and whose references are theirs."""

    cells: csr_matrix
    place: Array  # int64 (m,)


class References(NamedTuple):
    """r vectors of c customers, looked up by item."""

    ids: Array  # (c,) sorted
    owner: Array  # int64 (r,) ascending: place in ``ids`` of whose vector it is
    by_item: csr_matrix  # float32 (n_items, r)
    square: Array  # float32 (r,): squared lengths

    @classmethod
    def of(cls, vectors: csr_matrix, ids: Array, owner: Array) -> Self:
        square = segment_sum(vectors.data**2, vectors.indptr.astype(np.int64))
        return cls(ids, owner, vectors.T.tocsr(), square)

    def products(self, vectors: csr_matrix, ids: Array) -> Products:
        """u v of each customer with each reference that shares an item."""
        place = np.full(vectors.shape[0], _NO_ITEMS)
        filled = np.diff(vectors.indptr) > 0
        place[filled] = lookup_codes(ids[filled], self.ids)
        return Products((vectors.astype(np.float32) @ self.by_item).tocsr(), place)

    def near_in_space(self, products: Products, k: int) -> csr_matrix:
        """The k references at the smallest Euclidean distance; value u v - |v|^2 / 2 (m, r)."""
        near, place = products.cells.toarray(), products.place
        near -= self.square / 2
        near[place == _NO_ITEMS] = -np.inf
        first = np.searchsorted(self.owner, place)
        count = np.searchsorted(self.owner, place, side="right") - first
        for nth in range(int(count.max(initial=0))):  # as often as one has references
            own = np.flatnonzero(count > nth)
            near[own, first[own] + nth] = -np.inf
        return highest(near, k)

    def near_in_angle(self, products: Products, k: int, power: float = 1.0) -> csr_matrix:
        """The k references of the highest u v / |v|^power > 0, which is the value (m, r)."""
        cells, place = products
        length = np.where(self.square > 0, self.square, np.float32(1.0))
        value = cells.data * (length ** np.float32(-power / 2))[cells.indices]
        value[self.owner[cells.indices] == place[rows_of(cells)]] = 0.0
        return best_entries(csr_matrix((value, cells.indices, cells.indptr), cells.shape), k)

    def without(self, customer_ids: Array) -> tuple[References, Array]:
        """Those of other customers, and which of these (r,) they are."""
        goes = np.isin(self.ids, customer_ids)
        stays = ~goes[self.owner]
        place = np.cumsum(~goes) - 1
        by_item = self.by_item[:, np.flatnonzero(stays)].tocsr()
        by_item.sort_indices()
        left = References(self.ids[~goes], place[self.owner[stays]], by_item, self.square[stays])
        return left, stays

    def to_arrays(self) -> dict[str, Array]:
        arrays = {f"ids.{part}": array for part, array in build_id_index(self.ids).items()}
        return arrays | {"owner": self.owner} | sparse_arrays("by_item", self.by_item)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        owner = arrays["owner"]
        parts = {k.removeprefix("ids."): v for k, v in arrays.items() if k.startswith("ids.")}
        n_ids = int(owner[-1]) + 1 if len(owner) else 0
        codes_below(arrays, "owner", n_ids)
        require((np.diff(owner) >= 0).all(), "owner does not ascend")
        by_item = sparse_from(arrays, "by_item", len(owner), n_rows=n_items)
        return cls.of(by_item.T.tocsr(), ids_at(parts, np.arange(n_ids)), owner)


def highest(near: Array, k: int) -> csr_matrix:
    """The k highest finite cells of each row of float32; equal ones by lower column."""
    n_rows, n_columns = near.shape
    kth = np.full(n_rows, np.finfo(np.float32).min)
    if n_columns > k:
        kth = np.maximum(kth, np.partition(near, n_columns - k, axis=1)[:, n_columns - k])
    row, column = np.nonzero(near >= kth[:, None])
    value = near[row, column]
    kept = _without_late_ties(row, value, kth, k)
    return csr_of(row[kept], column[kept].astype(np.int32), value[kept], (n_rows, n_columns))


def best_and_own(scores: csr_matrix, own: csr_matrix, k: int | None = None) -> csr_matrix:
    """Of each row the k (``N_BEST``) best positive entries and the positive ones of ``own``."""
    flag = np.zeros(own.shape, dtype=bool)
    flag[rows_of(own), own.indices] = True
    mine = flag[rows_of(scores), scores.indices] & (scores.data > 0)
    return best_entries(scores, N_BEST if k is None else k, mine)


def best_entries(scores: csr_matrix, k: int, also: Array | None = None) -> csr_matrix:
    """Of each row the k best positive entries, equal ones by lower column; sorted indices.

    ``also`` (nnz,) marks entries that stay besides.
    """
    offsets, counts = scores.indptr, np.diff(scores.indptr)
    kth = np.full(len(counts), np.finfo(scores.dtype).tiny, dtype=scores.dtype)
    for n in np.flatnonzero(counts > k):  # a loop: one sort of all rows is 30 times slower
        start, end = offsets[n], offsets[n + 1]
        kth[n] = max(kth[n], np.partition(scores.data[start:end], end - start - k)[end - start - k])
    good = scores.data >= np.repeat(kth, counts)
    few = np.flatnonzero(good if also is None else good | also)
    row = np.searchsorted(offsets, few, side="right") - 1
    order = np.lexsort((scores.indices[few], row))
    few, row = few[order], row[order]
    first = _without_late_ties(row, scores.data[few], kth, k)
    if also is not None:
        first |= also[few]
    kept = few[first]
    return csr_of(row[first], scores.indices[kept], scores.data[kept], scores.shape)


def _without_late_ties(row: Array, value: Array, kth: Array, k: int) -> Array:
    """Mask of the first k per row among entries sorted by row; ``kth`` is the k-th value."""
    above, tied = value > kth[row], value == kth[row]
    n_above = np.bincount(row[above], minlength=len(kth))
    ordinal = np.cumsum(tied)
    first = np.searchsorted(row, np.arange(len(kth)))
    before = np.concatenate(([0], ordinal))[first]
    return np.asarray(above | (tied & (ordinal - before[row] <= k - n_above[row])))


def in_blocks(score: Callable[[slice], csr_matrix], n_rows: int, n_columns: int) -> csr_matrix:
    """Scores of all rows, a block of customers at a time."""
    blocks = [score(slice(start, start + _BLOCK)) for start in range(0, n_rows, _BLOCK)]
    empty = csr_matrix((0, n_columns), dtype=np.float64)
    return vstack([empty, *blocks], format="csr", dtype=np.float64)


def sample_filled(filled: Array, seed: np.random.RandomState) -> Array:
    """All of them, or a seeded sample of ``N_REFERENCES``, ascending."""
    if len(filled) <= N_REFERENCES:
        return filled
    return np.sort(seed.permutation(filled)[:N_REFERENCES])


def with_items(shoppers: Shoppers) -> Array:
    """Customers with an item that the model knows, ascending."""
    return np.unique(shoppers.customer[shoppers.item < shoppers.n_known])


def held(shoppers: Shoppers) -> csr_matrix:
    """1 for every known item bought (m, n_known), float32."""
    known = shoppers.item < shoppers.n_known
    ones = np.ones(np.count_nonzero(known), dtype=np.float32)
    shape = (shoppers.n, shoppers.n_known)
    return csr_of(shoppers.customer[known], shoppers.item[known], ones, shape)


def narrow(vectors: csr_matrix) -> csr_matrix:
    """The ``WIDTH`` largest entries of each row (equal ones: lower items), as float32."""
    rows = keep_best(vectors.indptr.astype(np.int64), vectors.data, vectors.indices, WIDTH)
    item, value = vectors.indices[rows].astype(np.int32), vectors.data[rows].astype(np.float32)
    return csr_of(rows_of(vectors)[rows], item, value, vectors.shape)


def row_means(chosen: csr_matrix, weight: Array | float = 1.0) -> csr_matrix:
    """In place of each entry its weight (nnz,) over the sum of its row's, float32."""
    weights = np.broadcast_to(np.asarray(weight, dtype=np.float64), chosen.nnz)
    total = segment_sum(weights, chosen.indptr.astype(np.int64))
    value = (weights / np.repeat(total, np.diff(chosen.indptr))).astype(np.float32)
    return csr_matrix((value, chosen.indices, chosen.indptr), shape=chosen.shape)


def scaled(matrix: csr_matrix, factor: Array) -> csr_matrix:
    """Each row times its factor (m,), float64."""
    data = matrix.data * np.repeat(factor, np.diff(matrix.indptr))
    return csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def sparse_arrays(name: str, matrix: csr_matrix) -> dict[str, Array]:
    parts = {"offsets": matrix.indptr, "items": matrix.indices, "values": matrix.data}
    return {f"{name}_{part}": np.asarray(array) for part, array in parts.items()}
