"""The contract hazard: what it asks for, calibration, and the laws of models of histories."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from random_contracts import START, day, gym, log_of, quick

from anticipate.churn.contracts.candidates import CANDIDATES, PLAIN
from anticipate.churn.contracts.hazard import ContractHazard
from anticipate.churn.contracts.rows import Mask, Windows, past_windows
from anticipate.churn.contracts.state import contract_outcomes, contract_state
from anticipate.evaluation.probability_metrics import log_loss
from anticipate.exceptions import (
    CutoffError,
    EmptyHistoryError,
    MinimumDataWarning,
    ParameterError,
    TimeError,
)
from anticipate.log import History, InteractionLog
from anticipate.testing import check_history_model, random_log


@pytest.fixture(scope="module")
def log() -> InteractionLog:
    return gym()


@pytest.fixture(scope="module")
def history(log: InteractionLog) -> History:
    return log.as_of(day(550))


@pytest.fixture(scope="module")
def model(history: History) -> ContractHazard:
    return ContractHazard(60, random_state=0).fit(history)


# -- edge --------------------------------------------------------------------------


def test_without_a_subscription_it_says_what_to_give():
    history = log_of([(1, 0, "purchase"), (1, 9, "lapse")]).as_of(day(50))

    with pytest.raises(EmptyHistoryError, match="'subscribe', 'renew' or 'lapse'"):
        ContractHazard().fit(history)


def test_periods_must_divide_the_horizon(history: History):
    with pytest.raises(ParameterError, match="period_days must divide"):
        ContractHazard(90, period_days=40).fit(history)


@pytest.mark.parametrize("end", ["next spring", 7], ids=["text", "number"])
def test_an_end_that_is_no_time_is_refused(end: object):
    said = pd.DataFrame({"customer_id": [1], "contract_end": [end]})
    history = log_of([(1, 0, "subscribe")], customers=said).as_of(day(5))

    with pytest.raises(TimeError, match="contract_end"):
        contract_state(history)


def test_naive_ends_are_read_in_the_logs_timezone():
    """Midnight in Seoul is 15:00 UTC of the day before: asked at 15:00, 24 h to go."""
    said = pd.DataFrame({"customer_id": [1], "contract_end": ["2025-03-03"]})
    log = log_of([(1, 0, "subscribe")], customers=said, timezone="Asia/Seoul")

    assert contract_state(log.as_of("2025-03-01T15:00Z")).days_to_end[0] == 1


@pytest.mark.parametrize("leaves", [True, False], ids=["all", "none"])
def test_where_all_or_none_churned_the_answer_stays_a_probability(leaves: bool):
    rows = [(customer, 0, "subscribe") for customer in range(30)]
    rows += [(customer, 55 + customer, "lapse") for customer in range(30) if leaves]
    model = quick(log_of(rows).as_of(day(200)))
    p = model.predict(log_of([(1, 0, "subscribe")]).as_of(day(50))).loc[1, "p_churn"]

    assert 0 < p < 1
    assert (p > 0.5) == leaves


def test_one_customer_and_no_closed_window_give_one_hazard():
    """40 d without a closing, periods of 30 d: h = .5 / (2 + 1), P = 1 - (5/6)²; and it warns."""
    history = log_of([(1, 0, "subscribe")], closed_until=START + pd.Timedelta(days=40))
    with pytest.warns(MinimumDataWarning, match="no window of 60 days"):
        model = ContractHazard(60).fit(history.as_of(day(40)))

    assert model.predict(history.as_of(day(40))).loc[1, "p_churn"] == pytest.approx(11 / 36)


def test_a_window_that_is_not_closed_is_not_labelled(log: InteractionLog, history: History):
    with pytest.raises(CutoffError, match="not closed"):
        contract_outcomes(log, day(700), 60)
    data = past_windows(history, 60, ["n_events"])

    assert max(data.cutoffs) + pd.Timedelta(days=60) <= day(550)


def test_customers_without_a_contract_and_strangers_get_no_number(model: ContractHazard):
    history = log_of([(1, 0, "subscribe"), (1, 9, "lapse"), (2, 0, "view")]).as_of(day(20))
    table = model.predict(history, customers=[77, 1, 2])

    assert table.index.tolist() == [77, 1, 2]
    assert table["p_churn"].isna().all()
    assert not table["open"].any()
    assert np.isnan(model.predict_log_odds(history)).all()


def test_objectors_change_nothing_and_get_no_number():
    rows = [(c, 0, "subscribe") for c in (1, 2, 3)] + [(2, 70, "lapse")]
    said = pd.DataFrame({"customer_id": [3], "objects_to": ["profiling"]})
    history = log_of([*rows, (3, 90, "lapse")], customers=said).as_of(day(200))
    model, without = quick(history), quick(log_of(rows[:2] + rows[3:]).as_of(day(200)))
    table = model.predict(history.as_of(day(50)))

    assert table.loc[1, "p_churn"] == without.predict(history.as_of(day(50))).loc[1, "p_churn"]
    assert np.isnan(table.loc[3, ["p_churn", "tenure_days"]].astype(float)).all()
    assert table.loc[3, "reason"] == "no contract of this customer is known"
    assert model.report_["n_left_out"] == 1


def test_undated_ends_are_named_in_the_report():
    said = pd.DataFrame({"customer_id": [1], "contract_end": ["2026-01-01"]})
    model = quick(log_of([(1, 0, "subscribe")], customers=said).as_of(day(200)))

    assert any("valid_from" in sentence for sentence in model.report_["missing"])


# -- law ---------------------------------------------------------------------------


def test_what_was_stated_or_known_later_is_not_seen():
    """The end moved on day 60, the lapse of day 40 known on day 60: on day 50 neither is seen."""
    rows = [(1, 0, "subscribe"), (2, 0, "subscribe"), (2, 40, "lapse")]
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "event"])
    frame["known_at"] = START + pd.to_timedelta([0, 0, 60], unit="D")
    frame["timestamp"] = START + pd.to_timedelta(frame.pop("day"), unit="D")
    ends = pd.DataFrame({"customer_id": [1, 1], "contract_end": ["2025-04-01", "2025-03-10"]})
    ends["valid_from"] = START + pd.to_timedelta([0, 60], unit="D")
    log = InteractionLog.from_frame(
        frame.assign(item_id=1), event="event", known_at="known_at", timezone="UTC",
        customers=ends, closed_until=START + pd.Timedelta(days=300),
    )  # fmt: skip
    early, late = (contract_state(log.as_of(day(at))) for at in (50, 61))

    assert (early.open.tolist(), early.days_to_end[0]) == ([True, True], 40)
    assert (late.open.tolist(), late.days_to_end[0]) == ([True, False], 7)
    # What is known by now labels: 1 closed on day 68, and 2 was gone already.
    assert contract_outcomes(log, day(50), 30)["closed_after_days"].tolist() == [18, 0]


def test_survival_never_rises_and_ends_at_the_probability(model: ContractHazard, history: History):
    survival, table = model.survival(history), model.predict(history)
    steps = np.diff(survival.dropna().to_numpy(), axis=1)

    assert survival.columns.tolist() == [30, 60]
    assert (steps < 0).all()
    np.testing.assert_allclose(1 - survival[60], table["p_churn"], rtol=1e-12)
    assert (survival[60].notna() == table["open"]).all()


def test_it_is_calibrated_and_beats_the_life_table(
    model: ContractHazard, log: InteractionLog, history: History
):
    """Of contracts that end in the window 5 % close if the customer visits, else 60 %."""
    truth, table = contract_outcomes(log, day(550), 60), model.predict(history)
    is_open = truth["open"].to_numpy()
    y, p = truth.loc[is_open, "closed"], table.loc[is_open, "p_churn"]
    ends = table.loc[is_open, "days_to_end"].to_numpy() < 60
    looked = set(history.to_pandas().query("event == 'view'")["customer_id"])
    visits = y.index.isin(looked)
    plain = pickle.loads(pickle.dumps(model))
    plain.report_["model"] = "life_table"
    by_age = plain.predict(history).loc[is_open, "p_churn"]

    assert model.report_["model"] not in PLAIN
    assert model.report_["gain_over_life_table"] > 0.2
    assert log_loss(y, p) < 0.8 * log_loss(y, by_age)
    assert p[ends & visits].mean() == pytest.approx(0.05, abs=0.05)
    assert p[ends & ~visits].mean() == pytest.approx(0.6, abs=0.12)
    assert p[~ends].mean() < 0.05
    assert p.mean() == pytest.approx(y.mean(), abs=0.05)


def test_a_held_out_window_is_in_no_fit_that_it_judges(
    history: History, monkeypatch: pytest.MonkeyPatch
):
    """Every window learned from is closed when the held-out one begins."""
    seen = []

    def judge(data: Windows, train: Mask, test: Mask, *_: object) -> dict[str, Any]:
        at = np.array(data.cutoffs)
        closed = at[data.slice[train]].max() + pd.Timedelta(days=60)
        seen.append(closed <= at[data.slice[test]].min())
        return dict.fromkeys(CANDIDATES, np.full(test.sum(), 0.5))

    monkeypatch.setattr("anticipate.churn.contracts.choice._judge", judge)
    quick(history)

    assert seen == [True, True]


@pytest.mark.parametrize("chosen", CANDIDATES)
def test_one_customer_alone_is_the_same_as_in_the_batch(
    model: ContractHazard, history: History, chosen: str
):
    """Bit for bit, whichever candidate was chosen."""
    model = pickle.loads(pickle.dumps(model))
    model.report_["model"] = chosen
    batch = model.predict(history)

    assert len(model.predict(history, customers=[])) == 0
    for customer in (0, 17, 311):
        alone = model.predict(history, customers=[customer])
        pd.testing.assert_frame_equal(alone, batch.loc[[customer]], check_exact=True)


@pytest.mark.parametrize("learnt", [False, True], ids=["life tables", "blend"])
def test_the_model_keeps_the_laws_of_models_of_histories(
    learnt: bool, monkeypatch: pytest.MonkeyPatch
):
    """Leaks, order, batch, seed, storage: the library's own checks."""
    if learnt:
        monkeypatch.setattr("anticipate.churn.contracts.choice.MIN_WINDOWS", 1)
        monkeypatch.setattr("anticipate.churn.contracts.choice.learnable", lambda left: left.any())
        monkeypatch.setattr(
            "anticipate.churn.contracts.choice._ranking", lambda losses: {"model": "blend"}
        )
    check_history_model(ContractHazard(40, random_state=0), random_log(2, n_customers=60))


