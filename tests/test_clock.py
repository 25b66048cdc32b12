"""Times: microseconds UTC from whatever comes, and never a guess."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from anticipate.columns import NO_TIME
from anticipate.exceptions import BadRowsError, TimeError
from anticipate.kernels.days import day_starts, local_days
from anticipate.log import InteractionLog
from anticipate.log.clock import read_times, to_microseconds, to_timestamps

UTC = dt.UTC
NOON = pd.Timestamp("2025-01-01T12:00Z")
BERLIN = dt.timezone(dt.timedelta(hours=1))


def read(values, timezone=None):
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    times = read_times(column, timezone, "timestamp")
    return to_timestamps(times.microseconds), times


ARROW = pd.ArrowDtype(pa.timestamp("us", tz="Europe/Berlin"))
AWARE = {
    "Z": ["2025-01-01T12:00:00Z"],
    "offset": ["2025-01-01T13:00:00+01:00"],
    "short offset": ["2025-01-01 13:00:00+01"],
    "no colon": ["2025-01-01T13:00:00+0100"],
    "an offset per row": ["2025-01-01T13:00+01:00", "2025-01-01T14:00+02:00"],
    "a short offset per row": ["2025-01-01 13:00:00+01", "2025-01-01 14:00:00+02"],
    "datetimes": [dt.datetime(2025, 1, 1, 12, tzinfo=UTC)],
    "datetimes of two zones": pd.Series(
        [dt.datetime(2025, 1, 1, 12, tzinfo=UTC), dt.datetime(2025, 1, 1, 13, tzinfo=BERLIN)],
        dtype=object,
    ),
    "pandas": pd.Series(pd.DatetimeIndex(["2025-01-01T13:00"]).tz_localize("Europe/Berlin")),
    "arrow": pd.Series([pd.Timestamp("2025-01-01T12:00Z")], dtype=ARROW),
    "categories": pd.Series(["2025-01-01T12:00Z"], dtype="category"),
}
NAIVE = {
    "text": ["2025-01-01T13:00"],
    "with a space": ["2025-01-01 13:00:00.000000"],
    "datetimes": [dt.datetime(2025, 1, 1, 13)],
    "seconds": pd.Series(np.array(["2025-01-01T13:00"], dtype="M8[s]")),
    "nanoseconds": pd.Series(np.array(["2025-01-01T13:00"], dtype="M8[ns]")),
    "arrow": pd.Series([dt.datetime(2025, 1, 1, 13)], dtype=pd.ArrowDtype(pa.timestamp("ms"))),
    "arrow text": pd.Series(["2025-01-01T13:00"], dtype=pd.ArrowDtype(pa.string())),
    "categories": pd.Series(["2025-01-01T13:00"], dtype="category"),
}


@pytest.mark.parametrize("given", AWARE.values(), ids=AWARE)
def test_aware_times_need_no_timezone(given):
    stamps, times = read(given)

    assert set(stamps) == {NOON}
    assert times.aware


@pytest.mark.parametrize("given", NAIVE.values(), ids=NAIVE)
def test_naive_times_are_read_in_the_timezone(given):
    """13:00 in Berlin's winter is 12:00 UTC."""
    stamps, times = read(given, "Europe/Berlin")

    assert stamps.tolist() == [NOON]
    assert not times.aware


@pytest.mark.parametrize("given", NAIVE.values(), ids=NAIVE)
def test_naive_times_without_a_timezone_raise(given):
    with pytest.raises(TimeError, match="timezone='UTC'"):
        read(given)


@pytest.mark.parametrize(
    "given",
    [
        [dt.date(2025, 1, 1)],
        pd.Series([dt.date(2025, 1, 1)], dtype=pd.ArrowDtype(pa.date32())),
        pd.Series(["2025-01-01"]),
        pd.Series(["20250101"]),
    ],
)
def test_dates_are_midnights(given):
    stamps, _ = read(given, "Asia/Seoul")

    assert stamps.tolist() == [pd.Timestamp("2025-01-01", tz="Asia/Seoul")]


@pytest.mark.parametrize(
    "given",
    [
        ["2025-01-01T12:00Z", "2025-01-01T12:00"],
        ["2025-01-01", "2025-01-01T12:00+01:00"],
        pd.Series([dt.datetime(2025, 1, 1), dt.datetime(2025, 1, 1, tzinfo=UTC)], dtype=object),
    ],
)
def test_aware_and_naive_times_in_one_column_raise(given):
    with pytest.raises(TimeError, match="some times name a timezone and some do not"):
        read(given, "UTC")


