"""Which buy-till-you-die model serves: chosen by past windows, stored, alike in the kernel."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from random_shops import bought, day, log_of, shop
from scipy.special import logit

from anticipate.churn import ChurnModel, purchase_summary
from anticipate.churn.candidates import CANDIDATES
from anticipate.churn.families import (
    DEFAULT,
    FAMILIES,
    best_family,
    family_log_odds,
    family_losses,
    fit_families,
)
from anticipate.churn.rows import training_rows
from anticipate.churn.summary import history_state
from anticipate.exceptions import MinimumDataWarning
from anticipate.kernels.churn import churn_table, parameters_from_array, parameters_to_array
from anticipate.log import History, InteractionLog

NUMBERS = ("p_churn", "p_alive", "expected_purchases", "expected_value", "value_at_risk")


def pausing_shop(n_customers: int) -> InteractionLog:
    """Nobody leaves: a regular gap of about 30 days, but one in fourteen lasts 100 to 200."""
    rng, rows = np.random.default_rng(1), []
    for customer in range(n_customers):
        when = rng.uniform(0, 200)
        while when < 730:
            rows.append((customer, round(when, 4), 5.0))
            when += rng.gamma(4, 30 / 4) if rng.random() < 0.93 else rng.uniform(100, 200)
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "price"]).assign(item_id=1)
    frame["timestamp"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    return InteractionLog.from_frame(
        frame, price="price", timezone="UTC", closed_until="2025-01-01"
    )


@pytest.fixture(scope="module")
def pausing() -> History:
    return pausing_shop(150).as_of("2024-10-01")


def based_on(family: str, history: History, *, blend: bool) -> ChurnModel:
    """A fit in which that family is the best, and the blend or the family itself is taken."""
    order = sorted(CANDIDATES, key=lambda name: name != ("blend" if blend else "btyd"))
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        patch.setattr("anticipate.churn.rows.best_family", lambda losses: family)
        patch.setattr("anticipate.churn.choice.rank", lambda *_, **__: order)
        patch.setattr("anticipate.churn.choice.MIN_ROWS", 1)
        return ChurnModel(60, random_state=0).fit(history)


@pytest.fixture(
    scope="module",
    params=[(family, blend) for family in FAMILIES for blend in (False, True)],
    ids=lambda case: f"{case[0]}, {'blend' if case[1] else 'alone'}",
)
def model(request: pytest.FixtureRequest, few: History) -> ChurnModel:
    family, blend = request.param
    return based_on(family, few, blend=blend)


@pytest.fixture(scope="module")
def few() -> History:
    """So regular that MBG/CNBD-k takes k > 1."""
    return pausing_shop(40).as_of("2024-10-01")


# -- by hand -----------------------------------------------------------------------


def test_losses_are_mean_log_losses(monkeypatch: pytest.MonkeyPatch):
    """P(left) .8 and .5, the first left: -(ln .8 + ln .5) / 2 = ln(2.5) / 2."""
    monkeypatch.setattr("anticipate.churn.families.MIN_ROWS", 2)
    losses = family_losses({"a": logit(np.array([0.8, 0.5]))}, np.array([True, False]))

    assert losses == {"a": pytest.approx(np.log(2.5) / 2)}


def test_the_lowest_loss_wins_and_the_first_on_a_tie():
    """The default stands first."""
    losses = dict.fromkeys(FAMILIES, 0.5)

    assert next(iter(FAMILIES)) == DEFAULT
    assert best_family(losses) == DEFAULT
    assert best_family(losses | {"pareto_nbd": 0.4, "mbg_cnbd_k": 0.4}) == "mbg_cnbd_k"


def test_too_few_rows_say_nothing_and_leave_the_default():
    """999 rows: no losses, so the default."""
    z, left = {name: np.zeros(999) for name in FAMILIES}, np.ones(999, dtype=bool)

    assert family_losses(z, left) == {}
    assert best_family({}) == DEFAULT


def test_the_likeliest_family_loses_where_it_foresees_less(pausing: History):
    """Regular buyers who pause: MBG/CNBD-k is likelier by hundreds of nats and takes every pause
    for a farewell; the past windows show it, and the report names who serves instead."""
    likelihood = {
        name: fitted.log_likelihood_
        for name, fitted in fit_families(purchase_summary(pausing)).items()
    }
    data = training_rows(pausing, 60)
    losses = family_losses(data.families, data.left)

    assert max(likelihood, key=likelihood.__getitem__) == "mbg_cnbd_k"
    assert likelihood["mbg_cnbd_k"] > likelihood[DEFAULT] + 100
    assert losses["mbg_cnbd_k"] > losses[DEFAULT] + 0.05
    assert data.family == min(losses, key=losses.__getitem__) != "mbg_cnbd_k"
    np.testing.assert_array_equal(data.rows.base, data.families[data.family])


# -- edge --------------------------------------------------------------------------


def test_few_customers_get_the_default():
    rows = [*bought(1, 0, 50, 90), *bought(2, 10), *bought(3, 20, 120)]
    with pytest.warns(MinimumDataWarning, match="MBG/NBD was taken"):
        model = ChurnModel(horizon_days=30).fit(log_of(rows).as_of(day(200)))

    assert model.report_["btyd"] == DEFAULT


def test_a_warning_spells_the_family_and_points_at_the_caller(
    few: History, monkeypatch: pytest.MonkeyPatch
):
    """Pareto/NBD, not PARETO/NBD; the line is the one that called fit."""
    monkeypatch.setattr("anticipate.churn.rows.best_family", lambda losses: "pareto_nbd")
    with pytest.warns(MinimumDataWarning) as caught:
        ChurnModel(60).fit(few)

    assert "Pareto/NBD was taken" in str(caught[0].message)
    assert caught[0].filename == __file__


# -- law ---------------------------------------------------------------------------


def test_every_family_is_fitted_before_the_slice_that_judges_it():
    """Each equals the fit on what its slice's cutoff lets one see."""
    history = shop(80).as_of("2024-10-01")
    data = training_rows(history, 60)
    for number in (0, len(data.cutoffs) - 1):
        past = history.as_of(data.cutoffs[number])
        state = history_state(past)
        for name, fitted in fit_families(purchase_summary(past)).items():
            expected = family_log_odds(fitted.kernel_, state, 60)[state.n_days > 0]
            found = data.families[name][data.slice == number]
            np.testing.assert_array_equal(found, expected)


