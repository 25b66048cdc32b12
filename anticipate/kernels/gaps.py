"""Gaps between visits: how long, how regular, and how late the next one is.

Reads  visits (int64 microseconds, ascending in each segment) and offsets (s + 1,) of segments.
Gives  days per segment, float64 (s,); NaN where a segment has too few visits.
Never  the open gap among the closed ones: it is compared with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .segments import segment_max, segment_sd

Array = NDArray[Any]
DAY = 86_400_000_000


def closed_gaps_days(visit: Array, offsets: Array) -> tuple[Array, Array]:
    """All closed gaps in days, by segment, and their offsets (s + 1,)."""
    counts = np.diff(offsets)
    closes_gap = np.ones(len(visit), dtype=bool)
    closes_gap[offsets[:-1][counts > 0]] = False  # a segment's first visit closes none
    gaps = np.diff(visit)[closes_gap[1:]] / DAY
    return gaps, np.concatenate(([0], np.cumsum(np.maximum(counts - 1, 0))))


def gap_mean_days(visit: Array, offsets: Array) -> Array:
    """(last - first) / (visits - 1), exact up to the division; NaN below two visits."""
    counts = np.diff(offsets)
    several = np.flatnonzero(counts > 1)
    out = np.full(len(counts), np.nan)
    span = visit[offsets[1:][several] - 1] - visit[offsets[:-1][several]]
    out[several] = span / DAY / (counts[several] - 1)
    return out


def gap_sd_days(visit: Array, offsets: Array) -> Array:
    """Sample standard deviation of the closed gaps; NaN below two gaps."""
    return segment_sd(*closed_gaps_days(visit, offsets))


def gap_max_days(visit: Array, offsets: Array) -> Array:
    """The longest closed gap; NaN below one gap."""
    return segment_max(*closed_gaps_days(visit, offsets))


def overdue_ratio(days_since_last: Array, gap_days: Array) -> Array:
    """How many usual gaps the open gap is long: 1 = due now, 2 = one gap late."""
    ratio = np.full(len(gap_days), np.nan)
    return np.divide(days_since_last, gap_days, out=ratio, where=gap_days > 0)
