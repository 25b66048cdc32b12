"""The simulator's truth is true of its log, and its log is worth learning from."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from anticipate.columns import EVENTS, PURCHASE
from anticipate.datasets import load_example, load_example_truth, make_log

DAY = pd.Timedelta(days=1)


@cache
def bookshop() -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    return load_example().to_pandas(), load_example_truth()


@cache
def larger() -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    log, truth = make_log(2000, random_state=3, return_truth=True)
    return log.to_pandas(), truth


def purchases(events: pd.DataFrame) -> pd.DataFrame:
    return events[events["event"] == PURCHASE].reset_index(drop=True)


def utc(moment: str) -> pd.Timestamp:
    return pd.Timestamp(moment, tz="UTC")


def test_every_kind_of_event_occurs():
    assert set(bookshop()[0]["event"]) == set(EVENTS)


@pytest.mark.parametrize("world", [bookshop, larger])
def test_nothing_happens_before_signing_up_after_leaving_or_past_the_end(world):
    events, truth = world()
    people = truth["customers"].set_index("customer_id").loc[events["customer_id"]]
    time = events["timestamp"].to_numpy()

    assert (time > people["signed_up"].to_numpy()).all()
    assert not (time >= people["left"].to_numpy()).any()
    assert events["timestamp"].min() >= utc("2023-07-01")
    assert events["timestamp"].max() < utc("2025-07-01")
    assert (events["known_at"] >= events["timestamp"]).all()


@pytest.mark.parametrize("world", [bookshop, larger])
def test_every_mistake_is_one_purchase_of_the_log(world):
    events, truth = world()
    keys = ["customer_id", "item_id", "order_id", "timestamp"]
    lines, mistakes = purchases(events), truth["accidental"]
    undone = events[events["event"].isin(["return", "cancel"])]
    undone = pd.MultiIndex.from_frame(undone[["order_id", "item_id"]])

    assert not lines.duplicated(["order_id", "item_id"]).any()
    assert len(mistakes[keys].merge(lines[keys])) == len(mistakes)
    sent_back = pd.MultiIndex.from_frame(mistakes[["order_id", "item_id"]]).isin(undone)
    assert mistakes["undone"].tolist() == sent_back.tolist()
    assert (mistakes["kind"].value_counts() >= 10).all()
    assert 0.5 < mistakes["undone"].mean() < 0.95


@pytest.mark.parametrize("world", [bookshop, larger])
def test_a_mistake_repeats_the_order_it_names(world):
    """Same item, or for a substitute the same work; earlier, and a double submit by minutes."""
    events, truth = world()
    lines = purchases(events)
    mistakes = truth["accidental"].dropna(subset=["repeats_order_id"])
    lines["work"] = lines["item_id"].str.replace("-(print|ebook)$", "", regex=True)
    mistakes = mistakes.merge(lines[["order_id", "item_id", "work"]], on=["order_id", "item_id"])
    pairs = mistakes.merge(
        lines, left_on=["repeats_order_id", "work"], right_on=["order_id", "work"]
    )
    pairs = pairs[
        (pairs["item_id_x"] == pairs["item_id_y"]) == (pairs["kind"] != "substitute_owned")
    ]
    later = (pairs["timestamp_x"] - pairs["timestamp_y"]) / DAY
    twice = pairs["kind"] == "double_submit"

    assert len(pairs) == len(mistakes)
    assert (pairs["customer_id_x"] == pairs["customer_id_y"]).all()
    assert later.min() > 0
    assert later[twice].max() < 8 / 1440 < 30 < later[~twice].min()


def test_returns_name_a_purchase_of_the_last_thirty_days():
    events, _ = bookshop()
    returns = events[events["event"] == "return"]
    both = returns.merge(purchases(events), on=["customer_id", "order_id", "item_id"])

    assert len(both) == len(returns)
    assert (both["timestamp_x"] > both["timestamp_y"]).all()
    assert ((both["timestamp_x"] - both["timestamp_y"]) / DAY).max() <= 30
    assert (both["quantity_x"] <= both["quantity_y"]).all()
    assert (returns["known_at"] - returns["timestamp"]).isin([0 * DAY, DAY]).all()
    assert (returns["known_at"] > returns["timestamp"]).any()


def test_an_order_belongs_to_one_customer_and_one_moment():
    lines = purchases(bookshop()[0])

    assert (lines.groupby("order_id")[["customer_id", "timestamp", "channel"]].nunique() == 1).all(
        axis=None
    )
    assert not ((lines["channel"] == "shop") & lines["item_id"].str.endswith("-ebook")).any()


def test_habits_keep_their_true_mean_gap():
    """Per habit of five gaps or more the mean is near the truth; over all habits within 3 %."""
    events, truth = larger()
    wrong = truth["accidental"].query("kind == 'double_submit'")["order_id"]
    lines = purchases(events)
    lines = lines[~lines["order_id"].isin(wrong)]
    pairs = ["customer_id", "item_id"]
    lines["gap_days"] = lines.groupby(pairs)["timestamp"].diff() / DAY
    seen = lines.groupby(pairs)["gap_days"].agg(["mean", "count"]).reset_index()
    seen = seen[seen["count"] >= 5].merge(truth["gaps"])
    seen = seen[seen["item_id"] == "K-coffee-beans"]
    ratio = seen["mean"] / seen["mean_gap_days"]

    assert len(seen) > 200
    assert ratio.mean() == pytest.approx(1.0, abs=0.03)
    assert ((ratio - 1).abs() < 0.25).mean() > 0.95


def test_a_habit_that_stopped_is_not_seen_again():
    events, truth = larger()
    lines = purchases(events[~events["gift"]])
    wrong = truth["accidental"].query("kind == 'double_submit'")["order_id"]
    stopped = truth["gaps"].dropna(subset=["stopped"])
    both = lines[~lines["order_id"].isin(wrong)].merge(stopped, on=["customer_id", "item_id"])

    assert len(both) > 100
    assert (both["timestamp"].dt.normalize() <= both["stopped"]).all()


def test_an_open_complaint_precedes_leaving():
    """Those whose complaint was never resolved leave far more often than the others."""
    events, truth = larger()
    made = events[events["event"] == "complaint"]
    answers = events.loc[events["event"] == "resolved", ["order_id", "item_id"]]
    answered = pd.MultiIndex.from_frame(made[["order_id", "item_id"]]).isin(
        pd.MultiIndex.from_frame(answers)
    )
    unanswered = set(made.loc[~answered, "customer_id"])
    people = truth["customers"]
    left = people["left"].notna()
    among = people["customer_id"].isin(unanswered)

    assert left[among].mean() > 1.5 * left[~among].mean()
    assert people.loc[people["because"] == "complaint", "customer_id"].isin(unanswered).all()


def test_series_are_read_in_their_order():
    """Of one's own purchases of a series on paper or screen, the first volume comes first."""
    events, truth = larger()
    wrong = truth["accidental"]["order_id"]
    lines = purchases(events[~events["gift"]])
    lines = lines[~lines["order_id"].isin(wrong)]
    found = lines["item_id"].str.extract(r"^B-([a-z]+)-(\d)-(?:print|ebook)$")
    volumes = lines.assign(series=found[0], volume=found[1].astype(float)).dropna(subset=["series"])
    first = volumes.groupby(["customer_id", "series", "volume"])["timestamp"].min().unstack()
    both = first.dropna(subset=[1.0, 2.0])

    assert len(both) > 500
    assert (both[1.0] <= both[2.0]).all()


