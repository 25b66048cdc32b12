"""What the sources know of all customers together: small tables, learned from one history.

Reads  a History.
Gives  ``Tables``: popularity, repeat statistics, categories and the candidate sources.
Never  anything after the history's cutoff; a label.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..columns import EVENT_CODES, NOT_INTERESTED, RATING, RETURN
from ..kernels.ids import build_id_index, ids_at
from ..log import History
from .categories import Categories
from .collaborative import Cosine, similar_items
from .facts import item_facts, traits_of
from .intact import codes_below, of_length, require, sparse_from
from .popular import Popular
from .profiles import nothing
from .references import held, sparse_arrays
from .repeats import Repeats
from .shoppers import NEXT_BASKET, Codes, shoppers_of
from .signals import rating_middle
from .source import Clock, Source, View
from .sources import EVERY

Array = NDArray[Any]
OPINIONS = (RETURN, NOT_INTERESTED, RATING)
N_ALIKE = 50


class Tables(NamedTuple):
    item_ids: Array
    text_customers: bool  # ids of customers are text, not whole numbers
    clock: Clock
    middle: float  # ratings below it are low; NaN without a scale
    popular: Popular
    repeats: Repeats
    categories: Categories
    sources: dict[str, Source]
    alike: csr_matrix  # (n_items, n_items): who likes d likes i; empty where nobody gave opinions

    @classmethod
    def learn(
        cls, history: History, clock: Clock, seed: np.random.RandomState, *,
        only: Collection[str] | None = None,
    ) -> tuple[Self, View]:  # fmt: skip
        """The tables of a history, and its customers; ``only`` these sources, None = all."""
        codes = Codes.of(history.item_ids, history.item_ids)
        shoppers = shoppers_of(history, codes, clock.target)
        everyone = View(shoppers, clock, history.customer_ids, traits_of(history))
        facts = item_facts(history)
        wanted = [name for name in EVERY if only is None or name in only]
        sources = {name: EVERY[name].learn(everyone, facts, seed) for name in wanted}
        tables = cls(
            history.item_ids,
            history.customer_ids.dtype == object,
            clock,
            rating_middle(history),
            Popular.learn(shoppers, clock.period),
            Repeats.learn(shoppers, clock.period),
            Categories.learn(facts.category, shoppers, clock.period),
            sources,
            _alike(history, everyone, sources),
        )
        return tables, everyone

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    @property
    def nobody(self) -> Array:
        """An id of the right kind that stands for no customer (1,)."""
        return np.array([""], dtype=object) if self.text_customers else np.zeros(1, dtype=np.int64)

    def to_arrays(self) -> dict[str, Array]:
        """Everything as plain arrays; ``from_arrays`` is its inverse."""
        arrays = {
            "next_basket": np.array([self.clock.target == NEXT_BASKET]),
            "text_customers": np.array([self.text_customers]),
            "clock": np.array([self.clock.period, self.clock.horizon]),
            "middle": np.array([self.middle]),
            "n_items": np.array([self.n_items]),
        }
        index = build_id_index(self.item_ids)
        arrays |= {f"items.{part}": array for part, array in index.items()}
        for name in ("popular", "repeats", "categories"):
            found = getattr(self, name)._asdict()
            arrays |= {f"{name}_{field}": array for field, array in found.items()}
        if "cosine" not in self.sources:
            arrays |= sparse_arrays("alike", self.alike)
        for name, source in self.sources.items():
            arrays[f"source.{name}.here"] = np.array([True])
            arrays |= {f"source.{name}.{k}": v for k, v in source.to_arrays().items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        target = NEXT_BASKET if bool(arrays["next_basket"][0]) else "horizon"
        n_items = int(arrays["n_items"][0])
        sources = {
            name: source.from_arrays(_part(arrays, f"source.{name}."), n_items)
            for name, source in EVERY.items()
            if f"source.{name}.here" in arrays
        }
        alike = _similar(sources)
        _check_lengths(arrays, n_items)
        ids = ids_at(_part(arrays, "items."), np.arange(n_items))
        require((ids[1:] > ids[:-1]).all(), "item ids do not ascend")
        return cls(
            ids,
            bool(arrays["text_customers"][0]),
            Clock(target, *(float(value) for value in arrays["clock"])),
            float(arrays["middle"][0]),
            Popular(*(arrays[f"popular_{name}"] for name in Popular._fields)),
            Repeats(*(arrays[f"repeats_{name}"] for name in Repeats._fields)),
            Categories(*(arrays[f"categories_{name}"] for name in Categories._fields)),
            sources,
            sparse_from(arrays, "alike", n_items, n_rows=n_items) if alike is None else alike,
        )


def _check_lengths(arrays: Mapping[str, Array], n_items: int) -> None:
    """A row per item and one for items never seen, wherever rows are looked up by code."""
    of_length(arrays, "clock", 2)
    popular, repeats = (f"popular_{n}" for n in Popular._fields), Repeats._fields
    by_item = [*popular, *(f"repeats_{n}" for n in repeats), "categories_code", "categories_trend"]
    lengths = dict.fromkeys(by_item, n_items + 1) | {"popular_active": 1, "popular_order": n_items}
    for name, length in lengths.items():
        of_length(arrays, name, length)
    codes_below(arrays, "popular_order", n_items)
    codes_below(arrays, "categories_code", n_items + 1)


def _alike(history: History, everyone: View, sources: dict[str, Source]) -> csr_matrix:
    """Items held by the same customers, for carrying opinions over to them."""
    similar = _similar(sources)
    if similar is not None:
        return similar
    opinion = np.isin(history.events.event, [EVENT_CODES[name] for name in OPINIONS])
    if not opinion.any():
        return nothing(history.n_items, history.n_items)
    return similar_items(held(everyone.shoppers), N_ALIKE)


def _similar(sources: Mapping[str, Source]) -> csr_matrix | None:
    cosine = sources.get("cosine")
    return cosine.similar if isinstance(cosine, Cosine) else None


def _part(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
