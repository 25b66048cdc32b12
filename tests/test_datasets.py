"""The embedded data are what they say, and come out of the simulator to the byte."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from anticipate import datasets
from anticipate.columns import PURCHASE
from anticipate.datasets import (
    BOOKSHOP,
    load_example,
    load_example_truth,
    make_events,
    make_log,
    write_example,
)
from anticipate.exceptions import ParameterError

FOLDER = Path(__file__).resolve().parents[1] / "datasets"
DAY = pd.Timedelta(days=1)


@cache
def bookshop() -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    return load_example().to_pandas(), load_example_truth()


def purchases(events: pd.DataFrame) -> pd.DataFrame:
    return events[events["event"] == PURCHASE].reset_index(drop=True)


def utc(moment: str) -> pd.Timestamp:
    return pd.Timestamp(moment, tz="UTC")


# -- by hand -----------------------------------------------------------------------
def test_three_buyers_can_be_read_by_eye():
    """Ann buys coffee five times, 14 days apart but for the hour; Ben sends the lamp back."""
    log = load_example("three_buyers")
    events = log.to_pandas()
    coffee = events[(events["customer_id"] == "ann") & (events["item_id"] == "coffee")]

    assert (log.n_events, log.n_customers, log.timezone) == (12, 3, "UTC")
    assert log.closed_until == utc("2025-02-01")
    assert (coffee["timestamp"].diff().dropna() / DAY).round().tolist() == [14.0] * 4
    assert events.query("event == 'return'")["item_id"].tolist() == ["lamp"]


def test_c042_owns_the_print_edition_and_has_coffee_due():
    """The manual's example: 18 coffees, 2023-09-10 + 17 · 30 days = 2025-02-01, next 03-03."""
    events, truth = bookshop()
    own = events[events["customer_id"] == "C042"]
    before = own[own["timestamp"] < utc("2025-03-01")]
    coffee = purchases(before[before["item_id"] == "K-coffee-beans"])["timestamp"]
    print_edition = before[before["item_id"] == "B-1984-print"]
    gap = truth["gaps"].query("customer_id == 'C042'")

    assert coffee.dt.normalize().iloc[[0, -1]].tolist() == [utc("2023-09-10"), utc("2025-02-01")]
    assert (coffee.iloc[-1] - coffee.iloc[0]) / DAY / 17 == 30.0
    assert gap[["item_id", "mean_gap_days"]].to_numpy().tolist() == [["K-coffee-beans", 30.0]]
    assert print_edition["event"].tolist() == ["view", "cart", "purchase", "contact", "rating"]
    assert (before["event"] == "complaint").sum() == (before["event"] == "resolved").sum() == 1
    assert "B-1984-ebook" not in set(before["item_id"])


def test_c042_went_on_to_buy_the_second_edition_and_to_send_it_back():
    events, truth = bookshop()
    own = events[(events["customer_id"] == "C042") & (events["timestamp"] >= utc("2025-03-01"))]
    ebook = own[own["item_id"] == "B-1984-ebook"]
    mistake = truth["accidental"].query("customer_id == 'C042'").iloc[0]
    first = events.query("customer_id == 'C042' and item_id == 'B-1984-print'").iloc[-1]

    assert ebook["event"].tolist() == ["cart", "purchase", "return"]
    assert ebook["timestamp"].iloc[0] == utc("2025-03-01T10:00")
    assert (mistake["item_id"], mistake["kind"]) == ("B-1984-ebook", "substitute_owned")
    assert mistake["undone"]
    assert mistake["repeats_order_id"] == first["order_id"]
    coffee = own[own["item_id"] == "K-coffee-beans"]["timestamp"]
    assert coffee.iloc[0].normalize() == utc("2025-03-03")


def test_two_editions_are_one_work_and_a_box_names_its_volumes():
    items = load_example().as_of("2025-07-01").items

    assert items.loc["B-1984-print", "work_id"] == items.loc["B-1984-ebook", "work_id"] == "B-1984"
    assert items.loc["B-mars-box", "contains"].split("|") == [
        f"B-mars-{volume}-print" for volume in (1, 2, 3)
    ]
    assert items.index[items["consumable"].astype(bool)].str.startswith("K-").all()
    assert items["lifetime_days"].dropna().index.str.startswith("D-").all()


