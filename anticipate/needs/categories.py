"""How a customer shops in the category of a candidate.

Reads  kept purchases, and each item's category.
Gives  per candidate: how much, how varied and how lately the customer bought in its category,
       how much of that was this item, and whether the category is on the rise.
Never  a split of items without a category: they count as one.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import decayed_counts, find_keys
from ..kernels.order import group_order
from ..kernels.segments import run_starts, segment_min, segment_sum
from .shoppers import Shoppers

Array = NDArray[Any]
CATEGORIES = (
    "category_bought", "category_items", "category_since", "category_share", "category_trend"
)  # fmt: skip
HALF_LIFE = 2.0  # periods
NEVER = 100.0  # periods since a category was last bought, where it never was


class Categories(NamedTuple):
    """Arrays (n_items + 1,); the last row stands for items never seen."""

    code: Array  # int64, 0 unknown
    trend: Array  # float64: ln of its purchases lately over the usual, beside the whole's; or 0

    @classmethod
    def learn(cls, category: Array, shoppers: Shoppers, period: float) -> Self:
        code = np.append(category + 1, 0)
        n = int(code.max()) + 1
        line = np.repeat(code[np.minimum(shoppers.item, len(category))], shoppers.n_visits)
        lately = np.bincount(line[shoppers.visit_age <= period / 2], minlength=n)
        usual = np.bincount(line[shoppers.visit_age <= 2 * period], minlength=n) / 4
        # Beside the whole: a season lifts all alike, and that is the level's to learn.
        whole = np.log((lately.sum() + 5.0) / (usual.sum() + 5.0))
        trend = np.log((lately + 5.0) / (usual + 5.0)) - whole
        trend[0] = 0.0
        return cls(code, trend[code])

    @property
    def n(self) -> int:
        return int(self.code.max()) + 1


class CategoryHabits:
    """What the customers of a batch did by category."""

    def __init__(self, table: Categories, shoppers: Shoppers, period: float) -> None:
        self._table, self._period = table, period
        key = shoppers.customer * np.int64(table.n) + self._code(shoppers.item)
        order = group_order(key)
        starts = run_starts(key[order])
        offsets = np.append(starts, len(key))
        each = decayed_counts(shoppers.visit_age, shoppers.visit_offsets, HALF_LIFE * period)
        self._keys = key[order][starts]
        self._bought = segment_sum(each[order], offsets)
        self._items = np.diff(offsets)
        self._since = segment_min(shoppers.last_age[order], offsets, np.inf)

    def columns(self, customer: Array, item: Array, own_count: Array | float) -> dict[str, Array]:
        """For r candidates; ``own_count``: decayed count of the item itself."""
        code = self._code(item)
        place = find_keys(self._keys, customer * np.int64(self._table.n) + code)
        found = place >= 0
        bought, n_items = np.zeros(len(item)), np.zeros(len(item))
        since = np.full(len(item), NEVER * self._period)
        if found.any():
            bought[found] = self._bought[place[found]]
            n_items[found] = self._items[place[found]]
            since[found] = self._since[place[found]]
        row = np.minimum(item, len(self._table.trend) - 1)
        values = (
            np.log(bought + 1e-2),
            np.log(n_items + 1.0),
            np.log(np.minimum(since / self._period, NEVER) + 0.01),
            own_count / (bought + 1e-2),
            self._table.trend[row],
        )
        return dict(zip(CATEGORIES, values, strict=True))

    def _code(self, item: Array) -> Array:
        return self._table.code[np.minimum(item, len(self._table.code) - 1)]
