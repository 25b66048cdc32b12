"""The churn table under contract: who has left, what they pay, and the laws of the model."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from random_contracts import gym
from random_shops import bought, day, log_of, quick, shop

from anticipate.churn import ChurnModel, ContractHazard
from anticipate.exceptions import EmptyHistoryError, MinimumDataWarning, ParameterError
from anticipate.kernels.churn import SEGMENTS
from anticipate.log import History
from anticipate.testing import check_history_model, random_log

Row = tuple[Any, ...]
NOON = pd.Timestamp("2025-01-01T12:00")


def contract(customer: int, *when: tuple[float, str], price: float = np.nan) -> list[Row]:
    return [(customer, at, event, price) for at, event in when]


def ends(*rows: tuple[int, float, float]) -> pd.DataFrame:
    """(customer, end day, valid-from day), at noon."""
    table = pd.DataFrame(rows, columns=["customer_id", "contract_end", "valid_from"])
    for name in ("contract_end", "valid_from"):
        table[name] = NOON + pd.to_timedelta(table[name], unit="D")
    return table


def fitted(history: History, **options: Any) -> ChurnModel:
    return quick(history, **{"horizon_days": 60, "mode": "contract", "random_state": 0} | options)


@pytest.fixture(scope="module")
def members() -> History:
    return gym(300).as_of(day(550))


@pytest.fixture(scope="module")
def model(members: History) -> ChurnModel:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anticipate.churn.contracts.interval.N_HALVES", 3)
        return ChurnModel(60, mode="contract", interval=True, random_state=0).fit(members)


# -- by hand -----------------------------------------------------------------------


SEGMENT_CASES = {
    "prospective": [(1, 5, "view", np.nan)],
    "new": contract(1, (180, "subscribe")),
    "current": contract(1, (0, "subscribe"), (190, "renew")),
    "cooling": contract(1, (0, "subscribe")) + bought(1, 0, 5, 10, 15),
    "at_risk": contract(1, (0, "subscribe")),
    "departed": contract(1, (0, "subscribe"), (150, "lapse")),
    "won_back": contract(1, (0, "subscribe"), (150, "lapse"), (190, "subscribe")),
}


@pytest.mark.parametrize("segment", SEGMENTS)
def test_each_segment_under_contract(segment: str):
    """Day 200, horizon 60 d; no usual term is known, so young is younger than the horizon."""
    others = [row for c in range(50, 90) for row in contract(c, (0, "subscribe"), (195, "renew"))]
    at_risk = 0.0 if segment == "at_risk" else 0.9
    history = log_of(SEGMENT_CASES[segment] + others).as_of(day(200))

    assert fitted(history, at_risk=at_risk).predict(history).loc[1, "segment"] == segment


def test_new_and_won_back_last_for_the_usual_term_or_until_a_renewal():
    """Terms of 30 d completed by others, day 200. Begun 20 d ago: new; 40 d ago, or renewed since:
    current. Begun again 20 d ago: won back; 40 d ago: current."""
    rows = [row for c in range(50, 60) for row in contract(c, (0, "subscribe"), (30, "renew"))]
    rows += contract(1, (180, "subscribe")) + contract(2, (160, "subscribe"))
    rows += contract(3, (180, "subscribe"), (190, "renew"))
    for customer, again in ((4, 180), (5, 160)):
        rows += contract(customer, (0, "subscribe"), (30, "lapse"), (again, "subscribe"))
    history = log_of(rows).as_of(day(200))
    found = fitted(history, at_risk=0.99).predict(history)["segment"]

    assert found.loc[1:5].tolist() == ["new", "current", "current", "won_back", "current"]


def test_value_is_the_last_payment_spread_over_its_term():
    """Day 50, horizon 60 d. 1: 90 for the 90 d to the stated end: 60 in 60 d. 2: 99, no end, open
    for 49.5 d: 2 a day. 3: paid 15, lapsed: over 30 d. 4: no price. 5: 40 bought 40 d ago: 1 a
    day. 6: 7, then 45 for the renewal, whose 45 d are stated."""
    rows = contract(1, (0, "subscribe"), price=90) + contract(2, (0, "subscribe"), price=99)
    rows += contract(3, (0, "subscribe"), price=15) + contract(3, (40, "lapse"))
    rows += contract(4, (0, "subscribe")) + contract(5, (0, "subscribe")) + bought(5, 10, price=40)
    rows += contract(6, (0, "subscribe"), price=7) + contract(6, (30, "renew"), price=45)
    history = log_of(rows, customers=ends((1, 90, 0), (6, 75, 30))).as_of(day(50))
    table = fitted(history).predict(history)
    if_staying = table["expected_value"] + table["value_at_risk"]

    assert if_staying.tolist() == pytest.approx([60, 120, 30, 0, 60, 60])
    np.testing.assert_allclose(table["value_at_risk"], table["p_churn"] * if_staying)


def test_purchases_beside_the_contract_go_on_as_before():
    """3 purchase days in 80 d, horizon 60 d: 60 · 3/80 if the contract stays; a first one 40 d ago
    counts over 60 d: 1."""
    rows = contract(1, (0, "subscribe")) + contract(2, (0, "subscribe"))
    history = log_of(rows + bought(1, 20, 40, 60) + bought(2, 60)).as_of(day(100))
    table = fitted(history).predict(history)

    assert table["expected_purchases"].tolist() == pytest.approx(
        [(1 - table["p_churn"][1]) * 60 * 3 / 80, 1 - table["p_churn"][2]]
    )


def test_whoever_is_out_of_contract_gets_the_share_of_those_who_came():
    """60 d before day 200 three were closed, one of them is back: 1.5 of 4. Two had none, one has
    subscribed since: 1.5 of 3. Their p_churn: 5/8 and 1/2."""
    rows = [row for c in (1, 2, 3) for row in contract(c, (0, "subscribe"), (100, "lapse"))]
    rows += contract(3, (170, "subscribe")) + contract(5, (150, "subscribe"))
    rows += [(4, 3, "view", np.nan), (5, 3, "view", np.nan)]
    history = log_of(rows).as_of(day(200))
    table = fitted(history).predict(history, customers=[1, 2, 4, 99])

    assert table["p_churn"].tolist() == pytest.approx([5 / 8, 5 / 8, 1 / 2, 1 / 2])
    assert table["p_alive"].tolist() == pytest.approx([3 / 8, 3 / 8, 1 / 2, 1 / 2])


# -- edge --------------------------------------------------------------------------


def test_without_contracts_it_says_what_to_give():
    with pytest.raises(EmptyHistoryError, match="'subscribe', 'renew' or 'lapse'"):
        fitted(log_of(bought(1, 0, 5)).as_of(day(50)))


def test_an_unknown_mode_is_refused():
    with pytest.raises(ParameterError, match="mode"):
        quick(log_of(bought(1, 0, 5)).as_of(day(50)), mode="subscription")


def test_a_log_without_prices_has_no_value_and_all_else():
    history = log_of(contract(1, (0, "subscribe")) + contract(2, (0, "subscribe"))).as_of(day(99))
    table = fitted(history).predict(history)

    assert table[["expected_value", "value_at_risk"]].isna().all(axis=None)
    assert table[["p_churn", "p_alive", "expected_purchases"]].notna().all(axis=None)


def test_a_customer_without_a_price_is_worth_the_same_alone():
    """Nothing is known of what 2 pays: 0 beside 1 and alone."""
    rows = contract(1, (0, "subscribe"), price=9) + contract(2, (0, "subscribe"))
    history = log_of(rows).as_of(day(99))
    model = fitted(history)
    alone = model.predict(history, customers=[2])

    pd.testing.assert_frame_equal(alone, model.predict(history).loc[[2]], check_exact=True)
    assert alone.loc[2, "expected_value"] == 0


def test_objectors_teach_nothing_and_look_like_strangers():
    """Neither their contract, nor what they paid, nor when they came."""
    said = pd.DataFrame({"customer_id": [3], "objects_to": ["profiling"]})
    rows = contract(1, (0, "subscribe"), price=9) + contract(2, (0, "subscribe"), (70, "lapse"))
    theirs = contract(3, (0, "subscribe"), price=50) + contract(3, (90, "lapse")) + bought(3, 4)
    history = log_of(rows + theirs, customers=said).as_of(day(200))
    model, without = fitted(history), fitted(log_of(rows).as_of(day(200)))
    table = model.predict(history, customers=[3, 77])

    assert table.loc[3].tolist() == table.loc[77].tolist()
    assert model.report_ == without.report_ | {"n_left_out": 1}
    pd.testing.assert_frame_equal(
        model.predict(history, customers=[1, 2]), without.predict(history, customers=[1, 2])
    )


def test_few_contracts_warn_once_and_still_get_limits(monkeypatch: pytest.MonkeyPatch):
    """Too few halves have a contract in them to show a spread: low < p < high for everybody."""
    monkeypatch.setattr("anticipate.churn.contracts.interval.N_HALVES", 1)
    rows = contract(1, (0, "subscribe")) + [(c, 0, "view", np.nan) for c in range(2, 31)]
    history = log_of(rows).as_of(day(200))
    with pytest.warns(MinimumDataWarning) as caught:
        model = ChurnModel(60, mode="contract", interval=True).fit(history)
    table = model.predict(history, customers=[1, 2, 99])

    assert len(caught) == 1
    assert (table["p_churn_low"] < table["p_churn"]).all()
    assert (table["p_churn"] < table["p_churn_high"]).all()


@pytest.mark.parametrize("leave", [True, False], ids=["all", "none"])
def test_where_all_or_none_have_left_every_answer_is_finite(leave: bool):
    rows = [row for c in range(30) for row in contract(c, (c, "subscribe"), price=5)]
    rows += [row for c in range(30) for row in contract(c, (c + 60, "lapse")) if leave]
    history = log_of(rows).as_of(day(200))
    model = fitted(history, interval=True)
    table = model.predict(history)

    assert table["segment"].eq("departed").tolist() == [leave] * 30
    assert np.isfinite(table.select_dtypes("number")).all(axis=None)
    assert np.isfinite(model.contributions(history.as_of(day(50)))).all(axis=None)


def test_a_horizon_longer_than_all_that_is_known_is_answered():
    """Nobody was there 4,000 days ago."""
    history = log_of(contract(1, (0, "subscribe"), price=5)).as_of(day(50))
    table = fitted(history, horizon_days=4000).predict(history, customers=[1, 2])

    assert table["p_churn"].between(0, 1, inclusive="neither").all()


def test_what_only_inactivity_has_is_refused_clearly(model: ChurnModel, members: History):
    """The kernel behind a bundle knows no contract."""
    for ask in ("predict_offsets", "predict_table"):
        with pytest.raises(ParameterError, match="mode='contract'"):
            getattr(model, ask)(members)
    for name in ("parameters_", "describer_"):
        with pytest.raises(ParameterError, match="mode='contract'"):
            getattr(model, name)


# -- law ---------------------------------------------------------------------------


def test_columns_are_those_of_inactivity(model: ChurnModel, members: History):
    """In the same order and of the same kind."""
    history = shop(100).as_of("2024-10-01")
    inactivity = quick(history, horizon_days=60, interval=True).predict(history)
    table = model.predict(members)

    assert (inactivity.attrs["mode"], inactivity.attrs["horizon_days"]) == ("inactivity", 60.0)
    assert table.dtypes.to_dict() == inactivity.dtypes.to_dict()
    assert table.columns.tolist() == inactivity.columns.tolist()
    assert set(table["segment"]) <= set(SEGMENTS)


def test_churn_of_open_contracts_is_the_hazards_and_says_what_it_is(
    model: ChurnModel, members: History
):
    """p_churn as of ContractHazard; report and table state what leaving means."""
    hazard = ContractHazard(60, random_state=0).fit(members)
    expected, table = hazard.predict(members), model.predict(members)
    is_open = expected["open"]

    np.testing.assert_allclose(
        table.loc[is_open, "p_churn"], expected.loc[is_open, "p_churn"], rtol=1e-12
    )
    assert table["reason"].tolist() == expected["reason"].tolist()
    assert (table.loc[is_open, "p_alive"] == 1).all()
    assert "closed within 60 days" in model.report_["churn_is"]
    assert table.attrs["churn_is"] == model.report_["churn_is"]
    assert (table.attrs["mode"], table.attrs["horizon_days"]) == ("contract", 60.0)
    assert model.predict(members, customers=[5]).attrs == table.attrs


def test_limits_enclose_the_probability_and_change_nothing_else(
    model: ChurnModel, members: History
):
    plain = ChurnModel(60, mode="contract", random_state=0).fit(members).predict(members)
    table = model.predict(members)

    assert (table["p_churn_low"] < table["p_churn"]).all()
    assert (table["p_churn_high"] > table["p_churn"]).all()
    pd.testing.assert_frame_equal(
        table.drop(columns=["p_churn_low", "p_churn_high"]), plain, check_exact=True
    )


def test_one_customer_alone_is_the_same_as_in_the_batch(model: ChurnModel, members: History):
    """Bit for bit, limits too; a newcomer and an empty list are answered."""
    batch = model.predict(members)

    assert len(model.predict(members, customers=[])) == 0
    assert model.predict(members, customers=[9999]).loc[9999, "segment"] == "prospective"
    for customer in (0, 17, 211):
        alone = model.predict(members, customers=[customer])
        pd.testing.assert_frame_equal(alone, batch.loc[[customer]], check_exact=True)


def test_models_survive_arrays_and_pickle(model: ChurnModel, members: History):
    """Predictions with limits, contributions, report and settings."""
    expected, shares = model.predict(members), model.contributions(members, customers=[1, 2])
    for copy in (ChurnModel.from_arrays(model.to_arrays()), pickle.loads(pickle.dumps(model))):
        pd.testing.assert_frame_equal(copy.predict(members), expected, check_exact=True)
        found = copy.contributions(members, customers=[1, 2])
        pd.testing.assert_frame_equal(found, shares, check_exact=True)
        assert copy.report_ == model.report_
        assert copy.get_params() == model.get_params()


def test_the_model_keeps_the_laws_of_models_of_histories(monkeypatch: pytest.MonkeyPatch):
    """Leaks, order, batch, seed, storage: the library's own checks."""
    monkeypatch.setattr("anticipate.churn.contracts.interval.N_HALVES", 2)
    model = ChurnModel(40, mode="contract", interval=True, random_state=0)
    check_history_model(model, random_log(2, n_customers=60))