NO_TIMES = {
    "numbers": [1_700_000_000, 1],
    "numbers as objects": pd.Series([1_700_000_000, 1], dtype=object),
    "booleans": [True, False],
    "text and numbers": pd.Series(["2025-01-01", 5], dtype=object),
    "durations": pd.Series(pd.to_timedelta([1], unit="D")),
    "periods": pd.Series(pd.period_range("2025-01", periods=1, freq="M")),
    "lists": pd.Series([[1]]),
}


@pytest.mark.parametrize("given", NO_TIMES.values(), ids=NO_TIMES)
def test_what_is_no_time_raises(given):
    with pytest.raises(TimeError, match="no times"):
        read(given, "UTC")


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "today",
        "10:00",
        "13/01/2025",
        "March 2025",
        "1735689600",
        "2025-02-30",
        "",
        "x" * 999,
    ],
)
def test_text_that_is_no_iso_time_is_an_impossible_one(text):
    """Neither the clock's nor a guess at the order of day and month."""
    stamps, _ = read(["2025-01-01T12:00Z", text])

    assert stamps[0] == NOON
    assert stamps[1] is pd.NaT


def test_garbage_beside_several_offsets_is_garbage():
    stamps, times = read(["2025-01-01T13:00+01:00", "2025-01-01T14:00+02:00", "soon", None])

    assert stamps[:2].tolist() == [NOON, NOON]
    assert stamps[2:].isna().all()
    assert times.aware


def test_an_ambiguous_hour_is_the_first_and_a_missing_one_moves_forward():
    """Berlin: 02:30 on 26 October is twice, first at 00:30Z; on 30 March not at all: 01:00Z."""
    stamps, times = read(["2025-10-26T02:30", "2025-03-30T02:30", "2025-05-01"], "Europe/Berlin")

    assert stamps.astype(str).tolist() == [
        "2025-10-26 00:30:00+00:00", "2025-03-30 01:00:00+00:00", "2025-04-30 22:00:00+00:00",
    ]  # fmt: skip
    assert (times.n_ambiguous, times.n_nonexistent) == (1, 1)


@pytest.mark.parametrize(
    ("timezone", "twice", "first"),
    [
        ("Europe/Dublin", "2025-10-26T01:30", "2025-10-26T00:30Z"),  # winter time is its "DST"
        ("Australia/Lord_Howe", "2025-04-06T01:45", "2025-04-05T14:45Z"),  # half an hour
        ("America/New_York", "2025-11-02T01:30", "2025-11-02T05:30Z"),
    ],
)
def test_the_first_of_two_hours_is_the_earlier_one_everywhere(timezone, twice, first):
    stamps, times = read([twice], timezone)

    assert stamps[0] == pd.Timestamp(first)
    assert times.n_ambiguous == 1
    assert to_microseconds(twice, timezone) == times.microseconds[0]


def test_both_are_counted_in_the_report():
    rows = {
        "customer_id": [1, 1], "item_id": [1, 1],
        "timestamp": ["2025-10-26T02:30", "2025-03-30T02:30"],
    }  # fmt: skip
    log = InteractionLog.from_frame(rows, timezone="Europe/Berlin")

    assert log.report["ambiguous_local_times"] == log.report["nonexistent_local_times"] == 1


@pytest.mark.parametrize("year", [1677, 1700, 1900, 2261, 2262, 2263, 9998])
@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_far_years_are_years(year, timezone):
    text = f"{year}-06-01T12:00"
    stamps, _ = read([text], timezone)

    assert stamps[0] == pd.Timestamp(text).tz_localize(timezone)
    assert to_microseconds(text, timezone) == stamps.as_unit("us").asi8[0]
    assert local_days(stamps.as_unit("us").asi8, timezone)[0] == np.datetime64(
        f"{year}-06-01", "D"
    ).astype(int)


@pytest.mark.parametrize(
    "values",
    [
        np.array(["0001-06-01"], dtype="M8[s]"),
        np.array(["9999-12-31"], dtype="M8[us]"),
        np.array(["-0044-03-15"], dtype="M8[s]"),
        np.array(["400000-01-01"], dtype="M8[s]"),  # too large for microseconds: it would wrap
        np.array(["NaT"], dtype="M8[ns]"),
    ],
)
@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin"])
def test_years_without_a_calendar_are_impossible(values, timezone):
    _, times = read(pd.Series(values), timezone)

    assert times.microseconds.tolist() == [NO_TIME]


