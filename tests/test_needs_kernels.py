"""Formulas of next needs, by hand and by law."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from anticipate.kernels import needs as k


def test_a_visit_counts_half_after_a_half_life():
    """Ages 0 and 3 at a half-life of 3: 1 + 1/2; no visit: 0."""
    found = k.decayed_counts(np.array([3.0, 0.0]), np.array([0, 2, 2]), 3.0)

    assert found.tolist() == [1.5, 0.0]


def test_what_is_bought_again_is_due_a_gap_later_and_other_things_fade():
    """Visits 4 and 1 ago, half-life 2, gap 4 (ln 4, sd 1); for three items.

    Never bought again: 1/4 + 2^-1/2. Always: exp(0) + exp(-(ln 4)^2 / 2). One in four:
    3/4 of the first + 1/4 of the second.
    """
    age, offsets = np.tile([4.0, 1.0], 3), np.array([0, 2, 4, 6, 6])
    share = np.repeat([0.0, 1.0, 0.25], 2)

    found = k.time_kernel(
        age, offsets, share, log_gap=np.full(6, np.log(4)), sd=np.ones(6), half_life=2.0
    )

    fades, due = 0.25 + 2**-0.5, 1 + np.exp(-(np.log(4) ** 2) / 2)
    assert found == pytest.approx([fades, due, 0.75 * fades + 0.25 * due, 0.0])


def test_a_visit_of_this_minute_keeps_the_time_kernel_finite():
    found = k.time_kernel(
        np.zeros(1), np.array([0, 1]), np.ones(1), log_gap=np.zeros(1), sd=np.ones(1), half_life=1.0
    )

    assert found == pytest.approx([np.exp(-(np.log(0.5) ** 2) / 2)])


def test_repeat_rate_adds_the_prior_as_visits_and_time():
    """One visit's worth at .1 a day is 10 days: (1 + 2) / (10 + 20)."""
    found = k.repeat_rate(np.array([2]), np.array([20.0]), np.array([0.1]), 1.0)

    assert found[0] == pytest.approx(3 / 30)


def test_rate_log_odds_are_even_where_half_buy():
    """1 - exp(-ln 2) = 1/2, log-odds 0; a rate of 0 stays finite."""
    found = k.rate_log_odds(np.array([np.log(2) / 30, 0.0, 1e6]), 30.0)

    assert found[0] == pytest.approx(0, abs=1e-12)
    assert np.isfinite(found).all()


def test_due_log_odds_condition_on_the_time_already_waited():
    """ln gap ~ N(0, 1), waited 1, horizon e - 1: 1 - .158655 / .5 = .682689."""
    found = k.due_log_odds(np.array([1.0]), np.zeros(1), np.ones(1), np.e - 1)

    assert k.to_probability(found)[0] == pytest.approx(0.682689, abs=1e-6)


def test_log_odds_and_probabilities_are_inverses_and_finite():
    share = np.array([0.2, 0.5, 0.999])

    assert k.to_probability(k.to_log_odds(share)) == pytest.approx(share)
    assert np.isfinite(k.to_log_odds(np.array([0.0, 1.0]))).all()


def test_linear_log_odds_of_a_row_are_the_same_alone():
    """2 * 3 + 1 * -1 + .5; and in 999 rows the first keeps its bits."""
    table = np.random.default_rng(0).normal(size=(999, 7))
    weights = np.random.default_rng(1).normal(size=7)

    by_hand = k.linear_log_odds(np.array([[2.0, 1.0]]), np.array([3.0, -1.0]), 0.5)

    assert by_hand.tolist() == [5.5]
    assert k.linear_log_odds(table, weights, 0.1)[0] == k.linear_log_odds(table[:1], weights, 0.1)


@pytest.mark.parametrize("k_best", [1, 3, 50])
def test_keep_best_keeps_what_a_full_sort_would(k_best: int):
    """Seeded scores with many ties, also ones that float32 cannot tell apart."""
    rng = np.random.default_rng(k_best)
    offsets = np.concatenate(([0], np.cumsum(rng.integers(0, 30, 40))))
    n = int(offsets[-1])
    scores = rng.integers(0, 5, n) + rng.integers(0, 3, n) * 1e-12
    ties = rng.permutation(n)

    found = k.keep_best(offsets, scores, ties, k_best)

    expected = [
        row
        for a, b in itertools.pairwise(offsets)
        for row in sorted(range(a, b), key=lambda r: (-scores[r], ties[r]))[:k_best]
    ]
    assert found.tolist() == sorted(expected)


def test_find_keys_and_sums_by_code():
    assert k.find_keys(np.array([2, 5]), np.array([5, 3, 2])).tolist() == [1, -1, 0]
    assert k.find_keys(np.array([], dtype=int), np.array([5])).tolist() == [-1]
    assert k.sum_by(np.array([1, 0, 1]), np.array([1.0, 2.0, 4.0]), 3).tolist() == [2.0, 5.0, 0.0]
