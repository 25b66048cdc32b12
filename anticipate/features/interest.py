"""Interest: what a customer looked at, put into the cart or wished for, and did not buy.

Reads  views, carts, wishes, warnings and purchases before the customer's cutoff.
Gives  counts.
Never  an earlier purchase as an answer: only one at the same instant or later follows.
"""

from __future__ import annotations

from ..kernels import interest as kernel
from .feature import Feature

FEATURES = (
    Feature("n_views", "events", "views", kernel.n_views),
    Feature(
        "n_views_unbought", "events", "views not followed by a purchase of the item",
        kernel.n_views_unbought,
    ),
    Feature("n_carts", "events", "carts", kernel.n_carts),
    Feature(
        "n_carts_unbought", "events", "carts not followed by a purchase of the item",
        kernel.n_carts_unbought,
    ),
    Feature("n_wishes", "events", "wishes", kernel.n_wishes),
    Feature(
        "n_wishes_unbought", "events", "wishes not followed by a purchase of the item",
        kernel.n_wishes_unbought,
    ),
    Feature("n_warnings_dismissed", "events", "warnings dismissed", kernel.n_warnings_dismissed),
)  # fmt: skip
