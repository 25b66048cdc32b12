"""What came back tells the rate of mistakes: recovered from noisy labels, and silent without."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from anticipate.guards.undone import Correction, Judged, correct, corrected
from anticipate.kernels.repeats import COLUMNS, RepeatModel, repeat_log_odds
from anticipate.kernels.rules import UNDONE_SHARE


def simulated(*, rate, slopes=(0.0, 0.0, 0.0), shift=(0.0,), usual=0.02, n=20_000, seed=0):
    """Lines with true log-odds ``log_odds + log rate + slopes X + shift`` of their group; seven of
    ten mistakes come back, and ``usual`` of the wishes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(1.0, 2.0, (3, n))
    log_odds = rng.normal(0.0, 1.0, n)
    group = rng.integers(0, len(shift), n)
    p = expit(log_odds + np.log(rate) + np.array(slopes) @ (X - 1.0) + np.array(shift)[group])
    mistake = rng.random(n) < p
    undone = rng.random(n) < np.where(mistake, UNDONE_SHARE, usual)
    return log_odds, X, Judged(undone, np.full(n, usual), group)


def found(case, *, n_groups=1, start=-6.0):
    log_odds, X, judged = case
    return correct(log_odds, X, judged, n_groups=n_groups, log_rate=start)


# -- by hand -------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("start", [-6.0, 0.0])
def test_a_known_rate_of_mistakes_is_recovered(rate, start):
    """Within a quarter, from far below and from above; no column moves by more than .05."""
    one = found(simulated(rate=rate), start=start)

    assert np.exp(one.log_rate + one.by_group[0]) == pytest.approx(rate, rel=0.25)
    assert np.abs(one.slopes).max() < 0.05


def test_known_slopes_are_recovered():
    """.3 and -.2 a unit, one column of nothing: within .05. Few lines leave them near none."""
    slopes = [0.3, -0.2, 0.0]
    many = found(simulated(rate=0.2, slopes=slopes))
    few = found(simulated(rate=0.2, slopes=slopes, n=60))

    assert many.slopes == pytest.approx(slopes, abs=0.05)
    assert many.centre == pytest.approx([1.0] * 3, abs=0.1)
    assert np.abs(few.slopes).sum() < np.abs(many.slopes).sum()


def test_groups_differ_as_they_do():
    """One group at three times the odds of the other, 1.1 of log-odds: within .25."""
    one = found(simulated(rate=0.1, shift=(0.0, np.log(3.0))), n_groups=2)

    assert one.by_group[1] - one.by_group[0] == pytest.approx(np.log(3.0), abs=0.25)


def test_a_group_without_lines_is_like_the_whole():
    one = found(simulated(rate=0.2, shift=(0.0, 0.0)), n_groups=3)

    assert one.by_group[2] == pytest.approx(0.0, abs=1e-6)


def test_no_column_speaks_unless_returns_are_mostly_mistakes():
    """Returns follow a column, but twice as many as usual are not sure: .06 against .05. Of a
    usual share of .005 the same returns are mistakes, and the column speaks."""
    log_odds, X, judged = simulated(rate=0.01, slopes=[0.5, 0.0, 0.0], usual=0.005)
    other = judged._replace(usual=np.full(len(judged.usual), 0.05))

    assert 0.01 < judged.undone.mean() < 0.1
    assert found((log_odds, X, other)).slopes.tolist() == [0.0, 0.0, 0.0]
    assert found((log_odds, X, judged)).slopes[0] > 0.3


def test_what_comes_back_as_usual_lowers_the_rate():
    """Three in a hundred wishes come back and no mistake is made: near none is believed."""
    case = simulated(rate=1e-9, usual=0.03)
    one = found(case, start=np.log(0.05))

    log_odds = case[0]
    believed = expit(log_odds + one.log_rate + one.by_group[0]).mean()
    assert believed < 0.01


def test_a_column_of_one_value_gets_no_slope():
    log_odds, X, judged = simulated(rate=0.2, slopes=[0.3, 0.0, 0.0])
    X[2] = 4.0
    one = found((log_odds, X, judged))

    assert one.slopes[2] == 0.0
    assert np.isfinite(one.slopes).all()


def test_a_correction_moves_the_broken_lines():
    """Between the knots the corrected model says the old one's log-odds plus slope (x - centre)."""
    rng = np.random.default_rng(0)
    k = len(COLUMNS)
    knots = np.tile(np.linspace(-3, 3, 8), (k, 1))
    model = RepeatModel(knots, rng.normal(size=(k, 8)), np.array([0.5]))
    change = Correction(rng.normal(size=k), rng.normal(size=k), -4.0, np.zeros(1))
    X = rng.uniform(-3, 3, (k, 50))

    expected = repeat_log_odds(model, X) + change.slopes @ (X - change.centre[:, None])
    assert repeat_log_odds(corrected(model, change), X) == pytest.approx(expected)


# -- law -----------------------------------------------------------------------------


def test_the_order_of_lines_is_irrelevant():
    """Up to what the solver leaves: sums in another order differ in their last bits."""
    log_odds, X, judged = simulated(rate=0.2, slopes=[0.3, 0.0, 0.0], n=3000)
    order = np.random.default_rng(1).permutation(3000)
    mixed = Judged(*(column[order] for column in judged))
    one, two = found((log_odds, X, judged)), found((log_odds[order], X[:, order], mixed))

    assert one.slopes == pytest.approx(two.slopes, abs=1e-3)
    assert one.log_rate == pytest.approx(two.log_rate, abs=1e-3)