# -- edge --------------------------------------------------------------------------
def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ParameterError, match=r"bookshop.*three_buyers"):
        load_example("libary")


def test_truth_exists_for_the_bookshop_only():
    with pytest.raises(ParameterError, match="bookshop"):
        load_example_truth("three_buyers")


@pytest.mark.parametrize(
    ("n_customers", "options", "word"),
    [
        (0, {}, "needs a customer and a day"),
        (5, {"start": "2024-01-02", "end": "2024-01-02"}, "needs a customer and a day"),
        (41, {"story": True}, "needs 42 customers"),
        (50, {"story": True, "start": "2024-01-01"}, "needs 42 customers"),
    ],
)
def test_a_shop_without_room_is_refused(n_customers: int, options: dict, word: str):
    with pytest.raises(ParameterError, match=word):
        make_log(n_customers, **options)


def test_a_small_shop_in_a_short_time_is_a_log_too():
    log, truth = make_log(1, start="2024-01-01", end="2024-01-02", return_truth=True)

    assert log.n_events == 1
    assert log.closed_until == utc("2024-01-02")
    assert [len(table) for table in truth.values()] == [1, 0, 0]


def test_make_events_needs_something_to_draw():
    with pytest.raises(ParameterError, match="at least one"):
        make_events(10, 0, 5)


# -- law ---------------------------------------------------------------------------
def test_the_seed_decides_everything():
    first, second, other = (make_log(60, random_state=seed).to_pandas() for seed in (5, 5, 6))

    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(other)


def test_a_generator_is_a_seed_too():
    given = make_log(20, random_state=np.random.default_rng(5)).to_pandas()

    pd.testing.assert_frame_equal(given, make_log(20, random_state=5).to_pandas())


def test_make_events_gives_equal_columns_in_the_order_of_time():
    events = make_events(5000, 300, 40, random_state=2)
    again = make_events(5000, 300, 40, random_state=2)
    sold = np.bincount(events["item_id"], minlength=40)

    assert len(sold) == 40
    assert {len(column) for column in events.values()} == {5000}
    assert all(np.array_equal(events[name], again[name]) for name in events)
    assert (np.diff(events["timestamp"]) >= np.timedelta64(0)).all()
    assert events["timestamp"][0] >= np.datetime64("2023-07-01")
    assert events["timestamp"][-1] < np.datetime64("2025-07-01")
    assert events["customer_id"].max() < 300
    assert sold[0] > 5 * sold[20]


# -- golden ------------------------------------------------------------------------
def test_the_committed_files_come_out_of_the_simulator_to_the_byte(tmp_path: Path):
    written = write_example(tmp_path)

    assert [path.name for path in written if path.read_bytes() != committed(path)] == []
    assert {path.name for path in written} == {p.name for p in FOLDER.glob("bookshop*")}


def committed(path: Path) -> bytes:
    return (FOLDER / path.name).read_bytes()


def test_the_files_stay_below_a_megabyte():
    assert sum(path.stat().st_size for path in FOLDER.glob("bookshop*")) < 1_000_000


def test_the_embedded_log_is_the_simulated_one():
    """What is read back from the files equals what the simulator gave, attributes included."""
    simulated, truth = make_log(**BOOKSHOP, return_truth=True)
    read = load_example()

    pd.testing.assert_frame_equal(read.to_pandas(), simulated.to_pandas())
    for part, table in load_example_truth().items():
        pd.testing.assert_frame_equal(table, truth[part], check_dtype=False)
    ours, theirs = read.as_of("2025-07-01"), simulated.as_of("2025-07-01")
    pd.testing.assert_frame_equal(ours.items, theirs.items, check_dtype=False)
    pd.testing.assert_frame_equal(ours.customers, theirs.customers, check_dtype=False)
    assert read.closed_until == simulated.closed_until == utc(datasets.END)


def test_the_readme_of_the_data_counts_right():
    log, text = load_example(), (FOLDER / "README.md").read_text(encoding="utf-8")

    said = f"{log.n_customers} customers, {log.n_items} items, {log.n_events:,} events"
    assert said in text
