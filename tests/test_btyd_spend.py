"""Gamma-gamma: expected spend by hand, unknown and bad spend, the published CDNOW fit."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from btyd_samples import lifetimes_file, numbers

from anticipate.churn import GammaGammaModel
from anticipate.exceptions import BadRowsError
from anticipate.kernels import spend


def spends(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """n customers of p = 6, q = 4, v = 15."""
    rng = np.random.default_rng(seed)
    x, scale = rng.integers(1, 9, n), 1 / rng.gamma(4, 1 / 15, n)
    return pd.DataFrame({"n_priced_days": x, "mean_spend": rng.gamma(6 * x) * scale / x})


# -- by hand -----------------------------------------------------------------------


def test_spend_by_hand():
    """p = 2, q = 3, v = 10, two days of mean 40: 2 (10 + 80) / (4 + 2) = 30; none seen: 20/2."""
    model = spend.GammaGamma(p=2, q=3, v=10)
    actual = spend.expected_spend(numbers(2, 0), numbers(40, np.nan), model=model)

    assert actual.tolist() == [30.0, 10.0]


# -- edges -------------------------------------------------------------------------


def test_a_log_without_prices_has_no_expected_spend():
    """NaN, not zero: unknown is not free."""
    summary = pd.DataFrame({"n_priced_days": [0, 0], "mean_spend": [np.nan, np.nan]})

    assert GammaGammaModel().fit(summary).predict_spend(summary).isna().all()


def test_spend_is_finite_on_one_customer_and_on_equal_ones():
    """Equal customers leave the spread unknown; their expectation is their mean."""
    one = pd.DataFrame({"n_priced_days": [1.0], "mean_spend": [5.0]})
    same = pd.DataFrame({"n_priced_days": [3.0] * 10, "mean_spend": [5.0] * 10})

    assert np.isfinite(GammaGammaModel().fit(one).predict_spend(one)).all()
    assert GammaGammaModel().fit(same).predict_spend(same).tolist() == pytest.approx(
        [5.0] * 10, abs=0.01
    )


def test_unknown_spend_is_left_out_and_predicted_as_everybodys():
    """NaN beside three days says no more than no day at all, also as pandas' missing number."""
    known = spends(50)
    more = pd.DataFrame({"n_priced_days": [3, 0], "mean_spend": [np.nan, 7.0]})
    both = pd.concat([known, more], ignore_index=True)
    model = GammaGammaModel().fit(known)

    assert GammaGammaModel().fit(both).params_ == model.params_
    assert GammaGammaModel().fit(both.convert_dtypes()).params_ == model.params_
    everybody = model.params_["p"] * model.params_["v"] / (model.params_["q"] - 1)
    assert model.predict_spend(more).tolist() == pytest.approx([everybody, everybody])


def test_free_purchases_are_left_out_of_the_fit_but_answered():
    """A mean of 0 has no gamma density; the expectation shrinks from 0 towards everybody's."""
    known, free = spends(50), pd.DataFrame({"n_priced_days": [4], "mean_spend": [0.0]})
    model = GammaGammaModel().fit(pd.concat([known, free]))

    assert model.params_ == GammaGammaModel().fit(known).params_
    assert 0 < model.predict_spend(free).iloc[0] < model.predict_spend(known).mean()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("mean_spend", -1.0),
        ("mean_spend", np.inf),
        ("n_priced_days", -1),
        ("n_priced_days", np.nan),
    ],
)
def test_impossible_spend_is_refused(column: str, value: float):
    """In row 1; the column is named."""
    bad = spends(3).astype(float)
    bad.loc[1, column] = value

    with pytest.raises(BadRowsError, match=rf"{column}.*1 rows, first \[1\]"):
        GammaGammaModel().fit(bad)


# -- laws --------------------------------------------------------------------------


