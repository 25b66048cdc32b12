"""The whole: fit, suggest, evaluate, save, refresh, load."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from anticipate import Anticipator, InteractionLog, Scorer
from anticipate.exceptions import (
    CutoffError,
    EmptyHistoryError,
    FutureCutoffWarning,
    MinimumDataWarning,
    ParameterError,
)
from anticipate.testing import random_log


@pytest.fixture(scope="module")
def report(bookshop_model, bookshop):
    return bookshop_model.evaluate(bookshop, "2025-03-01", groups=("country",))


def test_every_part_is_graded_against_its_plain_baselines(report):
    names = [section.name for section in report]

    assert names[:5] == ["needs", "suggestions", "churn", "timing", "guard"]
    assert {"stability", "reasons"} <= set(names)
    assert set(report.grades["needs"]) <= set("ABCD")


def test_the_bookshop_beats_the_plain_rules(report):
    """On simulated data with regular rhythms and tastes anything else would be a defect."""
    assert report.grades["needs"] == "A"
    assert report.grades["churn"] in "AB"
    assert report.grades["timing"] == "A"


def test_every_stated_fact_is_true(report):
    assert report["reasons"].headline.ours == 1.0


def test_the_at_risk_list_holds_still_from_one_day_to_the_next(report):
    assert report["stability"].headline.ours >= 0.95


def test_groups_of_customers_are_reported_apart(report):
    table = report.to_frame(groups=True)

    assert "country" in set(table["grouping"])
    json.dumps(report.to_dict(), allow_nan=False)


def test_evaluating_before_the_model_was_trained_is_refused(bookshop_model, bookshop):
    with pytest.raises(CutoffError, match="its own training"):
        bookshop_model.evaluate(bookshop, "2025-02-01")


def test_evaluating_an_open_window_is_refused(bookshop_model, bookshop):
    with pytest.raises(CutoffError, match="not closed"):
        bookshop_model.evaluate(bookshop, "2025-06-01")


def test_a_later_history_refreshes_states_without_training(bookshop_model, bookshop, tmp_path):
    """Saved with a week more of events: cutoff moves, models stay."""
    later = bookshop.as_of("2025-03-08")
    path = bookshop_model.save(tmp_path / "b", later)

    scorer = Scorer.load(path)
    fresh = scorer.suggest("C042", as_of="2025-03-08", n=9, audience="staff")

    assert scorer.manifest["cutoff_us"] == later.cutoff_us
    assert fresh == bookshop_model.suggest(later, "C042", n=9, audience="staff")
    with pytest.raises(CutoffError, match="ends later"):
        bookshop_model.save(tmp_path / "c", bookshop.as_of("2025-02-01"))


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.AnticipateWarning")
def test_same_input_same_bytes(tmp_path):
    """Of a very small shop; of the bookshop, with trees, in the long series."""
    history = random_log(0, n_customers=12).as_of("2024-10-14")
    first, second = (
        Anticipator(random_state=0).fit(history).save(tmp_path / name) for name in "ab"
    )

    assert (first / "CURRENT").read_bytes() == (second / "CURRENT").read_bytes()


@pytest.mark.slow
def test_same_bookshop_same_bytes(bookshop_history, bookshop_model, tmp_path):
    again = Anticipator(random_state=0).fit(bookshop_history)
    first = bookshop_model.save(tmp_path / "a")
    second = again.save(tmp_path / "b")

    assert (first / "CURRENT").read_bytes() == (second / "CURRENT").read_bytes()


def test_load_gives_the_models_back(bookshop_model, bookshop_bundle, bookshop_history):
    loaded = Anticipator.load(bookshop_bundle)

    ours = loaded.suggest(bookshop_history, "C042", cart=["B-1984-ebook"], n=9, audience="staff")
    theirs = bookshop_model.suggest(
        bookshop_history, "C042", cart=["B-1984-ebook"], n=9, audience="staff"
    )
    assert ours == theirs
    assert loaded.get_params()["horizon_days"] == 30
    with pytest.raises(EmptyHistoryError, match="history="):
        loaded.save(bookshop_bundle.parent / "again")
    loaded.save(bookshop_bundle.parent / "again", bookshop_history)


def test_it_clones_pickles_and_refuses_to_answer_unfitted(bookshop_model, bookshop_history):
    copy = pickle.loads(pickle.dumps(bookshop_model))

    assert copy.suggest(bookshop_history, "C001") == bookshop_model.suggest(
        bookshop_history, "C001"
    )
    with pytest.raises(NotFittedError):
        clone(bookshop_model).suggest(bookshop_history, "C001")


def test_suggestions_know_nothing_of_the_future(bookshop, bookshop_history, bookshop_model):
    """A log cut at the cutoff gives the same answers as the whole one."""
    cut = bookshop.between("2023-01-01", "2025-03-01").as_of("2025-03-01")

    for id_ in bookshop_history.customer_ids[::50]:
        whole = bookshop_model.suggest(bookshop_history, id_, n=9, audience="staff")
        assert bookshop_model.suggest(cut, id_, n=9, audience="staff") == whole


@pytest.mark.parametrize(
    ("arguments", "word"),
    [({"horizon_days": 0}, "horizon_days"), ({"benefits": {"x": (1, 1)}}, "unknown kinds")],
)
def test_wrong_parameters_are_refused_at_fit(bookshop_history, arguments, word):
    with pytest.raises(ParameterError, match=word):
        Anticipator(**arguments).fit(bookshop_history)


def tiny(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "timestamp"])
    return InteractionLog.from_frame(frame, timezone="UTC", closed_until="2025-06-01")


TINY = {
    "one event": [(1, 7, "2025-01-05")],
    "one customer": [(1, 7, f"2025-01-{d:02d}") for d in range(1, 20)],
    "one item": [(c, 7, f"2025-0{m}-{c:02d}") for c in range(1, 20) for m in (1, 2, 3)],
    "all on one day": [(c, c % 3, "2025-01-05") for c in range(30)],
    "everyone once": [(c, c % 5, f"2025-01-{c + 1:02d}") for c in range(28)],
}


@pytest.mark.parametrize("rows", TINY.values(), ids=TINY.keys())
def test_little_data_gets_a_sensible_answer_and_says_so(rows, tmp_path):
    history = tiny(rows).as_of("2025-05-01")
    with pytest.warns(MinimumDataWarning):
        model = Anticipator(random_state=0).fit(history)

    scorer = Scorer.load(model.save(tmp_path / "b"))
    table = scorer.suggest_many(as_of="2025-05-01", n=5)
    churn = scorer.churn(as_of="2025-05-01")

    assert table.probability.between(0, 1).all()
    assert churn.p_churn.between(0, 1).all()
    assert scorer.suggest(999, as_of="2025-05-01")


def test_no_purchase_before_the_cutoff_is_one_clear_error():
    with pytest.raises(EmptyHistoryError, match="no purchase before"):
        Anticipator().fit(tiny(TINY["one event"]).as_of("2025-01-01"))


@pytest.mark.filterwarnings("ignore:duplicates", "ignore:returns")  # nobody returns anything here
def test_integer_ids_stay_integers(tmp_path):
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", "2025-04-30")
    drawn = rng.integers((0, 0, 0), (200, 9, 485), (6000, 3)).tolist()
    rows = [(c, i, days[d % (60 + 2 * c)]) for c, i, d in drawn]  # some leave early
    history = tiny(rows).as_of("2025-05-01")
    model = Anticipator(random_state=0).fit(history)

    found = model.suggest(history, 3)
    table = model.suggest_many(history, [3, 5])

    assert all(isinstance(one.item_id, int) for one in found)
    assert table.customer_id.dtype == np.int64
    with pytest.warns(FutureCutoffWarning):
        Scorer.load(model.save(tmp_path / "b")).suggest(3, as_of="2025-07-01")
