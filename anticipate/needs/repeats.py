"""What a customer bought before: how often, how long ago, how regularly others buy it again.

Reads  kept purchases on the target's clock.
Gives  per own pair: decayed counts, a shrunken repeat rate, how overdue it is.
Never  a future visit; nothing of another customer but the item's own statistics.
Source Bhagat et al., "Buy It Again", KDD 2018: repeat share, Poisson-gamma rate, log-normal gaps.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import (
    decayed_counts,
    due_log_odds,
    rate_log_odds,
    repeat_rate,
    sum_by,
    time_kernel,
    to_log_odds,
)
from ..kernels.segments import segment_count, segment_sum
from .shoppers import Shoppers

Array = NDArray[Any]
HALF_LIVES = (0.7, 3.0, 12.0)  # in periods
STRENGTH = 1.0  # visits that an item's repeat rate counts for, beside a customer's own
GAP_STRENGTH = 2.0  # gaps that an item's typical gap counts for
FEW = 5.0  # buyers, or gaps, that the whole counts for in an item's statistics
LAST_BASKETS = (3, 10)
SMALLEST_GAP = 0.5  # days or baskets
RATE = "rate_log_odds"  # the column that is a probability's log-odds by itself
OWN = (
    RATE, "decayed_0", "decayed_1", "decayed_2", "visits", "last_age", "first_age", "overdue",
    "due", "own_gap", "repeat_share", "time_kernel", "units", "in_last_3", "in_last_10", "back",
    "share_since_first",
)  # fmt: skip


class Repeats(NamedTuple):
    """Arrays (n_items + 1,); the last row stands for items never seen."""

    rate: Array  # repeat purchases per unit of time since the first one
    share: Array  # share of buyers who bought again
    log_gap: Array  # mean of ln(gap)
    log_gap_sd: Array
    units: Array  # mean units of a visit

    @classmethod
    def learn(cls, shoppers: Shoppers, period: float) -> Self:
        n, item, n_repeats = shoppers.n_known + 1, shoppers.item, shoppers.n_visits - 1
        repeats = np.bincount(item, weights=n_repeats, minlength=n)
        exposure = sum_by(item, shoppers.first_age, n)
        buyers = np.bincount(item, minlength=n)
        again = np.bincount(item[n_repeats > 0], minlength=n)
        # Half a repeat in twelve periods keeps a rate above zero where none was seen.
        overall = (repeats.sum() + 0.5) / (exposure.sum() + 12.0 * period)
        overall_share = (again.sum() + 0.5) / (buyers.sum() + FEW)
        log_gaps, pair = _log_gaps(shoppers)
        mean, sd = _shrunken_spread(item[pair], log_gaps, n, np.log(period))
        return cls(
            repeat_rate(repeats, exposure, np.full(n, overall), STRENGTH),
            (again + FEW * overall_share) / (buyers + FEW),
            mean,
            sd,
            _mean_units(shoppers, n),
        )

    def columns(self, shoppers: Shoppers, period: float, horizon: float) -> dict[str, Array]:
        """One value per own pair (p,)."""
        code = np.minimum(shoppers.item, len(self.rate) - 1)
        age, first, visits = shoppers.last_age, shoppers.first_age, shoppers.n_visits
        rate = repeat_rate(visits - 1, first, self.rate[code], STRENGTH)
        own_gap, sd = self._own_gap(shoppers, code), self.log_gap_sd[code]
        waited = np.maximum(age, SMALLEST_GAP)
        counts = {
            f"decayed_{k}": np.log(
                decayed_counts(shoppers.visit_age, shoppers.visit_offsets, half * period) + 1e-3
            )
            for k, half in enumerate(HALF_LIVES)
        }
        return counts | {
            RATE: rate_log_odds(rate, horizon),
            "visits": np.log(visits),
            "last_age": np.log(waited / period),
            "first_age": np.log(np.maximum(first, SMALLEST_GAP) / period),
            "overdue": np.clip((np.log(waited) - own_gap) / sd, -5.0, 5.0),
            "due": due_log_odds(waited, own_gap, sd, horizon),
            "own_gap": own_gap,
            "repeat_share": to_log_odds(self.share[code]),
            "time_kernel": np.log(self._kernel(shoppers, code, period) + 1e-3),
            "units": np.log(
                segment_sum(shoppers.visit_units, shoppers.visit_offsets) / self.units[code]
            ),
            **_basket_columns(shoppers),
        }

    def _kernel(self, shoppers: Shoppers, code: Array, period: float) -> Array:
        line = np.repeat(code, shoppers.n_visits)
        return time_kernel(
            shoppers.visit_age, shoppers.visit_offsets, self.share[line],
            log_gap=self.log_gap[line], sd=self.log_gap_sd[line], half_life=3.0 * period,
        )  # fmt: skip

    def _own_gap(self, shoppers: Shoppers, code: Array) -> Array:
        """Mean ln(gap) of each pair, shrunk to the item's."""
        log_gaps, _ = _log_gaps(shoppers)
        offsets = shoppers.visit_offsets - np.arange(len(shoppers.visit_offsets))
        total = segment_sum(log_gaps, offsets)
        prior = GAP_STRENGTH * self.log_gap[code]
        return (prior + total) / (GAP_STRENGTH + shoppers.n_visits - 1)


def _basket_columns(shoppers: Shoppers) -> dict[str, Array]:
    """How often a pair was among the customer's last baskets."""
    back, offsets = shoppers.visit_back, shoppers.visit_offsets
    n_baskets = shoppers.n_baskets[shoppers.customer]
    return {
        f"in_last_{k}": segment_count(back <= k, offsets) / np.minimum(n_baskets, k)
        for k in LAST_BASKETS
    } | {
        "back": np.log(back[offsets[1:] - 1]),
        "share_since_first": shoppers.n_visits / back[offsets[:-1]],
    }


def _mean_units(shoppers: Shoppers, n: int) -> Array:
    visits = np.bincount(shoppers.item, weights=shoppers.n_visits, minlength=n)
    units = segment_sum(shoppers.visit_units, shoppers.visit_offsets)
    overall = (units.sum() + 1.0) / (visits.sum() + 1.0)
    return (sum_by(shoppers.item, units, n) + FEW * overall) / (visits + FEW)


def _log_gaps(shoppers: Shoppers) -> tuple[Array, Array]:
    """ln of all closed gaps, by pair and time, and each one's pair."""
    pair = np.repeat(np.arange(len(shoppers.item)), shoppers.n_visits)
    same = pair[1:] == pair[:-1]
    gaps = (shoppers.visit_age[:-1] - shoppers.visit_age[1:])[same]
    return np.log(np.maximum(gaps, SMALLEST_GAP)), pair[1:][same]


def _shrunken_spread(codes: Array, values: Array, n: int, usual: float) -> tuple[Array, Array]:
    """Mean and sd of values by code, shrunk to the whole as if by ``FEW`` more values."""
    overall = float(values.mean()) if len(values) else usual
    spread = max(float(values.std()), 0.1) if len(values) > 1 else 1.0
    counts = np.bincount(codes, minlength=n)
    mean = (sum_by(codes, values, n) + FEW * overall) / (counts + FEW)
    squares = sum_by(codes, (values - mean[codes]) ** 2, n)
    return mean, np.sqrt((squares + FEW * spread**2) / (counts + FEW))
