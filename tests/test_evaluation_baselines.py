"""Plain baselines, injected mistakes, past cutoffs and groups: small logs worked by hand."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from anticipate import evaluation as ev
from anticipate.exceptions import ColumnError, MinimumDataWarning, ParameterError, TimeError
from anticipate.log import History, InteractionLog
from anticipate.outcomes import label_outcomes, temporal_split

DATA = Path(os.environ.get("ANTICIPATE_DATA", Path(__file__).parents[2] / "shared" / "data"))
END = pd.Timestamp("2025-04-01", tz="UTC")


def make_log(rows: list[tuple], columns: str = "customer_id item_id timestamp", **options):
    frame = pd.DataFrame(rows, columns=columns.split())
    named = {name: name for name in frame.columns if name not in ("customer_id", "item_id")}
    return InteractionLog.from_frame(frame, timezone="UTC", closed_until=END, **named, **options)


def history(rows: list[tuple], cutoff: str = "2025-03-01", **options) -> History:
    return make_log(rows, **options).as_of(cutoff)


def random_rows(seed: int, n: int = 400) -> list[tuple]:
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2024-10-01") + pd.to_timedelta(rng.integers(0, 180, n), unit="D")
    who, what = rng.integers(0, 25, n), rng.integers(0, 15, n)
    return list(zip(who.tolist(), what.tolist(), days.strftime("%Y-%m-%d"), strict=True))


# -- lists -------------------------------------------------------------------------

SHOP = [
    ("ann", "tea", "2025-01-01"),
    ("ann", "tea", "2025-01-08"),
    ("ann", "tea", "2025-01-08"),  # the same day counts once
    ("ann", "ink", "2025-01-08"),
    ("ann", "jam", "2025-01-09"),
    ("bob", "jam", "2025-01-02"),
    ("bob", "oil", "2025-01-03"),
    ("bob", "oil", "2025-01-04"),
    ("eve", "jam", "2025-03-01"),  # at the cutoff: not seen
]


def test_popularity_counts_buyers_then_days_then_id():
    """Buyers: jam 2, tea 1 (2 days), oil 1 (2 days), ink 1 (1 day)."""
    table = ev.popular_lists(history(SHOP), customers=["bob"], n=4)

    assert table["item_id"].tolist() == ["jam", "oil", "tea", "ink"]
    assert table["rank"].tolist() == [1, 2, 3, 4]


def test_own_frequency_breaks_ties_by_popularity_and_fills_up():
    """ann: tea on 2 days; jam and ink on 1, jam has more buyers; then oil, popular."""
    table = ev.frequent_lists(history(SHOP), n=3)
    lists = table.groupby("customer_id")["item_id"].agg(list)

    assert lists["ann"] == ["tea", "jam", "ink"]
    assert lists["bob"] == ["oil", "jam", "tea"]


def test_an_unknown_customer_gets_what_is_popular():
    table = ev.frequent_lists(history(SHOP), customers=["zoe"], n=2)

    assert table["item_id"].tolist() == ["jam", "oil"]


def test_lists_end_where_the_shop_does():
    assert len(ev.frequent_lists(history(SHOP), customers=["ann"], n=50)) == 4


def test_an_empty_history_gives_empty_lists():
    assert len(ev.frequent_lists(history(SHOP, cutoff="2024-01-01"), customers=["ann"])) == 0
    assert len(ev.popular_lists(history(SHOP, cutoff="2024-01-01"))) == 0


@pytest.mark.parametrize("n", [1, 4, 40])
def test_own_frequency_equals_a_slow_reading_of_its_definition(n):
    """Seeded: sort all items by (own days, buyers, all days, id), customer by customer."""
    past = history(random_rows(4))
    frame = past.to_pandas().assign(day=lambda t: t["timestamp"].dt.floor("D"))
    days = frame.drop_duplicates(["customer_id", "item_id", "day"])
    own = days.groupby(["customer_id", "item_id"]).size()
    buyers = own.groupby("item_id").size()
    table = ev.frequent_lists(past, n=n)
    for who, listed in table.groupby("customer_id")["item_id"]:
        key = {
            item: (-own.get((who, item), 0), -buyers[item], -own.xs(item, level=1).sum(), item)
            for item in buyers.index
        }
        assert listed.tolist() == sorted(key, key=key.get)[:n]


def test_published_frequency_baseline_on_ta_feng():
    """G-P-TopFreq, own measurement on three folds: Recall@10 .1349, NDCG .1156, PHR .4163,
    Recall@20 .1842; the fold sd of Recall@10 is .005. All 13,858 users here."""
    path = DATA / "tafeng" / "tafeng_merged.json"
    if not path.exists():
        pytest.skip(f"Ta-Feng is not at {path}; set ANTICIPATE_DATA")
    baskets = json.loads(path.read_text())
    rows = [(int(u), i, n) for u, row in baskets.items() for n, b in enumerate(row) for i in b]
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "basket"])
    frame["timestamp"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["basket"], unit="D")
    log = InteractionLog.from_frame(frame, timezone="UTC", closed_until="2025-01-01")
    past = log.as_of("2025-01-01").before_last_basket()
    truth = frame[frame["basket"] == frame.groupby("customer_id")["basket"].transform("max")]

    found = ev.match_lists(ev.frequent_lists(past, n=20), truth, width=20)

    assert ev.recall_at_k(found, 10).mean() == pytest.approx(0.1349, abs=0.002)
    assert ev.ndcg_at_k(found, 10).mean() == pytest.approx(0.1156, abs=0.002)
    assert ev.hit_at_k(found, 10).mean() == pytest.approx(0.4163, abs=0.005)
    assert ev.recall_at_k(found, 20).mean() == pytest.approx(0.1842, abs=0.002)


# -- churn -------------------------------------------------------------------------


def test_churn_rules_rise_with_silence():
    """Twenty regulars on a 10-day rhythm, half of whom stopped 60 days before each cutoff."""
    rows = []
    for who in range(40):
        end = 180 if who % 2 else 30 + 3 * who  # even ones stop, one after the other
        days = pd.Timestamp("2024-09-01") + pd.to_timedelta(np.arange(who % 10, end, 10), unit="D")
        rows += [(who, 1, day) for day in days]
    past = history(rows)
    rules = ev.churn_baselines(past, 30)
    last = past.to_pandas().groupby("customer_id")["timestamp"].max()
    silent = (past.cutoff - last).dt.days
    for name in ("days silent", "hiatus rule"):
        p = rules[name]
        assert p.between(0, 1).all()
        assert p[silent > 60].min() > p[silent < 15].max()
    assert rules["base rate"].nunique() == 1


def test_churn_rules_are_calibrated_on_a_closed_past_window_only():
    """What lies at or after the cutoff changes nothing."""
    rows = random_rows(5)
    later = [(3, 1, "2025-03-01"), (4, 2, "2025-03-09")]

    ours, theirs = (ev.churn_baselines(history(part), 30) for part in (rows, rows + later))

    for name, p in ours.items():
        pd.testing.assert_series_equal(p, theirs[name])


def test_no_past_window_says_one_half_and_warns():
    past = history([(1, 1, "2025-02-20"), (1, 1, "2025-02-25")])
    with pytest.warns(MinimumDataWarning, match="50 %"):
        rules = ev.churn_baselines(past, 90)

    assert rules["hiatus rule"].tolist() == [0.5]


def test_a_past_window_of_one_kind_gives_a_smoothed_share():
    """Both customers came in the past window: (0 + 1) / (2 + 2)."""
    rows = [(who, 1, day) for who in (1, 2) for day in ("2025-01-05", "2025-02-10")]

    rules = ev.churn_baselines(history(rows), 30)

    assert rules["hiatus rule"].tolist() == [1 / 4, 1 / 4]
    assert rules["base rate"].tolist() == [1 / 4, 1 / 4]


def test_customers_without_a_purchase_get_a_probability_too():
    rows = [(1, 1, "2025-01-05", "purchase"), (2, 1, "2025-01-06", "view")]

    past = history(rows, columns="customer_id item_id timestamp event")

    assert ev.churn_baselines(past, 30)["days silent"].notna().all()


# -- dates -------------------------------------------------------------------------


def days_from(dates: pd.Series, start: str) -> list[float]:
    return ((dates - pd.Timestamp(start, tz="UTC")) / pd.Timedelta(days=1)).tolist()


def test_last_purchase_plus_own_mean_gap_else_that_of_all():
    """ann: gaps 10 and 20, mean 15, after Jan 31. bob bought once: all gaps 10, 20 -> 15."""
    rows = [("ann", 1, "2025-01-01"), ("ann", 1, "2025-01-11"), ("ann", 2, "2025-01-31")]
    rows += [("bob", 1, "2025-02-10")]

    table = ev.mean_gap_dates(history(rows))

    assert days_from(table["due"], "2025-01-31") == pytest.approx([15, 10 + 15])


def test_its_interval_is_the_normal_one_of_the_gaps():
    """sd of 10 and 20 is sqrt(50); 1.28155 of it on both sides."""
    rows = [("ann", 1, "2025-01-01"), ("ann", 1, "2025-01-11"), ("ann", 2, "2025-01-31")]

    table = ev.mean_gap_dates(history(rows))
    width = (table["due_high"] - table["due_low"]) / pd.Timedelta(days=1)

    assert width.tolist() == pytest.approx([2 * 1.2815516 * 50**0.5])


def test_nobody_came_twice_is_no_date():
    assert ev.mean_gap_dates(history([(1, 1, "2025-01-01")]))["due"].isna().all()


def test_a_customer_without_a_purchase_has_no_date():
    rows = [(1, 1, "2025-01-01", "purchase"), (1, 1, "2025-01-05", "purchase")]
    rows += [(2, 1, "2025-01-06", "view")]

    table = ev.mean_gap_dates(history(rows, columns="customer_id item_id timestamp event"))

    assert table["due"].isna().tolist() == [False, True]


def test_a_pair_takes_its_own_gap_then_the_items_then_that_of_all():
    """tea: ann's gap 10. bob's tea once: 10 of the item. jam once: mean of all gaps 10, 30."""
    rows = [("ann", "tea", "2025-01-01"), ("ann", "tea", "2025-01-11")]
    rows += [("bob", "tea", "2025-01-11"), ("bob", "jam", "2025-01-11")]
    rows += [("bob", "oil", "2025-01-01"), ("bob", "oil", "2025-01-31")]

    table = ev.mean_gap_pair_dates(history(rows)).set_index(["customer_id", "item_id"])["due"]

    due = dict(zip(table.index, days_from(table, "2025-01-11"), strict=True))
    assert due[("ann", "tea")] == due[("bob", "tea")] == pytest.approx(10)
    assert due[("bob", "jam")] == pytest.approx(20)
    assert due[("bob", "oil")] == pytest.approx(20 + 30)


def test_no_history_no_dates():
    past = history([(1, 1, "2025-01-01")], cutoff="2024-01-01")

    assert len(ev.mean_gap_dates(past)) == len(ev.mean_gap_pair_dates(past)) == 0


def test_row_order_changes_no_baseline():
    rows = random_rows(6)
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    one, two = history(rows), history(shuffled)

    for rule in (ev.frequent_lists, ev.mean_gap_dates, ev.mean_gap_pair_dates):
        pd.testing.assert_frame_equal(rule(one), rule(two))
    for name, p in ev.churn_baselines(one, 30).items():
        pd.testing.assert_series_equal(p, ev.churn_baselines(two, 30)[name])


# -- warnings ----------------------------------------------------------------------


def test_plain_warnings_look_at_the_same_item_only():
    """mug 12 days ago; pot in the cart a minute before; tea new."""
    past = history([("ann", "mug", "2025-02-20")])
    at = pd.Timestamp("2025-03-04", tz="UTC")
    cart = pd.DataFrame(
        {
            "customer_id": "ann",
            "item_id": ["pot", "mug", "pot", "tea"],
            "timestamp": [at, at, at + pd.Timedelta(minutes=1), at],
        },
        index=[9, 8, 7, 6],
    )

    tables = ev.warning_baselines(cart, past)

    assert tables["bought before"]["verdict"].tolist() == ["pass", "warn", "warn", "pass"]
    assert tables["bought within 7 d"]["verdict"].tolist() == ["pass", "pass", "warn", "pass"]
    p = tables["bought before"]["probability"].tolist()
    expected = [np.nan, 1 / 13, 1 / (1 + 1 / 1440), np.nan]
    assert p == pytest.approx(expected, nan_ok=True)
    assert tables["bought before"].index.tolist() == [9, 8, 7, 6]


# -- injection ---------------------------------------------------------------------

EVENTS = "customer_id item_id timestamp event quantity price order_id gift"
ITEMS = pd.DataFrame(
    {
        "item_id": ["1984-print", "1984-ebook", "coffee", "lamp", "pen"],
        "work_id": ["1984", "1984", None, None, None],
        "consumable": [False, False, True, False, False],
        "lifetime_days": [None, None, None, None, 10.0],
        "price": [12.0, 8.0, 9.0, 40.0, 2.0],
    }
)
BOUGHT = [
    ("ann", "1984-print", "2025-01-01", "purchase", 1, 11.0, "o1", False),
    ("ann", "coffee", "2025-01-02", "purchase", 1, 9.0, "o2", False),
    ("ann", "lamp", "2025-01-03", "purchase", 1, 40.0, "o3", True),  # a gift
    ("ann", "pen", "2025-01-04", "purchase", 1, 2.0, "o4", False),  # worn out by March
    ("bob", "lamp", "2025-01-05", "purchase", 1, 40.0, "o5", False),
    ("bob", "lamp", "2025-01-09", "return", 1, 40.0, "o5", False),
    ("ann", "coffee", "2025-03-02 10:00", "purchase", 2, 9.5, "o6", False),
    ("ann", "pen", "2025-03-02 10:01", "purchase", 1, 2.0, "o6", False),
    ("ann", "lamp", "2025-03-02 11:00", "purchase", 1, 40.0, "o7", False),  # not the first cart
    ("bob", "pen", "2025-03-31 10:00", "purchase", 1, 2.0, "o8", False),  # after 30 days
    ("new", "pen", "2025-03-05", "purchase", 1, 2.0, "o9", False),  # not in the history
]


def window():
    return temporal_split(make_log(BOUGHT, columns=EVENTS, items=ITEMS), "2025-03-01", 31)[1]


def test_owned_is_kept_durable_and_not_given_away():
    """coffee is consumed, the lamp was a gift, the pen is worn out, bob's lamp came back."""
    owned = ev.owned_items(window().history)

    assert owned.to_numpy().tolist() == [["ann", "1984-print"]]


