"""The contact plan's laws: budgets, hold-out, order, risk alone; the plan file."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from anticipate.exceptions import NoHoldoutWarning, ParameterError, ReadError, RiskRankingWarning
from anticipate.retention import ContactPlan, Level, read_plan
from anticipate.retention.draws import draws
from anticipate.retention.effect import MeasuredGain
from tests.test_retention_plan import BASIC, NOBODY, PREMIUM, Known, make_history, world

# Plans of a few customers hold nobody out.
pytestmark = pytest.mark.filterwarnings("ignore::anticipate.exceptions.NoHoldoutWarning")

MIDDLE = Level("Enhanced", 2, save_probability=0.18)
LEVELS = [BASIC, MIDDLE, PREMIUM]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "limits", [{"budget": 150}, {"capacity": 60}, {"budget": 90, "capacity": 50}]
)
def test_no_limit_is_passed_and_the_bound_is_near(seed, limits):
    predictions, history = world(seed=seed)
    levels = [BASIC, Level("Enhanced", 2, save_probability=0.18, capacity=20), PREMIUM]
    plan = ContactPlan(levels, **limits)

    table = plan.assign(predictions, history)

    assert table["cost"].sum() <= limits.get("budget", np.inf) * (1 + 1e-12)
    assert table["level"].notna().sum() <= limits.get("capacity", np.inf)
    assert (table["level"] == "Enhanced").sum() <= 20
    assert (table.loc[table["level"].notna(), "net_value"] > 0).all()
    assert plan.report_["net_value"] == pytest.approx(table["net_value"].sum())
    assert plan.report_["gap"] < 2e-3


@pytest.mark.parametrize("unknown", [0, 5])
@pytest.mark.parametrize("order", ["shuffled", "reversed"])
def test_the_order_of_the_table_changes_nothing(order, unknown):
    """Neither with customers that the history does not know."""
    predictions, _ = world()
    history = make_history(list(predictions.index[unknown:]))
    plan = ContactPlan(LEVELS, budget=150)
    random = predictions.sample(frac=1, random_state=0)
    shuffled = predictions.iloc[::-1] if order == "reversed" else random

    table, other = plan.assign(predictions, history), plan.assign(shuffled, history)

    assert other.index.equals(shuffled.index)
    pd.testing.assert_frame_equal(other.loc[predictions.index], table)


def test_the_same_twice_and_nothing_is_changed():
    predictions, history = world(200)
    before = predictions.copy()
    plan = ContactPlan(LEVELS, budget=30)
    copy = clone(plan)

    table = plan.assign(predictions, history)

    pd.testing.assert_frame_equal(copy.assign(predictions, history), table)
    pd.testing.assert_frame_equal(predictions, before)
    assert copy.get_params(deep=False).keys() == plan.get_params(deep=False).keys()


# -- the hold-out ----------------------------------------------------------------------


def test_the_share_held_out_is_the_one_asked_for():
    """Of those the prices speak for; binomial noise: 5 standard errors."""
    predictions, history = world(20_000)
    plan = ContactPlan(LEVELS, budget=4000, holdout=0.2)

    table = plan.assign(predictions, history)
    chosen = table["level"].notna() | table["holdout"]

    share = table.loc[chosen, "holdout"].mean()
    assert share == pytest.approx(0.2, abs=5 * np.sqrt(0.2 * 0.8 / chosen.sum()))
    held = table[table["holdout"]]
    assert held["level"].isna().all()
    assert held["would_be"].notna().all()
    assert (held["cost"] == 0).all()
    assert (held["reason_code"] == "held_out").all()


def test_the_held_out_are_like_the_treated():
    """One rule chose both: their value at risk differs by noise only (5 standard errors)."""
    predictions, history = world(20_000)
    table = ContactPlan(LEVELS, budget=4000, holdout=0.3).assign(predictions, history)
    logs = np.log(predictions["value_at_risk"])
    treated, held = logs[table["level"].notna()], logs[table["holdout"]]

    noise = np.sqrt(treated.var() / len(treated) + held.var() / len(held))
    assert abs(treated.mean() - held.mean()) < 5 * noise


def test_a_customers_draw_depends_on_nobody_else():
    predictions, history = world(500)
    plan = ContactPlan(LEVELS, holdout=0.5)  # no budget: whoever is worth it is chosen

    whole = plan.assign(predictions, history)
    part = plan.assign(predictions.iloc[100:200], history)
    other = clone(plan).set_params(random_state=1).assign(predictions, history)

    assert part["holdout"].equals(whole["holdout"].iloc[100:200])
    assert not other["holdout"].equals(whole["holdout"])


@pytest.mark.parametrize(
    "ids", [np.arange(50_000), np.array([f"c{i}" for i in range(50_000)], object)]
)
def test_draws_are_uniform_and_independent_of_the_seed_before(ids):
    first, second = draws(ids, 0), draws(ids, 1)

    assert np.histogram(first, 10, (0, 1))[0].min() > 4_700
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02
    assert (draws(ids[::-1], 0)[::-1] == first).all()


def test_no_hold_out_is_possible_and_warned_about():
    predictions, history = world(20)

    with pytest.warns(NoHoldoutWarning, match="cannot be measured"):
        table = ContactPlan(LEVELS, holdout=0).assign(predictions, history)

    assert not table["holdout"].any()


# -- by risk alone ---------------------------------------------------------------------


def test_by_risk_the_riskiest_come_first_and_it_is_warned_about():
    predictions, history = world(300)
    plan = ContactPlan(LEVELS, budget=50, holdout=0.1, rank_by="risk")

    with pytest.warns(RiskRankingWarning, match="is expected to save"):
        table = plan.assign(predictions, history)

    contacted = table["level"].notna()
    assert table["cost"].sum() <= 50
    others = ~contacted & ~table["holdout"]
    risk = predictions["p_churn"]
    assert risk[contacted].min() >= risk[others].max()
    assert risk[table["holdout"]].min() >= risk[contacted].min()
    assert set(table.loc[others, "reason_code"]) == {"behind_by_risk"}


def test_uplift_beats_risk_times_value_beats_risk_where_the_lost_do_not_answer():
    """Response falls with risk: the gain is .5 (1 - p)² p. True net value of 300 contacts each."""
    rng = np.random.default_rng(3)
    predictions, history = world(4000)
    p = predictions["p_churn"]
    gain = (0.5 * (1 - p) ** 2 * p * rng.uniform(0.8, 1.2, len(p))).rename("gain")
    spend = predictions["value_at_risk"] + predictions["expected_value"]
    settings = {"budget": 300, "holdout": NOBODY}
    knows = Level("Call", 1, uplift=Known())
    assumes = Level("Call", 1, save_probability=0.2)

    uplift = ContactPlan([knows], **settings).assign(predictions, history, features=gain.to_frame())
    value = ContactPlan([assumes], **settings).assign(predictions, history)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RiskRankingWarning)
        risk = ContactPlan([assumes], **settings, rank_by="risk").assign(predictions, history)

    won = [float((gain * spend - 1)[one["level"].notna()].sum()) for one in (uplift, value, risk)]
    assert won[0] > 1.1 * won[1] > 1.1 * won[2]


def test_what_a_campaign_measured_feeds_the_next_plan():
    """A gain of 10 points for everybody, of what a customer spends who stays; at most P(churn)."""
    predictions, history = world(50)
    level = Level("Call", 0.1, uplift=MeasuredGain(0.1, 0.05, 0.15))

    table = ContactPlan([level], holdout=NOBODY).assign(predictions, history)

    got = table["level"].notna()
    spend = predictions["value_at_risk"] + predictions["expected_value"]
    saved = np.minimum(0.1, predictions["p_churn"]) * spend
    assert (table.loc[got, "evidence"] == "measured").all()
    np.testing.assert_allclose(table.loc[got, "expected_saved_value"], saved[got])


# -- the plan file ---------------------------------------------------------------------

FILE = """
[plan]
budget = 100.0
holdout = 0.1
cool_down_days = 30
eligible = "service"

