"""Training rows: candidates of earlier moments with what became of them.

Reads  slices of the past.
Gives  tables of numbers, labels and flags for the blends; customers are a seeded sample.
Never  more rows than a cap, so that training fits in memory for any log.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import find_keys
from .candidates import (
    HEAD,
    NEWCOMER_NAMES,
    Batch,
    Rows,
    batches,
    names_of,
    newcomer_columns,
)
from .proposals import POOL, propose
from .said import SAID
from .shoppers import Codes
from .slices import Slice
from .source import Clock
from .tables import Tables

Array = NDArray[Any]
MAX_TAIL = 40  # own pairs beyond the head of each customer, drawn at random
MAX_NEWCOMERS = 2_000  # per slice


class Sample(NamedTuple):
    """Labelled rows of one kind."""

    table: Array  # float64 (r, k)
    bought: Array  # bool (r,)
    customer: Array  # int64 (r,): customers of several slices have several numbers
    item: Array  # int64 (r,)
    said: Array  # float64 (r, 8), as in SAID

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

    @property
    def one_sided(self) -> bool:
        """Whether all rows have the same outcome: nothing to tell apart."""
        return self.n_bought in (0, len(self.bought))


class Samples(NamedTuple):
    """What is learned from: each kind has a blend of its own."""

    tail: Sample  # own pairs beyond each customer's best, the columns of the first stage
    own: Sample  # each customer's best own pairs, with the sources
    new: Sample  # proposals, with the sources
    newcomers: Sample  # columns NEWCOMER_NAMES

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        return cls(*(Sample.joined(list(kind)) for kind in zip(*parts, strict=True)))


def sample_slice(
    part: Slice, clock: Clock, max_rows: int, seed: np.random.RandomState, *,
    only: Collection[str] | None = None,
) -> Samples:  # fmt: skip
    """Describe a sample of a slice's customers with the tables of its past."""
    tables, view = Tables.learn(part.past, clock, seed, only=only)
    codes = Codes.of(tables.item_ids, part.past.item_ids)
    everyone = Batch.of(part.past, tables, codes, view)
    has = view.shoppers.n_baskets > 0
    buyers = seed.permutation(np.flatnonzero(part.judged & has))
    n_rows = np.cumsum(np.minimum(np.diff(view.shoppers.offsets)[buyers], HEAD) + POOL)
    buyers = np.sort(buyers[: max(int(np.searchsorted(n_rows, max_rows)), 1)])
    newcomers = np.sort(seed.permutation(np.flatnonzero(part.judged & ~has))[:MAX_NEWCOMERS])
    bought = np.unique(part.customer * codes.n + part.item)
    names = names_of(tables.sources)
    found: dict[str, list[Sample]] = {"tail": [], "own": [], "new": [], "newcomers": []}
    for batch, customers in batches(everyone, buyers):
        for name, rows in _described(batch, seed).items():
            found[name].append(_labelled(batch, rows, names[name], customers, bought))
    for batch, customers in batches(everyone, newcomers):
        rows = newcomer_rows(batch)
        found["newcomers"].append(_labelled(batch, rows, NEWCOMER_NAMES, customers, bought))
    width = {name: len(columns) for name, columns in names.items()} | {"newcomers": 2}
    return Samples(*(_stacked(found[name], width[name]) for name in Samples._fields))


def newcomer_rows(batch: Batch) -> Rows:
    """What those of whom nothing is known may need, with columns ``NEWCOMER_NAMES``."""
    customer, item, _ = propose(batch)
    rows = batch.new(customer, item)
    return rows._replace(columns=newcomer_columns(batch, customer, item))


def _described(batch: Batch, seed: np.random.RandomState) -> dict[str, Rows]:
    own = batch.own()
    head = batch.head(own)
    beyond = np.setdiff1d(np.arange(len(own.item)), head, assume_unique=True)
    customer, item, _ = propose(batch)
    most = MAX_TAIL * batch.shoppers.n
    tail = seed.permutation(beyond)[:most]
    return {
        "tail": own.take(np.sort(tail)),
        "own": batch.with_scores(own.take(head)),
        "new": batch.with_scores(batch.new(customer, item)),
    }


def _labelled(
    batch: Batch, rows: Rows, names: tuple[str, ...], customers: Array, bought: Array
) -> Sample:
    customer = customers[rows.customer]
    key = customer * batch.codes.n + rows.item
    return Sample(
        rows.table(names), find_keys(bought, key) >= 0, customer, rows.item, batch.said(rows)
    )


def _stacked(parts: list[Sample], width: int) -> Sample:
    if parts:
        return Sample(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    none = np.empty(0, dtype=np.int64)
    return Sample(np.empty((0, width)), none.astype(bool), none, none, np.empty((0, len(SAID))))
