"""What a candidate source is: a score for many items of many customers.

Reads  what customers bought and kept, item facts, customer traits.
Gives  sparse scores: rows are customers, columns items the model knows; higher speaks more for
       buying next, an entry that is not stored says nothing.
Never  a label; another customer of the batch at scoring time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..exceptions import ParameterError
from .profiles import lately_bought, profiles_of
from .shoppers import NEXT_BASKET, Shoppers

Array = NDArray[Any]
LONGEST_DAYS = 1_000_000.0  # twenty-seven centuries: further back there are no dates


class Clock(NamedTuple):
    """Units of time of a target: days for a horizon, baskets for the next basket."""

    target: str
    period: float  # what "lately" means
    horizon: float

    @classmethod
    def of(cls, target: str, horizon_days: float) -> Self:
        """Raises ParameterError for a horizon that no calendar holds."""
        if target != NEXT_BASKET and horizon_days > LONGEST_DAYS:
            raise ParameterError(
                f"horizon_days must be at most {LONGEST_DAYS:,.0f}; got {horizon_days:g}."
            )
        length = 1.0 if target == NEXT_BASKET else horizon_days
        return cls(target, length, length)


class ItemFacts(NamedTuple):
    """What is known of the n_known items, by code."""

    category: Array  # int64 (n_known,), -1 unknown
    price: Array  # float64 (n_known,), usual price per unit, NaN unknown


@dataclass(frozen=True)
class View:
    """m customers as a source sees them."""

    shoppers: Shoppers
    clock: Clock
    ids: Array  # (m,) their ids
    traits: pd.DataFrame  # m rows: attributes as of the cutoff; may have no column

    @cached_property
    def profiles(self) -> csr_matrix:
        """Decayed, capped counts of what each one bought (m, n_known)."""
        return profiles_of(self.shoppers, self.clock.period)

    @cached_property
    def lately(self) -> csr_matrix:
        """What each one bought, the last weighing most (m, n_known); shared, so never changed."""
        return lately_bought(self.shoppers, self.clock.period)

    def take(self, customers: Array) -> View:
        """Some of them, in the order given."""
        return View(
            self.shoppers.take(customers), self.clock, self.ids[customers],
            self.traits.iloc[customers],
        )  # fmt: skip


class Source(Protocol):
    """One idea about what a customer buys next.

    ``learn`` sees everybody once; ``score`` is asked for any customers, known or not, alone or
    in a batch, with the same bits. Both leave their inputs alone. A row may hold own items and
    new ones; sources whose scores are dense store own items and the best new ones only.
    """

    name: ClassVar[str]  # of its column
    floor: ClassVar[float]  # added to scores before the logarithm: what "no score" is worth

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        """What it needs of all customers together: small tables."""
        ...

    def score(self, some: View) -> csr_matrix:
        """Positive finite scores, float64, indices sorted (m, n_known)."""
        ...

    def to_arrays(self) -> dict[str, Array]:
        """Everything learned, as plain arrays."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        """The source that ``to_arrays`` was called on, the same bits."""
        ...
