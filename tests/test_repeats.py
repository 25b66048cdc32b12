"""Columns of a repeat and its log-odds: by hand, broken lines against NumPy's, round trips."""

from __future__ import annotations

import numpy as np
import pytest

from anticipate.kernels.habits import Habits, Rest
from anticipate.kernels.owned import owns_nothing
from anticipate.kernels.repeats import (
    COLUMNS,
    NO_LIFETIME,
    RARELY,
    RepeatItems,
    RepeatModel,
    by_law_alone,
    repeat_columns,
    repeat_log_odds,
)

ITEMS = RepeatItems(
    again_log_rate=np.array([-5.0, -6.0]),
    repeat_log_odds=np.array([-2.0, -3.0]),
    log_recent=np.array([1.0, 2.0]),
    log_buyers=np.array([4.0, 5.0]),
)


def columns(*, row=0, rate=0.01, lifetime=np.nan, n_visits=1, open_days=9.5, n_owned=3,
            n_repeats=2, n_later=5, days_since_cart=6.0, others=4, others_owned=1):  # fmt: skip
    own = owns_nothing(1)._replace(
        has=np.array([True]), n_visits=np.array([n_visits]), open_days=np.array([open_days])
    )
    habits = Habits(*(np.array([x]) for x in (n_owned, n_repeats, n_later, days_since_cart)))
    rest = Rest(np.array([others]), np.array([others_owned]))
    X = repeat_columns(
        own, habits, rest, np.array([row]), items=ITEMS, rate=np.array([rate]),
        lifetime=np.array([lifetime]),
    )  # fmt: skip
    return dict(zip(COLUMNS, X[:, 0].tolist(), strict=True))


def random_model(seed, knots=8):
    rng = np.random.default_rng(seed)
    shape = (len(COLUMNS), knots)
    return RepeatModel(np.sort(rng.normal(size=shape)), rng.normal(size=shape), rng.normal(size=1))


# -- by hand -------------------------------------------------------------------------


def test_the_columns_of_one_line():
    """9.5 days owned, 2 of 5 later lines repeats, 3 items, last cart 6 days ago, 1 of 4 others
    owned: (2 + 1) / (5 - 2 + 2) of repeats, (1 + 1/2) / (4 - 1 + 1) of the cart."""
    expected = {
        "law_rate": np.log(0.01), "age_days": np.log(10.0), "n_visits": np.log(2.0),
        "age_over_lifetime": np.log(10.0 / 40.0), "item_again_rate": -6.0,
        "item_repeat_share": -3.0, "item_recent": 2.0, "item_buyers": 5.0,
        "own_repeats": np.log(3 / 5), "n_owned": np.log(4.0), "days_since_cart": np.log(7.0),
        "cart_repeats": np.log(1.5 / 4.0), "cart_lines": np.log(5.0),
    }  # fmt: skip

    assert columns(row=1, n_visits=2, lifetime=40.0) == pytest.approx(expected)


def test_what_is_unknown_or_nothing_has_a_place():
    """No lifetime, a rate too small to tell, no cart before, an empty rest, a line before."""
    found = columns(rate=0.0, days_since_cart=np.nan, others=0, others_owned=0, open_days=-3.0)

    assert found["law_rate"] == np.log(RARELY)
    assert found["age_over_lifetime"] == NO_LIFETIME
    assert found["days_since_cart"] == 0.0
    assert found["cart_repeats"] == pytest.approx(np.log(0.5))
    assert found["cart_lines"] == 0.0
    assert found["age_days"] == np.log(0.5)
    assert np.isfinite(list(found.values())).all()


def test_log_odds_are_a_broken_line_per_column():
    """The first column's line goes 0, 4, 2 at 0, 1, 3: half way 2 and 3; constant beyond."""
    knots = np.tile([0.0, 1.0, 3.0], (len(COLUMNS), 1))
    values = np.zeros_like(knots)
    values[0] = [0.0, 4.0, 2.0]
    X = np.zeros((len(COLUMNS), 7))
    X[0] = [-9.0, 0.0, 0.5, 1.0, 2.0, 3.0, 99.0]

    found = repeat_log_odds(RepeatModel(knots, values, np.array([0.25])), X)
    assert found.tolist() == [0.25, 0.25, 2.25, 4.25, 3.25, 2.25, 2.25]


def test_the_law_alone_is_minus_its_log_rate():
    X = np.random.default_rng(0).normal(size=(len(COLUMNS), 4))
    X[0] = np.log([1e-9, 0.001, 0.5, 1.0])

    assert repeat_log_odds(by_law_alone(), X) == pytest.approx(-X[0])


# -- law -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_log_odds_are_sums_of_interpolations(seed):
    model = random_model(seed)
    X = np.random.default_rng(seed).normal(scale=2.0, size=(len(COLUMNS), 50))
    expected = model.intercept[0] + sum(
        np.interp(X[k], model.knots[k], model.values[k]) for k in range(len(COLUMNS))
    )

    assert repeat_log_odds(model, X) == pytest.approx(expected, rel=1e-12)


def test_a_line_alone_has_the_log_odds_it_has_among_others():
    """Bit for bit: few and many values take two roads inside NumPy."""
    model, X = random_model(7), np.random.default_rng(7).normal(size=(len(COLUMNS), 40))
    alone = np.concatenate([repeat_log_odds(model, X[:, i : i + 1]) for i in range(40)])

    np.testing.assert_array_equal(repeat_log_odds(model, X), alone)


def test_models_and_tables_come_back_from_arrays():
    own, other = random_model(1), random_model(2)
    arrays = {**own.to_mapping("own"), **other.to_mapping("other"), **ITEMS._asdict()}

    for kind, model in (("own", own), ("other", other)):
        for one, again in zip(model, RepeatModel.from_mapping(arrays, kind), strict=True):
            np.testing.assert_array_equal(one, again)
    for one, again in zip(ITEMS, RepeatItems.from_mapping(arrays), strict=True):
        np.testing.assert_array_equal(one, again)
