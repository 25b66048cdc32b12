"""Variety: how many different things a customer buys, and how much of it again.

Reads  the purchases before the customer's cutoff; an *item purchase* is one item on one day.
Gives  counts and shares (NaN without a purchase).
Never  lines: the same item twice on one day is one purchase of it.
"""

from __future__ import annotations

from ..kernels import variety as kernel
from .feature import Feature

FEATURES = (
    Feature("n_items", "items", "different items bought", kernel.n_items),
    Feature(
        "n_categories", "categories", "different categories bought; NaN if the log has none",
        kernel.n_categories,
    ),
    Feature(
        "repeat_share", "share", "item purchases that were not the first of the item / all",
        kernel.repeat_share,
    ),
    Feature(
        "top_item_share", "share", "item purchases of the favourite item / all",
        kernel.top_item_share,
    ),
)  # fmt: skip
