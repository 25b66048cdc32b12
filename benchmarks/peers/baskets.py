"""Who bought what on which day, as codes: the one input of every method in this folder.

Reads  codes and local days of purchases.
Gives  ``Visits`` (distinct customer, day, item) and top-n lists from dense blocks of scores.
Never  a log, an id, or anything after the cutoff: the caller has cut it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Array = NDArray[Any]
BLOCK = 128  # customers whose scores are dense at a time


@dataclass(frozen=True)
class Visits:
    """Distinct (customer, day, item), sorted; a *basket* is a customer's day.

    Attributes
    ----------
    customer, item, day : int64 ndarray of shape (n,)
        ``day`` is a calendar day, or the basket's number where the data has no dates.
    now : float
        The cutoff in the same days.
    """

    customer: Array
    item: Array
    day: Array
    n_customers: int
    n_items: int
    now: float

    @classmethod
    def of(
        cls, customer: Array, item: Array, day: Array, size: tuple[int, int], now: float
    ) -> Visits:
        rows = np.unique(np.column_stack([customer, day, item]).astype(np.int64), axis=0)
        return cls(rows[:, 0], rows[:, 2], rows[:, 1], size[0], size[1], float(now))

    @cached_property
    def basket(self) -> Array:
        """Number of the row's basket among the customer's, from 0."""
        first = np.ones(len(self.customer), dtype=bool)
        first[1:] = (np.diff(self.customer) != 0) | (np.diff(self.day) != 0)
        number = np.cumsum(first) - 1
        starts = np.searchsorted(self.customer, np.arange(self.n_customers))
        of_customer = np.append(number, 0)[np.minimum(starts, len(number))]
        return number - of_customer[self.customer]

    @cached_property
    def n_baskets(self) -> Array:
        """Per customer, int64 (n_customers,)."""
        n = np.zeros(self.n_customers, dtype=np.int64)
        np.maximum.at(n, self.customer, self.basket + 1)
        return n

    @cached_property
    def popularity(self) -> Array:
        """Buyers of each item, float64 (n_items,)."""
        return np.bincount(self.matrix().indices, minlength=self.n_items).astype(np.float64)

    def matrix(self, values: Array | None = None) -> csr_matrix:
        """Customers × items: the sum of the rows' values; without values ones, not summed."""
        shape = (self.n_customers, self.n_items)
        given = np.ones(len(self.item)) if values is None else values
        found = csr_matrix((given, (self.customer, self.item)), shape=shape)
        if values is None:
            found.data[:] = 1.0
        return found


def blocks(asked: Array) -> Iterator[slice]:
    for start in range(0, len(asked), BLOCK):
        yield slice(start, min(start + BLOCK, len(asked)))


def best_items(scores: Array, popularity: Array, n: int) -> Array:
    """The n items with the highest scores of each row, (rows, n); ties by popularity, item.

    Items with score 0 fill up the list by popularity, so every list is full.
    """
    filler = np.argsort(-popularity, kind="stable")[:n]
    rows = [_ordered(_top(score, 4 * n), score, popularity, filler, n) for score in scores]
    return np.array(rows, dtype=np.int64).reshape(-1, n)


def best_of_mixes(
    own: Array, others: Array, shares: tuple[float, ...], popularity: Array, n: int
) -> dict[float, Array]:
    """``best_items`` of ``share * own + (1 - share) * others`` for several shares.

    Looks at the best 200 of either side only: an item outside both is in no list of ten.
    """
    filler = np.argsort(-popularity, kind="stable")[:n]
    found: dict[float, list[Array]] = {share: [] for share in shares}
    for mine, theirs in zip(own, others, strict=True):
        near = np.union1d(_top(mine, 200), _top(theirs, 200))
        for share in shares:
            mixed = share * mine[near] + (1 - share) * theirs[near]
            at = _ordered(np.arange(len(near)), mixed, popularity[near], filler[:0], n)
            found[share].append(_filled(near[at], filler, n))
    return {share: np.array(rows, dtype=np.int64) for share, rows in found.items()}


def _top(score: Array, reach: int) -> Array:
    """Positions of the ``reach`` highest scores above 0, with all that tie with the last."""
    reach = min(reach, len(score))
    cut = np.partition(score, len(score) - reach)[len(score) - reach]
    return np.flatnonzero(score >= cut) if cut > 0 else np.flatnonzero(score > 0)


def _ordered(near: Array, score: Array, popularity: Array, filler: Array, n: int) -> Array:
    order = np.lexsort((near, -popularity[near], -score[near]))
    return _filled(near[order[:n]], filler, n) if len(filler) else near[order[:n]]


def _filled(best: Array, filler: Array, n: int) -> Array:
    return np.concatenate([best, filler[~np.isin(filler, best)]])[:n]


def lists_by_block(
    asked: Array, score: Callable[[slice], Array], popularity: Array, n: int
) -> Array:
    """Item codes (len(asked), n) from a function that scores a slice of ``asked`` densely."""
    found = [best_items(score(rows), popularity, n) for rows in blocks(asked)]
    return np.concatenate(found) if found else np.zeros((0, n), dtype=np.int64)
