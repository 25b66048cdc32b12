"""How sure a churn probability is: 80 % intervals by hand, where little is known, and laws."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from random_shops import bought, day, log_of, quick, shop
from scipy.special import expit
from scipy.stats import norm

from anticipate.churn import ChurnModel
from anticipate.churn.candidates import CANDIDATES
from anticipate.churn.interval import (
    DRIFT,
    WIDTH,
    _few_windows,
    _misses,
    limits,
    log_odds_sd,
    variance,
)
from anticipate.churn.rows import training_rows
from anticipate.churn.summary import history_state
from anticipate.exceptions import MinimumDataWarning
from anticipate.kernels import btyd
from anticipate.kernels.pareto import ParetoNBD
from anticipate.log import History
from anticipate.outcomes import label_outcomes
from anticipate.testing import check_history_model, random_log

LIMITS = ["p_churn_low", "p_churn_high"]
N_BINS = 10


@pytest.fixture(scope="module")
def history() -> History:
    return shop(120).as_of("2024-10-01")


def fit(history: History, chosen: str, **options: Any) -> ChurnModel:
    """A fit in which that candidate is taken; three replicates."""
    order = sorted(CANDIDATES, key=lambda name: name != chosen)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        patch.setattr("anticipate.churn.choice.rank", lambda *_, **__: order)
        patch.setattr("anticipate.churn.choice.MIN_ROWS", 1)
        patch.setattr("anticipate.churn.interval.N_REPLICATES", 3)
        return ChurnModel(60, **{"interval": True, "random_state": 0} | options).fit(history)


@pytest.fixture(scope="module", params=["btyd", "blend"])
def model(request: pytest.FixtureRequest, history: History) -> ChurnModel:
    return fit(history, request.param)


# -- by hand -----------------------------------------------------------------------


def test_limits_are_the_tenth_and_ninetieth_percentile_of_the_log_odds():
    """z = 1, sd = .5: sigmoid(1 -+ 1.2816 · .5)."""
    low, high = limits(np.array([1.0]), np.array([0.5]))

    assert norm.cdf(WIDTH) == pytest.approx(0.9)
    assert [low[0], high[0]] == pytest.approx([expit(1 - 0.6408), expit(1 + 0.6408)], abs=1e-4)


def test_variance_is_that_of_the_replicates():
    """1, 2, 6: mean 3, (4 + 1 + 9) / 2 = 7. All alike: 0."""
    found = variance([np.array([1.0, 5.0]), np.array([2.0, 5.0]), np.array([6.0, 5.0])])

    assert found.tolist() == [7, 0]


def test_a_tenths_miss_is_its_surplus_over_its_variance():
    """Four rows at p = 1/2 a tenth: 3 of 4 left: (3 - 2) / (4/4) = 1, by chance 1."""
    miss, chance = _misses(np.zeros(40), np.arange(40) % 4 > 0)

    assert miss.tolist() == [1] * 10
    assert chance.tolist() == [1] * 10


def test_few_windows_widen():
    """Student's t with (n + 1) // 2 degrees of freedom: 3.078 of one, 1.886 of two, over 1.2816."""
    assert _few_windows(2) == pytest.approx(3.0777 / 1.2816, rel=1e-3)
    assert _few_windows(4) == pytest.approx(1.8856 / 1.2816, rel=1e-3)


def test_newcomers_are_as_sure_as_their_number():
    """n looked at past cutoffs, p of them still did not buy: sd² = 1 / (n p (1 - p)) + drift²."""
    rows = [row for c in range(20) for row in bought(c, *range(c % 19, 300, 19))]
    rows += [(100 + c, 5, "view", np.nan) for c in range(30)]
    rows += bought(100, 290) + bought(101, 290)
    history = log_of(rows).as_of(day(300))
    spread = quick(history, horizon_days=60, interval=True).learned_.spread
    data = training_rows(history, 60)
    n, p = data.n_prospects, (data.n_prospects_left + 0.5) / (data.n_prospects + 1)

    assert n > 100
    assert spread.newcomer_sd**2 == pytest.approx(1 / (n * p * (1 - p)) + spread.drift_sd**2)


