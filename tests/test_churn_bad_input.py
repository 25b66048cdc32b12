"""The churn model on input that real shops send: finite, sensible, at most one warning."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from random_shops import bought, day, log_of, quick, shop
from scipy.special import expit

from anticipate.churn import ChurnModel
from anticipate.churn.families import FAMILIES
from anticipate.churn.summary import history_state, summary_of
from anticipate.exceptions import BadRowsError, EmptyHistoryError, MinimumDataWarning
from anticipate.kernels.churn import SEGMENTS, ChurnParameters, churn_table
from anticipate.kernels.purchases import PurchaseState
from anticipate.log import History, InteractionLog

Row = tuple[Any, ...]


@pytest.fixture(autouse=True)
def _few_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anticipate.churn.interval.N_REPLICATES", 3)


def answer(history: History, horizon_days: float = 30) -> pd.DataFrame:
    """The table with limits, of everybody and a stranger; checked to be sensible."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = ChurnModel(horizon_days, interval=True, random_state=0).fit(history)
    assert [warning.category for warning in caught] in ([], [MinimumDataWarning])
    stranger = int(max(history.customer_ids)) + 1
    table = model.predict(history, customers=[*history.customer_ids.tolist(), stranger])
    assert np.isfinite(table.select_dtypes("number")).all(axis=None)
    assert (table["p_churn_low"] <= table["p_churn"]).all()
    assert (table["p_churn"] <= table["p_churn_high"]).all()
    assert table[["p_churn", "p_alive", "p_churn_low", "p_churn_high"]].stack().between(0, 1).all()
    assert (table["expected_value"] >= 0).all()
    assert table["segment"].isin(SEGMENTS).all()
    shares = model.contributions(history)
    np.testing.assert_allclose(expit(shares.sum(axis=1)), table["p_churn"].iloc[:-1], rtol=1e-9)
    return table


@pytest.fixture(scope="module")
def parameters() -> ChurnParameters:
    """Of a fit on few customers."""
    return quick(shop(60).as_of("2024-10-01"), horizon_days=60).parameters_


@pytest.mark.parametrize("days", [(5,), (5, 20, 41)], ids=["once", "three times"])
def test_one_customer(days: tuple[int, ...]):
    assert len(answer(log_of(bought(1, *days)).as_of(day(90)))) == 2


@pytest.mark.parametrize("n_customers", [3, 300])
def test_everyone_bought_once_and_nobody_again(n_customers: int):
    """Of 300 over 100 days nobody came back: whoever bought first will hardly do so."""
    rows = [row for c in range(n_customers) for row in bought(c, c % 100)]
    table = answer(log_of(rows).as_of(day(250)))

    assert table["p_churn"].iloc[0] > (0.9 if n_customers == 300 else 0.5)
    assert not table["segment"].isin(["won_back", "at_risk", "cooling", "current"]).any()


def test_all_have_churned():
    """Weekly buyers who all stopped on day 140, asked on day 400: nobody is expected."""
    rows = [row for c in range(80) for row in bought(c, *range(c % 7, 140, 7))]
    table = answer(log_of(rows).as_of(day(400))).iloc[:-1]

    assert (table["p_churn"] > 0.8).all()
    assert (table["expected_purchases"] < 0.5).all()


def test_nobody_has_churned():
    """Weekly buyers to the last: all are expected to buy again within 30 days."""
    rows = [row for c in range(80) for row in bought(c, *range(c % 7, 250, 7))]
    table = answer(log_of(rows).as_of(day(250))).iloc[:-1]

    assert (table["p_churn"] < 0.2).all()
    assert set(table["segment"]) == {"current"}


def test_everyones_first_purchase_is_on_the_day_of_the_cutoff():
    """Age 0: no window is closed and no time has passed since."""
    rows = [row for c in range(20) for row in bought(c, 9)]
    table = answer(log_of(rows).as_of(pd.Timestamp("2025-01-10T18:00", tz="UTC")))

    assert table["p_churn"].nunique() == 1
    assert set(table["segment"]) == {"new", "prospective"}


