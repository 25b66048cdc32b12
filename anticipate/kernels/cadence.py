"""How regularly a customer buys: gaps between purchase days against the open one.

Reads  a :class:`Past` of m customers.
Gives  float64 (m,), days or a ratio; NaN where there are too few purchase days.
Never  other customers' gaps: a customer is measured against their own.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from . import gaps
from .activity import days_since_last
from .past import Past

Array = NDArray[Any]


def gap_mean_days(past: Past) -> Array:
    return gaps.gap_mean_days(past.baskets.visit, past.baskets.offsets)


def gap_sd_days(past: Past) -> Array:
    return gaps.gap_sd_days(past.baskets.visit, past.baskets.offsets)


def gap_max_days(past: Past) -> Array:
    return gaps.gap_max_days(past.baskets.visit, past.baskets.offsets)


def overdue_ratio(past: Past) -> Array:
    """The open gap in mean closed gaps."""
    return gaps.overdue_ratio(days_since_last(past), gap_mean_days(past))
