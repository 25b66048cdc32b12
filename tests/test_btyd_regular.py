"""Regular buyers: which k is found, and whether its answers come true in simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from btyd_samples import random_customers, simulate, summary_of

from anticipate.churn import ModifiedBetaGeoModel, RegularBetaGeoModel
from anticipate.exceptions import ColumnError, ParameterError
from anticipate.kernels.btyd import BetaGeo, expected_purchases, log_odds_no_purchase

TRUTH = BetaGeo(r=1.5, alpha=15.0, a=0.8, b=3.0, m=1, k=2)  # days
AGES = np.random.default_rng(9).integers(60, 300, 20_000).astype(float)


@pytest.fixture(scope="module")
def seen() -> tuple[pd.DataFrame, np.ndarray]:
    """20,000 customers with gaps of two steps, and their purchases in the 90 days after."""
    return simulate(TRUTH, AGES, 90.0)


@pytest.fixture(scope="module")
def model(seen: tuple[pd.DataFrame, np.ndarray]) -> RegularBetaGeoModel:
    return RegularBetaGeoModel().fit(seen[0])


def test_two_steps_are_found_and_far_likelier_than_one(
    seen: tuple[pd.DataFrame, np.ndarray], model: RegularBetaGeoModel
):
    """k = None stops at the truth; it lies thousands of nats above k = 1 and above k = 3."""
    fits = {k: RegularBetaGeoModel(k=k).fit(seen[0]) for k in (1, 2, 3)}

    assert model.k_ == 2
    assert model.params_ == fits[2].params_
    assert fits[2].log_likelihood_ > max(fits[1].log_likelihood_, fits[3].log_likelihood_) + 1000
    assert model.aic_ == fits[2].aic_ + 2


def test_no_purchase_happens_as_often_as_said(
    seen: tuple[pd.DataFrame, np.ndarray], model: RegularBetaGeoModel
):
    """Ten equal groups by probability: said and seen within .025 (three binomial errors)."""
    said, silent = model.predict_no_purchase(seen[0], 90.0).to_numpy(), seen[1] == 0
    groups = np.array_split(np.argsort(said, kind="stable"), 10)

    assert [said[g].mean() for g in groups] == pytest.approx(
        [silent[g].mean() for g in groups], abs=0.025
    )


def test_expected_purchases_come_true(
    seen: tuple[pd.DataFrame, np.ndarray], model: RegularBetaGeoModel
):
    """In all within 2 %, and within 5 % in the busier half; MBG/NBD is off by more."""
    expected, bought = model.predict_purchases(seen[0], 90.0).to_numpy(), seen[1]
    busy = expected > np.median(expected)
    plain = ModifiedBetaGeoModel().fit(seen[0]).predict_purchases(seen[0], 90.0).to_numpy()

    assert expected.sum() == pytest.approx(bought.sum(), rel=0.02)
    assert expected[busy].sum() == pytest.approx(bought[busy].sum(), rel=0.05)
    assert abs(plain.sum() / bought.sum() - 1) > abs(expected.sum() / bought.sum() - 1)


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("horizon", [3.0, 30.0, 120.0])
def test_expectation_of_newcomers_is_that_of_the_simulation(horizon: float, k: int):
    """E[X(t)] at x = T = 0, exact but for the quadrature over p: within four errors."""
    truth, zero = TRUTH._replace(k=k), np.zeros(1)
    _, bought = simulate(truth, np.zeros(40_000), horizon, seed=k)
    error = bought.std() / np.sqrt(len(bought))

    assert expected_purchases(zero, zero, zero, horizon=horizon, model=truth)[0] == pytest.approx(
        bought.mean(), abs=4 * error
    )


def test_both_sums_of_expected_purchases_meet():
    """Short horizons are summed by purchase, longer ones over roots of unity: no step between."""
    model, one = TRUTH._replace(r=40.0), np.ones(400)
    horizons = np.geomspace(0.01, 1, 400)  # the change lies at .05 expected steps, about .04
    expected = expected_purchases(2 * one, 40 * one, 45 * one, horizon=horizons, model=model)

    assert np.abs(np.diff(np.log(expected), 3)).max() < 1e-6


def test_a_regular_buyer_is_not_expected_right_after_a_purchase():
    """Ten gaps of 10 days: with k = 6 the next 2 days are safer than with k = 1."""
    data = (np.full(2, 10.0), np.full(2, 100.0), np.array([100.0, 109.0]))
    regular, random = (
        log_odds_no_purchase(*data, horizon=2.0, model=TRUTH._replace(k=k, alpha=150.0 / (10 / k)))
        for k in (6, 1)
    )

    assert regular[0] > random[0]
    assert regular[1] < regular[0]  # and after 9 days the purchase is due


def test_regular_gaps_need_the_sum_of_log_gaps():
    """A clear error, but not for k = 1; k has a range."""
    table = summary_of(*random_customers(50)).drop(columns="log_gap_sum")

    assert RegularBetaGeoModel(k=1, modified=False).fit(table).k_ == 1
    with pytest.raises(ColumnError, match="log_gap_sum"):
        RegularBetaGeoModel().fit(table)
    with pytest.raises(ParameterError, match="at most 6"):
        RegularBetaGeoModel(k=7).fit(table)
