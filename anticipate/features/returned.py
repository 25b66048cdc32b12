"""Returned: what a customer sent back or cancelled.

Reads  purchases, returns and cancellations before the customer's cutoff, matched.
Gives  counts, and a share in pieces (NaN without a purchase).
Never  a return that no purchase explains in the share; the counts have it.
"""

from __future__ import annotations

from ..kernels import contacts as kernel
from .feature import Feature

FEATURES = (
    Feature("n_returns", "events", "returns", kernel.n_returns),
    Feature("n_cancels", "events", "cancellations", kernel.n_cancels),
    Feature(
        "return_share", "share", "pieces returned or cancelled / pieces bought",
        kernel.return_share,
    ),
)  # fmt: skip
