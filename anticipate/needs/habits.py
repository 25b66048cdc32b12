"""How a customer shops: how often, how much, how new.

Reads  kept purchases on the target's clock.
Gives  one value per customer.
Never  an item: habits are the same for all of a customer's candidates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import sum_by
from ..kernels.segments import segment_count, segment_max
from .popular import last_basket_age
from .shoppers import Shoppers

Array = NDArray[Any]


def habit_columns(shoppers: Shoppers, period: float) -> dict[str, Array]:
    """Columns of shape (m,), all logarithms."""
    visits = np.diff(shoppers.visit_offsets[shoppers.offsets])
    baskets = shoppers.n_baskets
    span = np.maximum(segment_max(shoppers.basket_age, shoppers.basket_offsets, 0.0), period)
    recent = segment_count(shoppers.basket_age <= 2 * period, shoppers.basket_offsets)
    n_pairs = np.diff(shoppers.offsets)
    firsts = segment_count(shoppers.first_age <= 2 * period, shoppers.offsets)
    return {
        "baskets": np.log(baskets + 1.0),
        "basket_rate": np.log((baskets + 0.5) / (span / period)),
        "recent_baskets": np.log(recent + 0.5),
        "basket_size": np.log((visits + 1.0) / (baskets + 1.0)),
        "variety": np.log((n_pairs + 1.0) / (visits + 1.0)),
        "recent_firsts": np.log(firsts + 0.5),
        "idle": np.log(np.minimum(last_basket_age(shoppers), 100 * period) / period + 0.01),
    }
