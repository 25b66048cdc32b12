"""Uplift curves, Qini and AUUC: areas by hand, ties, row order, intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anticipate.exceptions import ParameterError
from anticipate.retention.uplift_metrics import (
    auuc,
    auuc_interval,
    qini,
    qini_interval,
    uplift_curve,
)

# Six customers, best score first: t y = (1 1)(0 0)(1 1)(0 1)(1 0)(0 1)
Y = [1, 0, 1, 1, 0, 1]
TREATMENT = [1, 0, 1, 0, 1, 0]
SCORE = [0.6, 0.5, 0.4, 0.3, 0.2, 0.1]


def experiment(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uplift .3 · score, given to 60 %."""
    rng = np.random.default_rng(seed)
    score, treatment = rng.random(n), (rng.random(n) < 0.6).astype(int)
    return (rng.random(n) < 0.1 + 0.3 * score * treatment).astype(int), score, treatment


def test_the_curve_follows_its_formula_row_by_row():
    """After k customers n_t, n_c, y_t, y_c: (1,0,1,0)(1,1,1,0)(2,1,2,0)(2,2,2,1)(3,2,2,1)(3,3,2,2).

    qini = (y_t − y_c n_t/n_c)/3; gain = k/6 (y_t/n_t − y_c/n_c).
    """
    curve = uplift_curve(Y, SCORE, TREATMENT)

    assert curve["n_treated"].tolist() == [0, 1, 1, 2, 2, 3, 3]
    assert curve["n_holdout"].tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert curve["share"].tolist() == pytest.approx([k / 6 for k in range(7)])
    assert curve["qini"].tolist() == pytest.approx([0, 1 / 3, 1 / 3, 2 / 3, 1 / 3, 1 / 6, 0])
    assert curve["gain"].tolist() == pytest.approx([0, 1 / 6, 1 / 3, 1 / 2, 1 / 3, 5 / 36, 0])


def test_areas_are_sums_of_trapezoids():
    """Both curves end in 0, so each area is the sum of its points over 6: 11/36 and 53/216."""
    assert qini(Y, SCORE, TREATMENT) == pytest.approx(11 / 36)
    assert auuc(Y, SCORE, TREATMENT) == pytest.approx(53 / 216)


def test_one_score_for_all_is_the_straight_line():
    """One group: Qini 0; AUUC half the difference of the means, (2/3 − 2/3)/2 and (1 − 0)/2."""
    assert qini(Y, np.ones(6), TREATMENT) == 0
    assert auuc(Y, np.ones(6), TREATMENT) == 0
    assert auuc([1, 1, 0, 0], np.ones(4), [1, 1, 0, 0]) == pytest.approx(1 / 2)


def test_equal_scores_enter_together_whatever_their_order():
    """Two groups of four: (2,2; 1,0) then (2,2; 0,1): qini at ½ is ¼, area ¼ · ½ = ⅛."""
    y = np.array([1, 0, 0, 0, 0, 0, 1, 0])
    treatment = np.array([1, 1, 0, 0, 1, 1, 0, 0])
    score = np.repeat([2.0, 1.0], 4)
    rng = np.random.default_rng(0)

    assert qini(y, score, treatment) == pytest.approx(1 / 8)
    for _ in range(5):
        order = rng.permutation(8)
        assert qini(y[order], score[order], treatment[order]) == qini(y, score, treatment)


def test_only_the_order_of_the_score_counts():
    y, score, treatment = experiment(500, 1)

    assert qini(y, np.exp(9 * score), treatment) == qini(y, score, treatment)
    assert auuc(y, 3 * score - 7, treatment) == auuc(y, score, treatment)


def test_the_reversed_order_loses_what_the_order_gains():
    """In a large sample: ∫ of .3·s above the line is .3·(½·⅔ − ¼)= .3/12 = .025."""
    y, score, treatment = experiment(200_000, 2)

    assert qini(y, score, treatment) == pytest.approx(0.025, abs=0.002)
    assert qini(y, -score, treatment) == pytest.approx(-0.025, abs=0.002)
    assert qini(y, np.random.default_rng(3).random(len(y)), treatment) == pytest.approx(0, abs=2e-3)


def test_money_may_stand_for_the_outcome():
    """Twice the spend, twice the area; a customer who spends 4 counts as four."""
    spend = np.array([4.0, 0, 2.5, 1, 0, 1])

    assert qini(2 * spend, SCORE, TREATMENT) == pytest.approx(2 * qini(spend, SCORE, TREATMENT))


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """200 samples of 2,000: the 80 % interval holds .025 in 160 ± 17 (3 standard errors)."""
    held = 0
    for seed in range(200):
        low, high = qini_interval(*experiment(2000, seed), confidence=0.8, n_bootstrap=60)
        held += low <= 0.025 <= high

    assert 140 <= held <= 177


def test_intervals_are_seeded_ordered_and_blind_to_row_order():
    y, score, treatment = experiment(3000, 5)
    score = score.round(1)  # many equal ones
    order = np.random.default_rng(6).permutation(3000)
    for interval, value in ((qini_interval, qini), (auuc_interval, auuc)):
        low, high = interval(y, score, treatment)
        wide = interval(y, score, treatment, confidence=0.99)

        assert low < value(y, score, treatment) < high
        assert wide[0] < low < high < wide[1]
        assert interval(y[order], score[order], treatment[order]) == (low, high)
        assert interval(y, score, treatment, random_state=1) != (low, high)


def test_columns_of_any_numeric_kind_are_read():
    frame = pd.DataFrame({"y": Y, "score": SCORE, "t": TREATMENT}, index=[9, 9, 3, 3, 1, 1])
    expected = qini(Y, SCORE, TREATMENT)

    for kind in ("Int64", "bool", "boolean", "float32"):
        assert qini(frame["y"].astype(kind), frame["score"], frame["t"].astype(kind)) == expected


@pytest.mark.parametrize(
    ("y", "score", "treatment", "words"),
    [
        (Y, SCORE, [1] * 6, "one arm: everybody"),
        (Y, SCORE, [0] * 6, "one arm: nobody"),
        ([], [], [], "one arm: nobody of 0"),
        (Y, SCORE, [0, 1, 2, 0, 1, 2], "0, 1 or bool"),
        (Y, SCORE, ["a", "b"] * 3, "treatment must be numbers; 6 are not"),
        (Y, SCORE, [0, 1, None, 0, 1, 1], "1 of 6 values are missing"),
        (Y[:5], SCORE, TREATMENT, "y has 5 values for 6"),
        (Y, SCORE[:5], TREATMENT, "uplift has 5 values for 6"),
        (Y, [np.nan, *SCORE[1:]], TREATMENT, "uplift: 1 of 6"),
        ([np.inf, *Y[1:]], SCORE, TREATMENT, "y: 1 of 6"),
    ],
)
def test_a_broken_experiment_is_one_clear_error(y, score, treatment, words):
    with pytest.raises(ParameterError, match=words):
        qini(y, score, treatment)


@pytest.mark.parametrize("options", [{"confidence": 1}, {"confidence": 0}, {"n_bootstrap": 1}])
def test_an_interval_of_nothing_is_refused(options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        qini_interval(Y, SCORE, TREATMENT, **options)