def test_the_first_cart_is_the_first_order_within_thirty_days():
    carts = ev.first_carts(window())

    assert carts[["customer_id", "item_id"]].to_numpy().tolist() == [
        ["ann", "coffee"],
        ["ann", "pen"],
    ]
    assert carts["quantity"].tolist() == [2, 1]


def test_each_kind_of_mistake_is_what_it_says():
    found, outcomes = {}, window()
    for seed in range(30):
        lines = ev.injected_carts(outcomes, share=1.0, random_state=seed)
        assert len(lines) == 3
        row = lines[lines["injected_kind"].notna()].iloc[0]
        found.setdefault(row["injected_kind"], row)

    cart_end = pd.Timestamp("2025-03-02 10:01", tz="UTC")
    owned, other = found["already_owned"], found["substitute_owned"]
    assert (owned["item_id"], owned["timestamp"], owned["price"]) == ("1984-print", cart_end, 11.0)
    assert (other["item_id"], other["price"]) == ("1984-ebook", 8.0)
    double = found["double_submit"]
    lines = {"coffee": "2025-03-02 10:00", "pen": "2025-03-02 10:01"}
    minutes = (double["timestamp"] - pd.Timestamp(lines[double["item_id"]], tz="UTC")).seconds / 60
    assert 1 <= minutes <= 10