def test_sums_are_the_derivatives_of_the_likelihood():
    """Value, slope and curvature of the weighted sum, by central differences."""
    table, at = spends().sort_values("n_priced_days"), numbers(6.25, 3.74, 15.44)
    x, m = table.n_priced_days.to_numpy(float), table.mean_spend.to_numpy()
    weight = np.arange(1.0, 401)

    def sums(v: np.ndarray) -> spend.Sums:
        return spend.gamma_gamma_sums(x, m, weight, model=spend.GammaGamma(*v.tolist()))

    value = (weight * spend.log_likelihood(x, m, model=spend.GammaGamma(*at.tolist()))).sum()
    assert sums(at).value == pytest.approx(value, rel=1e-12)
    for i in range(3):
        step = np.eye(3)[i] * 1e-5 * at[i]
        up, down = sums(at + step), sums(at - step)
        slope = (up.value - down.value) / (2 * step[i])
        bend = (up.gradient - down.gradient) / (2 * step[i])
        assert sums(at).gradient[i] == pytest.approx(slope, rel=1e-5)
        assert sums(at).hessian[i] == pytest.approx(bend, rel=1e-5)


def test_parts_give_the_same_model_in_any_order():
    """Bit for bit; a weight stands for that many customers."""
    table = spends()
    whole = GammaGammaModel().fit(table)
    parts = [GammaGammaModel.partial(table.iloc[start : start + 150]) for start in (300, 0, 150)]

    assert GammaGammaModel().finish(GammaGammaModel.merge(parts)).params_ == whole.params_
    twice = GammaGammaModel().fit(pd.concat([table, table]))
    assert GammaGammaModel().fit(table.assign(weight=2.0)).params_ == twice.params_


def test_the_currency_scales_v_alone():
    """Cents instead of units: v times 100, p and q as they were."""
    table = spends()
    units, cents = (
        GammaGammaModel().fit(table.assign(mean_spend=table.mean_spend * scale))
        for scale in (1, 100)
    )
    expected = {"p": units.params_["p"], "q": units.params_["q"], "v": 100 * units.params_["v"]}

    assert cents.params_ == pytest.approx(expected, rel=1e-6)
    assert cents.log_likelihood_ == pytest.approx(units.log_likelihood_ - 400 * np.log(100))


def test_the_truth_lies_within_its_standard_errors():
    """20,000 simulated customers: each parameter within three errors, which are below 10 %."""
    model = GammaGammaModel().fit(spends(20_000))
    for name, truth in {"p": 6, "q": 4, "v": 15}.items():
        error = model.standard_errors_[name]
        assert abs(model.params_[name] - truth) < 3 * error < 0.3 * truth


def test_a_fitted_model_survives_arrays_pickle_and_a_warm_start():
    """Same bits; starting at the top stays there."""
    model = GammaGammaModel(warm_start=True).fit(spends())
    for copy in (GammaGammaModel.from_arrays(model.to_arrays()), pickle.loads(pickle.dumps(model))):
        assert (copy.params_, copy.aic_) == (model.params_, model.aic_)
        assert copy.standard_errors_ == model.standard_errors_
        assert copy.get_params() == model.get_params()
    before = dict(model.params_)
    assert model.fit(spends()).params_ == pytest.approx(before, rel=1e-6)


# -- golden ------------------------------------------------------------------------


def test_cdnow_gamma_gamma_fit_is_the_published_one():
    """946 repeaters, mean repeat spend: p 6.25, q 3.74, v 15.44 (Fader and Hardie 2013)."""
    names = {"x": "n_priced_days", "zbar": "mean_spend"}
    path = lifetimes_file("cdnow_customers_summary_with_transactions.csv")
    model = GammaGammaModel(prior_sd=1e6).fit(pd.read_csv(path).rename(columns=names))

    assert model.n_customers_ == 946
    assert model.params_ == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, rel=2e-3)
    assert model.log_likelihood_ == pytest.approx(-4055.92, abs=0.01)
