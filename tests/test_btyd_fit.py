"""BTYD estimators: bad and tiny samples, laws of the fit, and the published CDNOW fits."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from btyd_samples import (
    BG,
    ESTIMATORS,
    MBG,
    MBG_3,
    PARETO,
    cdnow_weeks,
    lifetimes_file,
    numbers,
    random_customers,
    simulate,
    summary_of,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from anticipate.churn import BetaGeoModel, ModifiedBetaGeoModel, RegularBetaGeoModel
from anticipate.churn.btyd import climb
from anticipate.exceptions import BadRowsError, ColumnError, EmptyHistoryError, ParameterError
from anticipate.kernels import btyd

EVERY_ESTIMATOR = pytest.mark.parametrize("kind", ESTIMATORS.values(), ids=ESTIMATORS.keys())

# -- edges -------------------------------------------------------------------------


@EVERY_ESTIMATOR
@pytest.mark.parametrize(
    "rows",
    [
        [[0, 0, 0]],
        [[0, 0, 100]],
        [[0, 0, 100]] * 50 + [[0, 0, 10]] * 50,
        [[5, 3, 300]] * 40,
        [[10, 10, 10]] * 5,
        [[3, 0, 0]],
        [[50_000, 1e-3, 1e-3]],
        [[99_999, 1e6, 1e6]],
        [[1, 1e-3, 1e3]] * 1000,
    ],
    ids=[
        "one now", "one silent", "all once", "nobody again", "one day apart", "all at once",
        "no time", "very many", "burst",
    ],
)  # fmt: skip
def test_degenerate_samples_fit_to_finite_parameters(rows: list[list[float]], kind: Any):
    """Plain maximum likelihood runs away on each of these; the weak prior holds it."""
    table = summary_of(*np.array(rows, dtype=float).T)
    model = kind().fit(table)

    assert np.isfinite([*model.params_.values(), model.log_likelihood_, model.aic_]).all()
    assert model.predict_no_purchase(table, 30.0).between(0, 1).all()
    assert np.isfinite(model.predict_purchases(table, 30.0)).all()
    assert all(np.isnan(e) or e > 0 for e in model.standard_errors_.values())


@EVERY_ESTIMATOR
def test_small_samples_always_fit_in_any_time_unit(kind: Any):
    """Of 30 to 120 customers, in days, weeks and months; the unit scales times alone."""
    for seed in range(12):
        T = np.random.default_rng(seed).integers(30, 274, 30 + 8 * seed).astype(float)
        table, _ = simulate(btyd.BetaGeo(0.25, 30, 0.8, 2.4, 0), T, 1.0, seed)
        fits = [kind().fit(in_units(table, unit)) for unit in (1.0, 7.0, 30.4375)]
        for unit, fit in zip((1.0, 7.0, 30.4375), fits, strict=True):
            scale = {name: 1 / unit if name in ("alpha", "beta") else 1.0 for name in fit.params_}
            expected = {name: value * scale[name] for name, value in fits[0].params_.items()}
            assert fit.params_ == pytest.approx(expected, rel=1e-4)
        total = fits[0].log_likelihood_ + table.n_repeats.sum() * np.log(7)
        assert fits[1].log_likelihood_ == pytest.approx(total, rel=1e-9)


def in_units(table: pd.DataFrame, days: float) -> pd.DataFrame:
    return table.assign(
        last_repeat_days=table.last_repeat_days / days,
        age_days=table.age_days / days,
        log_gap_sum=table.log_gap_sum - table.n_repeats * np.log(days),
    )


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "int32", "object"])
def test_whole_numbers_of_any_kind_are_read_alike(dtype: str):
    """pandas' nullable and Arrow columns give the bits of plain ones."""
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow", reason="Arrow columns need pyarrow")
    table = summary_of(*random_customers(200)).drop(columns="log_gap_sum")
    model, other = BetaGeoModel().fit(table), BetaGeoModel().fit(table.astype(dtype))

    assert other.params_ == model.params_
    assert other.predict_alive(table.astype(dtype)).equals(model.predict_alive(table))


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
    with pytest.raises(BadRowsError, match="age_days"):
        BetaGeoModel().fit(good.assign(age_days=pd.array([pd.NA], dtype="Int64")))
    with pytest.raises(BadRowsError, match="weight"):
        BetaGeoModel().fit(good.assign(weight=-1))
    with pytest.raises(ColumnError, match="n_repeats"):
        BetaGeoModel().fit(good.drop(columns="n_repeats"))
    with pytest.raises(EmptyHistoryError):
        BetaGeoModel().fit(good.iloc[:0])
    with pytest.raises(ParameterError, match="horizon"):
        BetaGeoModel().fit(good).predict_no_purchase(good, 0.0)
    with pytest.raises(NotFittedError):
        BetaGeoModel().predict_alive(good)


