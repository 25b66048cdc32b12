"""BTYD formulas: by hand, laws that hold for every model, and published values."""

from __future__ import annotations

import numpy as np
import pytest
from btyd_samples import BG, KERNELS, MBG, PARETO, numbers, random_customers
from scipy.special import expit, hyp2f1

from anticipate.kernels import btyd
from anticipate.kernels.beta_geo_sums import beta_geo_sums
from anticipate.kernels.pareto_sums import pareto_sums

EVERY_MODEL = pytest.mark.parametrize("model", KERNELS.values(), ids=KERNELS.keys())

# -- by hand -----------------------------------------------------------------------


def test_likelihood_of_a_one_time_buyer_by_hand():
    """x = 0, T = 3; r = alpha = a = 1, b = 2. BG: 1/4. MBG: a/(a+b) + b/(a+b) / 4 = 1/2."""
    zero, three = numbers(0), numbers(3)
    bg = btyd.log_likelihood(zero, zero, three, model=btyd.BetaGeo(1, 1, 1, 2, 0))
    mbg = btyd.log_likelihood(zero, zero, three, model=btyd.BetaGeo(1, 1, 1, 2, 1))

    assert np.exp(bg) == pytest.approx(1 / 4)
    assert np.exp(mbg) == pytest.approx(1 / 3 + 2 / 3 / 4)


def test_likelihood_of_one_repeat_by_hand():
    """BG, x = 1 at 1, T = 3, r = alpha = a = 1, b = 2: alive 2/3 / 4^2 + left 1/3 / 2^2 = 1/8."""
    ll = btyd.log_likelihood(numbers(1), numbers(1), numbers(3), model=btyd.BetaGeo(1, 1, 1, 2, 0))

    assert np.exp(ll) == pytest.approx(1 / 8)


def test_likelihood_of_a_regular_one_time_buyer_by_hand():
    """k = 2, x = 0, T = 3, r = alpha = 1: no second step, 1/4 + 1/4 * 3/4 = 7/16 (BG)."""
    model = btyd.BetaGeo(1, 1, 1, 2, 0, k=2)

    assert np.exp(btyd.log_likelihood(numbers(0), numbers(0), numbers(3), model=model)) == (
        pytest.approx(7 / 16)
    )


def test_likelihood_of_a_regular_repeat_by_hand():
    """k = 2, a gap of 2 and age 2, r = alpha = 1: E[lambda^2 2 e^-2 lambda] = 4/27 (BG).

    Alive 2/3 and left 1/3 add up to one: nobody can have been silent yet.
    """
    model = btyd.BetaGeo(1, 1, 1, 2, 0, k=2)
    ll = btyd.log_likelihood(
        numbers(1), numbers(2), numbers(2), model=model, log_gap_sum=np.log(numbers(2))
    )

    assert np.exp(ll) == pytest.approx(2 * 2 / 27)


def test_pareto_likelihood_of_a_one_time_buyer_by_hand():
    """r = alpha = s = beta = 1, T = 1: 1/4 silent alive + integral of (1+y)^-3 = 3/8 left."""
    model = btyd.ParetoNBD(1, 1, 1, 1)
    ll = btyd.log_likelihood(numbers(0), numbers(0), numbers(1), model=model)

    assert np.exp(ll) == pytest.approx(1 / 4 + 3 / 8)


def test_one_time_buyers_are_all_alive_in_bg_but_not_in_mbg():
    """MBG at age 0: nobody can have been silent yet, so P(alive) = b / (a + b)."""
    zero = numbers(0)

    assert btyd.probability_alive(zero, zero, numbers(500), model=BG).tolist() == [1.0]
    assert btyd.probability_alive(zero, zero, zero, model=MBG) == pytest.approx(1.614 / 2.505)


# -- edges -------------------------------------------------------------------------

EXTREMES = [
    (0, 0, 0, 1e-9), (0, 0, 0, 1e6), (0, 0, 1e6, 1.0), (5000, 10, 10, 1.0),
    (50_000, 1e-3, 1e-3, 30), (50_000, 1e-3, 1e3, 30), (3, 3, 100, 1e-9),
    (1, 1e-9, 1e6, 1.0), (9, 5, 6, 1e9),
]  # fmt: skip


