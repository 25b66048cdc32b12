"""BG/NBD, MBG/NBD and gamma-gamma: formulas by hand, laws, and the published CDNOW fits."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad
from scipy.special import expit, hyp2f1
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from anticipate.churn.beta_geo import BetaGeoModel
from anticipate.churn.spend import SpendModel
from anticipate.exceptions import BadRowsError, ColumnError, EmptyHistoryError, ParameterError
from anticipate.kernels import btyd, spend

BG = btyd.BetaGeo(r=0.2425945, alpha=4.4136, a=0.79292, b=2.42589, m=0)  # CDNOW, weeks
MBG = btyd.BetaGeo(r=0.525, alpha=6.183, a=0.891, b=1.614, m=1)


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def random_customers(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.poisson(rng.gamma(0.5, 8, n)).astype(float)
    T = rng.integers(1, 200, n).astype(float)
    return x, np.where(x > 0, np.floor(T * rng.random(n)), 0.0), T


def summary_of(x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"n_repeats": x, "last_repeat_days": t_x, "age_days": T})


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


def test_one_time_buyers_are_all_alive_in_bg_but_not_in_mbg():
    """MBG at age 0: nobody can have been silent yet, so P(alive) = b / (a + b)."""
    zero = numbers(0)

    assert btyd.probability_alive(zero, zero, numbers(500), model=BG).tolist() == [1.0]
    assert btyd.probability_alive(zero, zero, zero, model=MBG) == pytest.approx(1.614 / 2.505)


def test_spend_by_hand():
    """p = 2, q = 3, v = 10, two days of mean 40: 2 (10 + 80) / (4 + 2) = 30; none seen: 20/2."""
    model = spend.GammaGamma(p=2, q=3, v=10)
    actual = spend.expected_spend(numbers(2, 0), numbers(40, np.nan), model=model)

    assert actual.tolist() == [30.0, 10.0]


# -- edges -------------------------------------------------------------------------


@pytest.mark.parametrize("modified", [False, True])
@pytest.mark.parametrize(
    "rows",
    [
        [[0, 0, 0]],
        [[0, 0, 100]],
        [[10, 10, 10]] * 5,
        [[3, 0, 0]],
        [[99_999, 1e6, 1e6]],
        [[1, 1e-3, 1e3]] * 1000,
    ],
    ids=["one now", "one silent", "one day apart", "all at once", "very many", "burst"],
)
def test_degenerate_samples_fit_to_finite_parameters(rows: list[list[float]], modified: bool):
    """Plain maximum likelihood runs away on each of these; the weak prior holds it."""
    summary = pd.DataFrame(rows, columns=["n_repeats", "last_repeat_days", "age_days"])
    model = BetaGeoModel(modified=modified).fit(summary)

    assert np.isfinite([*model.params_.values(), model.log_likelihood_]).all()
    assert model.predict_no_purchase(summary, 30.0).between(0, 1).all()
    assert np.isfinite(model.predict_purchases(summary, 30.0)).all()


def test_bad_rows_are_refused_with_their_number():
    """Last purchase after the end of observation, in row 1."""
    summary = summary_of(numbers(0, 1), numbers(0, 9), numbers(5, 5))

    with pytest.raises(BadRowsError, match=r"1 rows, first \[1\]"):
        BetaGeoModel().fit(summary)


def test_missing_numbers_columns_rows_and_horizons_are_refused():
    """Each says what is wrong."""
    good = summary_of(numbers(0), numbers(0), numbers(5))
    with pytest.raises(BadRowsError, match="age_days"):
        BetaGeoModel().fit(good.assign(age_days=np.nan))
    with pytest.raises(ColumnError, match="n_repeats"):
        BetaGeoModel().fit(good.drop(columns="n_repeats"))
    with pytest.raises(EmptyHistoryError):
        BetaGeoModel().fit(good.iloc[:0])
    with pytest.raises(ParameterError, match="horizon"):
        BetaGeoModel().fit(good).predict_no_purchase(good, 0.0)
    with pytest.raises(NotFittedError):
        BetaGeoModel().predict_alive(good)


def test_a_log_without_prices_has_no_expected_spend():
    """NaN, not zero: unknown is not free."""
    summary = pd.DataFrame({"n_priced_days": [0, 0], "mean_spend": [np.nan, np.nan]})

    assert SpendModel().fit(summary).predict_spend(summary).isna().all()


def test_spend_is_finite_on_one_customer_and_on_equal_ones():
    """Equal customers leave the spread unknown; their expectation is their mean."""
    one = pd.DataFrame({"n_priced_days": [1.0], "mean_spend": [5.0]})
    same = pd.DataFrame({"n_priced_days": [3.0] * 10, "mean_spend": [5.0] * 10})

    assert np.isfinite(SpendModel().fit(one).predict_spend(one)).all()
    assert SpendModel().fit(same).predict_spend(same).tolist() == pytest.approx(
        [5.0] * 10, abs=0.01
    )


# -- laws --------------------------------------------------------------------------


@pytest.mark.parametrize("model", [BG, MBG], ids=["BG", "MBG"])
def test_no_purchase_is_the_ratio_of_two_likelihoods(model: btyd.BetaGeo):
    """P(none in (T, T+H]) = exp(ll(x, t_x, T+H) - ll(x, t_x, T))."""
    x, t_x, T = random_customers(500)
    ratio = np.exp(
        btyd.log_likelihood(x, t_x, T + 39, model=model)
        - btyd.log_likelihood(x, t_x, T, model=model)
    )

    assert expit(btyd.log_odds_no_purchase(x, t_x, T, horizon=39.0, model=model)) == pytest.approx(
        ratio, rel=1e-9
    )


@pytest.mark.parametrize("model", [BG, MBG], ids=["BG", "MBG"])
def test_gradient_is_the_derivative_of_the_likelihood(model: btyd.BetaGeo):
    """Against forward differences."""
    data = random_customers(50)

    def loss(v: np.ndarray) -> float:
        at = btyd.BetaGeo(*v.tolist(), m=model.m)
        return float(btyd.log_likelihood(*data, model=at).mean())

    def slope(v: np.ndarray) -> np.ndarray:
        at = btyd.BetaGeo(*v.tolist(), m=model.m)
        return btyd.log_likelihood_gradient(*data, model=at).mean(axis=1)

    assert check_grad(loss, slope, np.array(model[:4])) < 1e-5


def test_gradient_of_spend_is_the_derivative_of_its_likelihood():
    x, m = numbers(1, 2, 7), numbers(3.0, 40.0, 25.0)

    def loss(v: np.ndarray) -> float:
        return float(spend.log_likelihood(x, m, model=spend.GammaGamma(*v.tolist())).sum())

    def slope(v: np.ndarray) -> np.ndarray:
        model = spend.GammaGamma(*v.tolist())
        return spend.log_likelihood_gradient(x, m, model=model).sum(axis=1)

    assert check_grad(loss, slope, numbers(6.25, 3.74, 15.44)) < 1e-5


@pytest.mark.parametrize("model", [BG, MBG], ids=["BG", "MBG"])
def test_one_customer_alone_is_the_same_as_in_a_batch(model: btyd.BetaGeo):
    """Bit for bit, for every formula that scores."""
    data = random_customers(300)
    T = data[2]
    for formula in (btyd.log_odds_no_purchase, btyd.expected_purchases):
        batch = formula(*data, horizon=13.0, model=model)
        alone = [
            formula(*(d[i : i + 1] for d in data), horizon=13.0, model=model)[0] for i in range(300)
        ]
        assert batch.tolist() == [float(value) for value in alone]
    if_any = btyd.expected_purchases_if_any(data[0], T, horizon=13.0, model=model)
    alone = btyd.expected_purchases_if_any(data[0][7:8], T[7:8], horizon=13.0, model=model)
    assert if_any[7] == alone[0]


@pytest.mark.parametrize("model", [BG, MBG], ids=["BG", "MBG"])
def test_expected_purchases_agree_with_the_hypergeometric_formula(model: btyd.BetaGeo):
    """E over p of (1 - (1 + p z)^-(r+x)) / p = B(a-1, .)/B(a, .) (1 - (.)^(r+x) 2F1), a > 1."""
    x, _, T = random_customers(200)
    r, alpha, _, b, m = model
    a, H = 1.7, 39.0
    b_x, u = b + x + m, alpha + T
    factor = (a + b_x - 1) / (a - 1)
    tail = hyp2f1(r + x, b_x, a + b_x - 1, H / (u + H))
    exact = factor * (1 - (u / (u + H)) ** (r + x) * tail)
    actual = btyd.expected_purchases_if_alive(x, T, horizon=H, model=model._replace(a=a))
    near = u >= H

    assert actual[near] == pytest.approx(exact[near], rel=1e-6)
    assert actual[u >= H / 4] == pytest.approx(exact[u >= H / 4], rel=2e-3)


def test_quadrature_holds_for_thousands_of_purchases():
    """scipy's roots_jacobi gives NaN there. One purchase a day, never leaving: 30 in 30 days."""
    x, T = numbers(5000, 100_000), numbers(5000, 100_000)
    purchases = btyd.expected_purchases_if_alive(x, T, horizon=30.0, model=MBG)

    assert purchases == pytest.approx([30, 30], rel=0.01)


