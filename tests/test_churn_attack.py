"""Wrong input, ties, odd names and extreme numbers around churn and contact plans: no nonsense."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from anticipate import InteractionLog, load_example
from anticipate.churn import BetaGeoModel, ChurnModel, ContractHazard
from anticipate.churn.candidates import CANDIDATES, candidate_log_odds, fit_members
from anticipate.churn.contracts.money import daily_payments
from anticipate.churn.contracts.state import contract_state
from anticipate.churn.describer import Rows
from anticipate.churn.storage import _pack_members, _unpack_members
from anticipate.exceptions import (
    BadRowsError,
    ColumnError,
    IdTypeError,
    MinimumDataWarning,
    NoMeasurableEffectWarning,
    ParameterError,
)
from anticipate.kernels import btyd
from anticipate.kernels.beta_geo import BetaGeo
from anticipate.log import History
from anticipate.retention import (
    ClassTransformation,
    ContactPlan,
    Level,
    SharedLearner,
    TLearner,
    campaign_effect,
    qini_interval,
)

IDS = [f"C{i:03}" for i in range(60)]
LEVELS = [Level("Basic", 1, 0.05), Level("Premium", 8, 0.4)]


def make_log(returning: list[str]) -> InteractionLog:
    """Everybody bought in January, some again in March."""
    rows = {
        "customer_id": IDS + returning,
        "item_id": "tea",
        "timestamp": ["2025-01-01"] * len(IDS) + ["2025-03-10"] * len(returning),
        "price": 5.0,
    }
    return InteractionLog.from_frame(
        pd.DataFrame(rows), price="price", timezone="UTC", closed_until="2025-12-01"
    )


@pytest.fixture(scope="module")
def history() -> History:
    return make_log([]).as_of("2025-03-01")


def churn_of(ids: list[Any], value_at_risk: Any = 10.0) -> pd.DataFrame:
    return pd.DataFrame(
        {"p_churn": 0.5, "value_at_risk": value_at_risk, "expected_value": 10.0,
         "segment": "at_risk"}, index=pd.Index(ids, name="customer_id"),
    )  # fmt: skip


def campaign() -> pd.DataFrame:
    """Every second customer held out."""
    held = [i % 2 == 1 for i in range(len(IDS))]
    level = [None if h else "Basic" for h in held]
    would_be = ["Basic" if h else None for h in held]
    return pd.DataFrame(
        {"level": level, "holdout": held, "would_be": would_be, "cost": 1.0},
        index=pd.Index(IDS, name="customer_id"),
    )


def effect_of(plan: pd.DataFrame, log: InteractionLog) -> Any:
    return campaign_effect(plan, log, horizon_days=30, as_of="2025-03-01")


# -- plans ---------------------------------------------------------------------------


@pytest.mark.parametrize("segment", ["Departed", "gone", None, np.nan])
def test_a_segment_that_is_none_is_refused(history: History, segment: Any):
    """A departed customer under another spelling would be planned for."""
    with pytest.raises(ParameterError, match="segment must be one of prospective"):
        ContactPlan(LEVELS).assign(churn_of(IDS).assign(segment=segment), history)


def test_a_mapping_of_other_ids_is_refused(history: History):
    """Of whole numbers where ids are text: nobody would be eligible."""
    with pytest.raises(IdTypeError, match="eligible: the log's ids are text"):
        ContactPlan(LEVELS, eligible={1: "Basic"}).assign(churn_of(IDS), history)


@pytest.mark.parametrize("said", [{"Basic": 1}, [{"a": 1}]])
def test_answers_that_are_no_words_are_one_clear_error(history: History, said: Any):
    with pytest.raises(ParameterError, match="names none of the levels"):
        ContactPlan(LEVELS, eligible=dict.fromkeys(IDS, said)).assign(churn_of(IDS), history)


def test_no_level_takes_the_name_of_everybody():
    """The campaign's effect has a row "all"; a level of that name would overwrite it."""
    with pytest.raises(ParameterError, match="take another name"):
        Level("all", 1, 0.1)
    with pytest.raises(ParameterError, match="no level may be called 'all'"):
        effect_of(campaign().replace("Basic", "all"), make_log([]))