@EVERY_MODEL
@pytest.mark.parametrize("case", EXTREMES, ids=str)
def test_every_formula_is_finite_for_all_valid_input(case: tuple[float, ...], model: btyd.Btyd):
    """No purchase and 50,000 of them, no time and a million, tiny and huge horizons."""
    x, t_x, T, H = (numbers(value) for value in case)
    answers = [
        btyd.log_likelihood(x, t_x, T, model=model),
        btyd.log_odds_no_purchase(x, t_x, T, horizon=H, model=model),
        btyd.expected_purchases(x, t_x, T, horizon=H, model=model),
        btyd.expected_purchases_if_any(x, t_x, T, horizon=H, model=model),
        btyd.probability_alive(x, t_x, T, model=model),
    ]

    assert np.isfinite(answers).all()


# -- laws --------------------------------------------------------------------------


@EVERY_MODEL
def test_no_purchase_is_the_ratio_of_two_likelihoods(model: btyd.Btyd):
    """P(none in (T, T+H]) = exp(ll(x, t_x, T+H) - ll(x, t_x, T))."""
    x, t_x, T = random_customers(500)
    ratio = np.exp(
        btyd.log_likelihood(x, t_x, T + 39, model=model)
        - btyd.log_likelihood(x, t_x, T, model=model)
    )

    assert expit(btyd.log_odds_no_purchase(x, t_x, T, horizon=39.0, model=model)) == pytest.approx(
        ratio, rel=1e-9
    )


@EVERY_MODEL
def test_some_purchase_is_the_likelihood_of_its_time_added_up(model: btyd.Btyd):
    """The other tail: for a short horizon, P(some) is H times the density of a purchase at T."""
    x, t_x, T = random_customers(200)
    H = 1e-7
    gaps = {"log_gap_sum": np.log(np.maximum(T - t_x, 1e-300))}
    now = btyd.log_likelihood(x + 1, T, T, model=model, **gaps)
    density = now - btyd.log_likelihood(x, t_x, T, model=model)
    some = -btyd.log_odds_no_purchase(x, t_x, T, horizon=H, model=model)
    open_gap = t_x < T

    assert some[open_gap] == pytest.approx((density + np.log(H))[open_gap], abs=1e-5)


@EVERY_MODEL
def test_sums_are_those_of_the_likelihood_and_its_derivatives(model: btyd.Btyd):
    """Value to rounding; gradient and Hessian against central differences, each parameter."""
    x, t_x, T = random_customers(300)
    order = np.argsort(x, kind="stable")
    data, weight = [column[order] for column in (x, t_x, T)], np.arange(1.0, 301)
    add_up = beta_geo_sums if isinstance(model, btyd.BetaGeo) else pareto_sums
    sums = add_up(*data, weight, model=model)

    value = (btyd.log_likelihood(*data, model=model) * weight).sum()
    assert sums.value == pytest.approx(value, rel=1e-12)
    for i, name in enumerate(model._fields[:4]):
        step = 1e-5 * model[i]
        around = [model._replace(**{name: model[i] + sign * step}) for sign in (1, -1)]
        up, down = ((btyd.log_likelihood(*data, model=at) * weight).sum() for at in around)
        scale = np.abs(sums.gradient).max()
        assert sums.gradient[i] == pytest.approx(
            (up - down) / (2 * step), rel=1e-5, abs=1e-8 * scale
        )
        up, down = (add_up(*data, weight, model=at).gradient for at in around)
        scale = np.abs(sums.hessian).max()
        assert sums.hessian[i] == pytest.approx(
            (up - down) / (2 * step), rel=1e-5, abs=1e-9 * scale
        )


@EVERY_MODEL
def test_one_customer_alone_is_the_same_as_in_a_batch(model: btyd.Btyd):
    """Bit for bit, for every formula that scores, each customer with an own horizon."""
    data, H = random_customers(100), np.linspace(0.1, 300, 100)
    formulas = (
        btyd.log_odds_no_purchase,
        btyd.expected_purchases,
        btyd.expected_purchases_if_any,
    )
    for formula in formulas:
        batch = formula(*data, horizon=H, model=model)
        alone = [
            formula(*(d[i : i + 1] for d in data), horizon=float(H[i]), model=model)[0]
            for i in range(100)
        ]
        assert batch.tolist() == [float(value) for value in alone]


@EVERY_MODEL
def test_a_model_survives_the_vector(model: btyd.Btyd):
    """Kind and bits."""
    back = btyd.from_vector(btyd.to_vector(model))

    assert (type(back), back) == (type(model), model)
    assert btyd.to_vector(model).shape == (7,)