def test_the_seed_decides_and_row_order_does_not():
    rows = random_rows(8, 600)
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    carts = [
        ev.injected_carts(label_outcomes(make_log(part), "2025-02-01", 30), random_state=seed)
        for part, seed in ((rows, 3), (shuffled, 3), (rows, 4))
    ]

    pd.testing.assert_frame_equal(carts[0], carts[1])
    assert not carts[0].equals(carts[2])


def test_about_the_share_asked_for_is_injected_and_real_lines_stay():
    outcomes = label_outcomes(make_log(random_rows(9, 2000)), "2025-02-01", 30)
    lines = ev.injected_carts(outcomes, share=0.5)
    real = lines[lines["injected_kind"].isna()].drop(columns="injected_kind")

    assert 5 <= lines["injected_kind"].notna().sum() <= 20
    assert len(real) == len(ev.first_carts(outcomes))
    assert ev.injected_carts(outcomes, share=0.0)["injected_kind"].isna().all()


def test_a_share_past_one_is_refused():
    with pytest.raises(ParameterError, match="share"):
        ev.injected_carts(window(), share=1.5)


def test_an_empty_window_gives_no_lines():
    log = make_log([(1, 1, "2025-01-01"), (1, 1, "2025-01-02")])

    assert len(ev.injected_carts(label_outcomes(log, "2025-02-01", 10))) == 0


