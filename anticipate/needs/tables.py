"""What the sources know of all customers together: small tables, learned from one history.

Reads  a History.
Gives  ``Tables``: popularity, repeat statistics, item similarities, reference customers.
Never  anything after the history's cutoff; a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.ids import build_id_index, ids_at
from ..log import History
from .collaborative import Collaborative
from .neighbours import Neighbours
from .popular import Popular
from .profiles import nothing, profiles_of
from .repeats import Repeats
from .shoppers import NEXT_BASKET, Codes, Shoppers, shoppers_of
from .signals import rating_middle

Array = NDArray[Any]


class Clock(NamedTuple):
    """Units of time of a target: days for a horizon, baskets for the next basket."""

    target: str
    period: float  # what "lately" means
    horizon: float

    @classmethod
    def of(cls, target: str, horizon_days: float) -> Self:
        length = 1.0 if target == NEXT_BASKET else horizon_days
        return cls(target, length, length)


class Tables(NamedTuple):
    item_ids: Array
    clock: Clock
    middle: float  # ratings below it are low; NaN without a scale
    popular: Popular
    repeats: Repeats
    neighbours: Neighbours
    collaborative: Collaborative

    @classmethod
    def learn(
        cls, history: History, clock: Clock, seed: np.random.RandomState, *,
        without: frozenset[str] = frozenset(),
    ) -> tuple[Self, Shoppers]:  # fmt: skip
        """The tables of a history, and its shoppers; sources in ``without`` stay empty."""
        codes = Codes.of(history.item_ids, history.item_ids)
        shoppers = shoppers_of(history, codes, clock.target)
        profiles = profiles_of(shoppers, clock.period)
        nobody = nothing(*profiles.shape)
        tables = cls(
            history.item_ids,
            clock,
            rating_middle(history),
            Popular.learn(shoppers, clock.period),
            Repeats.learn(shoppers, clock.period),
            Neighbours.learn(
                nobody if "people_like_you" in without else profiles, history.customer_ids, seed
            ),
            Collaborative.learn(nobody if "goes_with" in without else profiles),
        )
        return tables, shoppers

    def to_arrays(self) -> dict[str, Array]:
        """Everything as plain arrays; ``from_arrays`` is its inverse."""
        arrays = {
            "next_basket": np.array([self.clock.target == NEXT_BASKET]),
            "clock": np.array([self.clock.period, self.clock.horizon]),
            "middle": np.array([self.middle]),
        }
        arrays |= _index_arrays("items", self.item_ids)
        arrays |= _index_arrays("references", self.neighbours.ids)
        arrays |= {f"popular_{name}": part for name, part in self.popular._asdict().items()}
        arrays |= {f"repeats_{name}": part for name, part in self.repeats._asdict().items()}
        arrays |= sparse_arrays("neighbours", self.neighbours.profiles)
        return arrays | sparse_arrays("collaborative", self.collaborative.similar)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        target = NEXT_BASKET if bool(arrays["next_basket"][0]) else "horizon"
        n_items = len(arrays["repeats_rate"]) - 1
        references = len(arrays["neighbours_offsets"]) - 1
        return cls(
            _ids_from(arrays, "items", n_items),
            Clock(target, *(float(value) for value in arrays["clock"])),
            float(arrays["middle"][0]),
            Popular(*(arrays[f"popular_{name}"] for name in Popular._fields)),
            Repeats(*(arrays[f"repeats_{name}"] for name in Repeats._fields)),
            Neighbours(
                _ids_from(arrays, "references", references),
                sparse_from(arrays, "neighbours", n_items),
            ),
            Collaborative(sparse_from(arrays, "collaborative", n_items)),
        )


def _index_arrays(name: str, ids: Array) -> dict[str, Array]:
    """Ids as numbers or bytes: nothing that a file could run."""
    return {f"{name}.{part}": array for part, array in build_id_index(ids).items()}


def _ids_from(arrays: Mapping[str, Array], name: str, n: int) -> Array:
    prefix = f"{name}."
    parts = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    return ids_at(parts, np.arange(n))


def sparse_arrays(name: str, matrix: csr_matrix) -> dict[str, Array]:
    parts = {"offsets": matrix.indptr, "items": matrix.indices, "values": matrix.data}
    return {f"{name}_{part}": np.asarray(array) for part, array in parts.items()}


def sparse_from(arrays: Mapping[str, Array], name: str, n_items: int) -> csr_matrix:
    parts = tuple(arrays[f"{name}_{part}"] for part in ("values", "items", "offsets"))
    return csr_matrix(parts, shape=(len(parts[2]) - 1, n_items))