def test_equal_customers_are_held_out_in_the_share_in_which_they_are_contacted():
    """3,000 worth 4 each, 1,000 contacts: a third of the hold-out would be contacted.

    Their worth is the price: above it is nobody, and without this the hold-out would be empty.
    """
    ids = list(range(3000))
    rows = pd.DataFrame({"customer_id": ids, "item_id": 1, "timestamp": "2025-01-01"})
    log = InteractionLog.from_frame(rows, timezone="UTC", closed_until="2025-03-02")
    plan = ContactPlan([Level("A", 1, 0.5)], capacity=1000, holdout=0.2)
    table = plan.assign(churn_of(ids), log.as_of("2025-03-01"))
    drawn = ContactPlan([Level("A", 1, 0.5)], holdout=0.2).assign(
        churn_of(ids), log.as_of("2025-03-01")
    )["holdout"]

    assert table["level"].notna().sum() == 1000
    expected = drawn.sum() * 1000 / (3000 - drawn.sum())
    assert table["holdout"].sum() == pytest.approx(expected, abs=1)
    assert drawn[table["holdout"]].all()


def test_equal_customers_stay_equal_in_any_order_of_rows(history: History):
    plan = ContactPlan(LEVELS, budget=9, holdout=0.3)
    churn = churn_of(IDS, np.repeat([10.0, 40.0, 90.0], 20))
    mixed = churn.sample(frac=1, random_state=0)

    pd.testing.assert_frame_equal(plan.assign(churn, history).loc[mixed.index],
                                  plan.assign(mixed, history))  # fmt: skip


# -- effects -------------------------------------------------------------------------


def test_a_gain_that_may_be_chance_warns_before_the_next_plan():
    """Half of both arms came back: a gain of 0, and of a level that is clear no warning."""
    with pytest.warns(NoMeasurableEffectWarning, match="counts on chance"):
        found = effect_of(campaign(), make_log(IDS[:30])).uplift("Basic")
    assert found.gain == 0

    clear = effect_of(campaign(), make_log(IDS[::2])).uplift("Basic")
    assert clear.gain == 1
    assert clear.measurable


@pytest.mark.parametrize("holdout", ["text", 2, None])
def test_arms_that_are_not_true_or_false_are_refused(holdout: Any):
    """The words "True" and "False" are both true to Python: everybody would be held out."""
    held = campaign()["holdout"]
    other = held.map(str) if holdout == "text" else held.map({True: holdout, False: False})
    with pytest.raises(ParameterError, match="holdout must be True or False"):
        effect_of(campaign().assign(holdout=other), make_log([]))


def test_costs_that_are_words_are_one_clear_error():
    with pytest.raises(ParameterError, match="cost must be numbers"):
        effect_of(campaign().assign(cost="much"), make_log([]))


# -- uplift --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def experiment() -> tuple[pd.DataFrame, Any, Any]:
    rng = np.random.default_rng(0)
    treated = rng.integers(0, 2, 400)
    X = pd.DataFrame({"a": rng.random(400), "w": rng.choice(["x", "y", None], 400)})
    X.loc[::7, "a"] = np.nan
    return X, (rng.random(400) < 0.3 + 0.2 * treated).astype(int), treated


LEARNERS = [TLearner(), ClassTransformation(), SharedLearner()]


@pytest.mark.parametrize("learner", LEARNERS)
def test_the_same_table_in_other_types_teaches_the_same(learner: Any, experiment: Any):
    """Nullable and Arrow columns with missing words, and an array of objects."""
    X, y, treated = experiment
    plain = learner.fit(X, y, treated).predict_uplift(X)
    for other in (
        X.convert_dtypes(),
        X.convert_dtypes(dtype_backend="pyarrow"),
        X.to_numpy(object),
    ):
        found = learner.fit(other, y, treated).predict_uplift(other)
        assert np.allclose(found, plain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("learner", LEARNERS)
def test_nobody_is_answered_and_a_column_twice_refused(learner: Any, experiment: Any):
    X, y, treated = experiment
    fitted = learner.fit(X, y, treated)

    assert fitted.predict_uplift(X.iloc[:0]).shape == (0,)
    with pytest.raises(ColumnError, match="stands twice"):
        learner.fit(pd.concat([X, X], axis=1), y, treated)


def test_a_seed_of_draws_that_is_none_is_refused():
    with pytest.raises(ParameterError, match="random_state"):
        qini_interval([1, 0, 0, 1], [2, 2, 1, 1], [1, 0, 1, 0], random_state=-1)


# -- churn ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name"),
    [(ChurnModel, "predict"), (ChurnModel, "contributions"), (ContractHazard, "predict")],
)
def test_a_log_where_a_history_belongs_is_refused(kind: Any, name: str):
    log = load_example("bookshop")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        model = kind(300).fit(log.as_of("2025-03-01"))
    with pytest.raises(ParameterError, match="must be a History"):
        getattr(model, name)(log)