# -- edge --------------------------------------------------------------------------


def test_without_a_closed_window_the_level_may_drift_as_usual():
    """Nothing past to measure it by, nobody seen before a first purchase."""
    history = log_of(bought(1, 0, 9) + bought(2, 3)).as_of(day(60))
    model = quick(history, horizon_days=400, interval=True)
    spread = model.learned_.spread

    wide = DRIFT * 3.0777 / 1.2816  # ninetieth percentiles: Student's t of 1, normal
    assert spread.drift_sd == pytest.approx(wide, rel=1e-4)
    assert spread.newcomer_sd == pytest.approx(np.sqrt(4 + wide**2), rel=1e-4)


def test_classes_too_small_to_be_drawn_again_leave_the_drift(
    history: History, monkeypatch: pytest.MonkeyPatch
):
    """No replicate has enough of both: the limits come from the level's swings alone."""
    monkeypatch.setattr("anticipate.churn.interval._members_again", lambda *_: None)
    model = fit(history, "blend")
    learned = model.learned_
    state = history_state(history)
    rows = learned.rows(history, state)
    sd = log_odds_sd(learned.spread, learned.chosen, rows, state, 60.0)

    assert np.allclose(sd[state.n_days > 0], learned.spread.drift_sd)
    assert model.predict(history)[LIMITS].notna().all(axis=None)


def test_leavers_may_be_rare():
    """Of 120 weekly buyers three stop: the limits stay on their side of the table."""
    rows = [row for c in range(120) for row in bought(c, *range(c % 7, 140 if c < 3 else 300, 7))]
    history = log_of(rows).as_of(day(300))
    table = quick(history, horizon_days=30, interval=True, random_state=0).predict(history)

    assert (table["p_churn_low"] <= table["p_churn"]).all()
    assert (table["p_churn"] <= table["p_churn_high"]).all()
    assert table["p_churn_high"].iloc[3:].max() < 0.5 < table["p_churn_low"].iloc[:3].min()


def test_newcomers_and_objectors_get_the_same_limits(model: ChurnModel):
    """An id never seen, and a customer whose history is not looked at."""
    said = pd.DataFrame({"customer_id": [1], "objects_to": ["profiling"]})
    history = log_of(bought(1, 0, 10, 20), customers=said).as_of(day(90))
    table = model.predict(history, customers=[1, 77])

    assert table.loc[1].tolist() == table.loc[77].tolist()
    assert table.loc[77, "p_churn_low"] < table.loc[77, "p_churn"] < table.loc[77, "p_churn_high"]


