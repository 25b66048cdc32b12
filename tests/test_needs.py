"""Next needs as users meet them: the laws, the table, filters, newcomers, signals, thin data."""

from __future__ import annotations

import json
import pickle
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
from anticipate.needs.for_serving import (
    candidate_arrays,
    newcomer_arrays,
    newcomer_log_odds,
    partner_arrays,
)
from anticipate.needs.said import SAID
from anticipate.needs.signals import KINDS
from anticipate.needs.sources import EVERY
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


@pytest.mark.parametrize(
    ("target", "target_event"),
    [("horizon", "purchase"), ("next_basket", "purchase"), ("horizon", "contact")],
)
def test_keeps_the_laws_of_history_models(target: str, target_event: str):
    model = NextNeedRanker(target, target_event=target_event, random_state=0)
    check_history_model(model, random_log(0))


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

    stored = candidate_arrays(ranker, bookshop_history)

    assert stored["item_ids"].tolist() == bookshop_history.item_ids.tolist()
    assert stored["item_ids"][stored["item"]].tolist() == table["item_id"].tolist()
    assert expit(stored["log_odds"]).tolist() == table["score"].tolist()
    assert [SOURCES[code] for code in stored["source"]] == table["source"].tolist()
    assert np.diff(stored["offsets"]).tolist() == [32] * bookshop_history.n_customers


def test_facts_can_be_recomputed_from_the_log(ranker: NextNeedRanker, bookshop_history: History):
    """Purchase days, mean gap, days since the last one of a repeat; buyers of the last 30 days."""
    stored = candidate_arrays(ranker, bookshop_history)
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
    """Each kind's choice is one tried; each source has a cost, paid by those that stayed."""
    report = ranker.report_

    assert report["slices"] == sorted(report["slices"])
    for kind in ("tail", "own", "new"):
        assert report[kind]["chosen"] in report[kind]["tried"]
        assert {"slope", "error"} <= set(report["calibration_on_newest_slice"][kind])
    assert set(report["signals"]) == {*KINDS, "disliked_alike", "liked_alike"} == set(SAID)
    assert report["sources"] == ["repeats", "popular", *ranker.fitted_.tables.sources]
    assert set(report["log_loss_cost_without_source"]) == set(EVERY)
    assert {"rmse", "rmse_mean"} <= set(report["ratings"])


def test_what_speaks_against_keeps_its_sign(ranker: NextNeedRanker):
    """Whatever the data say: dislikes below 0, wishes above it."""
    signals = ranker.report_["signals"]
    against = {"return", "rating", "not_interested", "disliked_alike"}

    assert {name for name, weight in signals.items() if weight < 0} == against
    assert all(abs(weight) >= 0.1 for weight in signals.values())


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
    rare = ranker.item_ids_[ranker.fitted_.tables.popular.order[-3:]].tolist()

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
    """Nobody knows ~nobody: popularity of the moment, as ``newcomer_arrays`` stores it."""
    ids = bookshop_history.customer_ids

    found = ranker.recommend(bookshop_history, customers=[ids[9], "~nobody", ids[2]], n=3)

    assert found["customer_id"].unique().tolist() == [ids[9], "~nobody", ids[2]]
    stranger, fresh = found[found["customer_id"] == "~nobody"], newcomer_arrays(ranker, n=3)
    assert stranger["item_id"].tolist() == fresh["item_ids"][fresh["item"]].tolist()
    assert stranger["score"].tolist() == expit(fresh["log_odds"]).tolist()
    assert set(stranger["source"]) == {"newcomer"}
    known = newcomer_log_odds(ranker, fresh["item_ids"])[fresh["item"]]
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


