"""What comes after: items in the baskets that follow a basket with an item.

Reads  each customer's last baskets, in order.
Gives  ``Follows``: directed transitions between items, scores of last baskets, and the item of
       them that speaks most for a candidate.
Never  more than ``N_FOLLOWERS`` of an item; all pairs of items at once.
Source first-order Markov chains: Rendle et al., "Factorizing Personalized Markov Chains for
       Next-Basket Recommendation", WWW 2010; counted and shrunk, not factorised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from ..kernels.needs import keep_best
from ..kernels.segments import run_starts
from .collaborative import strongest
from .intact import sparse_from
from .profiles import csr_of, nothing, rows_of
from .references import best_and_own, best_entries, held, in_blocks, sparse_arrays
from .shoppers import Shoppers
from .source import ItemFacts, View

Array = NDArray[Any]
N_FOLLOWERS = 50  # of each item
N_BASKETS = 20  # of each customer, the last ones
N_LINES, BASKET_SIZE = 5_000_000, 64  # to learn from; past them a seeded sample
N_LAGS, LAG_DECAY = 5, 0.7  # later baskets count too, each lag less
SHRINKAGE = 20.0  # baskets without a follower, added to each item's
POPULARITY_POWER = 0.1  # of the follower: what everybody buys says little
AGE_DECAY = 0.5  # of a customer's baskets, per basket back
SIZE_POWER = 0.5
_BLOCK_PAIRS = 1 << 22


@dataclass(frozen=True)
class Follows:
    """A table of transitions, ``N_FOLLOWERS`` an item."""

    name: ClassVar[str] = "follows"
    floor: ClassVar[float] = 1e-4

    after: csr_matrix  # float32 (n_items, n_items): row i holds what follows i

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        return cls(transitions(everyone.shoppers, seed))

    def score(self, some: View) -> csr_matrix:
        """What follows the items of the last baskets, the newest and the smallest first."""
        lately, own = last_items(some.shoppers), held(some.shoppers)
        return in_blocks(
            lambda rows: best_and_own(lately[rows] @ self.after, own[rows]), *own.shape
        )

    def because(self, some: View, customer: Array, item: Array) -> Array:
        """The item of the last baskets that speaks most for each candidate; -1 none."""
        return strongest(last_items(some.shoppers), self.after, customer, item)

    def to_arrays(self) -> dict[str, Array]:
        return sparse_arrays("after", self.after)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        return cls(sparse_from(arrays, "after", n_items, n_rows=n_items))


def last_items(shoppers: Shoppers) -> csr_matrix:
    """Weights of the items of each one's last baskets (m, n_known), float32.

    A visit p baskets before the last one weighs AGE_DECAY ** p / size ** SIZE_POWER.
    """
    basket, item = _lines(shoppers)
    size = np.bincount(basket)[basket]
    age = N_BASKETS - 1 - basket % N_BASKETS
    order = np.lexsort((age, item, basket // N_BASKETS))
    weight = (AGE_DECAY**age / size**SIZE_POWER)[order].astype(np.float32)
    customer = (basket // N_BASKETS)[order]
    weights = csr_of(customer, item[order], weight, (shoppers.n, shoppers.n_known))
    weights.sum_duplicates()
    return weights


def transitions(shoppers: Shoppers, seed: np.random.RandomState) -> csr_matrix:
    """About P(j in a later basket | i in a basket), the ``N_FOLLOWERS`` highest of each i.

    Baskets with i and j, l apart, count LAG_DECAY ** (l - 1); divided by the baskets with i
    that another follows, and ``SHRINKAGE``. O(sum of products of neighbouring basket sizes).
    """
    basket, item = _few_lines(*_lines(shoppers), seed)
    shape = (shoppers.n * N_BASKETS, shoppers.n_known)
    later = _later(basket, item, shape)
    source = np.diff(later.indptr)[basket] > 0
    count = np.bincount(item[source], minlength=shape[1])
    order = np.lexsort((basket[source], item[source]))
    one = np.ones(len(order), dtype=np.float32)
    holds = csr_of(item[source][order], basket[source][order], one, shape[::-1])
    popular = np.maximum(np.bincount(item, minlength=shape[1]), 1) ** POPULARITY_POWER
    blocks = [nothing(0, shape[1])]
    for rows in _blocks(holds @ np.diff(later.indptr).astype(np.float64)):
        pairs = (holds[rows] @ later).tocsr()
        pairs.data /= (count[rows] + SHRINKAGE)[rows_of(pairs)] * popular[pairs.indices]
        blocks.append(best_entries(pairs, N_FOLLOWERS))
    return vstack(blocks, format="csr", dtype=np.float32)


def _later(basket: Array, item: Array, shape: tuple[int, int]) -> csr_matrix:
    """Items of the baskets after each basket, weighted by lag, float32."""
    lags = [np.flatnonzero(basket % N_BASKETS >= lag) for lag in range(1, N_LAGS + 1)]
    row = np.concatenate([basket[lines] - lag for lag, lines in enumerate(lags, start=1)])
    column = np.concatenate([item[lines] for lines in lags])
    weight = np.repeat(LAG_DECAY ** np.arange(N_LAGS), [len(lines) for lines in lags])
    return csr_matrix((weight.astype(np.float32), (row, column)), shape=shape)


def _blocks(n_pairs: Array) -> Iterator[slice]:
    """Ranges of items with about ``_BLOCK_PAIRS`` pairs, at least one item each."""
    total = np.concatenate(([0.0], np.cumsum(n_pairs)))
    first = 0
    while first < len(n_pairs):
        last = int(np.searchsorted(total, total[first] + _BLOCK_PAIRS, side="right")) - 1
        last = min(max(last, first + 1), len(n_pairs))
        yield slice(first, last)
        first = last


def _lines(shoppers: Shoppers) -> tuple[Array, Array]:
    """Basket and known item of each line of the last baskets; customers in order.

    A customer's last basket has number ``N_BASKETS - 1`` of its ``N_BASKETS``.
    """
    pair = np.repeat(np.arange(len(shoppers.item)), shoppers.n_visits)
    item = shoppers.item[pair]
    keep = (shoppers.visit_back <= N_BASKETS) & (item < shoppers.n_known)
    start = shoppers.customer[pair[keep]] * N_BASKETS
    return start + N_BASKETS - shoppers.visit_back[keep], item[keep]


def _few_lines(basket: Array, item: Array, seed: np.random.RandomState) -> tuple[Array, Array]:
    """Lines of a seeded sample of customers and of a sample of what large baskets hold."""
    customer = basket // N_BASKETS
    counts = np.bincount(customer)
    if len(basket) > N_LINES:
        drawn = seed.permutation(len(counts))
        taken = np.zeros(len(counts), dtype=bool)
        taken[drawn[np.cumsum(counts[drawn]) <= N_LINES]] = True
        basket, item = basket[taken[customer]], item[taken[customer]]
    order = np.lexsort((item, basket))
    basket, item = basket[order], item[order]
    offsets = np.append(run_starts(basket), len(basket))
    if np.diff(offsets).max(initial=0) <= BASKET_SIZE:
        return basket, item
    rows = keep_best(offsets, seed.random_sample(len(basket)), item, BASKET_SIZE)
    return basket[rows], item[rows]