def test_whoever_is_expected_to_buy_buys_at_least_once():
    """E[X | X >= 1] >= 1 and (1 - P(none)) E[X | X >= 1] = E[X]."""
    x, t_x, T = random_customers(500)
    if_any = btyd.expected_purchases_if_any(x, T, horizon=13.0, model=MBG)
    p_any = expit(-btyd.log_odds_no_purchase(x, t_x, T, horizon=13.0, model=MBG))

    assert (if_any >= 1).all()
    assert p_any * if_any == pytest.approx(
        btyd.expected_purchases(x, t_x, T, horizon=13.0, model=MBG), rel=1e-9
    )


def test_longer_horizons_and_silences_act_in_the_right_direction():
    """Longer horizon: fewer stay away. Longer silence, same history: more have left."""
    x, t_x = np.full(50, 5.0), np.full(50, 20.0)
    silences = btyd.log_odds_no_purchase(x, t_x, 20 + np.arange(50.0), horizon=9.0, model=MBG)
    horizons = btyd.log_odds_no_purchase(
        x, t_x, np.full(50, 30.0), horizon=np.arange(1.0, 51), model=MBG
    )

    assert (np.diff(silences) > 0).all()
    assert (np.diff(horizons) < 0).all()


def test_partial_sums_give_the_same_model_for_any_division_and_order():
    """Cells add up: three parts merged, or shuffled rows, are the whole, bit for bit."""
    summary = summary_of(*random_customers(400))
    whole = BetaGeoModel().fit(summary)
    cut = [summary.iloc[:100], summary.iloc[100:107], summary.iloc[107:]]
    parts = [BetaGeoModel.partial(part) for part in cut]
    merged = BetaGeoModel().finish(BetaGeoModel.merge(parts))
    shuffled = BetaGeoModel().fit(summary.sample(frac=1, random_state=1))

    assert merged.params_ == whole.params_
    assert shuffled.params_ == whole.params_


