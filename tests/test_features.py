"""Features of customers, pairs and items: by hand, at the edges, by law, and against SQL."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from random_events import make_log, random_frame, random_history, random_items
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from anticipate.exceptions import ParameterError
from anticipate.features import FeatureBuilder, feature_table
from anticipate.kernels.item_features import Shelf, price_last
from anticipate.kernels.past import Past

ROOT = Path(__file__).resolve().parents[1]
CUTOFF = "2025-02-10T10:00"
LEVELS = ("customer", "pair", "item")
COLUMNS = ["customer_id", "item_id", "timestamp", "event", "quantity", "price", "value"]
BOUGHT = [
    ("a", "x", "2025-01-01T10:00", "purchase", 2, 3.0, None),
    ("a", "y", "2025-01-01T18:00", "purchase", 1, 5.0, None),
    ("a", "x", "2025-01-11T10:00", "purchase", 1, 3.5, None),
    ("a", "x", "2025-01-31T10:00", "purchase", 1, None, None),
    ("b", "x", "2025-02-01T10:00", "purchase", 4, 3.0, None),
]


def history_of(rows, cutoff=CUTOFF, **options):
    return make_log(pd.DataFrame(rows, columns=COLUMNS), **options).as_of(cutoff)


def table_of(history, level="customer", features=None):
    return FeatureBuilder(level, features).fit(history).transform(history)


# -- by hand -----------------------------------------------------------------------


def test_activity_and_cadence_by_hand():
    """Purchase days 1, 11 and 31 January, cutoff 10 February 10:00: gaps 10, 20, open 10."""
    row = table_of(history_of(BOUGHT)).loc["a"]

    assert row[["n_events", "n_purchases", "n_lines"]].tolist() == [4, 3, 4]
    assert row[["days_since_first", "days_since_last"]].tolist() == [40, 10]
    assert row[["days_since_first_event", "days_since_last_event"]].tolist() == [40, 10]
    assert row[["gap_mean_days", "gap_max_days"]].tolist() == [15, 20]
    assert row["gap_sd_days"] == pytest.approx(50**0.5)
    assert row["overdue_ratio"] == pytest.approx(10 / 15)


def test_value_by_hand():
    """2 × 3 + 5 + 3.5, one line without a price: 14.5 on two priced days."""
    row = table_of(history_of(BOUGHT)).loc["a"]

    assert row["spend"] == pytest.approx(14.5)
    assert row["basket_value"] == pytest.approx(14.5 / 2)


def test_windows_are_half_open():
    """30 days before 10 February 10:00 is 11 January 10:00: that line is inside."""
    features = ["n_purchases_30d", "spend_30d", "n_purchases_90d", "spend_365d"]
    at = table_of(history_of(BOUGHT), features=features).loc["a"]
    later = table_of(history_of(BOUGHT, "2025-02-10T10:00:00.000001"), features=features).loc["a"]

    assert at.tolist() == [2, 3.5, 3, 14.5]
    assert later.tolist() == [1, 0, 3, 14.5]


def test_a_purchase_day_that_the_window_cuts_counts_with_what_is_inside():
    rows = [
        ("a", "x", "2025-01-11T09:00", "purchase", 1, 2.0, None),
        ("a", "x", "2025-01-11T11:00", "purchase", 1, 3.0, None),
    ]
    row = table_of(history_of(rows), features=["n_purchases_30d", "spend_30d"]).loc["a"]

    assert row.tolist() == [1, 3]


def test_variety_by_hand():
    """x on three days and y on one: 4 item purchases of 2 items, 3 of them the favourite."""
    items = pd.DataFrame({"item_id": ["x", "y", "z"], "category": ["tea", "tea", "cup"]})
    history = history_of(BOUGHT, items=items)
    row = table_of(history).loc["a"]

    assert row[["n_items", "n_categories"]].tolist() == [2, 1]
    assert row[["repeat_share", "top_item_share"]].tolist() == [2 / 4, 3 / 4]
    assert np.isnan(table_of(history_of(BOUGHT))["n_categories"]).all()


def test_returns_by_hand():
    """Of 4 + 1 pieces 1 came back and 2 were cancelled; one return has no purchase."""
    rows = [
        ("a", "x", "2025-01-01", "purchase", 4, 1.0, None),
        ("a", "y", "2025-01-02", "purchase", 1, 1.0, None),
        ("a", "x", "2025-01-03", "cancel", 2, None, None),
        ("a", "y", "2025-01-04", "return", 1, None, None),
        ("a", "z", "2025-01-05", "return", 1, None, None),
    ]
    customers, pairs = (table_of(history_of(rows), level) for level in ("customer", "pair"))
    items = table_of(history_of(rows), "item")

    assert customers.loc["a", ["n_returns", "n_cancels"]].tolist() == [2, 1]
    assert customers.loc["a", "return_share"] == 3 / 5
    assert pairs["quantity_kept"].tolist() == [2, 0]
    assert pairs["return_share"].tolist() == [2 / 4, 1]
    np.testing.assert_array_equal(items["return_share"], [2 / 4, 1, np.nan])


def test_contacts_and_ratings_by_hand():
    rows = [
        ("a", None, "2025-01-01", "contact", 1, None, None),
        ("a", "x", "2025-01-02", "rating", 1, None, 4.0),
        ("a", "y", "2025-01-03", "rating", 1, None, 1.0),
        ("a", "y", "2025-01-04", "rating", 1, None, None),
        ("a", "x", "2025-01-05", "purchase", 1, None, None),
    ]
    row = table_of(history_of(rows)).loc["a"]
    pair = table_of(history_of(rows), "pair").loc[("a", "x")]

    assert row[["n_contacts", "n_ratings"]].tolist() == [1, 2]
    assert row[["rating_mean", "rating_last"]].tolist() == [2.5, 1]
    assert pair[["n_ratings", "rating_last"]].tolist() == [1, 4]


def test_each_pair_has_its_own_ratings():
    """x is rated 2, y 5, x 3: the latest of x is 3."""
    bought = [("a", i, "2025-01-01", "purchase", 1, None, None) for i in "xy"]
    said = [("x", "02", 2.0), ("y", "03", 5.0), ("x", "04", 3.0)]
    rows = [("a", i, f"2025-01-{day}", "rating", 1, None, stars) for i, day, stars in said]
    pairs = table_of(history_of([*bought, *rows]), "pair")

    assert pairs["n_ratings"].tolist() == [2, 1]
    assert pairs["rating_last"].tolist() == [3, 5]


def complaints(rows):
    """``n_complaints``, ``_resolved`` and ``_open`` of customer a; rows: event, item, time."""
    rows = [("a", item, time, event, 1, None, None) for event, item, time in rows]
    names = ["n_complaints", "n_complaints_resolved", "n_complaints_open"]
    return table_of(history_of(rows), features=names).loc["a"].tolist()


def test_a_complaint_is_open_for_thirty_days():
    """Cutoff 10 February 10:00, so 11 January 10:00 is the first instant inside."""
    assert complaints([("complaint", "x", "2025-01-11T10:00")]) == [1, 0, 1]
    assert complaints([("complaint", "x", "2025-01-11T09:59")]) == [1, 0, 0]


@pytest.mark.parametrize(
    ("complained", "resolved", "fits"),
    [("x", "x", 1), ("x", None, 1), (None, "x", 1), (None, None, 1), ("x", "y", 0)],
)
def test_resolved_must_not_name_another_item(complained, resolved, fits):
    rows = [("complaint", complained, "2025-02-01"), ("resolved", resolved, "2025-02-02")]

    assert complaints(rows) == [1, fits, 1 - fits]


def test_resolved_closes_earlier_complaints_only():
    """Two before it are closed, the one after it is not; the same instant counts as before."""
    rows = [
        ("complaint", "x", "2025-02-01"),
        ("complaint", "y", "2025-02-02"),
        ("resolved", None, "2025-02-02"),
        ("complaint", "x", "2025-02-03"),
    ]

    assert complaints(rows) == [3, 2, 1]


def test_interest_by_hand():
    """x is viewed and bought after, y viewed only, z bought before it is put into the cart."""
    rows = [
        ("a", "x", "2025-01-01", "view", 1, None, None),
        ("a", "x", "2025-01-02", "purchase", 1, None, None),
        ("a", "y", "2025-01-03", "view", 1, None, None),
        ("a", "z", "2025-01-03", "purchase", 1, None, None),
        ("a", "z", "2025-01-04", "cart", 1, None, None),
        ("a", "w", "2025-01-05", "cart", 1, None, None),
        ("a", "w", "2025-01-05", "purchase", 1, None, None),
        ("a", "v", "2025-01-06", "wish", 1, None, None),
        ("a", "v", "2025-01-06", "warning_dismissed", 1, None, None),
    ]
    row = table_of(history_of(rows)).loc["a"]

    assert row[["n_views", "n_views_unbought"]].tolist() == [2, 1]
    assert row[["n_carts", "n_carts_unbought"]].tolist() == [2, 1]
    assert row[["n_wishes", "n_wishes_unbought", "n_warnings_dismissed"]].tolist() == [1, 1, 1]


def test_pairs_by_hand():
    """(a, x): days 1, 11, 31 January. (a, y) and (b, x) once: y waits as long as x, 15 days."""
    pairs = table_of(history_of(BOUGHT), "pair")

    assert pairs.index.tolist() == [("a", "x"), ("a", "y"), ("b", "x")]
    assert pairs["n_purchases"].tolist() == [3, 1, 1]
    assert pairs["quantity"].tolist() == [4, 1, 4]
    assert pairs["days_since_first"].tolist() == [40, 40 - 1 / 3, 9]
    assert pairs["days_since_last"].tolist() == [10, 40 - 1 / 3, 9]
    np.testing.assert_array_equal(pairs["gap_mean_days"], [15, np.nan, np.nan])
    np.testing.assert_allclose(pairs["gap_sd_days"], [50**0.5, np.nan, np.nan])
    np.testing.assert_allclose(pairs["overdue_ratio"], [10 / 15, (40 - 1 / 3) / 15, 9 / 15])


def test_the_gap_of_a_pair_bought_once_comes_from_fit():
    """Fitted where x waits 2 days, y 4 and all (2 + 2 + 4) / 3; scored where z is new."""
    days = [("x", 1), ("x", 3), ("x", 5), ("y", 1), ("y", 5)]
    rows = [("p", i, f"2025-01-0{d}", "purchase", 1, None, None) for i, d in days]
    builder = FeatureBuilder("pair", ["overdue_ratio"]).fit(history_of(rows))
    new = [("q", i, "2025-02-02T10:00", "purchase", 1, None, None) for i in "xyz"]

    found = builder.transform(history_of(new))["overdue_ratio"]

    np.testing.assert_allclose(found, [8 / 2, 8 / 4, 8 / (8 / 3)])


def test_items_by_hand():
    """x: buyers a (gaps 10, 20) and b, prices 3, 3.5, 3; y: a once; z: only in the list."""
    items = table_of(history_of(BOUGHT, items=pd.DataFrame({"item_id": ["z"]})), "item")
    x = items.loc["x"]

    assert items.index.tolist() == ["x", "y", "z"]
    assert x[["n_buyers", "n_purchases", "repeat_buyer_share", "n_gaps"]].tolist() == [2, 4, 0.5, 2]
    assert x[["gap_mean_days", "gap_p10_days", "gap_p50_days"]].tolist() == [15, 11, 15]
    assert x["gap_sd_days"] == pytest.approx(50**0.5)
    assert x[["price_mean", "price_last"]].tolist() == [9.5 / 3, 3]
    assert items.loc["z", ["n_buyers", "n_purchases", "n_gaps"]].tolist() == [0, 0, 0]
    assert items.loc["z"].isna().sum() == items.shape[1] - 3


def test_the_last_price_of_one_instant_is_the_highest():
    rows = [("a", "x", "2025-01-01", "purchase", 1, p, None) for p in (2.0, 4.0, 3.0)]
    history = history_of([*rows, ("b", "x", "2025-01-02", "purchase", 1, None, None)])

    assert price_last(Shelf(Past(history.events, history.cutoffs, 1))).tolist() == [4]


# -- edges -------------------------------------------------------------------------


def test_customers_without_events_count_zero_and_know_no_days():
    listed = pd.DataFrame({"customer_id": ["a", "nobody"]})
    row = table_of(history_of(BOUGHT, customers=listed)).loc["nobody"]
    units = feature_table("customer")["unit"]

    assert (row[row.notna()] == 0).all()
    assert row[units == "days"].isna().all()
    assert row.filter(regex="^n_(?!categories)").notna().all()


@pytest.mark.parametrize("level", LEVELS)
def test_an_empty_history_gives_an_empty_table(level):
    empty = history_of(BOUGHT, "2024-01-01")

    assert table_of(empty, level).shape == (0, len(feature_table(level)))


@pytest.mark.parametrize("level", LEVELS)
def test_a_history_without_purchases_is_answered(level):
    table = table_of(history_of([("a", "x", "2025-01-01", "view", 1, None, None)]), level)

    assert len(table) == (0 if level == "pair" else 1)


def test_wrong_choices_are_told():
    history = history_of(BOUGHT)
    with pytest.raises(ParameterError, match="level"):
        FeatureBuilder("basket").fit(history)
    with pytest.raises(ParameterError, match="recency"):
        FeatureBuilder(features=["recency"]).fit(history)
    with pytest.raises(ParameterError, match="distinct"):
        FeatureBuilder(features=["spend", "spend"]).fit(history)
    with pytest.raises(ParameterError, match="list of names"):
        FeatureBuilder(features="spend").fit(history)
    with pytest.raises(ParameterError, match="as_of"):
        FeatureBuilder().fit(history.to_pandas())
    with pytest.raises(NotFittedError):
        FeatureBuilder().transform(history)


# -- scikit-learn ------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_names_table_and_documentation_agree(level):
    history = history_of(BOUGHT)
    builder = FeatureBuilder(level).fit(history)
    names = builder.get_feature_names_out().tolist()
    page = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    section = page.split(f"## Level `{level}`")[1].split("## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] == "| `"]

    assert names == feature_table(level).index.tolist()
    assert names == builder.transform(history).columns.tolist()
    documented = [[name.strip("`"), unit, formula] for name, unit, formula in rows]
    assert documented == feature_table(level).reset_index().to_numpy().tolist()


def test_chosen_features_come_in_the_order_asked_and_with_the_same_bits():
    history = random_history(0)
    names = ["spend_30d", "n_items", "gap_sd_days"]
    few = table_of(history, features=names)

    assert few.columns.tolist() == names
    pd.testing.assert_frame_equal(few, table_of(history)[names], check_exact=True)


def test_it_behaves_as_a_transformer():
    history = history_of(BOUGHT)
    builder = FeatureBuilder("pair", ["quantity"])
    copy = clone(builder).set_output(transform="pandas")

    assert copy.get_params() == {"level": "pair", "features": ["quantity"], "n_jobs": None}
    assert isinstance(copy.fit_transform(history), pd.DataFrame)
    assert copy.fit_transform(history).index.names == ["customer_id", "item_id"]
    restored = pickle.loads(pickle.dumps(copy))
    pd.testing.assert_frame_equal(restored.transform(history), builder.fit_transform(history))


def test_polars_output_has_the_columns_without_the_ids():
    polars = pytest.importorskip("polars")
    builder = FeatureBuilder("pair", ["n_purchases", "quantity"]).set_output(transform="polars")
    table = builder.fit_transform(history_of(BOUGHT))

    assert isinstance(table, polars.DataFrame)
    assert table.to_dict(as_series=False) == {"n_purchases": [3, 1, 1], "quantity": [4, 1, 4]}


# -- laws --------------------------------------------------------------------------


def assert_same(actual, expected):
    pd.testing.assert_frame_equal(
        actual, expected, check_exact=True, check_index_type=False, check_column_type=False
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(3))
def test_row_order_changes_no_bit(level, seed):
    frame = random_frame(seed)
    shuffled = frame.sample(frac=1, random_state=seed)
    before, after = (
        table_of(make_log(f, items=random_items()).as_of("2024-12-01"), level)
        for f in (frame, shuffled)
    )

    assert_same(after, before)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(3))
def test_the_future_changes_no_bit(level, seed):
    """Events at or after the cutoff are deleted, then replaced by many others."""
    frame, cutoff = random_frame(seed), pd.Timestamp("2024-12-01", tz="UTC")
    past = frame[frame["timestamp"] < cutoff]
    other = random_frame(seed + 100, n=900, n_customers=30, n_items=9)
    future = other.assign(timestamp=cutoff + (other["timestamp"] - other["timestamp"].min()))
    whole, cut, changed = (
        table_of(make_log(f, items=random_items()).as_of(cutoff), level)
        for f in (frame, past, pd.concat([past, future], ignore_index=True))
    )

    assert_same(cut, whole)
    assert_same(changed, whole)


@pytest.mark.parametrize("level", LEVELS)
def test_what_was_not_yet_known_changes_no_bit(level):
    frame = random_frame(5)
    late = frame["timestamp"].dt.day % 4 == 0
    cutoff = pd.Timestamp("2024-12-01", tz="UTC")
    known = frame.assign(known_at=frame["timestamp"].mask(late, cutoff))
    with_late, without = (
        make_log(f, known_at="known_at", items=random_items()).as_of(cutoff)
        for f in (known, known[~late])
    )

    assert_same(table_of(with_late, level), table_of(without, level))


@pytest.mark.parametrize("level", ["customer", "pair"])
@pytest.mark.parametrize("own_cutoffs", [False, True])
def test_one_customer_alone_is_the_same_customer_in_a_batch(level, own_cutoffs):
    history = random_history(7)
    history = history.before_last_basket() if own_cutoffs else history
    builder = FeatureBuilder(level).fit(history)
    whole = builder.transform(history)
    alone = [builder.transform(history.select([one])) for one in history.customer_ids.tolist()]

    assert_same(pd.concat(alone), whole)


@pytest.mark.parametrize("level", ["customer", "pair"])
def test_blocks_and_threads_change_no_bit(level, monkeypatch):
    history = random_history(8)
    whole = table_of(history, level)
    monkeypatch.setattr("anticipate.features.builder.BLOCK_ROWS", 30)

    assert_same(table_of(history, level), whole)
    assert_same(FeatureBuilder(level, n_jobs=2).fit_transform(history), whole)


def test_each_customer_counts_from_their_own_cutoff():
    """Before the last basket (31 January, day's start): 30 days after 1 January."""
    history = history_of(BOUGHT).before_last_basket()
    row = table_of(history, features=["n_purchases", "days_since_first", "gap_mean_days"]).loc["a"]

    assert row.tolist() == [2, 30 - 10 / 24, 10]


def test_kernels_answer_for_one_customers_slice_of_events():
    history = random_history(9)
    past = Past(history.events, history.cutoffs, history.n_items)
    table = table_of(history)
    for code in range(history.n_customers):
        one = past.between(code, code + 1)

        assert one.events.n == table["n_events"].iloc[code]
        assert one.events.timestamp.base is not None  # a view, not a copy


def test_an_event_without_an_item_belongs_to_no_pair():
    """Customer b's contact names no item; a bought the last item of the vocabulary."""
    rows = [
        ("a", "x", "2025-01-01", "purchase", 1, None, None),
        ("b", None, "2025-01-02", "contact", 1, None, None),
    ]
    history = history_of(rows)

    assert Past(history.events, history.cutoffs, 1).pair_of(np.array([0, 1])).tolist() == [0, -1]


# -- an oracle of its own ----------------------------------------------------------


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("bench", ROOT / "benchmarks" / "features.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(6))
def test_customer_and_pair_features_equal_those_of_sql(benchmark, seed):
    """The benchmark's SQL on small logs with ties, repeats and unknown prices."""
    duckdb = pytest.importorskip("duckdb")
    history = random_history(seed, n=300 + 300 * seed)
    bought = history.to_pandas().query("event == 'purchase'")
    connection = duckdb.connect()
    connection.register("events", bought.assign(timestamp=bought["timestamp"].dt.tz_localize(None)))
    customers, pairs = benchmark.duckdb_features(connection, history.cutoff_us)
    ours = benchmark.our_features(history)
    theirs = (
        customers.to_pandas().set_index("customer_id").sort_index(),
        pairs.to_pandas().set_index(["customer_id", "item_id"]).sort_index(),
    )

    for mine, sql in zip(ours, theirs, strict=True):
        bought_any = mine[mine["n_purchases"] > 0]

        assert bought_any.index.tolist() == sql.index.tolist()
        np.testing.assert_allclose(
            bought_any, sql[mine.columns].to_numpy(np.float64), rtol=1e-9, atol=1e-12
        )
