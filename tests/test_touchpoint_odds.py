"""Adjusted odds ratios and their intervals, rows of one customer taken together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from anticipate.churn.touchpoints.odds import adjusted_odds


def two_by_two(copies: int = 1) -> tuple[Any, ...]:
    """12 of 20 with and 10 of 40 without left; nothing to adjust for."""
    touched = np.repeat([True, True, False, False], [12, 8, 10, 30])
    left = np.repeat([True, False, True, False], [12, 8, 10, 30])
    person = np.tile(np.arange(60), copies)
    nothing = np.empty((60 * copies, 0))
    return np.tile(touched, copies)[:, None], nothing, np.tile(left, copies), person


def test_a_two_by_two_table_gives_its_cross_ratio_and_walds_error():
    """(12 * 30) / (8 * 10) = 9/2; (1/12 + 1/8 + 1/10 + 1/30) * 60/59 * 59/58 of variance."""
    odds = adjusted_odds(*two_by_two())

    assert np.exp(odds.log_ratio) == pytest.approx(9 / 2, rel=1e-5)
    variance = (1 / 12 + 1 / 8 + 1 / 10 + 1 / 30) * 60 / 58
    assert odds.standard_error**2 == pytest.approx(variance, rel=1e-5)


def test_a_customer_seen_twice_is_one_observation():
    """Each row twice, shuffled: as before but for 60/59 * 119/118 in place of 60/58."""
    order = np.random.default_rng(0).permutation(120)
    odds = adjusted_odds(*(column[order] for column in two_by_two(copies=2)))

    assert np.exp(odds.log_ratio) == pytest.approx(9 / 2, rel=1e-5)
    variance = (1 / 12 + 1 / 8 + 1 / 10 + 1 / 30) * (60 / 59) * (119 / 118)
    assert odds.standard_error**2 == pytest.approx(variance, rel=1e-5)


def test_where_the_columns_settle_every_answer_there_are_no_odds():
    """Left exactly where the adjusting column is above 0."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 1))
    odds = adjusted_odds(rng.random((200, 1)) < 0.5, z, z[:, 0] > 0, np.arange(200))

    assert np.isnan(odds.log_ratio).all()
    assert np.isnan(odds.standard_error).all()


def test_intervals_of_touchpoints_without_meaning_cover_one_as_often_as_they_say():
    """200 simulations, 120 customers of 4 slices each, alike from slice to slice; 90 %."""
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        person = np.repeat(np.arange(120), 4)
        touched = (rng.random((120, 1)) < 0.4)[person]
        z = rng.normal(size=(120, 1))[person]
        left = rng.random(480) < expit(z[:, 0] + 1.5 * rng.normal(size=120)[person])
        ratio, error = adjusted_odds(touched, z, left, person)
        covered.append(abs(ratio[0]) < 1.645 * error[0])

    assert 0.84 <= np.mean(covered) <= 0.95
