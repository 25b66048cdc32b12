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

from ..columns import NO_TIME
from ..exceptions import TimeError
from .frames import whole_text

Array = NDArray[Any]
Instant = Any  # str, datetime, date, numpy.datetime64 or pandas.Timestamp
# Python's calendar ends with the years 1 and 9999; a timezone may move a time by a day.
_FIRST_YEAR, _LAST_YEAR = 2, 9999
_SECONDS_TO = {
    year: int(np.datetime64(f"{year:04d}-01-01", "s").astype(np.int64))
    for year in (_FIRST_YEAR, _LAST_YEAR)
}
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_OFFSET = r"[T ]\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)\s*$"  # a time of day, then its offset
_MIXED = "{}: some times name a timezone and some do not. Give all of them one."


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
        if not parsed.notna().any():  # no time at all: none of them lacks a timezone
            return Times(np.full(len(parsed), NO_TIME, dtype=np.int64), aware=True)
        raise TimeError(
            f"{name}: the times name no timezone. Say which one they are in: timezone='UTC' "
            "or an IANA name."
        )
    return _localize(parsed, timezone)


def to_microseconds(instant: Instant, timezone: str | None, name: str = "cutoff") -> int:
    """One instant as microseconds UTC; a naive one is read in ``timezone``."""
    stamp = _stamp(instant, name)
    if stamp.tzinfo is None:
        if timezone is None:
            raise TimeError(f"{name} names no timezone and the log has none; add one, e.g. 'Z'.")
        plain = _in_microseconds(np.asarray([stamp.to_datetime64()]))[0]
        stamp = pd.Timestamp(np.datetime64(int(plain), "us"))
        stamp = stamp.tz_localize(timezone, ambiguous=True, nonexistent="shift_forward")
    utc = stamp.tz_convert("UTC").tz_localize(None).to_datetime64()
    return int(_in_microseconds(np.asarray([utc]))[0])


def to_timestamp(microseconds: int) -> pd.Timestamp:
    return pd.Timestamp(np.datetime64(int(microseconds), "us"), tz="UTC")


def to_timestamps(microseconds: Array) -> pd.DatetimeIndex:
    """UTC timestamps; NO_TIME becomes NaT."""
    return pd.DatetimeIndex(microseconds.astype("M8[us]")).tz_localize("UTC")


def days_to_microseconds(days: float) -> int:
    return round(min(days * 86_400_000_000, 2.0**62))  # longer than any calendar: stays an int64


def _stamp(instant: Instant, name: str) -> pd.Timestamp:
    """Text only as ISO 8601: pandas alone reads "now", "10:00" and "01/02/2025" as well."""
    if isinstance(instant, (bool, int, float, np.integer, np.floating)):
        raise TimeError(f"{name} must be a date or time, got a number; pass text or a datetime.")
    try:
        if isinstance(instant, str):
            instant = _parse_text(pd.Series([instant.strip()], dtype=object), name).iloc[0]
        stamp = pd.Timestamp(instant)
    except (ValueError, TypeError, OverflowError):
        raise TimeError(f"{name} is not a time: give ISO 8601 text or a datetime.") from None
    if pd.isna(stamp):
        raise TimeError(f"{name} is missing or no time: give ISO 8601 text or a datetime.")
    if not _FIRST_YEAR <= stamp.year < _LAST_YEAR:
        raise TimeError(f"{name} lies outside the years {_FIRST_YEAR} to {_LAST_YEAR - 1}.")
    return stamp


def _parse(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Datetimes, naive or aware; NaT where missing or impossible."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.ArrowDtype) and column.dtype.kind == "M":
        zone = getattr(column.dtype.pyarrow_dtype, "tz", None)  # a date has none
        return column.astype("datetime64[us]" if zone is None else "datetime64[us, UTC]")
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    if pd.api.types.is_numeric_dtype(column.dtype):
        if column.isna().all():
            return pd.Series(np.full(len(column), "NaT", dtype="M8[us]"))
        raise TimeError(
            f"{name}: numbers are no times. Convert first, e.g. pd.to_datetime(column, unit='s')."
        )
    if isinstance(column.dtype, pd.StringDtype):
        return _parse_text(column, name)
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("datetime", "datetime64", "date"):
        return _parse_objects(column, name)
    if kind not in ("string", "empty"):
        raise TimeError(f"{name}: values of kind {kind!r} are no times; give datetimes or text.")
    return _parse_text(column, name)


def _parse_objects(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Python's datetimes and dates, one by one; offsets may differ."""
    known = column.dropna()
    aware = [getattr(value, "tzinfo", None) is not None for value in known]
    if any(aware) and not all(aware):
        raise TimeError(_MIXED.format(name))
    return pd.to_datetime(column, errors="coerce", utc=any(aware))


def _parse_text(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    try:
        parsed = pd.to_datetime(column, format="ISO8601", errors="coerce")
    except UnicodeEncodeError:  # lone surrogates are in no time
        return _parse_text(column.map(whole_text, na_action="ignore"), name)
    except ValueError:  # aware and naive, or several offsets, in one column
        parsed = _parse_offsets(column, name)
    # pandas reads these two words off the clock, whatever the format.
    return parsed.mask(column.isin(("now", "today")))


def _parse_offsets(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    parsed = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
    aware = column.astype("string").str.contains(_OFFSET, regex=True, na=True).to_numpy(bool)
    if (parsed.notna().to_numpy() & ~aware).any():
        raise TimeError(_MIXED.format(name))
    return parsed


def _localize(naive: pd.Series[Any], timezone: str) -> Times:
    plain = _microseconds(naive)
    if timezone == "UTC":
        return Times(plain, aware=False)
    naive = pd.Series(plain.view("M8[us]"))  # in nanoseconds the oldest ones could not move
    known = naive.notna()
    strict = naive.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="shift_forward")
    n_ambiguous = int((strict.isna() & known).sum())
    exact = naive.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    n_nonexistent = int((exact.isna() & known).sum()) - n_ambiguous
    first = np.ones(len(naive), dtype=bool)
    local = naive.dt.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward")
    utc = local.dt.tz_convert("UTC").dt.tz_localize(None)
    return Times(_microseconds(utc), False, n_ambiguous, n_nonexistent)


def _outside(naive: pd.Series[Any]) -> Array:
    """Where a time is missing, or in a year that calendars and timezones cannot place."""
    values = naive.to_numpy()
    per_second = _PER_SECOND[np.datetime_data(values.dtype)[0]]
    ticks = values.view(np.int64)
    first, last = (_SECONDS_TO[year] * per_second for year in (_FIRST_YEAR, _LAST_YEAR))
    return np.asarray((ticks < first) | (ticks >= last) | np.isnat(values))


def _microseconds(naive: pd.Series[Any]) -> Array:
    outside = _outside(naive)
    if outside.any():
        naive = naive.mask(outside)
    return _in_microseconds(naive.to_numpy())


def _in_microseconds(values: Array) -> Array:
    """Rounded down; NO_TIME for NaT. NumPy's own cast of nanoseconds overflows near 1677."""
    per_second, ticks = _PER_SECOND[np.datetime_data(values.dtype)[0]], values.view(np.int64)
    if per_second == 10**6:
        return ticks  # NaT is NO_TIME already
    coarse = ticks // (per_second // 10**6) if per_second > 10**6 else ticks * (10**6 // per_second)
    return np.where(np.isnat(values), NO_TIME, coarse)
