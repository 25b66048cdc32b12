"""A fitted ranker: what it is made of, as plain arrays and back.

Reads  tables, learned weights, cart partners and ratings; or the arrays made of them.
Gives  ``Fitted``; the same bits either way.
Never  code from a file: text is JSON, trees are checked.
"""

from __future__ import annotations

import json
import numbers
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..columns import CUSTOMER
from ..exceptions import ParameterError
from ..log import History
from ..log.ids import check_ids
from ..log.objections import objectors
from .blend import Blend
from .candidates import Batch, names_of
from .carts import baskets_of, cart_increments
from .ease import Ease
from .facts import traits_of
from .intact import of_length, require, sparse_from
from .learned import Learned
from .rating_fit import learn_ratings
from .ratings import Rated, Ratings
from .references import sparse_arrays
from .said import SAID
from .shoppers import Codes, Shoppers, shoppers_of
from .source import Clock, View
from .tables import Tables

Array = NDArray[Any]
N_CART = 16  # partners kept per item for carts
_BLENDS = ("tail", "own", "new")


class Fitted(NamedTuple):
    """Everything learned; a later history changes all of it but ``learned``."""

    tables: Tables
    learned: Learned
    cart: csr_matrix  # what goes with an item in the cart (n_items, n_items)
    ratings: Ratings

    @classmethod
    def of(
        cls, history: History, learned: Learned, clock: Clock, seed: np.random.RandomState
    ) -> Self:
        """Tables of a history beside given weights."""
        tables, everyone = Tables.learn(history, clock, seed, only=learned.sources)
        codes = Codes.of(tables.item_ids, tables.item_ids)
        cart = cart_increments(baskets_of(everyone.shoppers), N_CART)
        ratings = learn_ratings(Rated.of(history, codes), tables.n_items)
        return cls(tables, learned, cart, ratings)

    @property
    def report(self) -> dict[str, Any]:
        """What was learned and chosen, and which items EASE had to leave to the neighbours."""
        found = self.learned.report | {"ratings": self.ratings.report}
        ease = self.tables.sources.get("ease")
        if isinstance(ease, Ease):
            n_items, n_bought = ease.covers.tolist()
            found |= {"ease": {"n_items": n_items, "of": n_bought, "falls_back": ease.falls_back}}
        return found

    def batch(self, history: History) -> Batch:
        """All customers of a history; who objects to profiling is a newcomer."""
        objects = objectors(history)
        ids = check_ids(history.customer_ids, self.tables.nobody, CUSTOMER)
        known = history.select(ids[~objects]).select(ids) if objects.any() else history
        codes = Codes.of(self.tables.item_ids, known.item_ids)
        shoppers = shoppers_of(known, codes, self.tables.clock.target)
        view = View(shoppers, self.tables.clock, ids, traits_of(history))
        return Batch.of(known, self.tables, codes, view)

    def nobody(self) -> Batch:
        """One customer of whom nothing is known."""
        ids = self.tables.item_ids
        shoppers, traits = Shoppers.nobody(len(ids)), pd.DataFrame(index=[0])
        view = View(shoppers, self.tables.clock, self.tables.nobody, traits)
        return Batch.nobody(self.tables, Codes.of(ids, ids), view)

    def to_arrays(self, settings: dict[str, Any]) -> dict[str, Array]:
        """All of it by name."""
        head = {
            "settings": settings,
            "sources": list(self.learned.sources),
            "missing": self.learned.missing,
            "report": self.learned.report,
        }
        text = json.dumps(head, sort_keys=True, default=_number)
        arrays = {
            "head": np.frombuffer(text.encode(), dtype=np.uint8),
            "shifts": self.learned.shifts,
            "newcomer": self.learned.newcomer,
        }
        parts = {name: getattr(self.learned, name).to_arrays() for name in _BLENDS}
        parts |= {"tables": self.tables.to_arrays(), "cart": sparse_arrays("pairs", self.cart)}
        parts |= {"ratings": self.ratings.to_arrays()}
        return arrays | {
            f"{part}_{k}": v for part, found in parts.items() for k, v in found.items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> tuple[Self, dict[str, Any]]:
        """The same, and the settings given to ``to_arrays``.

        Raises
        ------
        ParameterError
            If an array is missing, or does not fit to the others.
        """
        try:
            return cls._from_arrays(arrays)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            if isinstance(error, ParameterError):
                raise
            raise ParameterError(
                f"arrays of a ranker: they do not fit together ({type(error).__name__}: {error}). "
                "Give all of to_arrays(), or save the model again."
            ) from error

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, Array]) -> tuple[Self, dict[str, Any]]:
        head = json.loads(np.asarray(arrays["head"]).tobytes())
        tables = Tables.from_arrays(_part(arrays, "tables"))
        learned = Learned(
            **{name: Blend.from_arrays(_part(arrays, name)) for name in _BLENDS},
            shifts=of_length(arrays, "shifts", len(SAID)),
            newcomer=of_length(arrays, "newcomer", 2),
            sources=tuple(head["sources"]),
            report=head["report"],
            missing=head["missing"],
        )
        _check_names(learned, tables)
        n = tables.n_items
        cart = sparse_from(_part(arrays, "cart"), "pairs", n, n_rows=n)
        ratings = Ratings.from_arrays(_part(arrays, "ratings"), n)
        return cls(tables, learned, cart, ratings), head["settings"]


def _number(value: np.generic) -> Any:
    """A parameter given as a NumPy number, as JSON has it."""
    return value.item()


def settings_of(ranker: Any) -> dict[str, Any]:
    """Parameters that are kept; a seed, so that a later update draws the same."""
    settings = {name: getattr(ranker, name) for name in ("target", "horizon_days", "target_event")}
    seed = ranker.random_state
    return settings | ({"random_state": seed} if isinstance(seed, numbers.Integral) else {})


def _check_names(learned: Learned, tables: Tables) -> None:
    """The sources are those kept, and every column that is weighed is one of the tables'."""
    kept, here = sorted(learned.sources), sorted(tables.sources)
    require(kept == here, f"the sources {kept} were kept and {here} are here")
    given = names_of(tables.sources)
    for name in _BLENDS:
        lacking = sorted({*getattr(learned, name).names} - {*given[name]})
        require(not lacking, f"{name} weighs {lacking}, of which the tables say nothing")


def _part(arrays: Mapping[str, Array], name: str) -> dict[str, Array]:
    prefix = f"{name}_"
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
