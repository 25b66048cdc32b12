"""Training rows: candidates of earlier moments with what became of them.

Reads  slices of the past.
Gives  tables of numbers, labels and flags for the blends; customers are a seeded sample.
Never  more rows than a cap, so that training fits in memory for any log.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import find_keys
from .candidates import POOL, Batch, Rows
from .habits import HABITS
from .popular import FIRST
from .repeats import RATE
from .shoppers import Codes
from .signals import KINDS, Signals
from .slices import Slice
from .tables import Clock, Tables

Array = NDArray[Any]
MAX_ROWS = 320_000  # own pairs over all slices; new candidates come on top
MAX_NEWCOMERS = 2_000  # per slice
BATCH = 512  # customers described together
SHARED = (*HABITS, "popularity", "trend", "goes_with", "people_like_you")
OWN_NAMES = (
    RATE, "decayed_0", "decayed_1", "decayed_2", "visits", "last_age", "first_age", "overdue",
    "due", "own_gap", "repeat_share", *SHARED,
)  # fmt: skip
NEW_NAMES = (FIRST, "buyers", "repeat_share", *SHARED)


class Sample(NamedTuple):
    """Labelled rows of one kind (own pairs, new items, or a newcomer's)."""

    table: Array  # float64 (r, k)
    bought: Array  # bool (r,)
    customer: Array  # int64 (r,): customers of several slices have several numbers
    item: Array  # int64 (r,)
    flags: Array  # bool (r, 6)

    @classmethod
    def joined(cls, samples: list[Self]) -> Self:
        """All rows; the customers of each sample are numbered after those before."""
        before = np.cumsum([0, *(part.customer.max(initial=-1) + 1 for part in samples[:-1])])
        moved = [
            part._replace(customer=part.customer + shift)
            for part, shift in zip(samples, before, strict=True)
        ]
        return cls(*(np.concatenate(columns) for columns in zip(*moved, strict=True)))

    def columns(self, names: tuple[str, ...], kept: tuple[str, ...]) -> Array:
        """Some of the table's columns, in their order."""
        return self.table if kept == names else self.table[:, [names.index(n) for n in kept]]

    def take(self, rows: Array) -> Self:
        return type(self)(*(column[rows] for column in self))

    @property
    def n_bought(self) -> int:
        return int(self.bought.sum())


class Samples(NamedTuple):
    own: Sample
    new: Sample
    newcomers: Sample  # table has one column: the log-odds of a popular item

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        return cls(*(Sample.joined(list(kind)) for kind in zip(*parts, strict=True)))


def sample_slice(part: Slice, clock: Clock, max_rows: int, seed: np.random.RandomState) -> Samples:
    """Describe a sample of a slice's customers with the tables of its past."""
    tables, shoppers = Tables.learn(part.past, clock, seed)
    codes = Codes.of(tables.item_ids, part.past.item_ids)
    signals = Signals.of(part.past, codes, tables.middle)
    everyone = Batch(tables, codes, shoppers, signals, part.past.customer_ids)
    has = shoppers.n_baskets > 0
    buyers = seed.permutation(np.flatnonzero(part.judged & has))
    n_rows = np.cumsum(np.diff(shoppers.offsets)[buyers] + POOL)
    buyers = np.sort(buyers[: max(int(np.searchsorted(n_rows, max_rows)), 1)])
    newcomers = np.sort(seed.permutation(np.flatnonzero(part.judged & ~has))[:MAX_NEWCOMERS])
    own, new, strangers = [], [], []
    bought = np.unique(part.customer * codes.n + part.item)
    for batch, customers in batches(everyone, buyers):
        own.append(_labelled(batch, batch.own(), OWN_NAMES, customers, bought))
        new.append(_labelled(batch, batch.new(), NEW_NAMES, customers, bought))
    for batch, customers in batches(everyone, newcomers):
        rows = batch.new()
        rows.columns["newcomer"] = tables.popular.log_odds[rows.item]
        strangers.append(_labelled(batch, rows, ("newcomer",), customers, bought))
    return Samples(
        _stacked(own, len(OWN_NAMES)), _stacked(new, len(NEW_NAMES)), _stacked(strangers, 1)
    )


def batches(everyone: Batch, customers: Array) -> Iterator[tuple[Batch, Array]]:
    """The given customers in batches that bound memory."""
    for start in range(0, len(customers), BATCH):
        some = customers[start : start + BATCH]
        yield everyone.take(some), some


def _labelled(
    batch: Batch, rows: Rows, names: tuple[str, ...], customers: Array, bought: Array
) -> Sample:
    customer = customers[rows.customer]
    key = customer * batch.codes.n + rows.item
    return Sample(
        rows.table(names), find_keys(bought, key) >= 0, customer, rows.item, batch.flags(rows)
    )


def _stacked(parts: list[Sample], width: int) -> Sample:
    if parts:
        return Sample(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    none = np.empty(0, dtype=np.int64)
    return Sample(
        np.empty((0, width)), none.astype(bool), none, none, np.empty((0, len(KINDS)), dtype=bool)
    )
