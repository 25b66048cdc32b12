"""Who is leaving: purchase summaries, segments and reasons, the classifier, the model."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from random_shops import bought, day, log_of, quick, shop
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from anticipate.churn import ChurnClassifier, ChurnModel, purchase_summary
from anticipate.churn.candidates import BTYD, CANDIDATES
from anticipate.churn.choice import rank, rolling_folds
from anticipate.churn.describer import Describer
from anticipate.churn.families import FAMILIES
from anticipate.churn.linear import fit_linear, linear_log_odds
from anticipate.churn.rows import training_rows
from anticipate.churn.summary import history_state
from anticipate.columns import EVENT_CODES
from anticipate.exceptions import EmptyHistoryError, MinimumDataWarning, ParameterError
from anticipate.kernels import purchases
from anticipate.kernels.btyd import BetaGeo, log_odds_no_purchase
from anticipate.kernels.churn import (
    REASON_FACTS,
    REASONS,
    SEGMENTS,
    ChurnParameters,
    churn_table,
    parameters_from_array,
    parameters_to_array,
)
from anticipate.kernels.spend import GammaGamma
from anticipate.log import History, InteractionLog
from anticipate.log.objections import objectors
from anticipate.suggestions.churn_words import SENTENCES, reason_facts, reason_sentences
from anticipate.testing import check_history_model, random_log

PARAMETERS = ChurnParameters(
    btyd=BetaGeo(r=0.8, alpha=30.0, a=0.8, b=4.0, m=1),
    spend=GammaGamma(p=4.0, q=5.0, v=20.0),
    horizon_days=90.0,
    newcomer_offset=0.5,
    typical_gap_days=20.0,
    usual_gap_days=60.0,
    at_risk=0.5,
    departed=0.9,
)


@pytest.fixture(scope="module")
def history() -> History:
    return shop().as_of("2024-10-01")


@pytest.fixture(scope="module")
def model(history: History) -> ChurnModel:
    return ChurnModel(horizon_days=60, random_state=0).fit(history)


# -- by hand -----------------------------------------------------------------------


def test_summary_counts_days_not_lines():
    """Days 0, 0, 10, 30; cutoff day 40. 2 repeats, last at 30, age 40; 40 / 3 per day."""
    rows = [*bought(1, 0, 0, 10, 30), (1, 35, "view", np.nan)]
    summary = purchase_summary(log_of(rows).as_of(day(40)))

    assert summary.loc[1].to_dict() == {
        "n_repeats": 2,
        "last_repeat_days": 30,
        "age_days": 40,
        "n_priced_days": 3,
        "mean_spend": pytest.approx(40 / 3),
        "log_gap_sum": pytest.approx(np.log(10) + np.log(20)),
    }


def test_unknown_prices_are_left_out_of_the_spend():
    """Two days, one priced at 8: 8 per priced day, not 4. None priced: NaN."""
    rows = [*bought(1, 0, price=8), *bought(1, 9, price=np.nan), *bought(2, 3, price=np.nan)]
    summary = purchase_summary(log_of(rows).as_of(day(40)))

    assert summary.loc[1, ["n_repeats", "n_priced_days", "mean_spend"]].tolist() == [1, 1, 8]
    assert np.isnan(summary.loc[2, "mean_spend"])


def test_what_came_back_is_no_spend():
    """Days 0 and 9 at 10; day 9 cancelled on day 9: 10 on 1 day, and still 1 repeat."""
    rows = [*bought(1, 0, 9), (1, 9, "cancel", 10.0)]
    summary = purchase_summary(log_of(rows).as_of(day(40)))

    assert summary.loc[1, ["n_repeats", "n_priced_days", "mean_spend"]].tolist() == [1, 1, 10]


def test_a_purchase_day_is_local():
    """23:30 and 00:30 UTC are one evening in New York and two days in UTC."""
    rows = {"customer_id": [1, 1], "item_id": [1, 1]}
    rows["timestamp"] = ["2025-03-03T23:30Z", "2025-03-04T00:30Z"]
    for timezone, n_repeats in (("America/New_York", 0), ("UTC", 1)):
        log = InteractionLog.from_frame(rows, timezone=timezone, closed_until="2025-04-01")
        assert purchase_summary(log.as_of("2025-03-20")).loc[1, "n_repeats"] == n_repeats


def test_usual_gap_is_the_one_that_nine_tenths_do_not_exceed():
    """Gaps 1..10: the ninth, 9. Without the last gap (10), 1..9: ceil(8.1) = the ninth, 9."""
    days = np.cumsum([0, *range(1, 11)])
    state = history_state(log_of(bought(1, *days)).as_of(day(60)))

    assert (state.usual_gap_days[0], state.earlier_usual_gap_days[0]) == (9, 9)
    assert (state.first_gap_days[0], state.last_gap_days[0], state.silent_days[0]) == (1, 10, 5)


def table_of(rows: list[tuple[Any, ...]], at: int, offset: float = 0.0) -> Any:
    state = history_state(log_of(rows).as_of(day(at)))
    return churn_table(state, np.full(len(state.n_days), offset), parameters=PARAMETERS)


SEGMENT_CASES = {
    "prospective": ([(1, 0, "view", np.nan)], 5, "no_purchase", {"n_events": 1}),
    "new": (bought(1, 0), 12, "one_purchase", {"silent_days": 12, "typical_gap_days": 20}),
    "current": (
        bought(1, 0, 10, 20, 30),
        38,
        "regular",
        {"silent_days": 8, "usual_gap_days": 10, "n_gaps": 3},
    ),
    "cooling": (
        bought(1, *range(0, 100, 10)),
        102,
        "silent",
        {"silent_days": 12, "usual_gap_days": 10, "n_gaps": 9},
    ),
    "at_risk": (
        bought(1, *range(0, 100, 10)),
        145,
        "silent",
        {"silent_days": 55, "usual_gap_days": 10, "n_gaps": 9},
    ),
    "departed": (
        bought(1, *range(0, 100, 10)),
        300,
        "silent",
        {"silent_days": 210, "usual_gap_days": 10, "n_gaps": 9},
    ),
    "won_back": (
        bought(1, *range(0, 100, 10), 300),
        305,
        "returned",
        {"silent_days": 5, "last_gap_days": 210, "earlier_usual_gap_days": 10},
    ),
}


@pytest.mark.parametrize("segment", SEGMENTS)
def test_each_segment_and_its_reason(segment: str):
    """One customer per segment; every fact can be counted in the rows above."""
    rows, at, code, facts = SEGMENT_CASES[segment]
    table = table_of(rows, at)

    assert SEGMENTS[table.segment[0]] == segment
    assert REASONS[table.reason[0]] == code
    assert reason_facts(table, 0) == facts


def test_few_gaps_are_measured_by_everybodys():
    """One gap of 5 days says little: 30 days of silence are within the usual 60, 70 are not."""
    near, far = (table_of(bought(1, 0, 5), 5 + silence) for silence in (30, 70))

    assert reason_facts(near, 0) == {"silent_days": 30, "usual_gap_days": 60, "n_purchases": 2}
    assert [REASONS[t.reason[0]] for t in (near, far)] == ["regular_few_gaps", "silent_few_gaps"]


def test_an_ended_contract_is_a_departure_until_something_follows():
    """lapse on day 50; a later renewal or purchase takes it back."""
    lapse = [*bought(1, 40, 45), (1, 50, "lapse", np.nan)]
    ended = table_of(lapse, 55)
    renewed = table_of([*lapse, (1, 52, "renew", np.nan)], 55)

    assert (SEGMENTS[ended.segment[0]], reason_facts(ended, 0)) == ("departed", {"closed_days": 5})
    assert SEGMENTS[renewed.segment[0]] != "departed"


def test_sentences_state_the_facts_in_both_languages():
    """Every code has both; the numbers stand in both."""
    assert set(SENTENCES) == set(REASON_FACTS)
    table = table_of(bought(1, 0), 12)

    assert reason_sentences(table)[0] == (
        "one purchase day, 12 days ago; half of the customers who came back did so within 20 days"
    )
    assert "12일 전" in reason_sentences(table, "ko")[0]


def test_offset_moves_the_log_odds_and_expectations_follow():
    """p = sigmoid(offset + z); (1 - p) E[X | X >= 1] purchases; value at risk = p, not 1 - p."""
    rows = bought(1, 0, 10, 20, 30, price=20)
    plain, moved = table_of(rows, 38), table_of(rows, 38, offset=1.5)
    if_active = plain.expected_purchases / (1 - plain.p_churn)
    spend_per_day = plain.expected_value / plain.expected_purchases

    assert logit(moved.p_churn) == pytest.approx(logit(plain.p_churn) + 1.5)
    assert moved.expected_purchases == pytest.approx((1 - moved.p_churn) * if_active)
    assert moved.value_at_risk == pytest.approx(moved.p_churn * if_active * spend_per_day)
    assert spend_per_day == pytest.approx(4 * (20 + 4 * 20) / (4 * 4 + 5 - 1))


def test_whoever_the_model_expects_to_buy_counts_as_alive():
    """Offset -5: p_alive rises to 1 - p_churn, past what MBG/NBD alone would say."""
    rows = bought(1, *range(0, 100, 10))
    plain, moved = table_of(rows, 160), table_of(rows, 160, offset=-5.0)

    assert moved.p_alive[0] == pytest.approx(1 - moved.p_churn[0])
    assert moved.p_alive[0] > plain.p_alive[0]


def test_linear_log_odds_are_those_of_scikit_learn():
    """Medians for NaN, standardised, cut at 6 standard deviations, one coefficient a column."""
    rng = np.random.default_rng(0)
    X = rng.normal(3, 2, (400, 3))
    X[rng.random(X.shape) < 0.2] = np.nan
    left = np.nan_to_num(X[:, 0]) + rng.normal(size=400) > 2
    steps = (SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())
    expected = make_pipeline(*steps).fit(X, left).decision_function(X)

    assert linear_log_odds(fit_linear(X, left), X) == pytest.approx(expected, abs=0.02)


def test_customers_without_a_purchase_get_the_newcomers_rate():
    """Whatever offset was stored: sigmoid(.5 + z(0, 0, 0))."""
    table = table_of([(1, 0, "view", np.nan)], 30, offset=9.0)
    zero = np.zeros(1)
    z = log_odds_no_purchase(zero, zero, zero, horizon=90.0, model=PARAMETERS.btyd)

    assert table.p_churn == pytest.approx(expit(0.5 + z))


def test_objections_are_read_as_words_or_lists():
    """Only the word profiling; marketing or a channel stays in training."""
    said = ["profiling", "marketing", "email, profiling", ["marketing", "profiling"], None, "sms"]
    customers = pd.DataFrame({"customer_id": range(6), "objects_to": said})
    rows = [row for customer in range(6) for row in bought(customer, 0)]
    found = objectors(log_of(rows, customers=customers).as_of(day(9)))

    assert found.tolist() == [True, False, True, True, False, False]


def test_the_lowest_held_out_loss_is_taken_and_the_plainest_on_a_tie():
    """Its loss is its family's; held out over time, the blend may be half a percent worse."""
    losses = {"hiatus": 0.5, "pareto_nbd": 0.4, "mbg_nbd": 0.3, "logistic": 0.42, "boosted": 0.43}

    assert rank(losses | {"blend": 0.39}, "pareto_nbd")[:2] == ["blend", "btyd"]
    assert rank(losses | {"blend": 0.40}, "pareto_nbd")[0] == "btyd"
    assert rank(losses | {"blend": 0.4019}, "pareto_nbd", favour=True)[0] == "blend"
    assert rank(losses | {"blend": 0.4021}, "pareto_nbd", favour=True)[0] == "btyd"


