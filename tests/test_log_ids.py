"""Ids: their type survives, look-alikes stay apart, what is no id raises."""

from __future__ import annotations

import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from anticipate.exceptions import IdTypeError
from anticipate.log import InteractionLog
from anticipate.log.ids import check_ids, encode_ids, is_among, lookup_codes, one_kind
from anticipate.log.vocabulary import union_ids

BIG = 2**63 + 5  # too large for an int64
ODD = 2**53 + 1  # the first whole number that a float cannot hold


def log_of(ids, **options) -> InteractionLog:
    n = len(ids)
    rows = {"customer_id": ids, "item_id": ["x"] * n, "timestamp": ["2025-01-01"] * n}
    return InteractionLog.from_frame(rows, timezone="UTC", on_bad_rows="quarantine", **options)


SERIES = pd.Series
KEPT = {
    "integers": ([5, 3], [3, 5]),
    "sparse integers": ([10**18, -7], [-7, 10**18]),
    "text": (["b", "a"], ["a", "b"]),
    "text that looks like numbers": (["07", "7"], ["07", "7"]),
    "small integers": (np.array([5, 3], dtype=np.int8), [3, 5]),
    "unsigned": (np.array([5, 3], dtype=np.uint64), [3, 5]),
    "above 2**63": (np.array([BIG, 3], dtype=np.uint64), [3, BIG]),
    "nullable": (SERIES([5, None], dtype="Int64"), [5]),
    "nullable above 2**63": (SERIES([BIG, None], dtype="UInt64"), [BIG]),
    "arrow integers": (SERIES([5, None], dtype="int64[pyarrow]"), [5]),
    "arrow above 2**63": (SERIES([BIG, 3], dtype="uint64[pyarrow]"), [3, BIG]),
    "arrow text": (SERIES(["b", None], dtype=pd.ArrowDtype(pa.string())), ["b"]),
    "whole floats beside NaN": ([5.0, np.nan, 3.0], [3, 5]),
    "nullable floats": (SERIES([5.0, None], dtype="Float64"), [5]),
    "floats as objects": (SERIES([5.0, None], dtype=object), [5]),
    "integers as objects": (SERIES([5, None, 3], dtype=object), [3, 5]),
    "large integers as objects": (SERIES([BIG, 3], dtype=object), [3, BIG]),
    "categories of text": (SERIES(pd.Categorical(["b", None, "a"], ["z", "b", "a"])), ["a", "b"]),
    "categories of integers": (SERIES(pd.Categorical([5, None, 3])), [3, 5]),
    "NumPy text": (np.array(["b", "a"]), ["a", "b"]),
    "masked": (np.ma.array([5, 3], mask=[False, True]), [5]),
    "a NUL at the end": (["a\0", "a"], ["a", "a\0"]),
    "composed and decomposed": (["\u00e9", "e\u0301"], ["e\u0301", "\u00e9"]),
    "a million letters": (["x" * 10**6, "x"], ["x", "x" * 10**6]),
}


@pytest.mark.parametrize(("given", "kept"), KEPT.values(), ids=KEPT)
def test_ids_come_out_as_they_came_in(given, kept):
    log = log_of(given)
    out = log.to_pandas()["customer_id"]

    assert log.vocabulary.customer_ids.tolist() == kept
    assert sorted(out) == kept
    assert all(type(one) is type(kept[0]) for one in out.tolist())


def test_ids_keep_their_type_in_every_table():
    people = pd.DataFrame({"customer_id": [3, 9], "age": [1, 2]})
    log = log_of([5, 3], customers=people, closed_until="2025-02-01")
    history = log.as_of("2025-01-15")

    assert history.customers.index.dtype == np.int64
    assert history.to_pandas()["customer_id"].dtype == np.int64
    assert history.customers.index.tolist() == [3, 5, 9]


def test_items_without_an_id_leave_whole_numbers_whole():
    rows = {
        "customer_id": [1, 1], "item_id": pd.array([ODD, None], dtype="Int64"),
        "timestamp": ["2025-01-01"] * 2, "event": ["view", "search"],
    }  # fmt: skip
    table = InteractionLog.from_frame(rows, event="event", timezone="UTC").to_pandas()

    assert str(table["item_id"].dtype) == "Int64"
    assert sorted(table["item_id"].dropna()) == [ODD]


NO_IDS = {
    "booleans": [True, False],
    "categories of booleans": SERIES(pd.Categorical([True, None])),
    "text and numbers": SERIES(["1", 1], dtype=object),
    "numbers and booleans": SERIES([1, True], dtype=object),
    "fractions": [1.5, 2.0],
    "infinity": [np.inf, 1.0],
    "floats that lost digits": [float(ODD), 1.0],
    "single floats that lost digits": SERIES([2.0**24, 1.0], dtype="float32"),
    "larger than 64 bits": SERIES([2**70, 1], dtype=object),
    "negative and above 2**63": SERIES([BIG, -1], dtype=object),
    "decimals": [decimal.Decimal(1)],
    "bytes": [b"a"],
    "times": pd.to_datetime(["2025-01-01"]),
    "lists": SERIES([[1], [2]]),
    "complex": np.array([1j]),
    "lone surrogates": ["\ud800", "a"],
}


@pytest.mark.parametrize("given", NO_IDS.values(), ids=NO_IDS)
def test_what_is_no_id_raises_and_says_which_column(given):
    with pytest.raises(IdTypeError, match="customer_id"):
        log_of(given)


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0\u3000"])
def test_a_blank_id_is_no_id(blank):
    """Else all who bought without an account would be one very good customer."""
    log = log_of([blank, "a", blank])

    assert log.vocabulary.customer_ids.tolist() == ["a"]
    assert log.report["rejected"] == {"no customer": 2}


