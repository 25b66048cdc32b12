"""Pairs: what a customer did with one item.

Reads  a customer's purchases, returns and ratings of an item before the customer's cutoff.
Gives  one row per (customer, item) bought.
Never  items that were only looked at: a pair begins with its first purchase.
"""

from __future__ import annotations

from ..kernels import pair_features as kernel
from .feature import Feature

FEATURES = (
    Feature("n_purchases", "purchase days", "local days with the pair", kernel.n_purchases),
    Feature("quantity", "pieces", "pieces bought", kernel.quantity),
    Feature("days_since_first", "days", "cutoff - first purchase", kernel.days_since_first),
    Feature("days_since_last", "days", "cutoff - last purchase", kernel.days_since_last),
    Feature(
        "gap_mean_days", "days", "(last - first purchase day) / (n_purchases - 1)",
        kernel.gap_mean_days,
    ),
    Feature(
        "gap_sd_days", "days", "sample sd of the gaps between purchase days; NaN below two gaps",
        kernel.gap_sd_days,
    ),
    Feature(
        "overdue_ratio", "ratio",
        "days_since_last / gap_mean_days; of a pair bought once: / mean gap of the item in fit",
        kernel.overdue_ratio,
    ),
    Feature(
        "quantity_kept", "pieces", "pieces bought - pieces returned or cancelled",
        kernel.quantity_kept,
    ),
    Feature(
        "return_share", "share", "pieces returned or cancelled / pieces bought",
        kernel.return_share,
    ),
    Feature("n_ratings", "events", "ratings of the item with a value", kernel.n_ratings),
    Feature(
        "rating_last", "the log's rating scale", "latest rating of the item; NaN without one",
        kernel.rating_last,
    ),
)  # fmt: skip