# -- backtest ----------------------------------------------------------------------


def stamp(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def test_windows_are_closed_and_the_newest_comes_last():
    """Ends at Mar 31: windows of 30 days begin Mar 1, Jan 30, Dec 31."""
    cutoffs = ev.rolling_cutoffs(stamp("2024-12-15"), stamp("2025-03-31"), 30, 5)

    assert cutoffs == [stamp("2024-12-31"), stamp("2025-01-30"), stamp("2025-03-01")]


def test_a_cutoff_at_the_start_has_nothing_before_it():
    assert ev.rolling_cutoffs(stamp("2025-03-01"), stamp("2025-03-31"), 30, 5) == []


def test_naive_and_aware_times_are_not_mixed():
    with pytest.raises(TimeError, match="timezone"):
        ev.rolling_cutoffs(pd.Timestamp("2025-01-01"), stamp("2025-02-01"), 30, 1)


def test_training_slices_know_nothing_later_than_their_cutoff():
    slices = ev.training_slices(history(random_rows(7)), 20, 3)

    assert len(slices) == 3
    for past, outcomes in slices:
        assert past.to_pandas()["timestamp"].max() < past.cutoff
        assert outcomes.cutoff == past.cutoff
        assert outcomes.lines["timestamp"].min() >= past.cutoff
    assert slices[-1][0].cutoff == stamp("2025-03-01") - pd.Timedelta(days=20)


def test_a_stated_end_before_the_cutoff_closes_the_windows_there():
    """closed_until Feb 1, cutoff Mar 1: the newest window of 20 days begins Jan 12."""
    rows = random_rows(7)
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "timestamp"])
    frame = frame[frame["timestamp"] < "2025-02-01"]
    log = InteractionLog.from_frame(frame, timezone="UTC", closed_until="2025-02-01")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cutoff past the end is the point here
        past = log.as_of("2025-03-01")

    assert ev.training_slices(past, 20, 1)[0][0].cutoff == stamp("2025-01-12")