def test_blank_order_and_event_ids_are_none():
    rows = {
        "customer_id": ["a"] * 3, "item_id": ["x"] * 3, "timestamp": ["2025-01-01"] * 3,
        "order_id": ["", "", "o"], "event_id": ["", " ", "e"],
    }  # fmt: skip
    log = InteractionLog.from_frame(rows, order_id="order_id", event_id="event_id", timezone="UTC")

    assert len(log) == 3
    assert sorted(log.events.order.tolist()) == [-1, -1, 0]


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"c": [ODD, None, 5], "i": ["x", "y", None], "t": ["2025-01-01"] * 3}),
        pa.table({"c": [ODD, None, 5], "i": ["x", "y", None], "t": ["2025-01-01"] * 3}),
        pd.DataFrame(
            {"c": pd.array([ODD, None, 5], dtype="Int64"), "i": ["x", "y", None],
             "t": ["2025-01-01"] * 3}
        ),
    ],
    ids=["polars", "arrow", "pandas"],
)  # fmt: skip
def test_nulls_beside_large_ids_lose_no_digit(table):
    log = InteractionLog.from_frame(
        table, customer_id="c", item_id="i", timestamp="t", timezone="UTC", on_bad_rows="quarantine"
    )

    assert log.vocabulary.customer_ids.tolist() == [ODD]
    assert log.report["rejected"] == {"no customer": 1, "no item": 1}


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["b", None, "a"]).dictionary_encode(),
        pl.Series(["b", None, "a"], dtype=pl.Categorical),
        pl.Series(["b", None, "a"], dtype=pl.Enum(["a", "b", "c"])),
    ],
    ids=["arrow dictionary", "polars categorical", "polars enum"],
)
def test_a_null_category_is_nobody(column):
    """Decoded carelessly, a null takes the last category: somebody else's purchases."""
    make = pa.table if isinstance(column, pa.Array) else pl.DataFrame
    days = ["2025-01-01", "2025-01-02", "2025-01-03"]
    table = make({"customer_id": column, "item_id": [1, 2, 3], "timestamp": days})
    log = InteractionLog.from_frame(table, timezone="UTC", on_bad_rows="quarantine")

    assert log.to_pandas()[["customer_id", "item_id"]].values.tolist() == [["a", 3], ["b", 1]]


# -- lookups --------------------------------------------------------------------------------


def test_lookup_gives_the_place_or_minus_one():
    words = np.array(["a", "c"], dtype=object)

    assert lookup_codes(np.array(["c", "b", "a"], dtype=object), words).tolist() == [1, -1, 0]
    assert lookup_codes(words[:0], words).tolist() == []
    assert lookup_codes(words, words[:0]).tolist() == [-1, -1]


def test_lookup_tells_large_numbers_of_both_kinds_apart():
    """As floats, 2**63 + 5 and 2**63 + 6 would be one; and -1 must not wrap around."""
    large = np.array([BIG, BIG + 1], dtype=np.uint64)
    small = np.array([-1, 5, ODD], dtype=np.int64)

    assert lookup_codes(small, large).tolist() == [-1, -1, -1]
    assert lookup_codes(large, small).tolist() == [-1, -1]
    neighbours = np.array([-1, ODD - 1, ODD])
    assert lookup_codes(np.array([ODD], dtype=np.uint64), neighbours).tolist() == [2]
    assert is_among(small, np.array([5, 5], dtype=np.uint64)).tolist() == [False, True, False]


def test_unions_of_both_kinds_of_whole_numbers_are_exact():
    small, large = np.array([5]), np.array([BIG], dtype=np.uint64)

    assert union_ids(small, large).tolist() == union_ids(large, small).tolist() == [5, BIG]
    assert one_kind(small, np.array([7], dtype=np.uint64))[1].dtype == np.int64
    with pytest.raises(IdTypeError, match="below 0"):
        one_kind(np.array([-1]), large)


def test_logs_of_both_kinds_of_whole_numbers_come_together():
    joined = log_of([5]).extend(log_of(np.array([BIG], dtype=np.uint64)))

    assert joined.vocabulary.customer_ids.tolist() == [5, BIG]


def test_customers_of_both_kinds_of_whole_numbers_are_found():
    history = log_of(np.array([BIG, 5], dtype=np.uint64)).as_of("2025-01-01")
    log = log_of(np.array([BIG, 5], dtype=np.uint64), closed_until="2025-02-01")

    assert history.select([5, BIG]).n_customers == 2
    assert log.as_of("2025-01-02").select([5]).n_events == 1
    assert log.erase([BIG]).vocabulary.customer_ids.tolist() == [5]


def test_check_ids_gives_the_callers_order():
    words = np.array(["a", "b"], dtype=object)

    assert check_ids(["z", "a"], words, "customer_id").tolist() == ["z", "a"]
    assert check_ids((one for one in "ba"), words, "customer_id").tolist() == ["b", "a"]
    assert check_ids([], words, "customer_id").dtype == object


def test_check_ids_names_both_types():
    with pytest.raises(IdTypeError, match="ids are text, got whole numbers"):
        check_ids([1], np.array(["a"], dtype=object), "customer_id")


@pytest.mark.parametrize("n", [1, 70_000])
def test_dense_and_sparse_integers_are_ranked_alike(n):
    """A narrow range goes through a table, a wide one through a sort."""
    rng = np.random.default_rng(0)
    for spread in (1, 10**12):
        ids = rng.integers(-n, n, n) * spread
        codes, words = encode_ids(pd.Series(ids), "customer_id")

        assert (words[codes] == ids).all()
        assert (np.diff(words) > 0).all()