def test_nothing_at_or_after_the_cutoff_is_seen(model: ContractHazard, history: History):
    """The log of a world that ends at the cutoff, rows in another order, gives the same model."""
    rows = history.to_pandas().sample(frac=1, random_state=1)
    facts = history.customer_attributes
    ends = facts.table.assign(
        customer_id=facts.ids, valid_from=pd.to_datetime(facts.valid_from, unit="us", utc=True)
    )
    cut = InteractionLog.from_frame(
        rows[["customer_id", "item_id", "timestamp", "event"]], event="event", timezone="UTC",
        customers=ends.sample(frac=1, random_state=2), closed_until=day(550),
    )  # fmt: skip
    again = ContractHazard(60, random_state=0).fit(cut.as_of(day(550)))

    assert again.report_ == model.report_
    pd.testing.assert_frame_equal(again.predict(history), model.predict(history), check_exact=True)


def test_models_survive_arrays_and_pickle(model: ContractHazard, history: History):
    """Predictions, report and settings; the input is not changed."""
    before, expected = history.to_pandas(), model.predict(history)
    for copy in (ContractHazard.from_arrays(model.to_arrays()), pickle.loads(pickle.dumps(model))):
        pd.testing.assert_frame_equal(copy.predict(history), expected, check_exact=True)
        assert copy.report_ == model.report_
        assert copy.get_params() == model.get_params()
    pd.testing.assert_frame_equal(history.to_pandas(), before)
