"""What is bought these days: popularity of the moment and its trend.

Reads  all customers' kept purchases on the target's clock.
Gives  per item: how many bought it in the last period, before it, and for the first time.
Never  one customer's taste: everybody gets the same numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import rate_log_odds
from ..kernels.segments import segment_count
from .shoppers import Shoppers

Array = NDArray[Any]
FIRST = "first_log_odds"  # the column that is a probability's log-odds by itself
LONG = 4  # the long window, in periods: trend compares the last period with it


class Popular(NamedTuple):
    """Arrays (n_items + 1,); the last row stands for items never seen."""

    buyers: Array  # int64: customers who ever bought it
    recent: Array  # int64: customers who bought it in the last period
    before: Array  # int64: in the periods before that, up to ``LONG``
    firsts: Array  # int64: customers who bought it for the first time in the last period
    active: Array  # int64 (1,): customers with a basket in the last period
    log_odds: Array  # float64: a customer who shops and bought it or not buys it in the horizon
    first_log_odds: Array  # float64: one who never had it does
    order: Array  # int64 (n_items,): codes, most popular first

    @classmethod
    def learn(cls, shoppers: Shoppers, period: float, horizon: float) -> Self:
        n, item = shoppers.n_known + 1, shoppers.item
        earlier = (shoppers.visit_age > period) & (shoppers.visit_age <= LONG * period)
        in_before = segment_count(earlier, shoppers.visit_offsets) > 0
        buyers = np.bincount(item, minlength=n)
        recent = np.bincount(item[shoppers.last_age <= period], minlength=n)
        firsts = np.bincount(item[shoppers.first_age <= period], minlength=n)
        before = np.bincount(item[in_before], minlength=n)
        active = int(np.count_nonzero(shoppers.last_basket_age <= period))
        # A history shorter than a period shows less than a period's purchases.
        seen = min(period, float(shoppers.basket_age.max(initial=0.0))) or period
        without = np.maximum(active - (recent - firsts), 1)
        return cls(
            buyers, recent, before, firsts, np.array([active]),
            _share_log_odds(recent, np.full(n, active), horizon / seen),
            _share_log_odds(firsts, without, horizon / seen),
            np.lexsort((np.arange(n - 1), -buyers[:-1], -recent[:-1])),
        )  # fmt: skip

    def columns(self, item: Array) -> dict[str, Array]:
        """Recent popularity and trend of each row's item."""
        code = np.minimum(item, len(self.buyers) - 1)
        active = float(max(int(self.active[0]), 1))
        recent, usual = self.recent[code], self.before[code] / (LONG - 1)
        return {
            "popularity": np.log((recent + 0.1) / active),
            "trend": np.log((recent + 1.0) / (usual + 1.0)),
        }


def _share_log_odds(buyers: Array, people: Array, windows: float) -> Array:
    """Log-odds of buying in ``windows`` such windows, a fortieth of a buyer added."""
    share = np.minimum((buyers + 0.025) / (people + 1.0), 0.999)
    return rate_log_odds(-np.log1p(-share), windows)
