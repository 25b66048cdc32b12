"""The law of gaps: its formulas by hand, at the edges, by law, and beside SciPy's own."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from anticipate.kernels import gap_learning as learning
from anticipate.kernels import next_gap as gap
from anticipate.timing.fit import fit_gap_table


def law(k=1.0, A=2.0, B=30.0, pi=0.5):
    return gap.GapLaw(*(np.array([value], dtype=float) for value in (k, A, B, pi)))


def random_laws(n, seed=0):
    rng = np.random.default_rng(seed)
    return gap.GapLaw(
        k=rng.uniform(0.3, 12, n),
        A=rng.uniform(1.01, 40, n),
        B=rng.lognormal(3, 1.5, n),
        pi=rng.uniform(0.02, 0.999, n),
    ), rng.exponential(60, n)


def data(rows):
    """GapData of one-item pairs: (n_visits, gap_sum, log_gap_sum, open_days)."""
    visits, total, logs, open_days = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    item = np.zeros(len(rows), dtype=np.int64)
    return learning.GapData(item, visits.astype(np.int64), total, logs, open_days)


# -- by hand -------------------------------------------------------------------------


def test_survival_with_one_stage_is_a_power():
    """k = 1: S(t) = (B / (B + t))^A = (30 / 60)^2."""
    assert gap.survival(law(), 30.0) == pytest.approx(1 / 4)


def test_chance_within_counts_those_who_never_come():
    """Today: .5 (1 - 1/4) / 1. After 30 silent days, 60 more: .5 (1/4 - 1/16) / (1/8 + 1/2)."""
    assert gap.chance_within(law(), np.array([0.0]), 30.0) == pytest.approx(3 / 8)
    assert gap.chance_within(law(), np.array([30.0]), 60.0) == pytest.approx(3 / 20)


def test_chance_ever_falls_with_silence():
    """After 30 days: (1/2 . 1/4) / (1/8 + 1/2)."""
    assert gap.chance_ever(law(), np.array([30.0])) == pytest.approx(1 / 5)


def test_the_median_moves_on_with_silence():
    """A = 1, surely a next one: B / (B + t) = 1/2 at t = B; given 30 silent days, 1/4 at 90."""
    sure = law(A=1.0, pi=1.0)

    assert gap.days_until(sure, np.array([0.0]), 0.5) == pytest.approx(30)
    assert gap.days_until(sure, np.array([30.0]), 0.5) == pytest.approx(60)


def test_what_comes_with_less_than_the_share_has_no_date():
    """pi = .4: the median is never, the 30th percentile solves .4 (1 - S) = .3, S = 1/4."""
    rare = law(pi=0.4)

    assert np.isnan(gap.days_until(rare, np.array([0.0]), 0.5))
    assert gap.days_until(rare, np.array([0.0]), 0.3) == pytest.approx(30)


def test_a_pairs_own_gaps_are_weighed_against_its_item():
    """Two gaps of 20 days in all weigh 10 / 12 each, the item 1 / 3 of a newcomer's:
    A = 2 / 3 + 20/12 . 1.5, B = 30 / 3 + 20 . 10/12.
    """
    table = learning.whole_table(1.5, 2.0, 30.0, np.linspace(0.1, 0.5, 5), n_items=1)
    found = gap.gap_law(table, np.array([0]), np.array([3]), np.array([20.0]))

    assert pytest.approx(2 / 3 + 20 / 12 * 1.5) == found.A
    assert pytest.approx(30 / 3 + 200 / 12) == found.B
    assert found.pi == pytest.approx(0.3)


def test_the_usual_gap_is_the_median_of_those_who_come_again():
    assert gap.gap_quantile_days(law(A=1.0), 0.5) == pytest.approx(30)


def test_closed_gaps_are_counted_by_the_visit_they_began_at():
    """Six visits: one gap began at the first, one at the second, two at 3-4, one at 5-8."""
    assert learning.passes(np.array([6, 1])).tolist() == [[1, 1, 2, 1, 0], [0, 0, 0, 0, 0]]


def test_log_likelihood_of_one_closed_gap_and_one_silence():
    """k = 1: pi A/B (1 + g/B)^-(A+1), then pi S(c) + 1 - pi with A + 1 and B + g."""
    g, c, A, B = 10.0, 5.0, 2.0, 30.0
    pair = data([(2, g, np.log(g), c)])
    odds = np.log([[1 / 3, 3.0, 1.0, 1.0, 1.0]])  # pi = 1/4, then 3/4
    expected = np.log(1 / 4 * A / B * (1 + g / B) ** -(A + 1))
    expected += np.log(3 / 4 * (40 / 45) ** 3 + 1 / 4)

    found = learning.log_likelihood(pair, 1.0, A, B=np.array([B]), log_odds=odds)

    assert found == pytest.approx(expected)


# -- edge ----------------------------------------------------------------------------


@pytest.mark.parametrize("open_days", [0.0, -3.0, 1e-9, 1e4, 1e12])
@pytest.mark.parametrize("k", [0.2, 1.0, 60.0])
def test_every_answer_is_finite_or_never(open_days, k):
    c = np.array([open_days])
    for pi in (1e-9, 0.5, 1.0):
        one = law(k=k, pi=pi)
        for chance in (
            gap.chance_ever(one, c), gap.chance_within(one, c, 7.0), gap.rate_per_day(one, c)
        ):  # fmt: skip
            assert 0 <= chance[0] <= 1
        days = gap.days_until(one, c, 0.5)[0]
        assert np.isnan(days) or 0 <= days <= gap.FARTHEST_DAYS


def test_no_pairs_give_no_answers():
    none = gap.GapLaw(*(np.empty(0) for _ in range(4)))

    assert len(gap.chance_within(none, np.empty(0), 7.0)) == 0


@pytest.mark.parametrize("code", [-1, 1, 2, 10**6])
def test_an_unknown_item_takes_the_last_row(code):
    table = learning.whole_table(1.0, 2.0, 30.0, np.full(5, 0.5), n_items=1)
    table.prior_scale_days[-1] = 99.0

    assert gap.gap_law(table, np.array([code]), np.array([1]), np.zeros(1)).B == 99


def test_without_pairs_the_plain_table_stands():
    empty = learning.GapData(*(np.empty(0, dtype=t) for t in (int, int, float, float, float)))
    table = fit_gap_table(empty, 3, None, by_item=True)

    assert len(table.shape) == 4
    assert np.isfinite(table.prior_scale_days).all()


# -- law -----------------------------------------------------------------------------


def test_a_date_is_where_its_chance_is_reached():
    laws, c = random_laws(500)
    for share in (0.1, 0.5, 0.9):
        days = gap.days_until(laws, c, share)
        dated = np.isfinite(days)
        some = gap.GapLaw(*(column[dated] for column in laws))
        found = np.array([
            gap.chance_within(gap.GapLaw(*(x[i : i + 1] for x in some)), c[dated][i : i + 1], d)[0]
            for i, d in enumerate(days[dated])
        ])  # fmt: skip

        assert dated.any()
        np.testing.assert_allclose(found, share, atol=1e-9)


def test_more_days_make_it_likelier_up_to_ever():
    laws, c = random_laws(200, seed=1)
    chances = [gap.chance_within(laws, c, h) for h in (1.0, 7.0, 28.0, 1e5)]

    assert all((a <= b).all() for a, b in pairwise(chances))
    assert (chances[-1] <= gap.chance_ever(laws, c) + 1e-12).all()


def test_silence_never_brings_the_date_nearer():
    laws, _ = random_laws(200, seed=2)
    dates = [c + gap.days_until(laws, np.full(200, c), 0.5) for c in (0.0, 5.0, 50.0)]

    for early, late in pairwise(dates):
        both = np.isfinite(late)
        assert np.isfinite(early[both]).all()
        assert (late[both] >= early[both] - 1e-6).all()


def test_one_pair_alone_equals_the_same_pair_in_a_batch():
    laws, c = random_laws(64, seed=3)
    for answer in (
        lambda one, days: gap.chance_within(one, days, 7.0),
        lambda one, days: gap.days_until(one, days, 0.5),
        gap.rate_per_day,
    ):
        batch = answer(laws, c)
        alone = [
            answer(gap.GapLaw(*(column[[i]] for column in laws)), c[[i]])[0] for i in range(64)
        ]
        np.testing.assert_array_equal(batch, alone)


def test_survival_and_density_are_the_beta_prime_law():
    """SciPy's own distribution, another road: gap / B ~ BetaPrime(k, A)."""
    laws, t = random_laws(300, seed=4)
    t = np.maximum(t, gap.SHORTEST_DAYS)
    scipys = stats.betaprime(laws.k, laws.A)

    np.testing.assert_allclose(
        laws.log_density(t), scipys.logpdf(t / laws.B) - np.log(laws.B), rtol=1e-8
    )
    np.testing.assert_allclose(gap.survival(laws, t), scipys.sf(t / laws.B), rtol=1e-8, atol=1e-12)


