"""Neighbours' next baskets: what those bought next who looked as a customer looks now.

Reads  everybody's past split at earlier moments: their baskets before, and what came after.
Gives  ``NextBaskets``: how often an item came next for the references nearest in space, and
       for those nearest in angle; ``split_at``.
Never  a reference of the customer's own; anything after the cutoff.
Source neighbours in the space of Hu et al. (TIFU-KNN), SIGIR 2020; of a neighbour one wants
       the next basket, not the whole past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from ..kernels.segments import segment_count, segment_max
from .intact import sparse_from
from .profiles import csr_of
from .references import (
    References,
    best_and_own,
    in_blocks,
    narrow,
    row_means,
    sample_filled,
    sparse_arrays,
    with_items,
)
from .shoppers import HORIZON, Shoppers
from .source import Clock, ItemFacts, View
from .tifu import tifu_vectors

Array = NDArray[Any]
N_ENOUGH, MAX_MOMENTS = 5_000, 6  # earlier moments until there are enough references
N_IN_SPACE, N_IN_ANGLE = 300, 200
ANGLE_SHARE = 0.25
N_GROUPS, BASKET_DECAY, GROUP_DECAY = 7, 0.9, 0.7


@dataclass(frozen=True)
class NextBaskets:
    """At most ``N_REFERENCES`` pasts of customers and what came next in them."""

    name: ClassVar[str] = "next_baskets"
    floor: ClassVar[float] = 1e-3

    references: References  # customers at a moment
    came_next: csr_matrix  # float32 (r, n_items): 1 for what they bought next

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        moments = _moments(everyone)
        customer = np.concatenate([who for who, _, _ in moments])
        moment = np.repeat(np.arange(len(moments)), [len(who) for who, _, _ in moments])
        drawn = sample_filled(np.arange(len(customer)), seed)
        customer, moment = customer[drawn], moment[drawn]
        vectors, came_next = [], []
        for nth, (_, before, after) in enumerate(moments):
            who = customer[moment == nth]
            vectors.append(narrow(_vectors(before.take(who))))
            came_next.append(after[who])
        order = np.argsort(customer, kind="stable")  # by customer, late moments first
        own, owner = np.unique(customer[order], return_inverse=True)
        references = References.of(vstack(vectors, "csr")[order], everyone.ids[own], owner)
        return cls(references, vstack(came_next, "csr")[order])

    def score(self, some: View) -> csr_matrix:
        """Share of the neighbours in space who bought it next, and the same in angle."""
        vectors = _vectors(some.shoppers)

        def block(rows: slice) -> csr_matrix:
            near = self._neighbours(vectors[rows], some.ids[rows])
            return best_and_own(near @ self.came_next, vectors[rows])

        return in_blocks(block, *vectors.shape)

    def _neighbours(self, vectors: csr_matrix, ids: Array) -> csr_matrix:
        """Weights of references, summing to one (m, r); to less where none is near in angle."""
        products = self.references.products(vectors, ids)
        space = row_means(self.references.near_in_space(products, N_IN_SPACE))
        angle = self.references.near_in_angle(products, N_IN_ANGLE)
        weights = space * (1.0 - ANGLE_SHARE) + row_means(angle, angle.data) * ANGLE_SHARE
        return weights.astype(np.float32)

    def without(self, customer_ids: Array) -> NextBaskets:
        """The same without the references of these customers."""
        references, stays = self.references.without(customer_ids)
        return NextBaskets(references, self.came_next[np.flatnonzero(stays)])

    def to_arrays(self) -> dict[str, Array]:
        return self.references.to_arrays() | sparse_arrays("came_next", self.came_next)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        references = References.from_arrays(arrays, n_items)
        n = len(references.owner)
        return cls(references, sparse_from(arrays, "came_next", n_items, n_rows=n))


def split_at(shoppers: Shoppers, age: float, clock: Clock) -> tuple[Shoppers, csr_matrix]:
    """Customers as they were ``age`` ago (days or baskets), and the known items since then.

    The second is 1 where an item was bought at most ``age`` ago (m, n_known), float32. Ages
    count from the earlier moment; ``gone`` stays empty, what came back by then is not known.
    """
    pair = np.repeat(np.arange(len(shoppers.item)), shoppers.n_visits)
    old_visit, old_basket = shoppers.visit_age > age, shoppers.basket_age > age
    n_old = segment_count(old_visit, shoppers.visit_offsets)
    since = np.flatnonzero((n_old < shoppers.n_visits) & (shoppers.item < shoppers.n_known))
    came_next = csr_of(
        shoppers.customer[since], shoppers.item[since], np.ones(len(since), dtype=np.float32),
        (shoppers.n, shoppers.n_known),
    )  # fmt: skip
    visits = np.flatnonzero(old_visit)
    customer = shoppers.customer[pair[visits]]
    n_since = segment_count(~old_basket, shoppers.basket_offsets)
    days = _days_since(shoppers, old_visit, age, clock)
    before = Shoppers(
        n_known=shoppers.n_known,
        item=shoppers.item[n_old > 0],
        offsets=_offsets(segment_count(n_old > 0, shoppers.offsets)),
        visit_age=shoppers.visit_age[visits] - age,
        visit_offsets=_offsets(n_old[n_old > 0]),
        visit_days=shoppers.visit_days[visits] - days[customer],
        visit_back=shoppers.visit_back[visits] - n_since[customer],
        visit_units=shoppers.visit_units[visits],
        basket_age=shoppers.basket_age[old_basket] - age,
        basket_offsets=_offsets(segment_count(old_basket, shoppers.basket_offsets)),
        gone=np.empty(0, dtype=np.int64),
        gone_offsets=np.zeros(shoppers.n + 1, dtype=np.int64),
    )
    return before, came_next


def _days_since(shoppers: Shoppers, old_visit: Array, age: float, clock: Clock) -> Array:
    """Days from the earlier moment to the cutoff (m,); baskets: to the first one since then."""
    if clock.target == HORIZON:
        return np.full(shoppers.n, age)
    days = np.where(old_visit, 0.0, shoppers.visit_days)
    by_pair = segment_max(days, shoppers.visit_offsets, 0.0)
    return segment_max(by_pair, shoppers.offsets, 0.0)


def _moments(everyone: View) -> list[tuple[Array, Shoppers, csr_matrix]]:
    """Customers with a past and a next, and both of everybody, at moments one length apart.

    Later moments look more like the cutoff, so earlier ones only come in to fill up.
    """
    found: list[tuple[Array, Shoppers, csr_matrix]] = []
    shoppers, n_found = everyone.shoppers, 0
    while len(found) < MAX_MOMENTS and n_found < N_ENOUGH:
        before, came_next = split_at(shoppers, everyone.clock.horizon, everyone.clock)
        who = with_items(before)
        who = who[np.diff(came_next.indptr)[who] > 0]
        found.append((who, before, came_next))
        shoppers, n_found = before, n_found + len(who)
    return found


def _offsets(counts: Array) -> Array:
    return np.concatenate(([0], np.cumsum(counts)))


def _vectors(shoppers: Shoppers) -> csr_matrix:
    return tifu_vectors(shoppers, N_GROUPS, BASKET_DECAY, GROUP_DECAY)