def test_purchases_before_1970_keep_their_customers():
    """Days below zero must not slip into the neighbour's key."""
    rows = {"customer_id": [1, 1, 2], "item_id": [1, 1, 1]}
    rows["timestamp"] = ["1969-12-20", "1969-12-30", "1970-01-05"]
    log = InteractionLog.from_frame(rows, timezone="UTC", closed_until="1970-02-01")
    summary = purchase_summary(log.as_of("1970-01-09"))

    assert summary[["n_repeats", "age_days"]].to_numpy().tolist() == [[1, 20], [0, 4]]


def test_nobody_bought_is_an_error_that_says_so():
    with pytest.raises(EmptyHistoryError, match="no purchase"):
        ChurnModel().fit(log_of([(1, 0, "view", np.nan)]).as_of(day(9)))


def test_few_customers_get_the_base_model_and_one_warning():
    """A handful of past rows: MBG/NBD, one sentence, and the same in the report."""
    rows = [*bought(1, 0, 50, 90), *bought(2, 10), *bought(3, 20, 120)]
    with pytest.warns(MinimumDataWarning, match="past rows") as caught:
        model = ChurnModel(horizon_days=30).fit(log_of(rows).as_of(day(200)))

    assert len(caught) == 1
    assert model.report_["model"] == "mbg_nbd"
    assert "1000 are needed" in model.report_["missing"][0]