def test_a_weight_stands_for_that_many_customers():
    """Row twice = weight two."""
    summary = summary_of(numbers(2, 0), numbers(10, 0), numbers(30, 30))
    twice = BetaGeoModel().fit(pd.concat([summary, summary]))

    assert BetaGeoModel().fit(summary.assign(weight=2.0)).params_ == twice.params_


def test_the_time_unit_scales_alpha_alone():
    """Days instead of weeks: alpha times 7, likelihood minus sum(x) ln 7."""
    weeks = summary_of(*random_customers(400))
    days = weeks.assign(last_repeat_days=weeks.last_repeat_days * 7, age_days=weeks.age_days * 7)
    a, b = BetaGeoModel().fit(weeks), BetaGeoModel().fit(days)

    assert b.params_["alpha"] == pytest.approx(7 * a.params_["alpha"], rel=1e-6)
    assert b.params_["r"] == pytest.approx(a.params_["r"], rel=1e-6)
    expected = a.log_likelihood_ - weeks.n_repeats.sum() * np.log(7)
    assert b.log_likelihood_ == pytest.approx(expected, rel=1e-9)


def test_fit_finds_the_parameters_that_made_the_data():
    """40,000 simulated MBG/NBD customers; all four within 10 %."""
    truth = {"r": 0.8, "alpha": 20.0, "a": 1.2, "b": 3.0}
    model = BetaGeoModel(modified=True).fit(simulate_mbg(40_000, **truth))

    assert model.params_ == pytest.approx(truth, rel=0.1)


def simulate_mbg(n: int, *, r: float, alpha: float, a: float, b: float) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rate, p, T = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), np.full(n, 200.0)
    x, t_x, now = np.zeros(n), np.zeros(n), np.zeros(n)
    alive = rng.random(n) >= p  # MBG: may drop out at the first purchase
    while alive.any():
        now = now + rng.exponential(1 / rate)
        alive &= now <= T
        x, t_x = np.where(alive, x + 1, x), np.where(alive, now, t_x)
        alive &= rng.random(n) >= p
    return summary_of(x, t_x, T)