[[level]]
name = "Basic"
cost = 0.5
save_probability = 0.05
channel = "email"

[[level]]
name = "Premium"
cost = 4
save_probability = 0.2
capacity = 50
"""


def test_a_plan_is_read_from_a_file(tmp_path):
    (tmp_path / "plan.toml").write_text(FILE)

    plan = read_plan(tmp_path / "plan.toml")

    assert plan.levels == [
        Level("Basic", 0.5, 0.05, channel="email"), Level("Premium", 4, 0.2, capacity=50),
    ]  # fmt: skip
    assert (plan.budget, plan.holdout, plan.cool_down_days, plan.eligible) == (
        100,
        0.1,
        30,
        "service",
    )
    assert plan.max_contacts is None


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("budget", "buget", r"plan.toml: \[plan\] has unknown key\(s\) \['buget'\]; known are"),
        ("budget = 100.0", "budget = -1", r"plan.toml: \[plan\] budget .* got -1"),
        ("cost = 4", 'cost = "4"', r"\[\[level\]\] 2: level 'Premium': cost"),
        ("save_probability = 0.2\n", "", r"\[\[level\]\] 2 has no \['save_probability'\]"),
        ("capacity = 50", "cap = 50", r"\[\[level\]\] 2 has unknown key"),
        (FILE, "[plan]\nbudget = 1", "no level"),
        (FILE, "plan = 3\nlevel = 4", "plan must be a table"),
        ('"service"', "3", "eligible must be a column's name"),
        ('"Premium"', '"Basic"', "same name"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path, old, new, match):
    assert old in FILE
    (tmp_path / "plan.toml").write_text(FILE.replace(old, new))

    with pytest.raises(ParameterError, match=match):
        read_plan(tmp_path / "plan.toml")


@pytest.mark.parametrize(
    ("name", "match"), [("none.toml", "cannot read"), ("bad.toml", "not TOML")]
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, match):
    (tmp_path / "bad.toml").write_text("[plan\n")

    with pytest.raises(ReadError, match=match):
        read_plan(tmp_path / name)
