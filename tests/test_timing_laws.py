"""Log-normal gaps and landmarks: by hand, at the edges and by law."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from anticipate.kernels import gap_landmarks as marks
from anticipate.kernels import log_gap
from anticipate.kernels import next_gap as gap
from anticipate.log import InteractionLog
from anticipate.timing.visits import orders_of

DAY = pd.Timedelta(days=1)
SHARES = np.full((1, 5), 0.5)


def table(m=2.0, K=1.0, s0=0.5, v=3.0, kept=1.0, share=SHARES):
    return log_gap.LogGapTable(*(np.array([x]) for x in (m, K, s0, v, kept)), share)


def law(mean=2.0, sd=0.5, df=3.0, pi=0.5):
    return log_gap.LogGapLaw(*(np.array([value]) for value in (mean, sd, df, pi)))


def random_laws(n, seed=0):
    rng = np.random.default_rng(seed)
    return log_gap.LogGapLaw(
        mean=rng.normal(2.5, 1.5, n),
        sd=rng.uniform(0.05, 3, n),
        df=rng.uniform(1, 40, n),
        pi=rng.uniform(0.02, 0.999, n),
    ), rng.exponential(40, n)


def history_of(rows, cutoff="2025-03-01"):
    """Orders of named customers on days of 2025, counted from January 1 at noon."""
    start = pd.Timestamp("2025-01-01T12:00", tz="UTC")
    frame = pd.DataFrame(
        [(who, "tea", start + day * DAY) for who, days in rows.items() for day in days],
        columns=["customer_id", "item_id", "timestamp"],
    )
    log = InteractionLog.from_frame(frame, timezone="UTC", closed_until="2025-12-31")
    return log.as_of(cutoff)


# -- by hand -------------------------------------------------------------------------


def test_older_gaps_keep_a_share_of_their_weight():
    """Gaps e^1, e^2, e^4 with a half kept: weights 1/4, 1/2, 1; sums 1.75, 5.25, 18.25."""
    found = log_gap.log_gaps(np.exp([1.0, 2.0, 4.0]), np.array([0, 3]), 0.5)

    assert [x[0] for x in found] == pytest.approx([1.75, 5.25, 18.25])


def test_two_gaps_move_mean_and_spread():
    """K 1 at 2 and logs 3, 5: mean (2 + 8) / 3; variance (3 . 1/4 + 2 + 2/3 . (4 - 2)^2) / 5
    = 65/60, times (1 + 2 + 1) / (1 + 2).
    """
    own = log_gap.log_gaps(np.exp([3.0, 5.0]), np.array([0, 2]), 1.0)
    found = log_gap.log_gap_law(table(), np.array([3]), own)

    assert found.mean == pytest.approx(10 / 3)
    assert found.sd == pytest.approx(np.sqrt(65 / 60 * 4 / 3))
    assert found.df == pytest.approx(5)


def test_a_first_time_buyer_has_the_law_of_all():
    """No gap: mean 2, variance (1/2)^2 . (1 + 1) / 1, three degrees of freedom."""
    none = log_gap.log_gaps(np.empty(0), np.array([0, 0]), 0.9)
    found = log_gap.log_gap_law(table(), np.array([1]), none)

    assert found.mean == 2
    assert found.sd == pytest.approx(np.sqrt(0.5))
    assert found.df == 3


def test_the_median_gap_is_where_half_is_left():
    """Surely a next one: e^2 days; with pi = 1/2 the 30th percentile solves S = 2/5."""
    sure, half = law(pi=1.0), law()
    t = gap.days_until(half, np.zeros(1), 0.3)

    assert gap.days_until(sure, np.zeros(1), 0.5) == pytest.approx(np.exp(2.0))
    assert half.survival(t) == pytest.approx(2 / 5)


def test_a_landmark_sees_visits_before_it_and_waits_for_the_next():
    """Cutoff on day 59 at 0:00 (day 58.5 of the noons), 20 days back: day 38.5. ann came on day 40,
    bob on day 50 (past a window of 10), cid's only order lies after.
    """
    history = history_of({"ann": [0, 30, 40], "bob": [10, 50], "cid": [45]})
    orders = orders_of(history.purchases)
    found = marks.landmark(orders, history.cutoffs, days_back=20.0, window_days=10.0)

    assert history.customer_ids[found.pairs.customer].tolist() == ["ann", "bob"]
    assert found.data.n_visits.tolist() == [2, 1]
    assert found.data.gap_sum.tolist() == [30, 0]
    assert found.data.open_days.tolist() == [8.5, 28.5]
    assert found.wait_days.tolist() == [1.5, np.inf]
    assert found.n_returns == 1


def test_waits_are_scored_given_the_silence_before():
    """k = 1, A = 1, B = 30, pi 1/2, 30 silent days: 1/2 S + 1/2 = 3/4. Came after 30 more:
    density 30 / 90^2; did not: S(90) = 1/4, 1/8 + 1/2.
    """
    one = gap.GapLaw(*(np.array([x, x]) for x in (1.0, 1.0, 30.0, 0.5)))
    found = marks.wait_log_likelihood(one, np.full(2, 30.0), np.array([30.0, np.inf]), 60.0)

    assert np.exp(found) == pytest.approx([0.5 * 30 / 90**2 / 0.75, 0.625 / 0.75])


# -- edge ----------------------------------------------------------------------------


@pytest.mark.parametrize("open_days", [0.0, -3.0, 1e-9, 1e4, 1e12])
@pytest.mark.parametrize("sd", [1e-4, 1.0, 30.0])
def test_every_answer_is_finite_or_never(open_days, sd):
    c = np.array([open_days])
    for pi in (1e-9, 0.5, 1.0):
        one = law(sd=sd, pi=pi)
        for chance in (gap.chance_ever(one, c), gap.chance_within(one, c, 7.0)):
            assert 0 <= chance[0] <= 1
        days = gap.days_until(one, c, 0.5)[0]
        assert np.isnan(days) or 0 <= days <= gap.FARTHEST_DAYS


def test_equal_gaps_have_a_spread_all_the_same():
    own = log_gap.log_gaps(np.full(50, 7.0), np.array([0, 50]), 1.0)
    found = log_gap.log_gap_law(table(), np.array([51]), own)

    assert 0 < found.sd[0] < 0.5


def test_nobody_before_the_landmark_is_an_empty_one():
    history = history_of({"ann": [50, 55]})
    orders = orders_of(history.purchases)
    found = marks.landmark(orders, history.cutoffs, days_back=20.0, window_days=20.0)

    assert len(found.wait_days) == 0
    assert len(marks.spread(found.data.n_visits, 10)) == 0


# -- law -----------------------------------------------------------------------------


def test_survival_and_density_are_students_law():
    """SciPy's own distribution of the log, another road."""
    laws, t = random_laws(300)
    t = np.maximum(t, gap.SHORTEST_DAYS)
    scipys = stats.t(laws.df, laws.mean, laws.sd)

    np.testing.assert_allclose(laws.survival(t), scipys.sf(np.log(t)), rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(
        laws.log_density(t), scipys.logpdf(np.log(t)) - np.log(t), rtol=1e-8, atol=1e-10
    )


def test_a_date_is_where_its_chance_is_reached():
    laws, c = random_laws(300, seed=1)
    for share in (0.1, 0.5, 0.9):
        days = gap.days_until(laws, c, share)
        dated = np.isfinite(days) & (days > 0)
        some = log_gap.LogGapLaw(*(column[dated] for column in laws))
        left = some.pi * some.survival(c[dated] + days[dated]) + 1 - some.pi
        now = some.pi * some.survival(c[dated]) + 1 - some.pi

        assert dated.any()
        np.testing.assert_allclose(1 - left / now, share, atol=1e-7)


def test_one_customer_alone_equals_the_same_in_a_batch():
    laws, c = random_laws(64, seed=2)
    for answer in (
        lambda one, days: gap.chance_within(one, days, 7.0),
        lambda one, days: gap.days_until(one, days, 0.5),
    ):
        batch = answer(laws, c)
        alone = [
            answer(log_gap.LogGapLaw(*(x[[i]] for x in laws)), c[[i]])[0] for i in range(len(c))
        ]
        np.testing.assert_array_equal(batch, alone)


def test_sums_of_one_customer_do_not_depend_on_the_others():
    rng = np.random.default_rng(3)
    offsets = np.concatenate(([0], np.cumsum(rng.integers(0, 40, 50))))
    gaps = rng.exponential(9, offsets[-1])
    batch = log_gap.log_gaps(gaps, offsets, 0.9)
    for i in range(50):
        own = gaps[offsets[i] : offsets[i + 1]]
        alone = log_gap.log_gaps(own, np.array([0, len(own)]), 0.9)

        assert [x[0] for x in alone] == [x[i] for x in batch]


def test_a_subset_of_a_landmark_keeps_each_pairs_visits():
    history = history_of({"ann": [0, 30, 40], "bob": [10, 50], "cid": [5, 7, 9, 39]})
    orders = orders_of(history.purchases)
    every = marks.landmark(orders, history.cutoffs, days_back=20.0, window_days=10.0)
    some = every.take(np.array([2, 0]))

    assert some.data.n_visits.tolist() == [3, 2]
    assert some.pairs.gaps_days()[0].tolist() == [2, 2, 30]
    assert some.wait_days.tolist() == [0.5, 1.5]


def test_rows_are_spread_over_visits_not_over_pairs():
    """Half of 1,000 pairs have 100 visits, ten times the weight of the others."""
    visits = np.repeat([1, 100], 500)
    rows = marks.spread(visits, 110)

    assert len(rows) == 110
    assert (rows < 500).sum() == 10