def test_a_horizon_longer_than_the_past_says_what_is_missing():
    """No window of 400 days is closed."""
    with pytest.warns(MinimumDataWarning):
        model = ChurnModel(horizon_days=400).fit(log_of(bought(1, 0, 9)).as_of(day(60)))

    assert any("400 days" in sentence for sentence in model.report_["missing"])


def test_one_customer_and_one_event_are_answered():
    """Finite, in bounds; the value is unknown without a price."""
    history = log_of(bought(1, 5, price=np.nan)).as_of(day(60))
    table = quick(history).predict(history)

    assert table["p_churn"].between(0, 1).all()
    assert np.isfinite(table["expected_purchases"]).all()
    assert table["expected_value"].isna().all()


def test_unknown_customers_and_an_empty_history_are_answered(model: ChurnModel, history: History):
    """An id never seen is prospective; a history without customers gives an empty table."""
    table = model.predict(history, customers=[3, 99_999, 3])
    nobody = model.predict(history.select([]))

    assert table.index.tolist() == [3, 99_999, 3]
    assert table.loc[99_999, "segment"] == "prospective"
    assert len(nobody) == 0
    assert nobody.columns.tolist() == table.columns.tolist()


@pytest.mark.parametrize(
    "settings", [{"horizon_days": 0}, {"at_risk": 2}, {"departed": -1}, {"interval": "no"}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]):
    with pytest.raises(ParameterError, match=next(iter(settings))):
        quick(log_of(bought(1, 0, 9)).as_of(day(60)), **settings)