def simulated(n_pairs, *, k, A, scales, share, days, seed=0):
    """Pairs of several items whose truth is known, watched for ``days``."""
    rng = np.random.default_rng(seed)
    item = np.arange(n_pairs) % len(scales)
    theta = np.asarray(scales)[item] / rng.gamma(A, size=n_pairs)
    left = rng.uniform(0, days, n_pairs)
    rows = []
    for i in range(n_pairs):
        n, total, logs, open_days = 1, 0.0, 0.0, left[i]
        while rng.random() < share[item[i]]:
            g = rng.gamma(k, theta[i]) + 1e-3
            if g > open_days:
                break
            n, total, logs, open_days = n + 1, total + g, logs + np.log(g), open_days - g
        rows.append((n, total, logs, open_days))
    return data(rows)._replace(item=item)


def test_the_fit_finds_what_made_the_data():
    """Truth: k 3, A 4; item 0 every 20 days and often, item 1 every 100 days and seldom."""
    seen = simulated(4000, k=3.0, A=4.0, scales=(20.0, 100.0), share=(0.9, 0.4), days=400)
    table = fit_gap_table(seen, 2, None, by_item=True)

    assert table.shape[0] == pytest.approx(3.0, rel=0.15)
    assert table.prior_shape[0] == pytest.approx(4.0, rel=0.35)
    usual = table.shape * table.prior_scale_days / (table.prior_shape - 1)
    assert usual[:2] == pytest.approx([20.0, 100.0], rel=0.15)
    assert table.next_share[0, 0] == pytest.approx(0.9, abs=0.08)
    assert table.next_share[1, 0] == pytest.approx(0.4, abs=0.08)


def test_an_item_without_pairs_keeps_what_its_category_learned():
    """Items 0 and 2 share a category; only 0 was bought: 2 moves with it, 1 does not."""
    seen = simulated(300, k=1.5, A=2.0, scales=(15.0,), share=(0.95,), days=400)
    start = learning.whole_table(1.5, 2.0, 60.0, np.full(5, 0.3), n_items=3)
    table = learning.refine_by_item(seen, start, np.array([0, 1, 0]))

    assert table.prior_scale_days[2] < 40
    assert table.next_share[2, 0] > 0.6
    assert table.prior_scale_days[1] == 60
    assert table.prior_scale_days[3] == 60


def test_a_single_pair_moves_its_item_only_a_little():
    """Against a prior worth five pairs."""
    start = learning.whole_table(1.5, 2.0, 60.0, np.full(5, 0.3), n_items=1)
    table = learning.refine(data([(2, 2.0, np.log(2.0), 1.0)]), start, np.zeros(1, np.int64))

    assert 30 < table.prior_scale_days[0] < 60
    assert 0.3 < table.next_share[0, 0] < 0.5
