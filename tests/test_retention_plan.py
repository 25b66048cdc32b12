"""The contact plan: who gets what, what it saves, who is held out, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anticipate.exceptions import AnticipateError, ParameterError
from anticipate.log import InteractionLog
from anticipate.retention import ContactPlan, Level

# Plans of a few customers hold nobody out.
pytestmark = pytest.mark.filterwarnings("ignore::anticipate.exceptions.NoHoldoutWarning")

CUTOFF = "2025-03-01"
BASIC = Level("Basic", 1, save_probability=0.1, channel="email")
PREMIUM = Level("Premium", 5, save_probability=0.3)
NOBODY = 1e-9  # a hold-out of nobody


class Known:
    """An uplift model that knows the truth: it reads it from a column."""

    def predict_uplift(self, X):
        return X["gain"].to_numpy()


def make_history(ids):
    frame = pd.DataFrame({"customer_id": ids, "item_id": "x", "timestamp": "2025-01-01"})
    return InteractionLog.from_frame(frame, timezone="UTC", closed_until="2026-01-01").as_of(CUTOFF)


def make_predictions(value, p_churn=0.5, segment="at_risk"):
    n = len(value)
    p_churn = np.broadcast_to(p_churn, n)
    value = np.asarray(value, dtype=float)
    return pd.DataFrame(
        {"p_churn": p_churn, "p_alive": 0.8, "value_at_risk": value,
         "expected_value": value * (1 - p_churn) / p_churn, "segment": segment},
        index=pd.Index([f"c{i:05d}" for i in range(n)], name="customer_id"),
    )  # fmt: skip


def world(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    predictions = make_predictions(rng.lognormal(2, 1, n), rng.uniform(0.05, 0.95, n))
    return predictions, make_history(list(predictions.index))


# -- by hand ---------------------------------------------------------------------------


def test_three_customers_two_levels_and_what_they_save():
    """At risk 100, 40, 5; Basic saves a tenth for 1, Premium three tenths for 5; budget 6.

    Net: Premium 30 - 5 = 25, 12 - 5 = 7, 1.5 - 5; Basic 9, 3, -.5. Best within 6: 25 + 3.
    """
    predictions = make_predictions([100, 40, 5])
    plan = ContactPlan([BASIC, PREMIUM], budget=6, holdout=NOBODY)

    table = plan.assign(predictions, make_history(list(predictions.index)))

    assert table["level"].tolist()[:2] == ["Premium", "Basic"]
    assert table["level"].isna().tolist() == [False, False, True]
    assert table["expected_saved_value"].tolist() == pytest.approx([30, 4, 0])
    assert table["expected_saved_customers"].tolist() == pytest.approx([0.15, 0.05, 0])
    assert table["cost"].tolist() == [5, 1, 0]
    assert table["net_value"].tolist() == pytest.approx([25, 3, 0])
    assert table["evidence"].tolist()[:2] == ["assumed", "assumed"]
    assert table["channel"].astype(object).tolist()[1] == "email"
    assert table["reason_code"].tolist() == ["chosen", "chosen", "not_worth"]
    assert table.attrs["as_of"] == "2025-03-01T00:00:00+00:00"
    report = plan.report_
    assert (report["spent"], report["budget"], report["n_contacted"]) == (6, 6, 2)
    assert report["contacts"] == {"Basic": 1, "Premium": 1}
    assert report["net_value"] == pytest.approx(28)


def test_a_fitted_uplift_saves_its_gain_of_what_a_stayer_spends():
    """P(churn) .5, at risk 50, so a stayer spends 100: a gain of .2 saves 20, not 10.

    No gain can be above .5, what there is to lose; a gain below 0 is never bought.
    """
    predictions = make_predictions([50, 50, 50]).assign(gain=[0.2, 0.9, -0.1])
    plan = ContactPlan([Level("Call", 1, uplift=Known())], holdout=NOBODY)

    table = plan.assign(predictions, make_history(list(predictions.index)))

    assert table["expected_saved_value"].tolist() == pytest.approx([20, 50, 0])
    assert table["evidence"].tolist()[:2] == ["measured", "measured"]
    assert table["reason_code"].tolist()[2] == "not_worth"


def test_without_prices_customers_are_counted():
    """P(churn) .2, .8, .5 and two contacts: a tenth of .8 and of .5 is kept."""
    predictions = make_predictions([1, 1, 1], np.array([0.2, 0.8, 0.5]))
    predictions[["value_at_risk", "expected_value"]] = np.nan
    plan = ContactPlan([BASIC], capacity=2, holdout=NOBODY, objective="customers")

    table = plan.assign(predictions, make_history(list(predictions.index)))

    assert table["level"].notna().tolist() == [False, True, True]
    assert table["expected_saved_customers"].sum() == pytest.approx(0.13)
    assert table["net_value"].isna().tolist() == [False, True, True]


def test_the_win_back_list_is_ordered_by_what_may_come_back():
    """They would spend 20 and 200, alive with .9 and .05: 18 before 10. The active is not on it."""
    predictions = make_predictions([10, 100, 50], segment=["departed", "departed", "at_risk"])
    predictions["p_alive"] = [0.9, 0.05, 1.0]
    history = make_history(list(predictions.index))
    plan = ContactPlan([BASIC], holdout=NOBODY)

    found = plan.win_back(predictions, history)

    assert found.index.tolist() == ["c00000", "c00001"]
    assert found["score"].tolist() == pytest.approx([18, 10])
    assert plan.assign(predictions, history)["reason_code"].tolist()[:2] == ["departed"] * 2


def test_the_table_survives_a_file(tmp_path):
    predictions, history = world(50)
    table = ContactPlan([BASIC, PREMIUM], budget=20).assign(predictions, history)

    table.to_parquet(tmp_path / "plan.parquet")
    found = pd.read_parquet(tmp_path / "plan.parquet")

    assert found.attrs == table.attrs
    pd.testing.assert_frame_equal(found, table)


def test_reasons_are_told_in_korean():
    predictions = make_predictions([100, 1])
    plan = ContactPlan([BASIC], holdout=NOBODY)

    table = plan.assign(predictions, make_history(list(predictions.index)), language="ko")

    assert table["reason"].tolist()[0].startswith("Basic: 이 고객에게")
    assert "비용보다" in table["reason"].tolist()[1]


# -- edges -----------------------------------------------------------------------------


@pytest.mark.parametrize(("budget", "level"), [(0, None), (1, "Basic"), (1e12, "Premium")])
def test_one_customer_and_any_budget(budget, level):
    predictions = make_predictions([100])
    plan = ContactPlan([BASIC, PREMIUM], budget=budget, holdout=NOBODY)

    table = plan.assign(predictions, make_history(["c00000"]))

    assert table["level"].astype(object).where(table["level"].notna(), None).tolist() == [level]
    assert table["reason_code"].tolist() == ["chosen" if level else "budget"]
    assert np.isfinite(plan.report_["shadow_price"])


def test_no_customer_is_an_empty_plan():
    predictions, history = world(10)

    table = ContactPlan([BASIC], budget=5).assign(predictions.iloc[:0], history)

    assert len(table) == 0
    assert "reason" in table


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"value_at_risk": [1, np.nan, 3]}, r"value_at_risk .*1 row\(s\) are not \(rows 1\)"),
        ({"value_at_risk": [1, -2, 3]}, "0 or above"),
        ({"value_at_risk": [np.nan] * 3}, "objective='customers'"),
        ({"expected_value": [1, np.inf, 3]}, "expected_value must be finite"),
        ({"p_churn": [0.1, 1.1, 0.5]}, "p_churn must be numbers from 0 to 1"),
        ({"p_churn": ["a", "b", "c"]}, r"p_churn must be numbers; 3 are not .*of type str"),
    ],
)
def test_a_prediction_that_is_no_number_is_refused(change, match):
    predictions = make_predictions([1, 2, 3]).assign(**change)

    with pytest.raises(ParameterError, match=match):
        ContactPlan([BASIC]).assign(predictions, make_history(list(predictions.index)))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda table: table.drop(columns="segment"), r"no column \['segment'\]"),
        (lambda table: table.reset_index(), "make it the index"),
        (lambda table: pd.concat([table, table]), "stands in two rows"),
        (lambda table: table.set_axis([1, 2, 3]), "text"),
        (lambda table: table.to_dict(), "got dict"),
    ],
)
def test_a_table_that_is_no_churn_table_is_refused(change, match):
    predictions = make_predictions([1, 2, 3])

    with pytest.raises(AnticipateError, match=match):
        ContactPlan([BASIC]).assign(change(predictions), make_history(list(predictions.index)))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"levels": []}, "an empty list"),
        ({"levels": [BASIC, BASIC]}, "same name"),
        ({"levels": [3]}, "must all be Level"),
        ({"budget": -1}, "budget"),
        ({"budget": np.inf}, "None is no limit"),
        ({"capacity": 1.5}, "capacity"),
        ({"max_contacts": 0}, "max_contacts"),
        ({"cool_down_days": 0}, "cool_down_days"),
        ({"holdout": 1}, "holdout must be below 1"),
        ({"rank_by": "luck"}, "rank_by"),
        ({"random_state": None}, "random_state"),
        ({"objective": "customers"}, "give a budget or a capacity"),
    ],
)
def test_a_setting_out_of_range_is_refused_when_the_plan_is_made(settings, match):
    predictions = make_predictions([1])
    plan = ContactPlan(**{"levels": [BASIC], **settings})

    with pytest.raises(ParameterError, match=match):
        plan.assign(predictions, make_history(["c00000"]))


@pytest.mark.parametrize(
    ("level", "match"),
    [
        ({"cost": -1, "save_probability": 0.1}, "cost must be a finite number, 0 or above"),
        ({"cost": 1}, "not both and not neither"),
        ({"cost": 1, "save_probability": 0.1, "uplift": Known()}, "not both"),
        ({"cost": 1, "save_probability": 10}, "from 0 to 1"),
        ({"cost": 1, "uplift": 0.1}, "predict_uplift"),
        ({"cost": 1, "save_probability": 0.1, "channel": 3}, "channel"),
        ({"cost": 1, "save_probability": 0.1, "capacity": -1}, "capacity"),
    ],
)
def test_a_level_that_cannot_be_is_refused(level, match):
    with pytest.raises(ParameterError, match=match):
        Level("Basic", **level)


def test_what_the_predictions_are_about_goes_on_with_the_plan(tmp_path):
    """Through a file, too; the predictions' other attributes do not."""
    predictions, history = world(20)
    predictions.attrs = {"churn_is": "no visit", "mode": "contract", "horizon_days": 60.0, "x": 1}
    ContactPlan([BASIC]).assign(predictions, history).to_parquet(tmp_path / "plan.parquet")
    found = pd.read_parquet(tmp_path / "plan.parquet").attrs

    assert found.pop("as_of").startswith(CUTOFF)
    assert found == {"churn_is": "no visit", "mode": "contract", "horizon_days": 60.0}
    assert set(predictions.attrs) == {"churn_is", "mode", "horizon_days", "x"}


def test_an_uplift_reads_the_predictions_but_not_their_sentences():
    predictions, history = world(10)
    reader = Known()
    reader.predict_uplift = lambda X: np.full(len(X), 0.1 if "reason" not in X else np.nan)
    plan = ContactPlan([Level("Call", 1, uplift=reader)], budget=5)

    table = plan.assign(predictions.assign(reason="silent for long"), history)
    assert (table["expected_saved_customers"] > 0).any()


def test_features_of_everybody_are_needed():
    predictions, history = world(10)
    features = pd.DataFrame({"gain": 0.1}, index=predictions.index[:7])
    plan = ContactPlan([Level("Call", 1, uplift=Known())], budget=5)

    with pytest.raises(ParameterError, match="3 of 10 customers have no row"):
        plan.assign(predictions, history, features=features)