def test_very_many_customers_are_sampled_and_still_all_answered(
    history: History, monkeypatch: pytest.MonkeyPatch
):
    """With room for 200 learners, 600 customers get an answer, and the same seed the same one."""
    monkeypatch.setattr("anticipate.churn.rows.MAX_LEARNERS", 200)
    tables = [ChurnModel(60, random_state=5).fit(history).predict(history) for _ in range(2)]

    assert len(tables[0]) == history.n_customers
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_an_unfitted_model_says_so(history: History):
    with pytest.raises(NotFittedError):
        ChurnModel().predict(history)


def test_columns_without_a_number_do_not_break_the_classifier():
    """A feature that nobody has yet, and one that is constant."""
    X = np.column_stack([np.arange(200.0), np.full(200, np.nan), np.ones(200)])
    y = np.arange(200) % 40 >= 20
    assert np.isfinite(ChurnClassifier().fit(X, y).predict_proba(X)).all()
    assert np.isfinite(linear_log_odds(fit_linear(X, y), X)).all()


# -- laws --------------------------------------------------------------------------


@parametrize_with_checks([ChurnClassifier()])
def test_classifier_keeps_scikit_learns_contract(estimator: ChurnClassifier, check: Any):
    """All checks; no expected failures."""
    check(estimator)