def test_a_customers_own_habits_say_more_than_popularity():
    """Recall@10 of a list of 10 for the 30 days from 2025-03-01, over those who bought."""
    lines = purchases(bookshop()[0])
    cutoff = utc("2025-03-01")
    before = lines[lines["timestamp"] < cutoff]
    window = lines[lines["timestamp"].between(cutoff, cutoff + 30 * DAY, inclusive="left")]
    popular = before.groupby("item_id")["customer_id"].nunique().sort_values(ascending=False)
    own = before.groupby(["customer_id", "item_id"]).size().sort_values(ascending=False)
    recalls = {"own": [], "popular": []}
    for customer, wanted in window.groupby("customer_id")["item_id"].unique().items():
        habits = list(own[customer].index) if customer in own.index.levels[0] else []
        lists = {"popular": list(popular.index), "own": [*habits, *popular.index.drop(habits)]}
        for name, ranked in lists.items():
            recalls[name].append(np.isin(wanted, ranked[:10]).mean())

    assert np.mean(recalls["own"]) > np.mean(recalls["popular"]) + 0.05


def test_low_ratings_end_in_returns_more_often():
    events, _ = larger()
    rated = events[events["event"] == "rating"].drop_duplicates(["order_id", "item_id"])
    returned = events.loc[events["event"] == "return", ["order_id", "item_id"]]
    back = pd.MultiIndex.from_frame(rated[["order_id", "item_id"]]).isin(
        pd.MultiIndex.from_frame(returned)
    )
    low = (rated["value"] <= 2).to_numpy()

    assert set(rated["value"]) == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert back[low].mean() > 3 * back[~low].mean()