def test_the_base_is_the_family_that_won(model: ChurnModel):
    """In the report, in the rows' log-odds, in the kernel's parameters."""
    family = FAMILIES[model.report_["btyd"]]

    assert type(model.describer_.btyd) is family
    assert model.parameters_.btyd == model.describer_.btyd.kernel_
    if model.report_["btyd"] == "mbg_cnbd_k":
        assert model.parameters_.btyd.k > 1


def test_models_of_every_family_survive_arrays(model: ChurnModel, few: History):
    """Predictions, parameters and the arrays themselves."""
    arrays = model.to_arrays()
    copy = ChurnModel.from_arrays(arrays)

    pd.testing.assert_frame_equal(copy.predict(few), model.predict(few), check_exact=True)
    assert copy.parameters_ == model.parameters_
    assert type(copy.describer_.btyd) is type(model.describer_.btyd)
    for name, array in copy.to_arrays().items():
        np.testing.assert_array_equal(array, arrays[name])


def test_one_customer_alone_is_the_same_as_in_the_batch(model: ChurnModel, few: History):
    """Bit for bit."""
    batch = model.predict(few)
    for customer in (0, 17, 31):
        alone = model.predict(few, customers=[customer])
        pd.testing.assert_frame_equal(alone, batch.loc[[customer]], check_exact=True)


def test_the_kernel_alone_gives_the_table(model: ChurnModel, few: History):
    """Stored offset, state from events, parameters from a vector: whatever the family."""
    table = churn_table(
        history_state(few),
        model.predict_offsets(few),
        parameters=parameters_from_array(parameters_to_array(model.parameters_)),
    )
    expected = model.predict(few)

    for name in NUMBERS:
        np.testing.assert_array_equal(getattr(table, name), expected[name])
    assert (model.predict_offsets(few) == 0).all() == (model.learned_.members is None)