def test_classifier_survives_arrays_and_scores_each_row_alone():
    """Bit for bit."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    y = X[:, 0] + rng.normal(size=500) > 0
    model = ChurnClassifier(random_state=0).fit(X, y)
    stored = ChurnClassifier.from_arrays(model.to_arrays())
    z = model.decision_function(X)

    assert (stored.decision_function(X) == z).all()
    assert all(model.decision_function(X[i : i + 1])[0] == z[i] for i in range(20))


def test_codes_of_events_are_those_of_the_log():
    """The kernel names them by number."""
    assert EVENT_CODES["lapse"] == purchases.LAPSE_CODE
    assert (EVENT_CODES["subscribe"], EVENT_CODES["renew"]) == purchases.SUBSCRIBING_CODES


def test_parameters_survive_the_vector():
    assert parameters_from_array(parameters_to_array(PARAMETERS)) == PARAMETERS


def test_the_report_compares_candidates_on_held_out_slices(model: ChurnModel):
    """Every candidate and family was judged; the winner is the best, or the blend near it."""
    losses = model.report_["log_loss"]
    candidates = {model.report_["btyd"] if name == BTYD else name for name in CANDIDATES}

    assert set(losses) == set(CANDIDATES) - {BTYD} | set(FAMILIES)
    assert losses[model.report_["model"]] <= min(losses[name] for name in candidates) / 0.995
    assert model.report_["held_out"] == "rolling origins"
    assert model.report_["missing"] == []


def test_held_out_windows_follow_all_they_are_judged_by(history: History):
    """train cutoff + horizon <= test cutoff, and the two held-out windows do not overlap."""
    data = training_rows(history, 60)
    at = np.array(data.cutoffs)
    horizon = pd.Timedelta(days=60)
    folds = rolling_folds(data, 60)
    held_out = [at[np.unique(data.slice[test])][0] for _, test in folds]

    assert len(folds) == 2
    assert held_out[1] + horizon <= held_out[0]
    for (train, _), test_at in zip(folds, held_out, strict=True):
        assert (at[np.unique(data.slice[train])] + horizon <= test_at).all()


@pytest.mark.parametrize("min_rows", [10**6, 100], ids=["base model", "blend"])
def test_the_model_keeps_the_laws_of_models_of_histories(
    min_rows: int, monkeypatch: pytest.MonkeyPatch
):
    """Leaks, order, batch, seed, storage: the library's own checks, with and without members."""
    monkeypatch.setattr("anticipate.churn.choice.MIN_ROWS", min_rows)
    order = sorted(CANDIDATES, key=lambda name: name != "blend")  # the blend wins
    monkeypatch.setattr("anticipate.churn.choice.rank", lambda *_, **__: order)
    check_history_model(ChurnModel(40, random_state=0), random_log(2, n_customers=60))


def test_a_slice_knows_nothing_of_what_came_after_it(history: History):
    """Its rows equal those described by what its own cutoff lets one learn."""
    data = training_rows(history, 60)
    for number in (0, len(data.cutoffs) - 1):
        past = history.as_of(data.cutoffs[number])
        state = history_state(past)
        fitted = FAMILIES[data.family]().fit(purchase_summary(past))
        alone = Describer.learn(state, fitted, 60).rows(past, state).take(state.n_days > 0)
        of_slice = data.rows.take(data.slice == number)
        for column, expected in zip(of_slice, alone, strict=True):
            np.testing.assert_array_equal(column, expected)


def test_probabilities_are_probabilities_and_agree_with_each_other(
    model: ChurnModel, history: History
):
    """Whoever may buy is alive: p_alive >= 1 - p_churn."""
    table = model.predict(history)

    assert table["p_churn"].between(0, 1).all()
    assert (table["p_alive"] >= 1 - table["p_churn"] - 1e-12).all()
    assert (table["expected_purchases"] >= 1 - table["p_churn"] - 1e-12).all()
    assert set(table["segment"]) <= set(SEGMENTS)


