"""What is bought these days: popularity of the moment and its trend.

Reads  all customers' kept purchases on the target's clock.
Gives  per item: how many bought it in the last period and before it; the odds of buying it.
Never  one customer's taste: everybody gets the same numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import to_log_odds
from ..kernels.segments import segment_count, segment_max
from .shoppers import Shoppers

Array = NDArray[Any]
FIRST = "first_log_odds"  # the column that is a probability's log-odds by itself
FEW = 10.0  # customers that popularity counts for in an item's share of first purchases
NEW_PART = 0.3  # of purchases that are first ones, before any evidence
LONG = 4  # the long window, in periods: trend compares the last period with it


class Popular(NamedTuple):
    """Arrays (n_items + 1,); the last row stands for items never seen."""

    buyers: Array  # int64: customers who ever bought it
    recent: Array  # int64: customers who bought it in the last period
    lately: Array  # int64: in the last quarter of it
    before: Array  # int64: in the periods before that, up to ``LONG``
    last_sold: Array  # float64: age of anybody's latest purchase; infinite for items never seen
    active: Array  # int64 (1,): customers with a basket in the last period
    share: Array  # float64: of those active, who bought it in the last period, above 0
    log_odds: Array  # float64: a customer who shops buys it in a period
    first_log_odds: Array  # float64: one who never had it does
    order: Array  # int64 (n_items,): codes, most popular first

    @classmethod
    def learn(cls, shoppers: Shoppers, period: float) -> Self:
        n, item = shoppers.n_known + 1, shoppers.item
        earlier = (shoppers.visit_age > period) & (shoppers.visit_age <= LONG * period)
        in_before = segment_count(earlier, shoppers.visit_offsets) > 0
        buyers = np.bincount(item, minlength=n)
        recent = np.bincount(item[shoppers.last_age <= period], minlength=n)
        lately = np.bincount(item[shoppers.last_age <= max(period / 4, 1.0)], minlength=n)
        before = np.bincount(item[in_before], minlength=n)
        last_sold = np.full(n, np.inf)
        np.minimum.at(last_sold, item, shoppers.last_age)
        active = shoppers.last_basket_age <= period
        share = (recent + 0.025) / (np.count_nonzero(active) + 1.0)
        return cls(
            buyers, recent, lately, before, last_sold, np.array([np.count_nonzero(active)]),
            share, to_log_odds(share), to_log_odds(_first_share(shoppers, period, share)),
            np.lexsort((np.arange(n - 1), -buyers[:-1], -recent[:-1])),
        )  # fmt: skip

    def columns(self, item: Array) -> dict[str, Array]:
        """Recent popularity and trend of each row's item."""
        code = np.minimum(item, len(self.buyers) - 1)
        active = float(max(int(self.active[0]), 1))
        recent, usual = self.recent[code], self.before[code] / (LONG - 1)
        # Beside the whole: a season lifts all alike, and that is the level's to learn.
        whole = np.log((self.recent.sum() + 1.0) / (self.before.sum() / (LONG - 1) + 1.0))
        return {
            "popularity": np.log((recent + 0.1) / active),
            "trend": np.log((recent + 1.0) / (usual + 1.0)) - whole,
            "lately": np.log((self.lately[code] + 0.1) / active),
            "last_sold": np.log(np.minimum(self.last_sold[code], 1e4) + 0.5),
        }


def _first_share(shoppers: Shoppers, period: float, share: Array) -> Array:
    """Share of customers without an item who bought it for the first time last period.

    Only customers who had shopped before count: in a first basket everything is new. Shrunk
    to popularity times the overall part of purchases that are first ones.
    """
    n, item = len(share), shoppers.item
    first_basket = segment_max(shoppers.basket_age, shoppers.basket_offsets, 0.0)
    settled = (first_basket > period) & (shoppers.last_basket_age <= period)
    lately = settled[shoppers.customer] & (shoppers.last_age <= period)
    is_first = lately & (shoppers.first_age <= period)
    firsts = np.bincount(item[is_first], minlength=n)
    had = np.bincount(item[settled[shoppers.customer] & ~is_first], minlength=n)
    without = np.count_nonzero(settled) - had
    new_part = (is_first.sum() + FEW * NEW_PART) / (lately.sum() + FEW)
    return (firsts + FEW * new_part * share) / (without + FEW)