@pytest.mark.parametrize("model", [BG, MBG], ids=["BG", "MBG"])
def test_expected_purchases_agree_with_the_hypergeometric_formula(model: btyd.BetaGeo):
    """E over p of (1 - (1 + p z)^-(r+x)) / p = B(a-1, .)/B(a, .) (1 - (.)^(r+x) 2F1), a > 1."""
    x, _, T = random_customers(200)
    r, alpha, _, b, m, _ = model
    a, H = 1.7, 39.0
    b_x, u = b + x + m, alpha + T
    factor = (a + b_x - 1) / (a - 1)
    tail = hyp2f1(r + x, b_x, a + b_x - 1, H / (u + H))
    exact = factor * (1 - (u / (u + H)) ** (r + x) * tail)
    actual = btyd.expected_purchases_if_alive(x, x, T, horizon=H, model=model._replace(a=a))
    near = u >= H

    assert actual[near] == pytest.approx(exact[near], rel=1e-6)
    assert actual[u >= H / 4] == pytest.approx(exact[u >= H / 4], rel=2e-3)


def test_quadrature_holds_for_thousands_of_purchases():
    """scipy's roots_jacobi gives NaN there. One purchase a day, never leaving: 30 in 30 days."""
    x, T = numbers(5000, 100_000), numbers(5000, 100_000)
    purchases = btyd.expected_purchases_if_alive(x, x, T, horizon=30.0, model=MBG)

    assert purchases == pytest.approx([30, 30], rel=0.01)


@EVERY_MODEL
def test_whoever_is_expected_to_buy_buys_at_least_once(model: btyd.Btyd):
    """E[X | X >= 1] >= 1 and (1 - P(none)) E[X | X >= 1] = E[X]."""
    x, t_x, T = random_customers(500)
    if_any = btyd.expected_purchases_if_any(x, t_x, T, horizon=13.0, model=model)
    p_any = expit(-btyd.log_odds_no_purchase(x, t_x, T, horizon=13.0, model=model))

    assert (if_any >= 1).all()
    assert p_any * if_any == pytest.approx(
        btyd.expected_purchases(x, t_x, T, horizon=13.0, model=model), rel=1e-9
    )


@EVERY_MODEL
def test_in_a_short_horizon_one_purchase_is_all_there_is(model: btyd.Btyd):
    """E[X] = P(X >= 1), where both come from different formulas and nothing may cancel."""
    x, t_x, T = random_customers(300)
    if_any = btyd.expected_purchases_if_any(x, t_x, T, horizon=1e-6, model=model)

    assert if_any == pytest.approx(1, rel=1e-3)


def test_longer_horizons_and_silences_act_in_the_right_direction():
    """Longer horizon: fewer stay away. Longer silence, same history: more have left."""
    x, t_x = np.full(50, 5.0), np.full(50, 20.0)
    silences = btyd.log_odds_no_purchase(x, t_x, 20 + np.arange(50.0), horizon=9.0, model=MBG)
    horizons = btyd.log_odds_no_purchase(
        x, t_x, np.full(50, 30.0), horizon=np.arange(1.0, 51), model=MBG
    )

    assert (np.diff(silences) > 0).all()
    assert (np.diff(horizons) < 0).all()


# -- golden ------------------------------------------------------------------------


def test_cdnow_expectations_are_the_published_ones():
    """Customer 1: 1.226 purchases in 39 weeks. E[X(t)] from Hardie's spreadsheet.

    Its 2F1 series is cut short and our quadrature is coarse at 78 weeks (exact: 1.8580).
    """
    one = btyd.expected_purchases(
        numbers(2), numbers(30.43), numbers(38.86), horizon=39.0, model=BG
    )
    weeks = [0.1429, 1, 3, 31.8571, 32, 78]
    zero = numbers(0)
    curve = [btyd.expected_purchases(zero, zero, zero, horizon=t, model=BG)[0] for t in weeks]

    assert one == pytest.approx([1.226], abs=5e-4)
    assert curve == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], abs=5e-4)


def test_pareto_expectation_is_the_published_one():
    """CDNOW's best customer, x 26, t_x 30.86, T 31: 25.46 purchases in 52 weeks, alive .9979."""
    data = numbers(26), numbers(30.86), numbers(31)

    assert btyd.expected_purchases(*data, horizon=52.0, model=PARETO) == pytest.approx(
        [25.46], abs=0.005
    )
    assert btyd.probability_alive(*data, model=PARETO) == pytest.approx([0.9979], abs=5e-5)