def test_too_short_a_history_has_no_slices():
    assert ev.training_slices(history([(1, 1, "2025-02-25")]), 30, 3) == []
    assert ev.training_slices(history([(1, 1, "2025-02-25")], cutoff="2024-01-01"), 30, 3) == []


# -- groups ------------------------------------------------------------------------


def test_groups_are_known_at_the_cutoff():
    """ann: 2 purchase days, 59 days old; bob only looked; eve is listed and never came."""
    rows = [("ann", 1, "2025-01-01", "purchase"), ("ann", 2, "2025-01-01", "purchase")]
    rows += [("ann", 1, "2025-02-01", "purchase"), ("bob", 1, "2025-02-27", "view")]
    people = pd.DataFrame({"customer_id": ["ann", "eve"], "city": ["Rome", "Oslo"]})
    past = history(rows, columns="customer_id item_id timestamp event", customers=people)

    table = ev.customer_groups(past, ["city"])

    assert table.astype(object).where(table.notna(), None).to_numpy().tolist() == [
        ["2-5", "30-180 d", "Rome"],
        ["0", "< 30 d", None],
        ["0", None, "Oslo"],
    ]


def test_an_unknown_group_is_named():
    with pytest.raises(ColumnError, match="city"):
        ev.customer_groups(history(SHOP), ["city"])


def test_lines_that_were_sent_back_are_not_called_legitimate():
    """One of two lines is returned within the window: it is left out, unless it is to be kept."""
    rows = {
        "customer_id": [1, 1, 1, 1],
        "item_id": [7, 8, 9, 8],
        "timestamp": ["2025-01-01", "2025-02-02", "2025-02-02", "2025-02-05"],
        "event": ["purchase", "purchase", "purchase", "return"],
    }
    log = InteractionLog.from_frame(rows, event="event", timezone="UTC", closed_until="2025-04-01")
    outcomes = label_outcomes(log, "2025-02-01", 30)

    assert ev.first_carts(outcomes)["item_id"].tolist() == [9]
    assert ev.first_carts(outcomes, keep_undone=True)["item_id"].tolist() == [8, 9]
