"""Activity: how much a customer does, how recently.

Reads  the events before the customer's cutoff.
Gives  counts (0 where nothing happened) and days (NaN there).
Never  lines where purchases are meant: a purchase is a local calendar day.
"""

from __future__ import annotations

from functools import partial

from ..kernels import activity as kernel
from .feature import Feature

WINDOWS_DAYS = (30, 90, 365)

FEATURES = (
    Feature("n_events", "events", "events of any kind", kernel.n_events),
    Feature("n_purchases", "purchase days", "local days with a purchase", kernel.n_purchases),
    Feature("n_lines", "lines", "purchase events", kernel.n_lines),
    Feature("days_since_first", "days", "cutoff - first purchase", kernel.days_since_first),
    Feature("days_since_last", "days", "cutoff - last purchase", kernel.days_since_last),
    Feature(
        "days_since_first_event", "days", "cutoff - first event of any kind",
        kernel.days_since_first_event,
    ),
    Feature(
        "days_since_last_event", "days", "cutoff - last event of any kind",
        kernel.days_since_last_event,
    ),
    *(
        Feature(
            f"n_purchases_{days}d", "purchase days",
            f"local days with a purchase in [cutoff - {days} d, cutoff)",
            partial(kernel.n_purchases_within, window_days=days),
        )
        for days in WINDOWS_DAYS
    ),
)  # fmt: skip
