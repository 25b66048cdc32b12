"""Ranking by what a contact saves, as plain arrays; what importing it costs."""

from __future__ import annotations

import numpy as np
import pytest

from anticipate.exceptions import ParameterError
from anticipate.retention.ranking import check_ranking, rank_by_saving
from tests.test_light_imports import loaded_by

AT_RISK = np.array([10.0, np.nan, 40.0, 30.0, 40.0])
RISK = np.array([0.9, 0.8, 0.1, 0.2, 0.3])
EVERYBODY = np.ones(5, dtype=bool)


def ranked(eligible=EVERYBODY, top=10, **settings):
    return rank_by_saving(AT_RISK, RISK, eligible, top=top, **settings)


def test_the_most_at_risk_come_first_and_ties_go_by_position():
    found = ranked()

    assert found.order.tolist() == [2, 4, 3, 0, 1]
    assert np.isnan(found.saved).all()


def test_what_a_contact_saves_is_less_its_cost():
    """A tenth of 40, 30 and 10, less 2: 2, 2, 1, -1; what saves nothing is left out."""
    found = ranked(save_probability=0.1, cost=2)

    assert found.order.tolist() == [2, 4, 3]
    assert found.saved[[2, 4, 3, 0]].tolist() == pytest.approx([2, 2, 1, -1])


@pytest.mark.parametrize(("budget", "n"), [(0, 0), (0.29, 2), (0.3, 3), (1e9, 5)])
def test_the_budget_pays_whole_contacts(budget, n):
    assert len(ranked(budget=budget, cost=0.1).order) == n


def test_only_the_eligible_and_only_the_top():
    assert ranked(np.array([True, True, False, True, False]), top=2).order.tolist() == [3, 0]
    assert ranked(~EVERYBODY).order.tolist() == []


def test_without_prices_risk_ranks_and_nothing_is_said_of_savings():
    unknown = np.full(5, np.nan)

    assert rank_by_saving(unknown, RISK, EVERYBODY, top=2).order.tolist() == [0, 1]
    with pytest.raises(ParameterError, match="no price is known"):
        rank_by_saving(unknown, RISK, EVERYBODY, top=2, save_probability=0.1)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0, None, None, None), "top"),
        ((5, 10, None, None), "what one contact costs"),
        ((5, -1, 1, None), "budget"),
        ((5, None, -1, None), "cost"),
        ((5, None, None, 1.5), "save_probability"),
    ],
)
def test_a_ranking_that_cannot_be_is_refused(arguments, match):
    with pytest.raises(ParameterError, match=match):
        check_ranking(*arguments)


@pytest.mark.parametrize(
    "statement", ["import anticipate.retention", "import anticipate.retention.ranking"]
)
def test_a_service_that_ranks_loads_nothing_heavy(statement):
    assert loaded_by(statement) == set()


def test_names_load_on_first_use():
    from anticipate import retention

    assert set(dir(retention)) == set(retention.__all__)
    for name in retention.__all__:
        assert getattr(retention, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Oracle'"):
        _ = retention.Oracle