def test_a_column_without_any_time_needs_no_timezone():
    rows = {"customer_id": [1], "item_id": [1], "timestamp": [None]}

    with pytest.raises(BadRowsError, match="impossible time"):
        InteractionLog.from_frame(rows)


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"customer_id": [1], "item_id": [1], "timestamp": [dt.datetime(2025, 1, 1)]}),
        pl.DataFrame({"customer_id": [1], "item_id": [1], "timestamp": [dt.date(2025, 1, 1)]}),
        pa.table({"customer_id": [1], "item_id": [1], "timestamp": [dt.date(2025, 1, 1)]}),
        pa.table({"customer_id": [1], "item_id": [1], "timestamp": ["2025-01-01"]}),
    ],
)
def test_times_of_polars_and_arrow(table):
    log = InteractionLog.from_frame(table, timezone="Europe/Berlin")

    assert log.start == pd.Timestamp("2025-01-01", tz="Europe/Berlin")


def test_aware_times_of_polars_with_a_null():
    stamps = [dt.datetime(2025, 1, 1, 12, tzinfo=UTC), None]
    table = pl.DataFrame({"customer_id": [1, 2], "item_id": [1, 1], "timestamp": stamps})
    log = InteractionLog.from_frame(table, on_bad_rows="quarantine")

    assert (log.start, len(log.rejected)) == (NOON, 1)


# -- timezones --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Europe/Berlim", "", "utc+1", "../etc/passwd", "Europe", 3, UTC])
def test_an_unknown_timezone_raises(name):
    rows = {"customer_id": [1], "item_id": [1], "timestamp": ["2025-01-01"]}

    with pytest.raises(TimeError, match="IANA"):
        InteractionLog.from_frame(rows, timezone=name)


def test_without_a_timezone_aware_times_are_in_utc():
    rows = {"customer_id": [1], "item_id": [1], "timestamp": ["2025-01-01T23:30+02:00"]}

    assert InteractionLog.from_frame(rows).timezone == "UTC"


# -- one instant ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "instant",
    [
        "2025-01-01T12:00Z", " 2025-01-01T13:00 ", "2025-01-01 13:00:00+01", NOON,
        NOON.tz_convert("Asia/Seoul"), NOON.to_pydatetime(), dt.datetime(2025, 1, 1, 13),
        np.datetime64("2025-01-01T13:00"), np.datetime64("2025-01-01T13:00", "ns"),
        pd.Timestamp("2025-01-01T13:00"),
    ],
)  # fmt: skip
def test_one_instant_in_every_form(instant):
    assert to_microseconds(instant, "Europe/Berlin") == 1_735_732_800_000_000


def test_the_oldest_nanosecond_is_an_instant():
    """NumPy's own cast to microseconds takes 1677 for 2262."""
    assert to_microseconds(pd.Timestamp.min, "UTC") == -9_223_372_036_854_776
    assert to_microseconds(pd.Timestamp.min, "Asia/Seoul") < -9_223_372_036_854_776


def test_a_date_is_its_local_midnight():
    at = to_microseconds(dt.date(2025, 1, 1), "Asia/Seoul")

    assert at == to_microseconds("2024-12-31T15:00Z", None)


NO_INSTANT = ["now", "today", "10:00", "01/02/2025", "2025-02-30", "", None, pd.NaT, np.nan,
              b"2025", 5, 5.0, True, [1], dt.time(1), pd.Timedelta(1, "D"), "0001-01-01",
              "9999-12-31", np.datetime64("300000-01-01")]  # fmt: skip


@pytest.mark.parametrize("instant", NO_INSTANT, ids=repr)
def test_what_is_no_instant_raises_with_its_name(instant):
    with pytest.raises(TimeError, match="as_of"):
        to_microseconds(instant, "UTC", "as_of")


def test_a_naive_instant_needs_a_timezone():
    with pytest.raises(TimeError, match="names no timezone"):
        to_microseconds("2025-01-01", None)


# -- local days ---------------------------------------------------------------------------------


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
def test_a_local_day_begins_where_the_day_before_ends(timezone):
    """Every hour of two years against pandas; a day's start has that day, a tick before not."""
    hours = pd.date_range("2024-01-01", "2026-01-01", freq="h", tz="UTC").as_unit("us")
    local = hours.tz_convert(timezone).tz_localize(None).normalize()
    days = local_days(hours.asi8, timezone)
    starts = day_starts(np.unique(days), timezone)

    assert (days == local.to_numpy().astype("M8[D]").astype(int)).all()
    assert (local_days(starts, timezone) == np.unique(days)).all()
    assert (local_days(starts - 1, timezone) == np.unique(days) - 1).all()


def test_a_day_that_the_calendar_skipped():
    """Samoa had no 30 December 2011: the day starts that day or after, never before the 29th."""
    days = local_days(
        np.array([to_microseconds("2011-12-31T00:30", "Pacific/Apia")]), "Pacific/Apia"
    )

    assert days[0] == np.datetime64("2011-12-31").astype(int)
