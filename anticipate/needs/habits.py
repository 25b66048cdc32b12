"""How a customer shops: how often, how much, how new.

Reads  kept purchases on the target's clock.
Gives  one value per customer, the same for all of the customer's candidates.
Never  an item.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.segments import segment_count, segment_max
from .shoppers import Shoppers

Array = NDArray[Any]
HABITS = (
    "baskets", "basket_rate", "recent_baskets", "basket_size", "variety", "recent_firsts", "idle"
)  # fmt: skip


def habit_columns(shoppers: Shoppers, period: float) -> dict[str, Array]:
    """Columns of shape (m,), all logarithms."""
    visits = np.diff(shoppers.visit_offsets[shoppers.offsets])
    baskets = shoppers.n_baskets
    span = np.maximum(segment_max(shoppers.basket_age, shoppers.basket_offsets, 0.0), period)
    recent = segment_count(shoppers.basket_age <= 2 * period, shoppers.basket_offsets)
    firsts = segment_count(shoppers.first_age <= 2 * period, shoppers.offsets)
    values = (
        np.log(baskets + 1.0),
        np.log((baskets + 0.5) / (span / period)),
        np.log(recent + 0.5),
        np.log((visits + 1.0) / (baskets + 1.0)),
        np.log((np.diff(shoppers.offsets) + 1.0) / (visits + 1.0)),
        np.log(firsts + 0.5),
        np.log(np.minimum(shoppers.last_basket_age / period, 100.0) + 0.01),
    )
    return dict(zip(HABITS, values, strict=True))
