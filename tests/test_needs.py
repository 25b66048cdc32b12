"""Next needs as users meet them: the laws, the table, filters, newcomers, signals, thin data."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from anticipate import load_example
from anticipate.evaluation import match_lists
from anticipate.evaluation.plain_lists import frequent_lists, popular_lists
from anticipate.evaluation.ranking_metrics import capped_recall_at_k
from anticipate.exceptions import (
    EmptyHistoryError,
    FilteredOutWarning,
    IdTypeError,
    MinimumDataWarning,
    ParameterError,
)
from anticipate.log import History, InteractionLog
from anticipate.needs import SOURCES, NextNeedRanker
from anticipate.outcomes import label_outcomes
from anticipate.testing import check_history_model, random_log

COLUMNS = ["customer_id", "item_id", "score", "rank", "source"]


@pytest.fixture(scope="module")
def ranker(bookshop_history: History) -> NextNeedRanker:
    return NextNeedRanker(random_state=0).fit(bookshop_history)


def log_with(bookshop: InteractionLog, rows: list[tuple[Any, ...]]) -> History:
    """The bookshop with more (customer, item, event, value) on the day before the cutoff."""
    more = pd.DataFrame(rows, columns=["customer_id", "item_id", "event", "value"])
    more["timestamp"] = pd.Timestamp("2025-02-28", tz="UTC")
    extra = InteractionLog.from_frame(more, event="event", value="value")
    return bookshop.extend(extra).as_of("2025-03-01")


def thin_log() -> InteractionLog:
    """Two buyers of tea, one of a mug, in four days."""
    rows = {
        "customer_id": ["a", "a", "a", "b", "b"],
        "item_id": ["tea", "tea", "mug", "tea", "jam"],
        "timestamp": ["2025-01-01", "2025-01-03", "2025-01-03", "2025-01-02", "2025-01-04"],
    }
    return InteractionLog.from_frame(rows, timezone="UTC", closed_until="2025-01-05")


# -- laws -------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["horizon", "next_basket"])
def test_keeps_the_laws_of_history_models(target: str):
    check_history_model(NextNeedRanker(target, random_state=0), random_log(0))


def test_the_table_is_ranked_and_its_scores_are_probabilities(
    ranker: NextNeedRanker, bookshop_history: History
):
    """Rank 1.. per customer, scores never rise, an item once, sources by name."""
    found = ranker.recommend(bookshop_history, n=7)

    assert found.columns.tolist() == COLUMNS
    assert found["score"].between(0, 1, inclusive="neither").all()
    assert not found.duplicated(["customer_id", "item_id"]).any()
    for _, rows in found.groupby("customer_id"):
        assert rows["rank"].tolist() == list(range(1, 8))
        assert rows["score"].is_monotonic_decreasing
    assert set(found["source"]) <= set(SOURCES)
    assert found["customer_id"].nunique() == bookshop_history.n_customers


def test_a_shorter_list_is_the_head_of_a_longer_one(
    ranker: NextNeedRanker, bookshop_history: History
):
    long = ranker.recommend(bookshop_history, n=32)

    short = ranker.recommend(bookshop_history, n=5)

    head = long[long["rank"] <= 5].reset_index(drop=True)
    pd.testing.assert_frame_equal(short, head, check_exact=True)


def test_candidates_are_the_recommendations_as_codes(
    ranker: NextNeedRanker, bookshop_history: History
):
    table = ranker.recommend(bookshop_history, n=32)

    stored = ranker.candidates(bookshop_history)

    assert stored["item_ids"].tolist() == bookshop_history.item_ids.tolist()
    assert stored["item_ids"][stored["item"]].tolist() == table["item_id"].tolist()
    assert expit(stored["log_odds"]).tolist() == table["score"].tolist()
    assert [SOURCES[code] for code in stored["source"]] == table["source"].tolist()
    assert np.diff(stored["offsets"]).tolist() == [32] * bookshop_history.n_customers


def test_facts_can_be_recomputed_from_the_log(ranker: NextNeedRanker, bookshop_history: History):
    """Purchase days, mean gap, days since the last one of a repeat; buyers of the last 30 days."""
    stored = ranker.candidates(bookshop_history)
    who = np.repeat(bookshop_history.customer_ids, np.diff(stored["offsets"]))
    rows = bookshop_history.to_pandas()
    pair = pd.MultiIndex.from_frame(rows[["customer_id", "item_id"]])
    came_back = pair[rows["event"].isin(["return", "cancel"])]
    bought = rows[(rows["event"] == "purchase") & ~pair.isin(came_back)]
    bought = bought.assign(day=bought["timestamp"].dt.floor("D"))
    visits = bought.groupby(["customer_id", "item_id", "day"])["timestamp"].min()
    checked = 0
    for place in np.flatnonzero(stored["source"] == SOURCES.index("repeat")):
        key = (who[place], stored["item_ids"][stored["item"][place]])
        if key not in came_back and checked < 20:
            times = visits.loc[key].sort_values()
            days = (bookshop_history.cutoff - times.iloc[-1]) / pd.Timedelta(days=1)
            gap = (times.iloc[-1] - times.iloc[0]) / pd.Timedelta(days=1) / (len(times) - 1)
            assert stored["n_purchases"][place] == len(times)
            assert stored["days_since_last"][place] == pytest.approx(days)
            assert stored["gap_days"][place] == pytest.approx(gap)
            checked += 1
    assert checked > 3


# -- it is worth it -----------------------------------------------------------------------


def test_finds_more_than_the_plain_rules(
    ranker: NextNeedRanker, bookshop: InteractionLog, bookshop_history: History
):
    """Hits among min(10, bought) in the 30 days after, against popularity and own frequency."""
    outcomes = label_outcomes(bookshop, "2025-03-01", 30)
    pairs = outcomes.pairs[outcomes.pairs["bought"]]

    def hits(lists: pd.DataFrame) -> float:
        return float(capped_recall_at_k(match_lists(lists, pairs)).mean())

    ours = hits(ranker.recommend(bookshop_history))
    plain = max(hits(rule(bookshop_history)) for rule in (popular_lists, frequent_lists))

    assert ours > 1.1 * plain


def test_probabilities_are_those_of_what_happened(
    ranker: NextNeedRanker, bookshop: InteractionLog, bookshop_history: History
):
    """Mean probability of 10 candidates a customer against the share that was bought."""
    found = ranker.recommend(bookshop_history)
    pairs = label_outcomes(bookshop, "2025-03-01", 30).pairs
    bought = pairs.loc[pairs["bought"], ["customer_id", "item_id"]].assign(hit=1.0)

    hit = found.merge(bought, how="left", on=["customer_id", "item_id"])["hit"].fillna(0.0)

    assert found["score"].mean() == pytest.approx(hit.mean(), rel=0.25)


def test_the_report_says_what_was_tried_and_chosen(ranker: NextNeedRanker):
    report = ranker.report_

    assert report["slices"] == sorted(report["slices"])
    assert report["own"]["chosen"] in report["own"]["tried"]
    assert set(report["signals"]) == {"return", "rating", "not_interested", "wish", "cart", "view"}
    assert "repeats" in report["sources"]


# -- filters and newcomers ------------------------------------------------------------------


def test_exclude_bought_leaves_nothing_that_was_ever_bought(
    ranker: NextNeedRanker, bookshop_history: History
):
    """Returned purchases included; objectors to profiling are answered like newcomers."""
    found = ranker.recommend(bookshop_history, n=30, exclude_bought=True)
    rows = bookshop_history.to_pandas()
    bought = rows.loc[rows["event"] == "purchase", ["customer_id", "item_id"]].drop_duplicates()
    objects = bookshop_history.customers["objects_to"].fillna("").str.contains("profiling")

    both = found.merge(bought, on=["customer_id", "item_id"])

    assert set(both["customer_id"]) <= set(objects[objects].index)
    assert (found.groupby("customer_id").size() == 30).all()


def test_allowed_items_only_however_rare(ranker: NextNeedRanker, bookshop_history: History):
    rare = ranker.item_ids_[ranker.tables_.popular.order[-3:]].tolist()

    found = ranker.recommend(bookshop_history, allowed=[*rare, "no such item"])

    assert set(found["item_id"]) == set(rare)
    assert (found.groupby("customer_id").size() == 3).all()


def test_says_so_when_the_filters_leave_nothing(ranker: NextNeedRanker, bookshop_history: History):
    with pytest.warns(FilteredOutWarning, match="no item"):
        found = ranker.recommend(bookshop_history, allowed=[])

    assert found.columns.tolist() == COLUMNS
    assert len(found) == 0


def test_customers_come_in_the_order_asked_and_strangers_are_newcomers(
    ranker: NextNeedRanker, bookshop_history: History
):
    """Nobody knows ~nobody: popularity of the moment, as ``newcomer_needs`` stores it."""
    ids = bookshop_history.customer_ids

    found = ranker.recommend(bookshop_history, customers=[ids[9], "~nobody", ids[2]], n=3)

    assert found["customer_id"].unique().tolist() == [ids[9], "~nobody", ids[2]]
    stranger, fresh = found[found["customer_id"] == "~nobody"], ranker.newcomer_needs(n=3)
    assert stranger["item_id"].tolist() == fresh["item_ids"][fresh["item"]].tolist()
    assert stranger["score"].tolist() == expit(fresh["log_odds"]).tolist()
    assert set(stranger["source"]) == {"newcomer"}
    known = ranker.newcomer_log_odds(fresh["item_ids"])[fresh["item"]]
    assert known.tolist() == fresh["log_odds"].tolist()


def test_who_objects_to_profiling_is_answered_like_a_newcomer(
    ranker: NextNeedRanker, bookshop_history: History
):
    objects = bookshop_history.customers["objects_to"] == "profiling"
    someone = objects[objects].index[:1].tolist()

    found = ranker.recommend(bookshop_history, customers=[*someone, "~nobody"], n=5)

    theirs, stranger = (rows.reset_index(drop=True) for _, rows in found.groupby("customer_id"))
    pd.testing.assert_frame_equal(
        theirs.drop(columns="customer_id"), stranger.drop(columns="customer_id"), check_exact=True
    )


def test_a_model_answers_for_items_it_has_never_seen(ranker: NextNeedRanker):
    """A customer of another log of the shop: the new item is an own purchase like any other."""
    rows = {
        "customer_id": ["C042"] * 2,
        "item_id": ["Z-new"] * 2,
        "timestamp": ["2025-02-01", "2025-02-15"],
    }
    history = InteractionLog.from_frame(rows, timezone="UTC", closed_until="2025-03-01")

    found = ranker.recommend(history.as_of("2025-03-01"), n=400)

    assert found.loc[found["item_id"] == "Z-new", "source"].tolist() == ["repeat"]
    assert len(found) == len(ranker.item_ids_) + 1


# -- what customers say ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "value", "raises"),
    [("return", None, False), ("rating", 1.0, False), ("not_interested", None, False),
     ("wish", None, True)],
)  # fmt: skip
def test_what_is_said_of_an_item_moves_it(
    ranker: NextNeedRanker, bookshop: InteractionLog, bookshop_history: History,
    event: str, value: float | None, raises: bool,
):  # fmt: skip
    """One event on the last day, same model: the score of that item goes the right way."""
    who = "C042"
    before = ranker.recommend(bookshop_history, customers=[who], n=500).set_index("item_id")
    item = before.index[before["source"].isin(["popular", "goes_with", "people_like_you"])][0]

    history = log_with(bookshop, [(who, item, event, value)])
    after = ranker.recommend(history, customers=[who], n=500).set_index("item_id")

    assert (after.loc[item, "score"] > before.loc[item, "score"]) == raises
    assert after.loc[item, "score"] != before.loc[item, "score"]
    others = [other for other in before.index if other != item and other in after.index]
    assert after.loc[others, "score"].tolist() == before.loc[others, "score"].tolist()


def test_a_wish_of_a_newcomer_comes_first(ranker: NextNeedRanker, bookshop: InteractionLog):
    rare = ranker.item_ids_[ranker.tables_.popular.order[40]]

    history = log_with(bookshop, [("newcomer", rare, "wish", None)])
    found = ranker.recommend(history, customers=["newcomer"], n=400).set_index("item_id")

    assert found.loc[rare, "source"] == "wished"
    assert found.loc[rare, "score"] > expit(ranker.newcomer_log_odds(np.array([rare]))[0])


# -- thin and wrong data ---------------------------------------------------------------------


def test_thin_data_get_plain_rates_and_one_sentence():
    """Nothing lies in a closed 30-day window: rates and popularity, tea before mug for a."""
    history = thin_log().as_of("2025-01-05")

    with pytest.warns(MinimumDataWarning, match="plain purchase rates"):
        model = NextNeedRanker(random_state=0).fit(history)
    found = model.recommend(history, customers=["a", "c"])

    assert found.loc[found["customer_id"] == "a", "item_id"].tolist() == ["tea", "mug", "jam"]
    assert found.loc[found["customer_id"] == "c", "item_id"].tolist()[0] == "tea"
    assert model.report_["missing"].startswith("needs: 0 candidates")


def test_a_single_purchase_is_enough_to_answer():
    rows = {"customer_id": [1], "item_id": [7], "timestamp": ["2025-01-01"]}
    log = InteractionLog.from_frame(rows, timezone="UTC", closed_until="2025-01-03")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        model = NextNeedRanker().fit(log.as_of("2025-01-02"))

    assert model.recommend(log.as_of("2025-01-02"))["item_id"].tolist() == [7]
    with pytest.raises(IdTypeError, match="whole numbers"):
        model.recommend(thin_log().as_of("2025-01-04"))


def test_refuses_what_it_cannot_learn_or_does_not_offer(bookshop_history: History):
    nothing = bookshop_history.select([])
    with pytest.raises(EmptyHistoryError, match="no purchase"):
        NextNeedRanker().fit(nothing)
    with pytest.raises(ParameterError, match="not available"):
        NextNeedRanker(target_event="contact").fit(bookshop_history)
    with pytest.raises(ParameterError, match="target"):
        NextNeedRanker("basket").fit(bookshop_history)
    with pytest.raises(ParameterError, match="horizon_days"):
        NextNeedRanker(horizon_days=0).fit(bookshop_history)


def test_cart_partners_point_into_the_given_vocabulary(ranker: NextNeedRanker):
    """Strongest first, all weights above 0; an unknown item has none."""
    ids = np.sort(np.append(ranker.item_ids_, np.array(["~new"], dtype=object)))

    found = ranker.item_neighbours(ids, k=3)

    sizes = np.diff(found["offsets"])
    assert len(sizes) == len(ids)
    assert sizes.max() == 3
    assert sizes[-1] == 0
    first = found["weight"][found["offsets"][:-1][sizes > 1]]
    second = found["weight"][found["offsets"][:-1][sizes > 1] + 1]
    assert (first >= second).all()
    assert (found["weight"] > 0).all()


@pytest.mark.slow
def test_beats_own_frequency_on_online_retail(real_data):
    """30 days from 2011-10-01, cancellations as they are; hits among min(10, bought)."""
    path = real_data / "online_retail" / "online_retail.parquet"
    log = InteractionLog.read(
        path, customer_id="CustomerID", item_id="StockCode", timestamp="InvoiceDate",
        quantity="Quantity", price="UnitPrice", order_id="InvoiceNo", timezone="Europe/London",
        negative_quantity="cancel", on_bad_rows="quarantine",
    )  # fmt: skip
    history, outcomes = log.as_of("2011-10-01"), label_outcomes(log, "2011-10-01", 30)
    pairs = outcomes.pairs[outcomes.pairs["bought"]]

    lists = NextNeedRanker(random_state=0).fit(history).recommend(history)

    ours, plain = (
        float(capped_recall_at_k(match_lists(found, pairs)).mean())
        for found in (lists, frequent_lists(history))
    )
    assert ours > 1.02 * plain


def test_three_buyers_can_be_read_by_eye():
    """Ann's coffee comes every two weeks: first in her list, by far."""
    log = load_example("three_buyers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        model = NextNeedRanker(random_state=0).fit(log.as_of("2025-02-01"))

    found = model.recommend(log.as_of("2025-02-01"), customers=["ann"])

    assert found["item_id"].tolist()[0] == "coffee"
    assert found["score"].tolist()[0] > 2 * found["score"].tolist()[1]
