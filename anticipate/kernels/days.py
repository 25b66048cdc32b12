"""Local calendar days: a basket is what a customer buys on one of them.

Reads  instants (int64 microseconds UTC) and a timezone's name.
Gives  days since 1970-01-01 in that timezone, and the instant at which a day begins.
Never  a library's idea of "today": no clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DAY = 86_400_000_000
_BLOCK = 900_000_000  # offsets change on quarters of an hour
_FEW = 8  # so many instants are looked up one by one
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_days(timestamp: Array, timezone: str) -> Array:
    """Local calendar day of each instant (int32 days since 1970-01-01)."""
    if timezone == "UTC" or len(timestamp) == 0:
        return (timestamp // DAY).astype(np.int32)
    blocks, inverse = timestamp // _BLOCK, np.arange(len(timestamp))
    if len(blocks) > _FEW:
        blocks, inverse = np.unique(blocks, return_inverse=True)
    wanted = blocks.tolist()
    known = {block: _utc_offset(block * _BLOCK, timezone) for block in set(wanted)}
    offsets = np.array([known[block] for block in wanted], dtype=np.int64)
    return ((timestamp + offsets[inverse]) // DAY).astype(np.int32)


def day_starts(day: Array, timezone: str) -> Array:
    """The instant (int64 microseconds UTC) at which each local day begins."""
    if timezone == "UTC" or len(day) == 0:
        return day.astype(np.int64) * DAY
    days, inverse = np.unique(day, return_inverse=True)
    zone = ZoneInfo(timezone)
    naive = [datetime(1970, 1, 1) + timedelta(days=int(d)) for d in days]
    starts = [(midnight.replace(tzinfo=zone) - _EPOCH) for midnight in naive]
    return np.array([round(s / timedelta(microseconds=1)) for s in starts], np.int64)[inverse]


def _utc_offset(timestamp: int, timezone: str) -> int:
    local = (_EPOCH + timedelta(microseconds=timestamp)).astimezone(ZoneInfo(timezone))
    offset = local.utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)
