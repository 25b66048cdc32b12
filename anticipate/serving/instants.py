"""Instants of a request, without pandas.

Reads  ISO 8601 text, datetimes, numpy datetimes; naive ones in the bundle's timezone.
Gives  int64 microseconds UTC, and back.
Never  the clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ..exceptions import TimeError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(instant: Any, timezone: str, name: str = "as_of") -> int:
    """One instant as microseconds UTC.

    Raises
    ------
    TimeError
        If it is no time, with what to give instead.
    """
    when = _datetime(instant, name)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC if timezone == "UTC" else ZoneInfo(timezone))
    return (when - _EPOCH) // _MICROSECOND


def to_datetime(microseconds: int, timezone: str = "UTC") -> datetime:
    """An aware datetime; instants past either end of the calendar are cut to it."""
    try:
        utc = _EPOCH + timedelta(microseconds=int(microseconds))
        return utc if timezone == "UTC" else utc.astimezone(ZoneInfo(timezone))
    except OverflowError:
        end = datetime.max if microseconds > 0 else datetime.min
        return end.replace(tzinfo=UTC)


def _datetime(instant: Any, name: str) -> datetime:
    if isinstance(instant, np.datetime64):
        instant = instant.astype("M8[us]").item()
    if isinstance(instant, str):
        try:
            instant = datetime.fromisoformat(instant.strip())
        except ValueError:
            raise TimeError(
                f"{name} is not ISO 8601, such as '2025-03-01T10:00Z'; mend the text."
            ) from None
    if isinstance(instant, datetime) and instant == instant:  # NaT differs from itself
        return instant
    if isinstance(instant, date) and not isinstance(instant, datetime):
        return datetime(instant.year, instant.month, instant.day)
    raise TimeError(f"{name} must be a time, got {type(instant).__name__}; give ISO 8601 text.")