def club_log(n: int = 150) -> InteractionLog:
    """Two clubs, every member listed from the first day and shopping from some day on.

    One buys tea, pots and jam; the other nails, hammers and saws. n0 to n11 never shopped.
    """
    draw, rows = np.random.default_rng(0), []
    goods = {"tea": ["tea", "pot", "jam"], "tools": ["nail", "hammer", "saw"]}
    club = ["tea" if number % 2 else "tools" for number in range(n)]
    for number in range(n):
        for day in np.flatnonzero(draw.random(200) < 0.06):
            if day > 1.3 * number:
                rows.append((f"c{number:03d}", draw.choice(goods[club[number]]), int(day)))
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "day"])
    table["timestamp"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(table["day"], "D")
    names = [f"c{number:03d}" for number in range(n)] + [f"n{number}" for number in range(12)]
    facts = {"club": [*club, *(["tea", "tools"] * 6)]}
    facts |= {"objects_to": [None] * (n + 11) + ["profiling"]}
    customers = pd.DataFrame({"customer_id": names} | facts)
    return InteractionLog.from_frame(
        table, timezone="UTC", closed_until="2025-07-20", customers=customers
    )


def test_a_newcomer_gets_what_their_group_buys():
    """n0 joined the tea club, n1 the tools club, n11 too but objects: as for nobody known."""
    history = club_log().as_of("2025-07-15")
    model = NextNeedRanker(random_state=0).fit(history)

    found = model.recommend(history, customers=["n0", "n1", "n11", "~nobody"], n=3)

    lists = {who: set(rows["item_id"]) for who, rows in found.groupby("customer_id")}
    assert lists["n0"] == {"tea", "pot", "jam"}
    assert lists["n1"] == {"nail", "hammer", "saw"}
    assert "group" in set(found.loc[found["customer_id"] == "n0", "source"])
    assert model.report_["newcomers"]["weight_of_group"] > 0
    columns = ["item_id", "score", "rank", "source"]
    objector, nobody = (
        found.loc[found["customer_id"] == who, columns].to_numpy().tolist()
        for who in ("n11", "~nobody")
    )
    assert objector == nobody


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
    """One event on the last day, same model: the item goes the right way.

    Items unlike it keep their bits; what speaks against it lowers those like it.
    """
    who = "C042"
    before = ranker.recommend(bookshop_history, customers=[who], n=500).set_index("item_id")
    item = before.index[before["source"].isin(["popular", "goes_with", "people_like_you"])][0]

    history = log_with(bookshop, [(who, item, event, value)])
    after = ranker.recommend(history, customers=[who], n=500).set_index("item_id")

    assert (after.loc[item, "score"] > before.loc[item, "score"]) == raises
    assert after.loc[item, "score"] != before.loc[item, "score"]
    alike = set() if raises else set(similar_to(ranker, item))
    others = [other for other in before.index if other not in {item, *alike}]
    assert len(others) > 20
    assert after.loc[others, "score"].tolist() == before.loc[others, "score"].tolist()
    assert all(after.loc[other, "score"] < before.loc[other, "score"] for other in alike)


def similar_to(ranker: NextNeedRanker, item: Any) -> list[Any]:
    """Items that an opinion about this one is carried over to."""
    tables = ranker.fitted_.tables
    row = tables.alike[int(np.flatnonzero(tables.item_ids == item)[0])]
    return tables.item_ids[row.indices].tolist()


@pytest.mark.parametrize(("event", "value"), [("not_interested", np.nan), ("rating", 1.0)])
def test_a_dislike_never_raises_anything(event: str, value: float):
    """Ten customers of a simulated log, one more word against one item each, same model."""
    log = random_log(1, n_customers=120)
    cutoff = log.start + (log.end - log.start) * 0.75
    model = NextNeedRanker(random_state=0).fit(log.as_of(cutoff))
    draw, lowered = np.random.default_rng(0), 0
    for who in draw.choice(log.as_of(cutoff).customer_ids, 10, replace=False):
        item = draw.choice(model.item_ids_)
        more = {
            "customer_id": [who], "item_id": [item], "event": [event],
            "timestamp": [cutoff - pd.Timedelta(hours=1)], "value": [value],
        }  # fmt: skip
        later = log.extend(
            InteractionLog.from_frame(more, event="event", value="value", timezone="UTC")
        )
        before, after = (
            model.recommend(part.as_of(cutoff), customers=[who], n=500)
            .set_index("item_id")["score"] for part in (log, later)
        )  # fmt: skip
        assert sorted(after.index) == sorted(before.index)
        after = after[before.index]
        assert (after <= before).all()
        lowered += int((after < before).sum())

    assert lowered > 10


def test_a_wish_of_a_newcomer_comes_first(ranker: NextNeedRanker, bookshop: InteractionLog):
    rare = ranker.item_ids_[ranker.fitted_.tables.popular.order[40]]

    history = log_with(bookshop, [("newcomer", rare, "wish", None)])
    found = ranker.recommend(history, customers=["newcomer"], n=400).set_index("item_id")

    assert found.loc[rare, "source"] == "wished"
    assert found.loc[rare, "score"] > expit(newcomer_log_odds(ranker, np.array([rare]))[0])


# -- other questions -------------------------------------------------------------------------


def test_the_next_contact_is_ranked_by_topic(bookshop: InteractionLog):
    """On 1 June: topics for items; probabilities, ranks and sources as ever."""
    history = bookshop.as_of("2025-06-01")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        model = NextNeedRanker(horizon_days=60, target_event="contact", random_state=0)
        model.fit(history)

    found = model.recommend(history, n=2)

    assert found.columns.tolist() == ["customer_id", "topic", *COLUMNS[2:]]
    assert set(model.item_ids_) >= set(found["topic"])
    assert (found.groupby("customer_id").size() == 2).all()
    assert model.report_["without_topic"] == 0
    stored = candidate_arrays(model, history, n=2)
    assert stored["item_ids"][stored["item"]].tolist() == found["topic"].tolist()


def test_expected_ratings_answer_pairs_as_they_stand(
    ranker: NextNeedRanker, bookshop_history: History
):
    """A pair rated already keeps its rating; the rest lie on the scale; strangers get a mean."""
    rows = bookshop_history.to_pandas()
    rated = rows[rows["event"] == "rating"].drop_duplicates(["customer_id", "item_id"], keep="last")
    pairs = rated[["customer_id", "item_id"]].iloc[:5].iloc[::-1]
    strange = pd.DataFrame(
        {"customer_id": ["~nobody", "C042"], "item_id": [rows["item_id"][0], "?"]}
    )
    pairs = pd.concat([pairs, strange, pairs.iloc[:1]], ignore_index=True)
    pairs.index = pairs.index[::-1] * 10

    found = ranker.expected_rating(bookshop_history, pairs)

    assert found.name == "expected_rating"
    assert found.index.tolist() == pairs.index.tolist()
    own = rated["value"].iloc[:5].tolist()[::-1]
    assert found.tolist()[:5] == own
    assert found.tolist()[-1] == own[0]
    assert found.between(rated["value"].min(), rated["value"].max()).all()
    alone = ranker.expected_rating(bookshop_history, pairs.iloc[5:6])
    assert alone.tolist() == found.tolist()[5:6]
    assert ranker.expected_rating(bookshop_history, pairs.iloc[:0]).empty


def test_without_ratings_none_is_expected():
    history = club_log(40).as_of("2025-07-15")
    pairs = pd.DataFrame({"customer_id": ["c001"], "item_id": ["tea"]})

    found = NextNeedRanker(random_state=0).fit(history).expected_rating(history, pairs)

    assert found.isna().tolist() == [True]


def as_text(report: dict[str, Any]) -> str:
    return json.dumps(report, sort_keys=True)


def test_everything_fitted_survives_arrays_and_pickles(
    ranker: NextNeedRanker, bookshop_history: History
):
    """Lists, ratings, report, cutoff and parameters, bit for bit; no object in the arrays."""
    arrays = ranker.to_arrays()

    again = [NextNeedRanker.from_arrays(arrays), pickle.loads(pickle.dumps(ranker))]

    assert all(array.dtype != object for array in arrays.values())
    pairs = ranker.recommend(bookshop_history, n=3)[["customer_id", "item_id"]]
    expected = ranker.expected_rating(bookshop_history, pairs)
    wanted = ranker.recommend(bookshop_history, n=40)
    for model in again:
        found = model.recommend(bookshop_history, n=40)
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)
        assert model.expected_rating(bookshop_history, pairs).tolist() == expected.tolist()
        assert as_text(model.report_) == as_text(ranker.report_)
        assert model.cutoff_ == ranker.cutoff_
        assert sorted(model.to_arrays()) == sorted(arrays)


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
    with pytest.raises(ParameterError, match="target_event"):
        NextNeedRanker(target_event="talk").fit(bookshop_history)
    with pytest.raises(EmptyHistoryError, match="no contact before the cutoff"):
        NextNeedRanker(target_event="contact").fit(thin_log().as_of("2025-01-05"))
    with pytest.raises(ParameterError, match="target"):
        NextNeedRanker("basket").fit(bookshop_history)
    with pytest.raises(ParameterError, match="horizon_days"):
        NextNeedRanker(horizon_days=0).fit(bookshop_history)


def test_cart_partners_point_into_the_given_vocabulary(ranker: NextNeedRanker):
    """Strongest first, all weights above 0; an unknown item has none."""
    ids = np.sort(np.append(ranker.item_ids_, np.array(["~new"], dtype=object)))

    found = partner_arrays(ranker, ids, k=3)

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
