"""Times: in whatever form they come, out as int64 microseconds UTC.

Reads  columns and single instants; a timezone for those that name none.
Gives  microseconds since 1970-01-01 UTC, NO_TIME where there is none.
Never  the clock, and never a guessed timezone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..exceptions import TimeError

Array = NDArray[Any]
Instant = Any  # str, datetime, date, numpy.datetime64 or pandas.Timestamp


@dataclass(frozen=True)
class Times:
    """A column of instants and what had to be decided about it."""

    microseconds: Array  # int64 (n,), NO_TIME where missing or impossible
    aware: bool  # the column named its timezone itself
    n_ambiguous: int = 0  # local hours that exist twice: the first was taken
    n_nonexistent: int = 0  # local hours that do not exist: moved forward


def check_timezone(timezone: str | None) -> str | None:
    """A timezone's name that this machine knows."""
    if timezone is None or timezone == "UTC":
        return timezone
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise TimeError(
            f"unknown timezone {timezone!r}; give an IANA name such as 'Europe/Berlin' or 'UTC'."
        ) from None
    return timezone


def read_times(column: pd.Series[Any], timezone: str | None, name: str) -> Times:
    """A column of datetimes or ISO 8601 text as microseconds UTC."""
    parsed = _parse(column, name)
    if isinstance(parsed.dtype, pd.DatetimeTZDtype):
        return Times(_microseconds(parsed.dt.tz_convert("UTC").dt.tz_localize(None)), aware=True)
    if timezone is None:
        raise TimeError(
            f"{name}: the times name no timezone. Say which one they are in: timezone='UTC' "
            "or an IANA name."
        )
    return _localize(parsed, timezone)


def to_microseconds(instant: Instant, timezone: str | None, name: str = "cutoff") -> int:
    """One instant as microseconds UTC; a naive one is read in ``timezone``."""
    if isinstance(instant, (bool, int, float, np.integer, np.floating)):
        raise TimeError(f"{name} must be a date or time, got a number; pass text or a datetime.")
    try:
        stamp = pd.Timestamp(instant)
    except (ValueError, TypeError, OverflowError):
        raise TimeError(f"{name} is not a time: give ISO 8601 text or a datetime.") from None
    if pd.isna(stamp):
        raise TimeError(f"{name} is missing: give ISO 8601 text or a datetime.")
    if stamp.tzinfo is None:
        if timezone is None:
            raise TimeError(f"{name} names no timezone and the log has none; add one, e.g. 'Z'.")
        stamp = stamp.tz_localize(timezone, ambiguous=True, nonexistent="shift_forward")
    return int(
        stamp.tz_convert("UTC").tz_localize(None).to_datetime64().astype("M8[us]").astype(int)
    )


def to_timestamp(microseconds: int) -> pd.Timestamp:
    return pd.Timestamp(np.datetime64(int(microseconds), "us"), tz="UTC")


def to_timestamps(microseconds: Array) -> pd.DatetimeIndex:
    """UTC timestamps; NO_TIME becomes NaT."""
    return pd.DatetimeIndex(microseconds.astype("M8[us]")).tz_localize("UTC")


def days_to_microseconds(days: float) -> int:
    return round(days * 86_400_000_000)


def _parse(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    if pd.api.types.is_numeric_dtype(column.dtype) and not column.isna().all():
        raise TimeError(
            f"{name}: numbers are no times. Convert first, e.g. pd.to_datetime(column, unit='s')."
        )
    try:
        return pd.to_datetime(column, format="ISO8601", errors="coerce")
    except ValueError:  # aware and naive, or several offsets, in one column
        return _parse_mixed(column, name)


def _parse_mixed(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    text = column.astype(str).str.strip()
    aware = text.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True)
    if not aware[column.notna()].all():
        raise TimeError(
            f"{name}: some times name a timezone and some do not. Give all of them one."
        )
    return pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)


def _localize(naive: pd.Series[Any], timezone: str) -> Times:
    if timezone == "UTC":
        return Times(_microseconds(naive), aware=False)
    known = naive.notna()
    strict = naive.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="shift_forward")
    n_ambiguous = int((strict.isna() & known).sum())
    exact = naive.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    n_nonexistent = int((exact.isna() & known).sum()) - n_ambiguous
    first = np.ones(len(naive), dtype=bool)
    local = naive.dt.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward")
    utc = local.dt.tz_convert("UTC").dt.tz_localize(None)
    return Times(_microseconds(utc), False, n_ambiguous, n_nonexistent)


def _microseconds(naive: pd.Series[Any]) -> Array:
    values = naive.to_numpy().astype("M8[us]", copy=False).view(np.int64)
    return np.asarray(values)  # NaT is NO_TIME already
