"""Bad input: one clear error, or a sensible answer; never a customer's content, never half."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from anticipate.exceptions import (
    AnticipateError,
    BadRowsError,
    ColumnError,
    CutoffError,
    IdTypeError,
    ParameterError,
    TimeError,
)
from anticipate.log import InteractionLog
from anticipate.outcomes import label_outcomes
from anticipate.testing import check_no_leak

SECRET = "Jane Doe, 7 Elm Street"
ROWS = {
    "customer_id": ["a", "a", "b"],
    "item_id": ["x", "y", "x"],
    "timestamp": ["2025-01-01", "2025-01-05", "2025-01-03"],
}
OPTIONAL = ("event", "quantity", "price", "amount", "value", "order_id", "event_id", "gift",
            "channel", "reason", "known_at")  # fmt: skip


def made(rows=None, **options) -> InteractionLog:
    rows = ROWS if rows is None else rows
    columns = rows.column_names if isinstance(rows, pa.Table) else rows
    named = {name: name for name in OPTIONAL if name in columns}
    return InteractionLog.from_frame(rows, **({"timezone": "UTC"} | named | options))


def with_column(name, values):
    return {key: list(column) for key, column in ROWS.items()} | {name: values}


# -- tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["customer_id", "item_id", "timestamp"])
def test_a_missing_column_is_named_with_those_found_and_what_to_do(missing):
    rows = {name: column for name, column in ROWS.items() if name != missing}

    with pytest.raises(ColumnError, match=rf"no column \['{missing}'\]; found .*Name yours"):
        made(rows)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"customer_id": [], "item_id": [], "timestamp": []}),
        pd.DataFrame(ROWS).iloc[:0],
        {"customer_id": [], "item_id": [], "timestamp": []},
        pl.DataFrame(ROWS).clear(),
        pa.table(ROWS).slice(0, 0),
    ],
    ids=["pandas of objects", "pandas of text", "lists", "polars", "arrow"],
)
def test_an_empty_table_is_an_empty_log(table):
    log = InteractionLog.from_frame(table)  # no time lacks a timezone
    history = log.as_of("2025-01-01")

    assert (len(log), log.n_customers, log.n_items, log.report["rows_read"]) == (0, 0, 0, 0)
    assert (history.n_events, history.n_customers, len(history.customers)) == (0, 0, 0)
    assert history.before_last_basket().n_events == 0
    assert "empty" in repr(log)
    assert len(log.extend(made())) == 3


@pytest.mark.parametrize("table", [None, "orders.csv", [{"customer_id": 1}], 5, pd.Series([1]),
                                   np.zeros(3), pl.DataFrame(ROWS).lazy()], ids=type)  # fmt: skip
def test_what_is_no_table_is_named_by_its_type(table):
    with pytest.raises(ParameterError, match=f"type {type(table).__name__}"):
        InteractionLog.from_frame(table)


def test_a_table_without_columns():
    with pytest.raises(ColumnError, match=r"found \[\]"):
        made(pd.DataFrame())


@pytest.mark.parametrize("name", ["customer_id", "timestamp", "price"])
def test_a_column_that_stands_twice(name):
    table = pd.DataFrame(with_column("price", [1.0, 2.0, 3.0]))
    table = pd.concat([table, table[[name]]], axis=1)

    with pytest.raises(ColumnError, match=f"'{name}' stands twice"):
        made(table)


def test_a_column_nobody_asked_for_may_stand_twice():
    table = pd.DataFrame(ROWS).assign(z=1)

    assert len(made(pd.concat([table, table[["z"]]], axis=1))) == 3


def test_columns_without_names_go_by_their_text():
    table = pd.DataFrame(np.array([["a", "x", "2025-01-01"]], dtype=object))
    names = {"customer_id": "0", "item_id": "1", "timestamp": "2"}

    assert len(InteractionLog.from_frame(table, timezone="UTC", **names)) == 1
    with pytest.raises(ParameterError, match="named by text"):
        InteractionLog.from_frame(table, timezone="UTC", customer_id=0, item_id=1, timestamp=2)


@pytest.mark.parametrize(
    ("column", "error", "words"),
    [
        (["a"], ColumnError, "length"),
        ("a", ColumnError, "length"),
        (5, ParameterError, "must be an array"),
        (np.ones((3, 2)), ColumnError, "2 dimensions"),
    ],
)
def test_a_mapping_of_what_is_no_column(column, error, words):
    with pytest.raises(error, match=words):
        made(ROWS | {"customer_id": column})


def test_an_index_of_any_kind_is_ignored():
    table = pd.DataFrame(ROWS, index=pd.MultiIndex.from_tuples([(1, 1), (1, 1), (0, 0)]))

    assert made(table).to_pandas().equals(made().to_pandas())


FORMS = {
    "lists": dict,
    "pandas": pd.DataFrame,
    "categories": lambda rows: pd.DataFrame(rows).astype("category"),
    "objects": lambda rows: pd.DataFrame(rows, dtype=object),
    "arrow-backed": lambda rows: pd.DataFrame(rows).convert_dtypes(dtype_backend="pyarrow"),
    "nullable": lambda rows: pd.DataFrame(rows).convert_dtypes(),
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "arrays": lambda rows: {name: np.array(column) for name, column in rows.items()},
    "series": lambda rows: {name: pd.Series(rows[name], index=[9, 9, 9]) for name in rows},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_same_rows_in_every_form_give_the_same_log(form):
    rows = with_column("price", [1.5, 2.0, 2.5]) | {
        "event": ["purchase", "view", "purchase"],
        "quantity": [1, 2, 3],
        "gift": [True, False, False],
        "channel": ["app", "web", "app"],
    }

    assert made(form(rows)).to_pandas().equals(made(rows).to_pandas())


# -- few and many -------------------------------------------------------------------------------


def test_one_event():
    log = made({name: column[:1] for name, column in ROWS.items()}, closed_until="2025-02-01")
    history = log.as_of("2025-01-02")

    assert (history.n_events, history.n_customers) == (1, 1)
    assert history.before_last_basket().n_events == 0
    assert label_outcomes(log, "2025-01-02", 7).customers["purchased"].tolist() == [False]


def test_all_events_on_one_day():
    log = made(ROWS | {"timestamp": ["2025-01-01"] * 3})

    assert log.start == log.end
    assert log.as_of("2025-01-01").n_events == 0
    assert np.unique(log.events.day).size == 1
    with pytest.raises(CutoffError, match="not closed"):
        label_outcomes(log, "2025-01-01", 1)


def test_a_cutoff_before_the_first_event():
    history = made().as_of("1999-01-01")

    assert (history.n_events, history.n_customers, history.n_items) == (0, 0, 0)
    assert history.to_pandas().empty
    assert history.select(["a"]).n_events == 0


def test_a_horizon_past_the_end():
    with pytest.raises(CutoffError, match="not closed"):
        label_outcomes(made(), "2025-01-02", 30)


def test_a_million_event_customer():
    """One customer buys every second, on one day of ties and on eleven more; another once."""
    n = 1_000_000
    rows = {
        "customer_id": np.append(np.zeros(n, dtype=np.int64), 1),
        "item_id": np.append(np.arange(n) % 1000, 0),
        "timestamp": np.datetime64("2025-01-01", "us") + np.append(np.arange(n) // 2, 0) * 10**6,
        "price": np.append(np.arange(n) % 7, 1.0),
    }
    log = made(rows, closed_until="2025-02-01")
    history = log.as_of("2025-01-31")

    assert np.diff(history.events.offsets).tolist() == [n, 1]
    assert history.select([1]).n_events == 1
    assert history.before_last_basket().n_events == 5 * 2 * 86_400
    assert label_outcomes(log, "2025-01-03", 2).customers["n_purchases"].tolist() == [2, 0]


# -- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("name", ["quantity", "price", "value", "amount"])
def test_infinite_numbers_are_bad_rows(name, value):
    with pytest.raises(BadRowsError, match=r"1 with an infinite number \(rows 1\)"):
        made(with_column(name, [1.0, value, 1.0]))


def test_infinite_amounts_are_bad_whatever_the_quantity():
    rows = with_column("amount", [np.inf, np.inf, 1e308]) | {
        "quantity": [np.inf, 0.0, 1e-10],
        "event": ["purchase", "view", "purchase"],
    }
    with pytest.raises(BadRowsError, match="3 with an infinite number"):
        made(rows)


@pytest.mark.parametrize("name", ["quantity", "price", "value", "amount"])
def test_missing_numbers_are_missing(name):
    table = made(with_column(name, [np.nan, None, 1.0])).to_pandas()

    assert table["quantity"].tolist() == [1.0, 1.0, 1.0]
    assert table["price"].notna().sum() == (name in ("price", "amount"))


def test_minus_zero_is_zero():
    """Rows that differ in the sign of a zero are equal: their order must not show."""
    rows = with_column("price", [-0.0, 0.0, -0.0]) | {"timestamp": ["2025-01-01"] * 3}

    assert not np.signbit(made(rows).events.price).any()


@pytest.mark.parametrize(
    "values",
    [["1.5", "2", None], [decimal.Decimal("1.5"), 2, None],
     pd.array([1.5, 2, None], dtype="Float64"), pd.Series(["1.5", "2", None], dtype="category"),
     pd.array([1.5, 2, None], dtype="float64[pyarrow]")],
    ids=["text", "decimals", "nullable", "categories", "arrow"],
)  # fmt: skip
def test_numbers_of_every_kind(values):
    table = made(with_column("price", values)).to_pandas().sort_values("timestamp")

    assert table["price"].tolist()[::2] == [1.5, 2.0]


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["2025-01-01"] * 3),
        pd.to_timedelta([1, 2, 3], unit="D"),
        np.array([1j, 2, 3]),
    ],
    ids=["times", "durations", "complex"],
)
def test_what_is_no_number_is_refused(values):
    with pytest.raises(ColumnError, match="no numbers"):
        made(with_column("quantity", values))


@pytest.mark.parametrize("values", [["1,50", "2", "3"], [SECRET] * 3, [[1], [2], [3]]])
def test_text_that_is_no_number_is_a_bad_row_without_its_content(values):
    with pytest.raises(BadRowsError, match="a price that is not a number") as caught:
        made(with_column("price", values))

    assert SECRET not in str(caught.value)


# -- times ---------------------------------------------------------------------------------------


def test_timestamps_from_1677_and_2262():
    stamps = pd.Series([pd.Timestamp.min, pd.Timestamp.max, pd.Timestamp("2025-01-01")])
    for timezone in ("UTC", "Asia/Seoul"):
        log = made(ROWS | {"timestamp": stamps}, timezone=timezone)

        assert (log.start.year, log.end.year) == (1677, 2262)
        assert log.as_of("2000-01-01").n_events == 1
        assert np.ptp(log.events.day) > 200_000


def test_more_than_300_years_of_microseconds_sort():
    stamps = ["0002-01-01", "9998-12-31", "2025-01-01"]
    log = made(ROWS | {"timestamp": stamps, "customer_id": ["a"] * 3})

    assert log.to_pandas()["timestamp"].is_monotonic_increasing


@pytest.mark.parametrize("known_at", ["9999-12-31", "never"])
def test_an_impossible_known_at_is_not_known_at_once(known_at):
    with pytest.raises(BadRowsError, match="impossible known_at"):
        made(with_column("known_at", ["2025-01-01", known_at, "2025-01-05"]))


def test_a_known_at_without_timezone_beside_aware_timestamps_is_in_utc():
    stamps = ["2025-01-01T00:00+09:00"] * 3
    log = made(
        with_column("known_at", ["2025-01-02"] * 3) | {"timestamp": stamps}, timezone=None,
        closed_until="2025-02-01",
    )  # fmt: skip

    assert log.as_of("2025-01-02").n_events == 0
    assert log.as_of("2025-01-02T00:00:01").n_events == 3


def test_a_closing_time_that_is_none():
    with pytest.raises(TimeError, match="closed_until"):
        made(closed_until="soon")


# -- words ---------------------------------------------------------------------------------------

GIFTS = [True, False, 1, 0, 1.0, "true", "FALSE", " yes ", "n", "T", "0", None, ""]
IS_GIFT = [True, False, True, False, True, True, False, True, False, True, False, False, False]


def test_gifts_in_all_words():
    n = len(GIFTS)
    days = [f"2025-01-{day:02d}" for day in range(1, n + 1)]
    rows = {"customer_id": [1] * n, "item_id": [1] * n, "timestamp": days, "gift": GIFTS}

    assert made(rows).events.gift.tolist() == IS_GIFT


@pytest.mark.parametrize("dtype", [object, "boolean", "float64", "bool[pyarrow]"])
def test_gifts_may_be_missing(dtype):
    gift = pd.Series([1, None, 0], dtype="Int64").astype(dtype)

    assert made(with_column("gift", gift)).events.gift.tolist() == [True, False, False]


def test_a_word_that_is_neither_true_nor_false_is_not_false():
    with pytest.raises(BadRowsError, match=r"neither true nor false \(rows 0\)") as caught:
        made(with_column("gift", [SECRET, True, False]))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("events", [[1, 2, 3], ["PURCHASE"] * 3, [SECRET] * 3])
def test_unknown_events_are_bad_rows_and_the_known_ones_are_named(events):
    with pytest.raises(BadRowsError, match=r"an unknown event.*purchase.*extra_events") as caught:
        made(with_column("event", events))
    assert SECRET not in str(caught.value)


def test_events_that_are_no_names():
    with pytest.raises(ColumnError, match="no names"):
        made(with_column("event", [["view"], ["view"], ["view"]]))


@pytest.mark.parametrize(
    "extra", ["walk", None, 5, ["view"], ["a", "a"], [1], [f"e{i}" for i in range(200)]]
)
def test_extra_events_are_a_short_list_of_new_names(extra):
    with pytest.raises(ParameterError, match="extra_events"):
        made(extra_events=extra)


def test_more_channels_than_a_code_can_hold():
    n = 40_000
    rows = {"customer_id": [1] * n, "item_id": [1] * n, "timestamp": ["2025-01-01"] * n,
            "channel": [f"c{number}" for number in range(n)]}  # fmt: skip

    with pytest.raises(ColumnError, match="channel: 40000 values are too many"):
        made(rows)


@pytest.mark.parametrize(
    "option",
    [{"on_bad_rows": "ignore"}, {"negative_quantity": "drop"}, {"default_event": "sale"}],
)
def test_options_are_checked(option):
    with pytest.raises(ParameterError, match=next(iter(option))):
        made(**option)


@pytest.mark.parametrize("name", ["channel", "reason", "order_id", "event_id"])
def test_codes_of_mixed_types_are_refused(name):
    with pytest.raises(IdTypeError, match=name):
        made(with_column(name, pd.Series(["a", 1, None], dtype=object)))


# -- content, input, leaks -----------------------------------------------------------------------

WRONG = {
    "a time": ROWS | {"timestamp": [SECRET] * 3},
    "mixed ids": ROWS | {"customer_id": pd.Series([SECRET, 5, None], dtype=object)},
    "fractions": ROWS | {"customer_id": [123456.75] * 3},
    "a number": with_column("price", [SECRET, "1", "2"]),
    "an infinite number": with_column("price", [np.inf, 123456.75, 1.0]),
    "a gift": with_column("gift", [SECRET] * 3),
    "an event": with_column("event", [SECRET] * 3),
    "known_at": with_column("known_at", [SECRET] * 3),
    "no customer": ROWS | {"customer_id": [None, SECRET, SECRET], "item_id": [SECRET] * 3},
    "surrogates": ROWS | {"customer_id": [SECRET + "\ud800"] * 3},
    "bytes": ROWS | {"customer_id": [SECRET.encode()] * 3},
    "lists": ROWS | {"item_id": pd.Series([[SECRET]] * 3)},
}


@pytest.mark.parametrize("rows", WRONG.values(), ids=WRONG)
def test_no_error_tells_what_stands_in_the_rows(rows):
    with pytest.raises(AnticipateError) as caught:
        made(rows)

    told = [str(caught.value)]
    if caught.value.__context__ is not None and not caught.value.__suppress_context__:
        told.append(str(caught.value.__context__))
    assert not any("Jane" in text or "123456" in text for text in told)


def test_no_repr_tells_who_is_in_it():
    log = made(ROWS | {"customer_id": [SECRET] * 3})

    assert "Jane" not in repr(log) + repr(log.as_of("2025-01-04")) + repr(log.events)


@pytest.mark.parametrize("form", ["pandas", "arrays", "polars", "arrow"])
def test_the_callers_table_is_neither_changed_nor_kept(form):
    """Every array is hashed before and after; read-only ones are read."""
    table = pd.DataFrame(
        with_column("price", [3.0, -0.0, np.nan])
        | {"quantity": [-1, 2, 3], "gift": ["yes", None, "no"], "channel": ["", "b", "c"]}
    )
    table["timestamp"] = pd.to_datetime(table["timestamp"])
    given = {
        "pandas": table.copy(),
        "arrays": {name: table[name].to_numpy(copy=True) for name in table},
        "polars": pl.from_pandas(table),
        "arrow": pa.Table.from_pandas(table),
    }[form]
    if form == "arrays":
        for array in given.values():
            array.flags.writeable = False
    log = made(given, negative_quantity="return")

    after = pd.DataFrame(given) if form == "arrays" else given
    after = after.to_pandas() if form in ("polars", "arrow") else after
    assert pd.util.hash_pandas_object(after.astype(str)).equals(
        pd.util.hash_pandas_object(table.astype(str))
    )
    if form == "arrays":
        for name, array in given.items():
            kept = getattr(log.events, {"channel": "channel"}.get(name, name), None)
            assert kept is None or not np.shares_memory(np.asarray(kept), array)


def test_a_log_of_bad_news_does_not_leak():
    """Duplicates, late news and returns of the future leave the past as it is."""
    start = pd.Timestamp("2025-01-01")
    n = 60
    rows = {
        "customer_id": [f"c{k % 7}" for k in range(n)],
        "item_id": [f"i{k % 5}" for k in range(n)],
        "timestamp": [start + pd.Timedelta(hours=k * 17 % 300) for k in range(n)],
        "known_at": [start + pd.Timedelta(hours=k * 17 % 300 + k * 31 % 90) for k in range(n)],
        "event": ["purchase", "purchase", "return"] * (n // 3),
        "event_id": [k % 40 for k in range(n)],
    }
    log = made(rows, closed_until=dt.datetime(2025, 3, 1))

    check_no_leak(lambda history: history.to_pandas(), log, "2025-01-07")
    check_no_leak(lambda history: vars(history.returns), log, "2025-01-07")