@pytest.mark.parametrize("chosen", CANDIDATES)
def test_one_customer_alone_is_the_same_as_in_the_batch(
    model: ChurnModel, history: History, chosen: str
):
    """Bit for bit, whichever candidate was chosen."""
    model = pickle.loads(pickle.dumps(model))
    learned = model.learned_
    members = None if chosen == BTYD else learned.members
    model.learned_ = learned._replace(chosen=chosen, members=members)
    batch = model.predict(history)

    assert len(model.predict(history, customers=[])) == 0
    for customer in (0, 17, 311):
        alone = model.predict(history, customers=[customer])
        pd.testing.assert_frame_equal(alone, batch.loc[[customer]], check_exact=True)


def test_the_kernel_alone_gives_the_table(model: ChurnModel, history: History):
    """What the online scorer does: stored offset, state from events, parameters from a vector."""
    table = churn_table(
        history_state(history),
        model.predict_offsets(history),
        parameters=parameters_from_array(parameters_to_array(model.parameters_)),
    )
    expected = model.predict(history)

    for name in ("p_churn", "p_alive", "expected_purchases", "expected_value", "value_at_risk"):
        assert getattr(table, name).tolist() == expected[name].tolist()


def test_the_kernel_needs_neither_pandas_nor_scikit_learn():
    """In a fresh process."""
    code = (
        "import sys, anticipate.kernels.churn; "
        "sys.exit(any(m in sys.modules for m in ('pandas', 'sklearn')))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_same_seed_same_model_in_any_row_order_and_with_any_number_of_jobs(model: ChurnModel):
    """Rows shuffled, two jobs: the same numbers, bit for bit."""
    rows = shop().to_pandas().sample(frac=1, random_state=1)
    log = InteractionLog.from_frame(
        rows[["customer_id", "item_id", "timestamp", "price"]],
        price="price",
        timezone="UTC",
        closed_until="2025-01-01",
    )
    again = ChurnModel(horizon_days=60, random_state=0, n_jobs=2).fit(log.as_of("2024-10-01"))

    assert again.report_ == model.report_
    history = log.as_of("2024-10-01")
    pd.testing.assert_frame_equal(again.predict(history), model.predict(history), check_exact=True)


def test_nothing_at_or_after_the_cutoff_is_seen(model: ChurnModel):
    """The log cut at the cutoff gives the same model as the whole log."""
    rows = shop().to_pandas()
    rows = rows[rows.timestamp < pd.Timestamp("2024-10-01", tz="UTC")]
    log = InteractionLog.from_frame(
        rows[["customer_id", "item_id", "timestamp", "price"]],
        price="price",
        timezone="UTC",
        closed_until="2025-01-01",
    )
    cut = ChurnModel(horizon_days=60, random_state=0).fit(log.as_of("2024-10-01"))

    assert cut.parameters_ == model.parameters_
    assert cut.report_ == model.report_


def test_objectors_change_nothing_and_are_answered_like_strangers():
    """With their rows or without: the same fit; their answer is that of an unknown id."""
    said = pd.DataFrame({"customer_id": [1, 2], "objects_to": ["profiling", "marketing"]})
    rows = [*bought(1, 0, 10, 20), *bought(2, 5, 30), *bought(3, 7)]
    history = log_of(rows, customers=said).as_of(day(90))
    model = quick(history)
    without = quick(log_of(rows[3:]).as_of(day(90)))
    table = model.predict(history, customers=[1, 77])

    assert model.parameters_ == without.parameters_
    assert table.loc[1].tolist() == table.loc[77].tolist()
    assert model.report_["n_left_out"] == 1


def test_models_survive_arrays_and_pickle(model: ChurnModel, history: History):
    """Predictions, report and settings; the input is not changed."""
    before = history.to_pandas()
    expected = model.predict(history)
    for copy in (ChurnModel.from_arrays(model.to_arrays()), pickle.loads(pickle.dumps(model))):
        pd.testing.assert_frame_equal(copy.predict(history), expected, check_exact=True)
        assert copy.report_ == model.report_
        assert copy.get_params() == model.get_params()
    assert clone(model).get_params() == model.get_params()
    pd.testing.assert_frame_equal(history.to_pandas(), before)