def test_replicates_are_of_the_family_that_serves(
    history: History, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("anticipate.churn.rows.best_family", lambda losses: "pareto_nbd")
    spread = fit(history, "btyd").learned_.spread

    assert len(spread.btyd) == 3
    assert all(isinstance(btyd.from_vector(vector), ParetoNBD) for vector in spread.btyd)


# -- law ---------------------------------------------------------------------------


def test_limits_enclose_the_probability_and_change_nothing_else(
    model: ChurnModel, history: History
):
    """Bit for bit, whichever candidate was chosen."""
    table = model.predict(history)
    plain = fit(history, model.learned_.chosen, interval=False)

    assert (table["p_churn_low"] < table["p_churn"]).all()
    assert (table["p_churn"] < table["p_churn_high"]).all()
    assert "p_churn_low" not in plain.predict(history)
    pd.testing.assert_frame_equal(
        table.drop(columns=LIMITS), plain.predict(history), check_exact=True
    )
    assert plain.report_ == model.report_


@pytest.mark.parametrize("chosen", ["btyd", "logistic"])
def test_fewer_customers_are_less_sure(history: History, chosen: str):
    """Drift apart, the same customers' log-odds spread more if 30 taught the model than if 120."""
    state, spreads = history_state(history), []
    for n in (30, 120):
        learned = fit(history.select(history.customer_ids[:n]), chosen).learned_
        still = learned.spread._replace(drift_sd=0.0)
        rows = learned.rows(history, state)
        spreads.append(log_odds_sd(still, chosen, rows, state, 60.0)[state.n_days > 0].mean())

    assert spreads[0] > 1.2 * spreads[1] > 0


def test_the_same_seed_gives_the_same_limits_in_any_number_of_jobs(
    model: ChurnModel, history: History
):
    """Another seed draws other customers."""
    with joblib.parallel_config(backend="threading"):
        again = fit(history, model.learned_.chosen, n_jobs=2)
    other = fit(history, model.learned_.chosen, random_state=1)
    expected = model.predict(history)

    pd.testing.assert_frame_equal(again.predict(history), expected, check_exact=True)
    assert (other.predict(history)["p_churn_low"] != expected["p_churn_low"]).any()


def test_the_variance_of_one_is_that_in_a_batch():
    """Twenty replicates, added up in one order however many customers there are."""
    replicates = list(np.random.default_rng(0).normal(3, 1, (20, 500)))
    batch = variance(replicates)

    assert all(variance([one[i : i + 1] for one in replicates])[0] == batch[i] for i in range(500))


def test_one_customer_alone_is_the_same_as_in_the_batch(model: ChurnModel, history: History):
    """Bit for bit; nobody at all is answered too."""
    batch = model.predict(history)

    assert model.predict(history, customers=[]).columns.tolist() == batch.columns.tolist()
    for customer in (0, 17, 101):
        alone = model.predict(history, customers=[customer])
        pd.testing.assert_frame_equal(alone, batch.loc[[customer]], check_exact=True)


def test_models_with_intervals_survive_arrays_and_pickle(model: ChurnModel, history: History):
    expected = model.predict(history)
    for copy in (ChurnModel.from_arrays(model.to_arrays()), pickle.loads(pickle.dumps(model))):
        pd.testing.assert_frame_equal(copy.predict(history), expected, check_exact=True)
        assert copy.get_params() == model.get_params()
        assert copy.to_arrays().keys() == model.to_arrays().keys()


def test_the_model_keeps_the_laws_of_models_of_histories(monkeypatch: pytest.MonkeyPatch):
    """Leaks, order, batch, seed, storage: the library's own checks, limits included."""
    monkeypatch.setattr("anticipate.churn.interval.N_REPLICATES", 2)
    log = random_log(2, n_customers=30)
    check_history_model(ChurnModel(40, interval=True, random_state=0), log)


@pytest.mark.parametrize("seed", [0, 1])
def test_of_ten_bins_seven_observed_rates_lie_in_their_interval(seed: int):
    """A shop whose level is stable; the bin's limits and its binomial noise in quadrature."""
    log = shop(400, seed)
    history = log.as_of("2024-10-01")
    table = ChurnModel(60, interval=True, random_state=0).fit(history).predict(history)
    outcome = label_outcomes(log, history.cutoff, 60).customers.loc[table.index, "purchased"]
    known = table["segment"] != "prospective"
    order = table.loc[known, "p_churn"].sort_values(kind="stable").index
    inside = 0
    for ids in np.array_split(order, N_BINS):
        p, low, high = table.loc[ids, ["p_churn", *LIMITS]].mean()
        noise = WIDTH * np.sqrt(p * (1 - p) / len(ids))
        left = 1 - outcome.loc[ids].mean()
        inside += p - np.hypot(p - low, noise) <= left <= p + np.hypot(high - p, noise)

    assert inside >= 7
    assert (table["p_churn_high"] - table["p_churn_low"]).mean() < 0.2
