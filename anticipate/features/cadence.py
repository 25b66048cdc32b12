"""Cadence: how regularly a customer buys, and how late the next purchase is.

Reads  the purchase days before the customer's cutoff; a day counts from its first line.
Gives  days and a ratio; NaN where there are too few purchase days.
Never  the open gap among the closed ones.
"""

from __future__ import annotations

from ..kernels import cadence as kernel
from .feature import Feature

FEATURES = (
    Feature(
        "gap_mean_days", "days", "(last - first purchase day) / (n_purchases - 1)",
        kernel.gap_mean_days,
    ),
    Feature(
        "gap_sd_days", "days", "sample sd of the gaps between purchase days; NaN below two gaps",
        kernel.gap_sd_days,
    ),
    Feature("gap_max_days", "days", "longest gap between purchase days", kernel.gap_max_days),
    Feature(
        "overdue_ratio", "ratio", "open gap against the own: days_since_last / gap_mean_days",
        kernel.overdue_ratio,
    ),
)  # fmt: skip
