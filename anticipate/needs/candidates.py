"""A batch of customers, and what is known of each candidate of theirs.

Reads  the tables of all, and the batch's own purchases and signals.
Gives  rows: customer-item pairs with named columns for the blends.
Never  another customer of the batch: every row is the same alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import decayed_counts, find_keys
from ..kernels.ranking import rank_within_group
from ..log import History
from .categories import CATEGORIES, HALF_LIFE, CategoryHabits
from .dislikes import Opinions, liking_columns
from .habits import HABITS, habit_columns
from .popular import FIRST
from .profiles import Scores
from .ratings import Rated
from .repeats import OWN
from .said import SAID
from .shoppers import Codes, Shoppers
from .signals import KINDS, Signals
from .source import View
from .sources import EVERY
from .tables import Tables

Array = NDArray[Any]
POPULARITY = ("popularity", "trend", "lately", "last_sold")
OWN_NAMES = (*OWN, *HABITS, *POPULARITY, *CATEGORIES)  # first stage; then the sources
NEW_NAMES = (FIRST, "buyers", "repeat_share", *HABITS, *POPULARITY, *CATEGORIES)
NEWCOMER_NAMES = ("newcomer", "group_lift")
BATCH = 512  # customers described together
HEAD = 40  # own pairs of a customer that the second stage looks at


class Rows(NamedTuple):
    """r candidates."""

    customer: Array  # int64 (r,), position in the batch
    item: Array  # int64 (r,), extended code
    signal: Array  # int64 (r,), position among the batch's signals, -1 without
    columns: dict[str, Array]

    def table(self, names: tuple[str, ...]) -> Array:
        """(r, len(names)), column-major."""
        return np.stack([self.columns[name] for name in names]).T

    def take(self, rows: Array) -> Rows:
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Rows(self.customer[rows], self.item[rows], self.signal[rows], columns)


@dataclass(frozen=True)
class Batch:
    """Some customers, ready to be described."""

    tables: Tables
    codes: Codes
    view: View
    signals: Signals
    opinions: Opinions

    @classmethod
    def nobody(cls, tables: Tables, codes: Codes, view: View) -> Batch:
        """One customer who did and said nothing."""
        return cls(tables, codes, view, Signals.none(), Opinions.none())

    @property
    def shoppers(self) -> Shoppers:
        return self.view.shoppers

    @property
    def ids(self) -> Array:
        return self.view.ids

    def take(self, customers: Array) -> Batch:
        """Some of them."""
        return Batch(
            self.tables, self.codes, self.view.take(customers), self.signals.take(customers),
            self.opinions.take(customers),
        )  # fmt: skip

    @classmethod
    def of(cls, history: History, tables: Tables, codes: Codes, view: View) -> Batch:
        """All customers of a history."""
        signals = Signals.of(history, codes, tables.middle)
        opinions = Opinions.of(signals, Rated.of(history, codes), tables.middle)
        return cls(tables, codes, view, signals, opinions)

    @cached_property
    def scores(self) -> dict[str, Scores]:
        """By source."""
        return {n: Scores.of(source.score(self.view)) for n, source in self.tables.sources.items()}

    @cached_property
    def is_newcomer(self) -> Array:
        return self.shoppers.n_baskets == 0

    def own(self) -> Rows:
        """Every pair bought and kept, with the columns of the first stage."""
        part, clock = self.shoppers, self.tables.clock
        columns = self.tables.repeats.columns(part, clock.period, clock.horizon)
        columns |= self._columns(part.customer, part.item, self._own_counts)
        return Rows(part.customer, part.item, self._signal(part.customer, part.item), columns)

    def head(self, own: Rows) -> Array:
        """Positions of each customer's ``HEAD`` own pairs with the best plain rate."""
        ties = self.codes.by_id[own.item]
        rank = rank_within_group(self.shoppers.offsets, own.columns[OWN[0]], ties)
        return np.flatnonzero(rank <= HEAD)

    def new(self, customer: Array, item: Array) -> Rows:
        """Pairs not bought before, with the columns of the first stage."""
        popular, code = self.tables.popular, np.minimum(item, self.codes.n_known)
        columns = self._columns(customer, item, 0.0)
        columns[FIRST] = popular.first_log_odds[code]
        columns["buyers"] = np.log(popular.buyers[code] + 1.0)
        columns["repeat_share"] = np.log(self.tables.repeats.share[code])
        return Rows(customer, item, self._signal(customer, item), columns)

    def with_scores(self, rows: Rows) -> Rows:
        """The columns of the second stage: what each source says beside."""
        said = {
            name: np.log(scores.at(rows.customer, rows.item) + EVERY[name].floor)
            for name, scores in self.scores.items()
        }
        return rows._replace(columns=rows.columns | said)

    def said(self, rows: Rows) -> Array:
        """What was said of each candidate and of items like it, float64 (r, 8) as in ``SAID``."""
        said = np.zeros((len(rows.item), len(SAID)))
        flagged = rows.signal >= 0
        said[flagged, : len(KINDS)] = self.signals.flags[rows.signal[flagged]]
        if len(self.opinions.item):
            alike = liking_columns(self.opinions, self.tables.alike, rows.customer, rows.item)
            said[:, len(KINDS) :] = np.column_stack([alike[name] for name in SAID[len(KINDS) :]])
        return said

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

    def _columns(self, customer: Array, item: Array, own: Array | float) -> dict[str, Array]:
        columns = {name: values[customer] for name, values in self._habits.items()}
        columns |= self.tables.popular.columns(item)
        return columns | self._category_habits.columns(customer, item, own)

    @cached_property
    def _habits(self) -> dict[str, Array]:
        return habit_columns(self.shoppers, self.tables.clock.period)

    @cached_property
    def _category_habits(self) -> CategoryHabits:
        return CategoryHabits(self.tables.categories, self.shoppers, self.tables.clock.period)

    @cached_property
    def _own_counts(self) -> Array:
        half_life = HALF_LIFE * self.tables.clock.period
        return decayed_counts(self.shoppers.visit_age, self.shoppers.visit_offsets, half_life)

    @cached_property
    def _own_keys(self) -> tuple[Array, Array]:
        keys = self.shoppers.customer * self.codes.n + self.shoppers.item
        order = np.argsort(keys, kind="stable")
        return keys[order], order

    def _signal(self, customer: Array, item: Array) -> Array:
        return self.signals.place(customer, item, self.codes.n)


def names_of(sources: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Columns of each kind's table when these sources were asked."""
    asked = tuple(sources)
    return {"tail": OWN_NAMES, "own": (*OWN_NAMES, *asked), "new": (*NEW_NAMES, *asked)}


def batches(everyone: Batch, customers: Array) -> Iterator[tuple[Batch, Array]]:
    """The given customers in batches that bound memory."""
    for start in range(0, len(customers), BATCH):
        some = customers[start : start + BATCH]
        yield everyone.take(some), some


def newcomer_columns(batch: Batch, customer: Array, item: Array) -> dict[str, Array]:
    """Log-odds of a popular item, and what the customer's group adds to its logarithm."""
    popular, code = batch.tables.popular, np.minimum(item, batch.codes.n_known)
    lift = np.zeros(len(item))
    if "traits" in batch.scores:
        share = batch.scores["traits"].at(customer, item)
        lift = np.where(share > 0, np.log(np.maximum(share, 1e-12) / popular.share[code]), 0.0)
    return {"newcomer": popular.log_odds[code], "group_lift": lift}
