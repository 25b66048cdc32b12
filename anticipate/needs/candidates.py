"""Candidates of a batch of customers, and what is known of each.

Reads  the tables of all, and the batch's own purchases and signals.
Gives  own pairs and new items, each with named columns for the blend and the source that
       speaks loudest for it.
Never  another customer of the batch: every row is the same alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import find_keys
from ..kernels.ranking import rank_within_group
from ..kernels.segments import within
from .habits import habit_columns
from .popular import FIRST
from .profiles import Scores, profiles_of
from .shoppers import Codes, Shoppers
from .signals import AGAINST, KINDS, Signals
from .tables import Tables

Array = NDArray[Any]
POOL = 64  # candidates that each source proposes
SOURCES = (
    "repeat", "bought_before", "goes_with", "people_like_you", "popular", "wished", "viewed",
    "newcomer",
)  # fmt: skip
CODE = {name: code for code, name in enumerate(SOURCES)}


class Rows(NamedTuple):
    """r candidates, sorted by customer and item."""

    customer: Array  # int64 (r,), position in the batch
    item: Array  # int64 (r,), extended code
    source: Array  # int8 (r,), index into SOURCES
    signal: Array  # int64 (r,), position among the batch's signals, -1 without
    columns: dict[str, Array]

    def table(self, names: tuple[str, ...]) -> Array:
        """(r, len(names)), column-major."""
        return np.stack([self.columns[name] for name in names]).T


@dataclass(frozen=True)
class Batch:
    """Some customers, ready to be described."""

    tables: Tables
    codes: Codes
    shoppers: Shoppers
    signals: Signals
    ids: Array  # (m,) their ids

    def take(self, customers: Array) -> Batch:
        """Some of them."""
        return Batch(
            self.tables, self.codes, self.shoppers.take(customers), self.signals.take(customers),
            self.ids[customers],
        )  # fmt: skip

    def flags(self, rows: Rows) -> Array:
        """What was said of each candidate, bool (r, 6)."""
        flags = np.zeros((len(rows.item), len(KINDS)), dtype=bool)
        said = rows.signal >= 0
        flags[said] = self.signals.flags[rows.signal[said]]
        return flags

    @cached_property
    def profiles(self) -> Any:
        return profiles_of(self.shoppers, self.tables.clock.period)

    @cached_property
    def alike(self) -> Any:
        return self.tables.neighbours.alike(self.profiles, self.ids)

    @cached_property
    def scores(self) -> dict[str, Scores]:
        return {
            "goes_with": Scores.of(self.tables.collaborative.score(self.profiles)),
            "people_like_you": Scores.of(self.tables.neighbours.score(self.alike)),
        }

    @cached_property
    def is_newcomer(self) -> Array:
        return self.shoppers.n_baskets == 0

    def own(self) -> Rows:
        """Every pair bought and kept."""
        part, clock = self.shoppers, self.tables.clock
        columns = self.tables.repeats.columns(part, clock.period, clock.horizon)
        columns |= self._shared_columns(part.customer, part.item)
        source = np.where(part.n_visits > 1, CODE["repeat"], CODE["bought_before"]).astype(np.int8)
        return Rows(
            part.customer, part.item, source, self._signal(part.customer, part.item), columns
        )

    def new(self, allowed: Array | None = None, least: int = 0) -> Rows:
        """What the sources propose beside it; ``allowed`` (codes.n,) restricts the items.

        Popular items fill up until ``least`` new ones, or all, are there.
        """
        customer, item, source = self._proposals(allowed, max(POOL, least))
        signal = self._signal(customer, item)
        popular, code = self.tables.popular, np.minimum(item, self.codes.n_known)
        columns = self._shared_columns(customer, item)
        columns[FIRST] = popular.first_log_odds[code]
        columns["buyers"] = np.log(popular.buyers[code] + 1.0)
        columns["repeat_share"] = np.log(self.tables.repeats.share[code])
        return Rows(customer, item, source, signal, columns)

    def _shared_columns(self, customer: Array, item: Array) -> dict[str, Array]:
        habits = habit_columns(self.shoppers, self.tables.clock.period)
        columns = {name: values[customer] for name, values in habits.items()}
        columns |= self.tables.popular.columns(item)
        columns["goes_with"] = np.log(self.scores["goes_with"].at(customer, item) + 1e-2)
        columns["people_like_you"] = np.log(
            self.scores["people_like_you"].at(customer, item) + 1e-3
        )
        return columns

    def own_place(self, customer: Array, item: Array) -> Array:
        """Position of each pair among the batch's own pairs, -1 for new ones."""
        keys, order = self._own_keys
        found = find_keys(keys, customer * self.codes.n + item)
        return np.where(found >= 0, order[found], -1) if len(order) else found

    def is_gone(self, customer: Array, item: Array) -> Array:
        """Pairs that were bought and came back in full."""
        part = self.shoppers
        gone = np.repeat(np.arange(part.n), np.diff(part.gone_offsets)) * self.codes.n + part.gone
        return find_keys(np.sort(gone), customer * self.codes.n + item) >= 0

    @cached_property
    def _own_keys(self) -> tuple[Array, Array]:
        keys = self.shoppers.customer * self.codes.n + self.shoppers.item
        order = np.argsort(keys, kind="stable")
        return keys[order], order

    def _signal(self, customer: Array, item: Array) -> Array:
        return self.signals.place(customer, item, self.codes.n)

    def _proposals(self, allowed: Array | None, n_popular: int) -> tuple[Array, Array, Array]:
        """Distinct new pairs with the source in whose list each stands highest."""
        lists = [self._popular(allowed, n_popular), *self._interests(allowed)]
        for name, scores in self.scores.items():
            mask = None if allowed is None else allowed[: self.codes.n_known]
            customer, item, value = scores.best(POOL, self.shoppers, mask)
            offsets = np.searchsorted(customer, np.arange(self.shoppers.n + 1))
            place = rank_within_group(offsets, value, item)
            lists.append((customer, item, place, np.full(len(item), CODE[name])))
        customer, item, place, source = (np.concatenate(part) for part in zip(*lists, strict=True))
        key = customer * self.codes.n + item
        order = np.lexsort((source, place, key))
        first = np.append(True, key[order][1:] != key[order][:-1])[: len(order)]
        chosen = order[first]
        return customer[chosen], item[chosen], source[chosen].astype(np.int8)

    def _popular(self, allowed: Array | None, n: int) -> tuple[Array, Array, Array, Array]:
        """The n most popular items that each customer never bought."""
        order = self.tables.popular.order
        order = order if allowed is None else order[allowed[order]]
        place = np.full(self.codes.n, len(order))
        place[order] = np.arange(len(order))
        part = self.shoppers
        owned = place[part.item]
        owned = owned[np.lexsort((owned, part.customer))]
        # Of the items owned, the j-th by popularity (from 0) has place - j items before it
        # that are not owned; if those are fewer than n, the list reaches past it.
        wanted = n + np.diff(part.gone_offsets)  # what came back may be among them
        passed = owned - within(part.offsets) < wanted[part.customer]
        reach = wanted + np.bincount(part.customer[passed], minlength=part.n)
        reach = np.minimum(reach, len(order))
        offsets = np.concatenate(([0], np.cumsum(reach)))
        customer, rank = np.repeat(np.arange(part.n), reach), within(offsets)
        item = order[rank]
        keep = self.own_place(customer, item) < 0
        source = np.where(self.is_newcomer, CODE["newcomer"], CODE["popular"])
        return customer[keep], item[keep], rank[keep] + 1, source[customer[keep]]

    def _interests(self, allowed: Array | None) -> list[tuple[Array, Array, Array, Array]]:
        """Items wished for, or looked at and put in a cart, and not bought since."""
        flags = self.signals.flags
        customer, item = self.signals.customer, self.signals.item
        new = self.own_place(customer, item) < 0
        if allowed is not None:
            new &= allowed[item]
        wished = new & flags[:, KINDS.index("wish")]
        seen = new & flags[:, ~AGAINST].any(axis=1) & ~wished
        found = []
        for mask, name, place in ((wished, "wished", 0), (seen, "viewed", 1)):
            n = int(mask.sum())
            found.append((customer[mask], item[mask], np.full(n, place), np.full(n, CODE[name])))
        return found