# -- laws --------------------------------------------------------------------------


def alike(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n customers of few kinds, so that cells add up numbers of several customers and parts."""
    x, _, T = random_customers(n)
    x, T = np.minimum(x, 3), np.ceil(T / 50) * 50
    return x, np.where(x > 0, T - 30, 0.0), T


@EVERY_ESTIMATOR
@pytest.mark.parametrize("step", [1.0, 1 / 7, 0.1], ids=["days", "weeks", "fractions"])
def test_any_division_and_order_gives_the_same_model(step: float, kind: Any):
    """Cells add up: three parts in another order, or shuffled rows, are the whole, bit for bit."""
    x, t_x, T = alike(400)
    table = summary_of(x, t_x * step, T * step)
    table["log_gap_sum"] -= np.random.default_rng(2).random(400) * (x > 1)
    whole = kind().fit(table)
    cut = [table.iloc[107:], table.iloc[:100], table.iloc[100:107]]
    merged = kind().finish(kind.merge([kind.partial(part) for part in cut]))
    shuffled = kind().fit(table.sample(frac=1, random_state=1))

    for other in (merged, shuffled):
        assert other.params_ == whole.params_
        assert other.log_likelihood_ == whole.log_likelihood_
        assert other.standard_errors_ == pytest.approx(whole.standard_errors_, nan_ok=True)


def test_the_order_of_parts_does_not_matter_for_fractions_of_customers():
    """Weights that are no whole numbers: the same bits for each order of the same parts."""
    table = summary_of(*alike(400)).assign(weight=np.random.default_rng(0).random(400))
    parts = [BetaGeoModel.partial(table.iloc[i : i + 100]) for i in range(0, 400, 100)]
    one, other = (BetaGeoModel().finish(BetaGeoModel.merge(p)) for p in (parts, parts[::-1]))

    assert one.params_ == other.params_


@EVERY_ESTIMATOR
def test_a_weight_stands_for_that_many_customers(kind: Any):
    """Row twice = weight two; weight zero = not there."""
    table = summary_of(*random_customers(50))
    twice = kind().fit(pd.concat([table, table]))
    none = pd.concat([table.assign(weight=2.0), summary_of(*random_customers(9)).assign(weight=0)])

    assert kind().fit(table.assign(weight=2.0)).params_ == twice.params_
    steady = kind(prior_sd=2.5)  # fifty customers alone leave a flat ridge
    again = clone(steady).fit(none).params_
    assert again == pytest.approx(steady.fit(pd.concat([table, table])).params_, rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "truth"),
    [("BG", BG), ("MBG", MBG), ("Pareto", PARETO), ("regular", MBG_3._replace(r=1.5))],
    ids=lambda value: str(value)[:12],
)
def test_the_truth_lies_within_its_standard_errors(kind: str, truth: btyd.Btyd):
    """20,000 simulated customers, 20 to 60 weeks: each parameter within three errors."""
    T = np.random.default_rng(1).uniform(20, 60, 20_000)
    model = ESTIMATORS[kind]().fit(simulate(truth, T, 1.0)[0])
    for name, value in model.params_.items():
        error = model.standard_errors_[name]
        assert abs(value - getattr(truth, name)) < 3 * error < value


def test_standard_errors_are_the_spread_of_fits_over_samples():
    """40 samples of 2,000: the errors of r and alpha are their spread, to a third."""
    T = np.random.default_rng(1).uniform(20, 60, 2_000)
    fits = [BetaGeoModel().fit(simulate(BG, T, 1.0, seed)[0]) for seed in range(40)]
    for name in ("r", "alpha"):
        spread = np.std([fit.params_[name] for fit in fits], ddof=1)
        claimed = np.mean([fit.standard_errors_[name] for fit in fits])
        assert claimed == pytest.approx(spread, rel=1 / 3)


@EVERY_ESTIMATOR
def test_models_survive_arrays_pickle_and_clone(kind: Any):
    """Same parameters and same predictions, bit for bit."""
    summary = summary_of(*random_customers(200))
    model = kind(prior_sd=2.0, warm_start=True).fit(summary)
    for copy in (kind.from_arrays(model.to_arrays()), pickle.loads(pickle.dumps(model))):
        assert copy.predict_purchases(summary, 9.0).equals(model.predict_purchases(summary, 9.0))
        assert (copy.aic_, copy.get_params()) == (model.aic_, model.get_params())
        assert copy.expected_repeats(9.0) == model.expected_repeats(9.0)
    assert clone(model).get_params() == model.get_params()


def test_a_warm_start_ends_where_it_began_in_fewer_steps(monkeypatch: pytest.MonkeyPatch):
    """Starting at the top it only looks round; without it each fit climbs anew."""
    steps, minimize = [], climb.minimize

    def counted(*args: Any, **options: Any) -> Any:
        result = minimize(*args, **options)
        steps.append(result.nit)
        return result

    monkeypatch.setattr(climb, "minimize", counted)
    summary, _ = simulate(BG, np.full(2_000, 40.0), 1.0)
    for warm in (True, False):
        model = BetaGeoModel(warm_start=warm).fit(summary)
        first = dict(model.params_)
        assert model.fit(summary).params_ == pytest.approx(first, rel=1e-5)
    assert steps[1] <= 1 < steps[0] == steps[2] == steps[3]


def test_many_cells_are_fitted_like_few():
    """Beyond 8,000 cells a fit on some of them gives the start, not the answer."""
    T = np.random.default_rng(1).uniform(20, 60, 60_000)
    cells = BetaGeoModel.partial(simulate(BG, T, 1.0)[0])
    model = BetaGeoModel().finish(cells)
    again = BetaGeoModel(warm_start=True).fit(simulate(BG, T[:99], 1.0)[0]).finish(cells)

    assert len(cells.x) > 8_000
    assert again.params_ == pytest.approx(model.params_, rel=1e-5)


# -- golden ------------------------------------------------------------------------

# Fader, Hardie and Lee 2005, table 2 (BG/NBD); Batislam et al. 2007 as refitted by BTYDplus;
# Fader and Hardie's note on Pareto/NBD.
PUBLISHED = {
    "BG": ({"r": 0.2425945, "alpha": 4.4136, "a": 0.79292, "b": 2.42589}, -9582.429),
    "MBG": ({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, -9582.136),
    "Pareto": ({"r": 0.5532, "alpha": 10.576, "s": 0.6063, "beta": 11.671}, -9594.976),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_cdnow_fit_is_the_published_one(name: str):
    """With the prior switched off, to the digits printed."""
    published, ll = PUBLISHED[name]
    model = ESTIMATORS[name](prior_sd=1e6).fit(cdnow_weeks())

    assert model.params_ == pytest.approx(published, rel=5e-4)
    assert model.log_likelihood_ == pytest.approx(ll, abs=1.5e-3)
    assert model.aic_ == pytest.approx(8 - 2 * ll, abs=3e-3)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_prior_hardly_moves_the_cdnow_fit(name: str):
    """One customer's weight beside 2,357: .003 nats in all, a tenth of a standard error."""
    published, ll = PUBLISHED[name]
    model = ESTIMATORS[name]().fit(cdnow_weeks())

    assert model.log_likelihood_ == pytest.approx(ll, abs=3e-3)
    for parameter, value in published.items():
        assert abs(model.params_[parameter] - value) < 0.1 * model.standard_errors_[parameter]


def test_regular_gaps_of_one_step_are_the_modified_model():
    """k = 1, with and without the gaps: the same likelihood and parameters."""
    table = summary_of(*random_customers(300))
    regular, plain = RegularBetaGeoModel(k=1).fit(table), ModifiedBetaGeoModel().fit(table)

    assert regular.params_ == plain.params_
    assert regular.log_likelihood_ == plain.log_likelihood_


def test_cdnow_summary_with_rounded_times_has_its_own_likelihood():
    """The summary CSV rounds to hundredths of a week: -9582.4256."""
    names = {"frequency": "n_repeats", "recency": "last_repeat_days", "T": "age_days"}
    summary = pd.read_csv(lifetimes_file("cdnow_customers_summary.csv")).rename(columns=names)
    model = BetaGeoModel(prior_sd=1e6).fit(summary)

    assert model.log_likelihood_ == pytest.approx(-9582.4256, abs=1e-3)
