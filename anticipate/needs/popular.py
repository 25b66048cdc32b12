"""What is bought these days: popularity of the moment and its trend.

Reads  all customers' kept purchases on the target's clock.
Gives  per item: how many bought it lately, before that, and for the first time.
Never  one customer's taste: everybody gets the same numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import rate_log_odds
from .shoppers import Shoppers

Array = NDArray[Any]
LONG = 4  # the long window, in periods: trend compares the last period with it


class Popular(NamedTuple):
    """Arrays (n_items + 1,); the last row stands for items never seen."""

    buyers: Array  # int64: customers who ever bought it
    recent: Array  # int64: customers who bought it in the last period
    before: Array  # int64: in the periods before that, up to ``LONG``
    firsts: Array  # int64: customers who bought it for the first time in the last period
    active: Array  # int64 (1,): customers with a basket in the last period
    log_odds: Array  # float64: a customer without it buys it in the horizon
    order: Array  # int64 (n_items,): codes, most popular first

    @classmethod
    def learn(cls, shoppers: Shoppers, period: float, horizon: float) -> Self:
        n = shoppers.n_known + 1
        last, item = shoppers.last_age, shoppers.item
        visit_item = np.repeat(item, shoppers.n_visits)
        # a pair counts once per window: its latest visit in it
        pair = np.repeat(np.arange(len(item)), shoppers.n_visits)
        earlier = (shoppers.visit_age > period) & (shoppers.visit_age <= LONG * period)
        is_last = np.append(pair[1:] != pair[:-1], True)[: len(pair)]
        follows = np.append(earlier[1:] & ~is_last[:-1], False)[: len(pair)]
        buyers = np.bincount(item, minlength=n)
        recent = np.bincount(item[last <= period], minlength=n)
        firsts = np.bincount(item[shoppers.first_age <= period], minlength=n)
        before = np.bincount(visit_item[earlier & ~follows], minlength=n)
        newest = last_basket_age(shoppers)
        active = int(np.count_nonzero(newest <= period))
        # New buyers among those who did not have it yet, half a buyer added: never impossible.
        without = np.maximum(active - (recent - firsts), 1)
        share = (firsts + 0.5 / np.sqrt(n)) / (without + 1.0)
        rate = -np.log1p(-np.minimum(share, 0.999)) / period
        log_odds = rate_log_odds(rate, horizon)
        order = np.lexsort((np.arange(n - 1), -buyers[:-1], -recent[:-1]))
        return cls(buyers, recent, before, firsts, np.array([active]), log_odds, order)

    def columns(self, item: Array) -> dict[str, Array]:
        """Recent popularity and trend of each row's item."""
        code = np.minimum(item, len(self.buyers) - 1)
        active = float(max(int(self.active[0]), 1))
        recent, before = self.recent[code], self.before[code]
        return {
            "popularity": np.log((recent + 0.1) / active),
            "trend": np.log((recent + 1.0) / (before / (LONG - 1) + 1.0)),
        }


def last_basket_age(shoppers: Shoppers) -> Array:
    """Age of each customer's last basket (m,), infinite without one."""
    out = np.full(shoppers.n, np.inf)
    has = shoppers.n_baskets > 0
    out[has] = shoppers.basket_age[shoppers.basket_offsets[1:][has] - 1]
    return out
