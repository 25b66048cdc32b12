"""Attributes of items and customers: as they were known before the cutoff."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from anticipate.exceptions import ColumnError, IdTypeError, ParameterError, TimeError
from anticipate.log import InteractionLog

ROWS = {
    "customer_id": ["al", "bo"],
    "item_id": ["tea", "mug"],
    "timestamp": ["2025-01-01", "2025-01-10"],
}
PRICES = pd.DataFrame(
    {
        "item_id": ["tea", "tea", "tea", "ink"],
        "price": [3, 1, 2, 9],
        "valid_from": ["2025-01-20", None, "2025-01-05", None],
    }
)


def made(items=None, customers=None, **options) -> InteractionLog:
    settings = {"timezone": "UTC", "closed_until": "2025-03-01"} | options
    return InteractionLog.from_frame(ROWS, items=items, customers=customers, **settings)


@pytest.mark.parametrize(
    ("cutoff", "price"),
    [("2025-01-04", 1), ("2025-01-05", 1), ("2025-01-06", 2), ("2025-01-20", 2), ("2025-02-01", 3)],
)
def test_the_last_row_before_the_cutoff_holds(cutoff, price):
    """A row valid from the cutoff on is not known before it."""
    assert made(PRICES).as_of(cutoff).items.loc["tea", "price"] == price


def test_items_are_those_seen_or_listed_in_the_order_of_their_codes():
    history = made(PRICES).as_of("2025-02-01")

    assert history.items.index.tolist() == history.item_ids.tolist() == ["ink", "mug", "tea"]
    assert history.items["price"].isna().tolist() == [False, True, False]
    assert "valid_from" not in history.items


def test_what_is_listed_from_later_on_is_not_there_before():
    table = pd.DataFrame({"item_id": ["new"], "price": [5], "valid_from": ["2025-02-01"]})
    log = made(table)

    assert log.as_of("2025-02-01").item_ids.tolist() == ["mug", "tea"]
    assert len(log.as_of("2025-02-01").item_attributes.ids) == 0
    assert log.as_of("2025-02-02").item_ids.tolist() == ["mug", "new", "tea"]


def test_customers_without_events_are_customers():
    history = made(customers=pd.DataFrame({"customer_id": ["zoe"], "age": [40]})).as_of(
        "2025-02-01"
    )

    assert history.customer_ids.tolist() == ["al", "bo", "zoe"]
    assert np.diff(history.events.offsets).tolist() == [1, 1, 0]
    assert history.customers["age"].tolist()[2] == 40


def test_without_attributes_the_tables_have_no_columns():
    history = made().as_of("2025-02-01")

    assert history.items.shape == (2, 0)
    assert history.customers.index.name == "customer_id"


def test_an_id_without_attributes_makes_no_floats_of_whole_numbers():
    """One customer alone and in a batch with someone unlisted: the same type, the same value."""
    history = made(customers=pd.DataFrame({"customer_id": ["al"], "n": [3]})).as_of("2025-02-01")

    assert history.customers["n"].dtype == history.select(["al"]).customers["n"].dtype
    assert history.select(["al"]).customers["n"].tolist() == [3]


def test_naive_times_of_attributes_are_in_the_timezone_of_the_log():
    """Midnight of the 5th in Seoul is the 4th, 15:00 UTC."""
    log = made(PRICES, timezone="Asia/Seoul")

    assert log.as_of("2025-01-04T15:00Z").items.loc["tea", "price"] == 1
    assert log.as_of("2025-01-04T15:00:01Z").items.loc["tea", "price"] == 2


def test_the_key_may_be_the_index():
    table = pd.DataFrame({"price": [7]}, index=pd.Index(["tea"], name="item_id"))

    assert made(table).as_of("2025-02-01").items.loc["tea", "price"] == 7


@pytest.mark.parametrize("table", [pl.DataFrame, pa.table, dict])
def test_attributes_come_from_any_table(table):
    log = made(table({"item_id": ["tea", "mug"], "category": ["food", None]}))

    assert log.as_of("2025-02-01").items["category"].tolist()[1] == "food"


def test_the_callers_table_is_not_changed():
    table = PRICES.copy()
    items = made(table).as_of("2025-02-01").items
    items.loc[:, "price"] = 99

    assert table.equals(PRICES)


def test_ids_above_two_to_the_63_find_their_attributes():
    big = 2**63 + 5
    rows = {"customer_id": [1], "item_id": [1], "timestamp": ["2025-01-01"]}
    table = pd.DataFrame({"item_id": np.array([big, 1], dtype=np.uint64), "price": [1.0, 2.0]})
    log = InteractionLog.from_frame(rows, items=table, timezone="UTC", closed_until="2025-02-01")

    assert log.as_of("2025-01-02").items["price"].to_dict() == {1: 2.0, big: 1.0}


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        ({"sku": ["tea"]}, ColumnError, "items: no column 'item_id'; found"),
        ({"item_id": ["tea", "tea"]}, ColumnError, "1 ids stand twice"),
        ({"item_id": ["tea"] * 2, "valid_from": ["2025-01-01"] * 2}, ColumnError, "twice"),
        ({"item_id": ["tea", None]}, ColumnError, "1 rows have no item_id"),
        ({"item_id": ["tea", ""]}, ColumnError, "1 rows have no item_id"),
        ({"item_id": [1]}, IdTypeError, "text in one of events and attributes"),
        ({"item_id": [1.5]}, IdTypeError, "fractional"),
        ({"item_id": ["tea"], "valid_from": ["soon"]}, TimeError, r"valid_from \(rows 0\)"),
        ({"item_id": ["tea"], "valid_from": [5]}, TimeError, "valid_from"),
        ({"item_id": ["tea"], "price": [1, 2]}, ColumnError, "length"),
        (["tea"], ParameterError, "type list"),
        (pd.DataFrame([["tea", 1, 2]], columns=["item_id", "a", "a"]), ColumnError, "twice"),
    ],
)
def test_bad_attributes_raise_one_clear_error(table, error, words):
    with pytest.raises(error, match=words) as caught:
        made(table)

    assert "tea" not in str(caught.value)


def test_an_impossible_valid_from_does_not_mean_always():
    with pytest.raises(TimeError, match="impossible valid_from"):
        made(pd.DataFrame({"item_id": ["tea"], "valid_from": ["9999-12-31"]}))
