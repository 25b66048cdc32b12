"""Equal customers and the hold-out: the held out would have got what the others got."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from anticipate.exceptions import NoHoldoutWarning, RiskRankingWarning
from anticipate.retention import ContactPlan, Level
from anticipate.retention.choosing import Chosen, Rules, choose_by_risk, choose_by_value
from tests.test_retention_plan import make_history, make_predictions

CALL = Level("Call", 1, save_probability=0.5)


def two_risks(n: int = 400) -> tuple[pd.DataFrame, Any]:
    """Equal value, two P(churn)."""
    predictions = make_predictions(np.full(n, 20.0), np.where(np.arange(n) % 2, 0.4, 0.6))
    return predictions, make_history(list(predictions.index))


def by_value(worth: list[list[float]], held: list[int], **limits: Any) -> Chosen:
    """Two levels of cost 1 and 2."""
    values, costs = np.array(worth), np.array([1.0, 2.0])
    given = {"budget": None, "capacity": None, "level_capacity": [None, None]} | limits
    return choose_by_value(values, np.isin(np.arange(values.shape[1]), held), Rules(costs, **given))


# -- by hand ---------------------------------------------------------------------------


def test_of_customers_worth_just_the_price_the_same_share_is_held_out():
    """Ten worth 3, a capacity of four: half of the eight others, so one of the two held out."""
    found = by_value([[3.0] * 10, [-1.0] * 10], [4, 9], capacity=4)

    assert (found.level == 0).sum() == 4
    assert (found.level == -1).sum() == 6
    assert found.would_be[[4, 9]].tolist() == [0, -1]


def test_between_equal_levels_the_held_out_are_split_as_the_others():
    """Twelve worth 3 at either level; of the eight others two at the first, six at the second."""
    found = by_value([[3.0] * 12, [3.0] * 12], [0, 3, 6, 9], level_capacity=[2, 6])
    others = found.level[[1, 2, 4, 5, 7, 8, 10, 11]]

    assert np.bincount(others).tolist() == [2, 6]
    assert found.would_be[[0, 3, 6, 9]].tolist() == [0, 1, 1, 1]


def test_by_risk_equal_risks_are_held_out_in_the_share_contacted():
    """Nine at .5, one capacity in three of the six others: one of the three held out."""
    held, nothing = np.arange(9) % 3 == 2, np.full(9, 0.5)
    rules = Rules(np.ones(1), None, 2, [None])
    found = choose_by_risk(np.ones((1, 9)), nothing, held, rules)

    assert (found.level >= 0).sum() == 2
    assert found.would_be[held].tolist() == [0, -1, -1]


# -- edge ------------------------------------------------------------------------------


def test_nobody_held_out_of_a_plan_is_warned_about():
    predictions, history = two_risks(6)
    with pytest.warns(NoHoldoutWarning, match="of 6 customers to contact nobody is left alone"):
        ContactPlan([CALL], holdout=1e-9).assign(predictions, history)


def test_a_plan_without_contacts_needs_no_hold_out():
    predictions, history = two_risks(6)
    table = ContactPlan([CALL], budget=0, holdout=0.2).assign(predictions, history)

    assert not table["level"].notna().any()


# -- law -------------------------------------------------------------------------------


@pytest.mark.parametrize("rank_by", ["value", "risk"])
def test_a_marginal_price_shared_by_many_leaves_a_hold_out(rank_by: str):
    """Of 400 some 80 drawn, 100 of the other 320 contacted: 25 held out, in any order of rows."""
    predictions, history = two_risks()
    plan = ContactPlan([CALL], capacity=100, holdout=0.2, rank_by=rank_by)
    drawn = ContactPlan([CALL], holdout=0.2).assign(predictions, history)["holdout"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RiskRankingWarning)
        table = plan.assign(predictions, history)
        mixed = plan.assign(predictions.sample(frac=1, random_state=0), history)
    expected = 100 * drawn.sum() / (400 - drawn.sum())

    assert table["level"].notna().sum() == 100
    assert table["holdout"].sum() == pytest.approx(expected, abs=2 if rank_by == "value" else 6)
    assert drawn[table["holdout"]].all()
    pd.testing.assert_frame_equal(mixed.loc[table.index], table)


@pytest.mark.parametrize("seed", range(40))
def test_every_kind_of_customer_is_held_out_as_it_is_contacted(seed: int):
    """Up to four kinds, three levels, any limits: each kind's shares by level, within rounding."""
    rng = np.random.default_rng(seed)
    n, k, kinds = (int(rng.integers(*ends)) for ends in ((300, 4000), (1, 4), (1, 5)))
    costs = rng.choice([0.5, 1.0, 2.0, 5.0, 10.0], k)
    kind = rng.integers(kinds, size=n)
    saved = rng.uniform(0.05, 0.5, (k, kinds)).round(2) * rng.choice([10.0, 30.0, 60.0], kinds)
    worth = (saved - costs[:, None])[:, kind]
    held = (worth.max(axis=0) > 0) & (rng.random(n) < 0.2)
    caps = [int(rng.uniform(0.05, 0.5) * n) if rng.random() < 0.4 else None for _ in costs]
    budget, capacity = float(rng.uniform(0.05, 0.8) * n * costs.mean()), int(0.4 * n)
    found = choose_by_value(worth, held, Rules(costs, budget, capacity, caps))

    for one in range(kinds):
        asked, others = found.would_be[held & (kind == one)], found.level[~held & (kind == one)]
        for level in range(k):
            expected = len(asked) * (others == level).mean()
            assert (asked == level).sum() == pytest.approx(expected, abs=2 + 0.03 * len(asked))
