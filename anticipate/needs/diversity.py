"""Varied lists: each next item is probable and unlike those before it.

Reads  ranked candidates, item attributes, the similarity table.
Gives  ``Likeness`` of two items in [0, 1]; ``varied``: candidates in a new order.
Never  a changed score; an item from outside the pool.
Source Carbonell and Goldstein, "The use of MMR", SIGIR 1998: maximal marginal relevance.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..columns import CATEGORY, WORK
from ..kernels.needs import find_keys
from ..log import History
from .profiles import keys_of
from .shoppers import Codes

Array = NDArray[Any]
SAME_CATEGORY = 0.5  # likeness of two items of which nothing more is known


class Likeness(NamedTuple):
    """How alike two items are: 1 for the same work, else the larger of two clues.

    One is the cosine of their buyers (as far as the ranker's table holds it, in either
    direction), the other ``SAME_CATEGORY`` for items of one category.
    """

    work: Array  # int64 (n_codes,), -1 unknown
    category: Array  # int64 (n_codes,), -1 unknown
    key: Array  # int64 (s,): i * n_known + j of the table's entries, ascending
    value: Array  # float64 (s,)
    n_known: int

    @classmethod
    def of(cls, history: History, codes: Codes, similar: csr_matrix) -> Self:
        """Of the items of a history; the table is by the model's items."""
        work, category = (numbered(history, codes, name) for name in (WORK, CATEGORY))
        value = similar.data.astype(np.float64)
        return cls(work, category, keys_of(similar), value, codes.n_known)

    def __call__(self, first: Array, second: Array) -> Array:
        """Of pairs of codes, arrays of one shape."""
        cosine = np.maximum(self._cosine(first, second), self._cosine(second, first))
        same = (self.category[first] == self.category[second]) & (self.category[first] >= 0)
        alike = np.maximum(np.minimum(cosine, 1.0), np.where(same, SAME_CATEGORY, 0.0))
        twin = (self.work[first] == self.work[second]) & (self.work[first] >= 0)
        return np.where(twin, 1.0, alike)

    def _cosine(self, first: Array, second: Array) -> Array:
        known = (first < self.n_known) & (second < self.n_known)
        key = np.where(known, first * np.int64(self.n_known) + second, -1)
        place = find_keys(self.key, key.ravel()).reshape(key.shape)
        return np.append(self.value, 0.0)[place]  # -1, not found: the last one


def numbered(history: History, codes: Codes, column: str) -> Array:
    """Number of each item's value of an attribute (n_codes,), -1 without one."""
    out = np.full(codes.n, -1, dtype=np.int64)
    if column in history.items.columns:
        number = pd.factorize(history.items[column], sort=False)[0]
        out[codes.of_history[: history.n_items]] = number
    return out


def varied(
    offsets: Array, item: Array, score: Array, likeness: Likeness, diversity: float, n: int
) -> Array:
    """Row numbers of the n first of each customer, by maximal marginal relevance.

    Next comes the row with the largest (1 - d) r - d s: r its score over the customer's best
    score, s its likeness to the most similar row before it, d the diversity. Rows of a customer
    come best first; ties keep that order. O(rows * n).
    """
    counts = np.diff(offsets)
    width = int(counts.max(initial=0))
    there = np.arange(width) < counts[:, None]
    rows = np.where(there, offsets[:-1, None] + np.arange(width), 0)
    if not width:
        return np.empty(0, dtype=np.int64)
    items, who = item[rows], np.arange(len(counts))
    worth = np.where(there, (1.0 - diversity) * score[rows] / score[rows[:, :1]], -np.inf)
    nearest, chosen = np.zeros(rows.shape), []
    for _ in range(min(n, width)):  # places of the list, all customers at once
        pick = (worth - diversity * nearest).argmax(axis=1)
        chosen.append(rows[who, pick])
        worth[who, pick] = -np.inf
        last = np.broadcast_to(items[who, pick][:, None], items.shape)
        nearest = np.maximum(nearest, likeness(last, items))
    return np.stack(chosen, axis=1)[there[:, : len(chosen)]]