def test_a_first_event_is_no_purchase():
    """Prices and views, and one buyer among them; nobody at all is an error."""
    rows = [(c, 0, "view", np.nan) for c in range(20)]

    assert (answer(log_of([*rows, *bought(99, 3)]).as_of(day(60)))["p_churn"] > 0).all()
    with pytest.raises(EmptyHistoryError, match="no purchase"):
        ChurnModel().fit(log_of(rows).as_of(day(60)))


def test_fifty_thousand_purchase_days_of_one_customer():
    """Every day for 137 years, beside one who bought twice."""
    days = pd.date_range("1880-01-01", periods=50_001, freq="D")
    frame = pd.DataFrame({"timestamp": days, "customer_id": 1, "item_id": 1, "price": 2.0})
    few = frame.iloc[[-40, -10]].assign(customer_id=2)
    log = InteractionLog.from_frame(
        pd.concat([frame, few]), price="price", timezone="UTC", closed_until="2017-01-01"
    )
    table = answer(log.as_of(days[-1] + pd.Timedelta(days=1)))

    assert table.loc[1, "p_churn"] < 0.01
    assert table.loc[1, "expected_purchases"] == pytest.approx(30, rel=0.2)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("age", [0.0, 1e-9, 0.5], ids=str)
def test_fifty_thousand_repeats_in_no_time(family: str, age: float, parameters: ChurnParameters):
    """More than days can hold, as a damaged bundle might: every column stays finite."""
    history = shop(60).as_of("2024-10-01")
    state = history_state(history)
    btyd = FAMILIES[family]().fit(summary_of(history, state)).kernel_
    one = PurchaseState(*(column[:1] for column in state))._replace(
        n_days=np.array([50_001.0]),
        last_repeat_days=np.array([age]),
        age_days=np.array([age]),
        last_gap_days=np.array([age / 50_000]),
    )
    table = churn_table(one, np.zeros(1), parameters=parameters._replace(btyd=btyd))

    assert np.isfinite(np.array(table[:5])).all()
    assert 0 <= table.p_churn[0] <= 1


def test_a_negative_price_is_refused_at_the_door():
    with pytest.raises(BadRowsError, match="price"):
        log_of(bought(1, 0, 5, price=-3))


def test_unknown_prices_among_known_ones_are_no_zero_spend():
    """1 paid 10 on either day, 2 unknown sums: 2 is worth what buyers are worth, not nothing."""
    rows = [*bought(1, 0, 9, 20), *bought(2, 0, 9, 20, price=np.nan), *bought(3, 0, 9, price=10)]
    table = answer(log_of(rows).as_of(day(60)))

    assert table.loc[2, "expected_value"] > 0


@pytest.mark.parametrize("kind", ["Int64", "int64[pyarrow]"])
def test_nullable_and_arrow_columns_give_the_same_table(kind: str):
    """Ids and prices in pandas' nullable or Arrow's types: the same bits."""
    if kind.endswith("[pyarrow]"):
        pytest.importorskip("pyarrow")
    plain = shop(60).to_pandas()[["customer_id", "item_id", "timestamp", "price"]]
    floats = kind.replace("int64", "float64").replace("Int64", "Float64")
    other = plain.astype({"customer_id": kind, "item_id": kind, "price": floats})
    options = {"price": "price", "timezone": "UTC", "closed_until": "2025-01-01"}
    tables = [
        answer(InteractionLog.from_frame(frame, **options).as_of("2024-10-01"))
        for frame in (plain, other)
    ]

    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_a_window_that_is_not_closed_is_not_learned_from():
    """The log is complete to day 200, asked as of day 290: no slice's window ends after 200."""
    rows = shop(60).to_pandas()[["customer_id", "item_id", "timestamp", "price"]]
    closed = pd.Timestamp("2024-07-01", tz="UTC")
    rows = rows[rows["timestamp"] < closed]
    log = InteractionLog.from_frame(rows, price="price", timezone="UTC", closed_until=closed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cutoff past the log's end says so
        history = log.as_of("2024-09-29")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        model = ChurnModel(30).fit(history)
    last = max(pd.Timestamp(at) for at in model.report_["slices"])

    assert last + pd.Timedelta(days=30) <= closed
    assert np.isfinite(model.predict(history).select_dtypes("number")).all(axis=None)
