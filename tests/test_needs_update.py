"""Counting again at a later cutoff: what changes, what stays, when to fit again."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from anticipate.exceptions import EmptyHistoryError, MinimumDataWarning
from anticipate.log import History, InteractionLog
from anticipate.log.objections import objectors
from anticipate.needs import NextNeedRanker
from anticipate.needs.stored import Fitted
from anticipate.needs.update import DRIFT, LEAST_EXPECTED
from anticipate.outcomes import label_outcomes
from anticipate.testing.compare import difference
from anticipate.testing.futures import full_table, remade

FIT, LATER = "2025-03-01", "2025-04-15"


@pytest.fixture(scope="module")
def stored(bookshop_history: History) -> dict[str, Any]:
    return NextNeedRanker(random_state=0).fit(bookshop_history).to_arrays()


@pytest.fixture
def ranker(stored: dict[str, Any]) -> NextNeedRanker:
    """Fitted on 1 March."""
    return NextNeedRanker.from_arrays(stored).set_params(random_state=0)


def consenting(history: History) -> History:
    """Customers who do not object to profiling."""
    return history.select(history.customer_ids[~objectors(history)])


def purchases(n_customers: int, rate: float, until: int = 240, stop: int = 10**9) -> InteractionLog:
    """Customers who each buy one of three things with the same chance every day, to day stop."""
    draw = np.random.default_rng(0)
    who, day = np.nonzero(draw.random((n_customers, until)) < rate)
    item = np.array(["jam", "mug", "tea"])[draw.integers(0, 3, len(who))]
    kept = day < stop
    rows = {
        "customer_id": [f"c{number:03d}" for number in who[kept]], "item_id": item[kept],
        "timestamp": pd.Timestamp("2025-01-01 12:00") + pd.to_timedelta(day[kept], "D"),
    }  # fmt: skip
    end = pd.Timestamp("2025-01-01") + pd.Timedelta(days=until)
    return InteractionLog.from_frame(rows, timezone="UTC", closed_until=end)


def day(number: int) -> str:
    return str((pd.Timestamp("2025-01-01") + pd.Timedelta(days=number)).date())


def test_the_same_history_again_changes_no_bit(ranker: NextNeedRanker, bookshop_history: History):
    before = ranker.recommend(bookshop_history, n=40)

    assert ranker.update(bookshop_history) is ranker

    after = ranker.recommend(bookshop_history, n=40)
    pd.testing.assert_frame_equal(after, before, check_exact=True)


def test_tables_are_those_of_the_later_history_and_weights_stay(
    ranker: NextNeedRanker, bookshop: InteractionLog
):
    """Beside tables counted afresh on 15 April; every learned weight has the same bits."""
    history, learned = bookshop.as_of(LATER), ranker.fitted_.learned
    clock = ranker.fitted_.tables.clock
    earlier = ranker.fitted_.tables.popular.recent

    ranker.update(history)

    afresh = Fitted.of(consenting(history), learned, clock, np.random.RandomState(0))
    settings: dict[str, Any] = {}
    expected, found = afresh.to_arrays(settings), ranker.fitted_.to_arrays(settings)
    assert difference(expected, found) is None
    for name in ("tail", "own", "new"):
        weights = (getattr(part, name).to_arrays() for part in (learned, ranker.fitted_.learned))
        assert difference(*weights, what=name) is None
    assert ranker.fitted_.learned.shifts.tolist() == learned.shifts.tolist()
    assert ranker.fitted_.tables.popular.recent.tolist() != earlier.tolist()
    assert ranker.cutoff_ == history.cutoff


def test_the_report_says_what_was_foreseen_and_what_came(
    ranker: NextNeedRanker, bookshop: InteractionLog, bookshop_history: History
):
    """Lists of 1 March beside what was bought in the 30 days after it, counted by hand.

    Without those who object to profiling.
    """
    found = ranker.recommend(bookshop_history, n=10)
    found = found[found["customer_id"].isin(consenting(bookshop.as_of(LATER)).customer_ids)]
    pairs = label_outcomes(bookshop, FIT, 30).pairs
    hits = found.merge(pairs[pairs["bought"]], on=["customer_id", "item_id"])

    ranker.update(bookshop.as_of(LATER))

    said = ranker.report_["update"]
    assert set(said) == {"days_since_fit", "refit_due", "why", "expected", "observed"}
    assert said["days_since_fit"] == 45.0
    assert said["observed"] == len(hits)
    assert said["expected"] == pytest.approx(found["score"].sum(), abs=1e-3)
    assert (said["refit_due"], said["why"]) == (False, "")
    assert {"slices", "own", "signals", "ratings"} <= set(ranker.report_)
    json.dumps(ranker.report_)


def test_an_open_window_is_not_judged(ranker: NextNeedRanker, bookshop: InteractionLog):
    ranker.update(bookshop.as_of("2025-03-20"))

    assert set(ranker.report_["update"]) == {"days_since_fit", "refit_due", "why"}
    assert ranker.report_["update"]["days_since_fit"] == 19.0


def test_a_refit_is_due_where_purchases_stopped_coming():
    """Everybody buys until day 150 and then a quarter of them still does; fitted on day 150."""
    steady, most = purchases(120, 0.1), purchases(90, 0.1, stop=150)
    table = full_table(steady)
    gone = table["customer_id"].isin(most.as_of(day(240)).customer_ids)
    late = table["timestamp"] >= pd.Timestamp(day(150), tz="UTC")
    drifted = remade(steady, table[~(gone & late)])
    model = NextNeedRanker(random_state=0).fit(steady.as_of(day(150)))
    arrays = model.to_arrays()

    kept = model.update(steady.as_of(day(190))).report_["update"]
    fell = NextNeedRanker.from_arrays(arrays).update(drifted.as_of(day(190))).report_["update"]

    assert min(kept["expected"], fell["expected"]) > LEAST_EXPECTED
    assert 1 / DRIFT < kept["observed"] / kept["expected"] < DRIFT
    assert (kept["refit_due"], kept["why"]) == (False, "")
    assert fell["observed"] / fell["expected"] < 1 / DRIFT
    assert (fell["refit_due"], fell["why"]) == (True, "purchases among the lists drifted")


def test_a_refit_is_due_six_horizons_after_the_fit():
    log = purchases(60, 0.1)
    model = NextNeedRanker(horizon_days=7, random_state=0).fit(log.as_of(day(150)))

    soon = model.update(log.as_of(day(192))).report_["update"]
    late = model.update(log.as_of(day(193))).report_["update"]

    assert (soon["days_since_fit"], soon["refit_due"]) == (42.0, False)
    assert (late["days_since_fit"], late["refit_due"]) == (43.0, True)
    assert late["why"] == "fitted more than 6 horizons ago"


def test_the_next_basket_has_no_window_to_judge_by():
    log = purchases(60, 0.1)
    model = NextNeedRanker("next_basket", random_state=0).fit(log.as_of(day(150)))

    said = model.update(log.as_of(day(190))).report_["update"]

    assert said["why"].startswith("not judged")
    assert set(said) == {"days_since_fit", "refit_due", "why"}


def test_new_items_and_customers_are_known_after_an_update():
    """The shop starts to sell pots, to one more customer."""
    log = purchases(60, 0.1)
    model = NextNeedRanker(random_state=0).fit(log.as_of(day(150)))
    more = {
        "customer_id": ["zoe"] * 3, "item_id": ["pot"] * 3,
        "timestamp": [day(160), day(165), day(170)],
    }  # fmt: skip
    later = log.extend(InteractionLog.from_frame(more, timezone="UTC")).as_of(day(190))
    assert "pot" not in model.item_ids_

    found = model.update(later).recommend(later, customers=["zoe"], n=1)

    assert "pot" in model.item_ids_
    assert found[["item_id", "source"]].to_numpy().tolist() == [["pot", "repeat"]]


def test_an_updated_model_survives_arrays(ranker: NextNeedRanker, bookshop: InteractionLog):
    """Lists, report and the day of the fit: a further update counts from it."""
    history = bookshop.as_of(LATER)
    ranker.update(history)

    again = NextNeedRanker.from_arrays(ranker.to_arrays())

    wanted = ranker.recommend(history)
    pd.testing.assert_frame_equal(again.recommend(history), wanted, check_exact=True)
    assert again.report_["update"] == ranker.report_["update"]
    assert again.cutoff_ == ranker.cutoff_
    again.set_params(random_state=0).update(bookshop.as_of("2025-06-01"))
    assert again.report_["update"]["days_since_fit"] == 92.0


def test_there_must_be_something_to_update():
    log = purchases(60, 0.1)
    with pytest.raises(NotFittedError):
        NextNeedRanker().update(log.as_of(day(150)))
    model = NextNeedRanker(random_state=0).fit(log.as_of(day(150)))
    with pytest.raises(EmptyHistoryError, match="no purchase"):
        model.update(log.as_of(day(190)).select([]))


def test_a_second_update_judges_lists_made_without_the_first_ones_tables(bookshop):
    """Fit on 1 January; updates on 15 February and 1 April. The window judged then starts on
    15 February, with tables of 15 February."""
    arrays = NextNeedRanker(random_state=0).fit(bookshop.as_of("2025-01-01")).to_arrays()
    model = NextNeedRanker.from_arrays(arrays).set_params(random_state=0)
    model.update(bookshop.as_of("2025-02-15"))
    lists = model.recommend(bookshop.as_of("2025-02-15"), n=10)
    known = consenting(bookshop.as_of("2025-04-01")).customer_ids
    lists = lists[lists["customer_id"].isin(known)]

    model.update(bookshop.as_of("2025-04-01"))

    said = model.report_["update"]
    assert said["days_since_fit"] == 90.0
    assert said["expected"] == pytest.approx(lists["score"].sum(), abs=1e-3)


def test_the_same_history_again_changes_no_bit_of_factors(bookshop_history, monkeypatch):
    monkeypatch.setattr("anticipate.needs.factors.LEAST_ITEMS", 50)
    monkeypatch.setattr("anticipate.needs.factors.LEAST_CUSTOMERS", 50)
    monkeypatch.setattr("anticipate.needs.training.helpful_sources", lambda *_: (["factors"], {}))
    model = NextNeedRanker(random_state=0).fit(bookshop_history)
    before = model.recommend(bookshop_history)

    after = model.update(bookshop_history).recommend(bookshop_history)

    pd.testing.assert_frame_equal(after, before, check_exact=True)


def test_an_update_keeps_what_the_report_says_of_topics(bookshop):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        model = NextNeedRanker(target_event="contact", random_state=0).fit(bookshop.as_of(FIT))

    assert "without_topic" in model.update(bookshop.as_of(LATER)).report_
