"""What a customer spends, in the log's currency.

Reads  a :class:`Past` of m customers.
Gives  float64 (m,). A line without a known price adds nothing to any sum.
Never  returns: what came back is told apart, not subtracted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .past import Past
from .segments import segment_count, segment_reduce, segment_sum

Array = NDArray[Any]


def spend(past: Past) -> Array:
    return segment_sum(past.line_spend, past.purchases.offsets)


def spend_within(past: Past, *, window_days: int) -> Array:
    """Spend of the lines in ``[cutoff - window, cutoff)``."""
    bought = past.purchases
    start = np.repeat(past.window_starts(window_days), np.diff(bought.offsets))
    inside = bought.timestamp >= start
    counts = segment_count(inside, bought.offsets)
    return segment_sum(past.line_spend[inside], np.concatenate(([0], np.cumsum(counts))))


def basket_value(past: Past) -> Array:
    """Mean spend of the purchase days with a known price; NaN without one."""
    baskets, known = past.baskets, ~np.isnan(past.purchases.price)
    if bool(known.all()):
        n_priced = baskets.counts
    else:
        priced = segment_reduce(np.logical_or, known, baskets.line_offsets, False)
        n_priced = segment_count(priced, baskets.offsets)
    mean = np.full(len(n_priced), np.nan)
    return np.divide(spend(past), n_priced, out=mean, where=n_priced > 0)