@pytest.mark.parametrize("seed", [-1, "a", 0.5, 2**32])
def test_a_seed_that_is_none_is_refused_before_anything_is_learned(history: History, seed: Any):
    with pytest.raises(ParameterError, match="random_state"):
        ChurnModel(30, random_state=seed).fit(history)


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_candidate_alone_is_what_it_is_among_all(name: str):
    """Replicates fit what the chosen candidate needs, no more; stored and read, the same bits."""
    rng = np.random.default_rng(0)
    rows = Rows(rng.random((80, 3)), rng.normal(size=80), rng.normal(size=80))
    left = rng.random(80) < 0.5
    alone = fit_members(rows, left, 0, names=[name])
    stored = _unpack_members(_pack_members(alone))

    assert sum(one is not None for one in alone) == sum(one != "btyd" for one in CANDIDATES[name])
    expected = candidate_log_odds(name, fit_members(rows, left, 0), rows)
    assert np.array_equal(candidate_log_odds(name, alone, rows), expected)
    if stored is not None:
        assert np.array_equal(candidate_log_odds(name, stored, rows), expected)


def test_a_candidate_that_was_not_fitted_is_no_other_one():
    rows = Rows(np.zeros((2, 1)), np.zeros(2), np.zeros(2))
    left = np.array([True, False])
    with pytest.raises(KeyError, match="boosted"):
        candidate_log_odds("blend", fit_members(rows, left, 0, names=["hiatus"]), rows)


def test_an_end_stated_for_the_moment_of_the_payment_is_no_term():
    """Paid 30 on 1 January, covered for one second: spread over a month, not over a second."""
    rows = pd.DataFrame(
        {"customer_id": [1], "item_id": [1], "timestamp": ["2025-01-01"], "event": ["subscribe"],
         "price": [30.0]}
    )  # fmt: skip
    ends = {"customer_id": [1], "contract_end": ["2025-01-01T00:00:01"],
            "valid_from": ["2024-12-31"]}  # fmt: skip
    log = InteractionLog.from_frame(
        rows, event="event", price="price", timezone="UTC", customers=pd.DataFrame(ends),
        closed_until="2025-03-01",
    )  # fmt: skip
    history = log.as_of("2025-01-01T00:00:00.5")
    paid = daily_payments(history, contract_state(history), np.nan)

    assert paid.tolist() == [1.0]


def test_half_a_purchase_is_refused():
    """BG/NBD of x < 1 has b + x - 1 below 0: no number came out of the fit."""
    half = pd.DataFrame({"n_repeats": [0.5, 2], "last_repeat_days": [1, 2], "age_days": [3, 3]})
    with pytest.raises(BadRowsError, match="no whole number"):
        BetaGeoModel().fit(half)


@pytest.mark.parametrize("k", [5, 8])
def test_next_to_nothing_expected_is_not_less_than_nothing(k: int):
    """Regular gaps over horizons far too short for one: rounding stays out of the sign."""
    rng = np.random.default_rng(k)
    for _ in range(60):
        r, alpha, a, b = 10 ** rng.uniform(-4, 4, 4)
        x = np.floor(10 ** rng.uniform(0, 4.7, 100))
        T = 10 ** rng.uniform(-6, 4, 100)
        found = btyd.expected_purchases_if_alive(
            x, T * rng.random(100), T, horizon=10 ** rng.uniform(-5, 4),
            model=BetaGeo(r, alpha, a, b, m=1, k=k),
        )  # fmt: skip
        assert (found >= 0).all()