def test_models_survive_arrays_pickle_and_clone():
    """Same parameters and same predictions, bit for bit."""
    summary = summary_of(*random_customers(200))
    model = BetaGeoModel(modified=True).fit(summary)
    for copy in (BetaGeoModel.from_arrays(model.to_arrays()), pickle.loads(pickle.dumps(model))):
        assert copy.predict_purchases(summary, 9.0).equals(model.predict_purchases(summary, 9.0))
        assert (copy.aic_, copy.get_params()) == (model.aic_, model.get_params())
    assert clone(model).get_params() == model.get_params()


# -- golden ------------------------------------------------------------------------


def lifetimes_file(name: str) -> Path:
    """A data file of the lifetimes package, which is never imported."""
    found = importlib.util.find_spec("lifetimes")
    if found is None or not found.submodule_search_locations:
        pytest.skip("lifetimes is not installed: it brings the CDNOW sample")
    return Path(found.submodule_search_locations[0]) / "datasets" / name


def cdnow_weeks() -> pd.DataFrame:
    """The 2,357 customers of the CDNOW sample, calibration weeks 1-39, exact sevenths."""
    names = ["whole_id", "customer_id", "date", "n_cds", "spend"]
    path = lifetimes_file("CDNOW_sample.txt")
    rows = pd.read_csv(path, sep=r"\s+", names=names, dtype={"date": str})
    day = (pd.to_datetime(rows.date, format="%Y%m%d") - pd.Timestamp("1997-01-01")).dt.days
    days = day[day < 273].groupby(rows.customer_id)
    return pd.DataFrame(
        {
            "n_repeats": days.nunique() - 1,
            "last_repeat_days": (days.max() - days.min()) / 7,
            "age_days": (272 - days.min()) / 7,
        }
    )


# Fader, Hardie and Lee 2005, table 2 (BG/NBD); Batislam et al. 2007 as refitted by BTYDplus.
PUBLISHED = {
    False: ({"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}, -9582.429),
    True: ({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, -9582.136),
}


@pytest.mark.parametrize("modified", [False, True], ids=["BG", "MBG"])
def test_cdnow_fit_is_the_published_one(modified: bool):
    """With the prior switched off, to the digits printed."""
    published, ll = PUBLISHED[modified]
    model = BetaGeoModel(modified=modified, prior_sd=1e6).fit(cdnow_weeks())

    assert model.params_ == pytest.approx(published, rel=5e-4)
    assert model.log_likelihood_ == pytest.approx(ll, abs=1e-3)
    assert model.aic_ == pytest.approx(8 - 2 * ll, abs=2e-3)


@pytest.mark.parametrize("modified", [False, True], ids=["BG", "MBG"])
def test_the_prior_hardly_moves_the_cdnow_fit(modified: bool):
    """One customer's weight beside 2,357: about 1 % in b, .001 nats in all."""
    published, ll = PUBLISHED[modified]
    model = BetaGeoModel(modified=modified).fit(cdnow_weeks())

    assert model.params_ == pytest.approx(published, rel=0.015)
    assert model.log_likelihood_ == pytest.approx(ll, abs=2e-3)


def test_cdnow_summary_with_rounded_times_has_its_own_likelihood():
    """The summary CSV rounds to hundredths of a week: -9582.4256."""
    names = {"frequency": "n_repeats", "recency": "last_repeat_days", "T": "age_days"}
    summary = pd.read_csv(lifetimes_file("cdnow_customers_summary.csv")).rename(columns=names)
    model = BetaGeoModel(prior_sd=1e6).fit(summary)

    assert model.log_likelihood_ == pytest.approx(-9582.4256, abs=1e-3)


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


def test_cdnow_gamma_gamma_fit_is_the_published_one():
    """946 repeaters, mean repeat spend: p 6.25, q 3.74, v 15.44 (Fader and Hardie 2013)."""
    names = {"x": "n_priced_days", "zbar": "mean_spend"}
    path = lifetimes_file("cdnow_customers_summary_with_transactions.csv")
    model = SpendModel(prior_sd=1e6).fit(pd.read_csv(path).rename(columns=names))

    assert model.n_customers_ == 946
    assert model.params_ == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, rel=2e-3)
    assert model.log_likelihood_ == pytest.approx(-4055.92, abs=0.01)
