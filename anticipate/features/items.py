"""Items: how an item is bought by everybody.

Reads  all purchases and returns of an item, each before its customer's cutoff.
Gives  one row per item of the history; NaN where nobody bought it.
Never  an open gap: only gaps that a purchase closed.
"""

from __future__ import annotations

from functools import partial

from ..kernels import item_features as kernel
from .feature import Feature

QUANTILES = (10, 50, 90)

FEATURES = (
    Feature("n_buyers", "customers", "customers who bought it", kernel.n_buyers),
    Feature(
        "n_purchases", "purchase days", "purchase days, summed over buyers", kernel.n_purchases
    ),
    Feature(
        "repeat_buyer_share", "share", "buyers with two purchase days or more / buyers",
        kernel.repeat_buyer_share,
    ),
    Feature("n_gaps", "gaps", "gaps between purchase days of one buyer", kernel.n_gaps),
    Feature("gap_mean_days", "days", "mean of those gaps", kernel.gap_mean_days),
    Feature("gap_sd_days", "days", "sample sd of those gaps", kernel.gap_sd_days),
    *(
        Feature(
            f"gap_p{percent}_days", "days", f"{percent} % quantile of those gaps, linear",
            partial(kernel.gap_quantile_days, q=percent / 100),
        )
        for percent in QUANTILES
    ),
    Feature(
        "return_share", "share", "pieces returned or cancelled / pieces sold",
        kernel.return_share,
    ),
    Feature("price_mean", "currency per piece", "mean price of its lines", kernel.price_mean),
    Feature(
        "price_last", "currency per piece", "price of its latest line, the highest of several",
        kernel.price_last,
    ),
)  # fmt: skip
