"""Value: what a customer spends.

Reads  price and quantity of the purchases before the customer's cutoff.
Gives  amounts in the log's currency; lines without a known price add nothing.
Never  returns: what came back is told apart (``return_share``), not subtracted.
"""

from __future__ import annotations

from functools import partial

from ..kernels import value as kernel
from .activity import WINDOWS_DAYS
from .feature import Feature

FEATURES = (
    Feature("spend", "currency", "sum of price * quantity", kernel.spend),
    Feature(
        "basket_value", "currency per purchase day",
        "spend / purchase days with a known price; NaN without one", kernel.basket_value,
    ),
    *(
        Feature(
            f"spend_{days}d", "currency",
            f"sum of price * quantity in [cutoff - {days} d, cutoff)",
            partial(kernel.spend_within, window_days=days),
        )
        for days in WINDOWS_DAYS
    ),
)  # fmt: skip
