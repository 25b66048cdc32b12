"""Which law of gaps is chosen: by a slice of the history itself, and better for it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logit

from anticipate.evaluation.timing_metrics import clipped_errors_days
from anticipate.exceptions import MinimumDataWarning
from anticipate.kernels import log_gap
from anticipate.kernels.gap_learning import whole_table
from anticipate.kernels.segments import segment_sd
from anticipate.log import InteractionLog
from anticipate.outcomes import label_outcomes
from anticipate.timing import PurchaseTimer
from anticipate.timing.visits import orders_of

DAY = pd.Timedelta(days=1)


def simulated_log(spread_of, n_customers=300, days=300, seed=0):
    """Customers with log-normal gaps around 8 days; ``spread_of(rng)`` gives each its sd."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n_customers):
        mean, sd = rng.normal(np.log(8), 0.6), spread_of(rng)
        t = np.cumsum(np.exp(rng.normal(mean, sd, 400)))
        t = t[t < days] + rng.uniform(0, 5)
        rows += [(i, i % 3, x) for x in t]
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "day"])
    frame["timestamp"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    return InteractionLog.from_frame(frame, timezone="UTC", closed_until="2025-11-05")


@pytest.fixture(scope="module")
def clockwork():
    """Half of the customers shop like a clock, half with wild gaps."""
    return simulated_log(lambda rng: 0.15 if rng.random() < 0.5 else 1.2)


@pytest.fixture(scope="module")
def timer(clockwork):
    return PurchaseTimer().fit(clockwork.as_of("2025-08-01"))


def few_orders(days):
    """One customer's orders on days of 2025, as of March 1."""
    frame = pd.DataFrame({"customer_id": "ann", "item_id": "tea", "day": days})
    frame["timestamp"] = pd.Timestamp("2025-01-01T12:00") + pd.to_timedelta(frame.pop("day"), "D")
    log = InteractionLog.from_frame(frame, timezone="UTC", closed_until="2025-12-31")
    return log.as_of("2025-03-01")


# -- edge ----------------------------------------------------------------------------


def test_few_returns_leave_the_law_as_it_was_found():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        timer = PurchaseTimer().fit(few_orders([0, 30, 40, 50]))

    for notes in timer.report_["law"].values():
        assert notes["chosen"] == "gamma"
        assert "gain" not in notes
        assert max(notes["n_returns"]) < 100


def test_one_moment_alone_can_be_learned_from():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        timer = PurchaseTimer().fit(few_orders([58]))

    assert timer.report_["law"]["order"]["chosen"] == "gamma"


# -- law -----------------------------------------------------------------------------


def test_log_normal_gaps_are_recognised(timer):
    notes = timer.report_["law"]["order"]

    assert notes["chosen"].startswith("log-normal")
    assert notes["gain"] > 0.1
    assert (
        notes["gain"]
        == notes["log_likelihood"][notes["chosen"]] - (notes["log_likelihood"]["gamma"])
    )


def test_the_interval_holds_and_the_chances_are_right(clockwork, timer):
    """80 % of 300 customers, give or take .06; the mean chance beside the share that came."""
    outcomes = label_outcomes(clockwork, "2025-08-01", 60)
    dates = timer.predict(outcomes.history, within_days=[7, 60])
    wait = outcomes.customers["next_purchase_days"]
    low, high = ((dates[name] - outcomes.history.cutoff) / DAY for name in ("due_low", "due_high"))
    inside = (wait >= low) & (wait <= high)

    assert inside.mean() == pytest.approx(0.8, abs=0.06)
    assert dates["p_within_7d"].mean() == pytest.approx((wait < 7).mean(), abs=0.06)


def test_who_shops_like_a_clock_has_a_narrow_interval(clockwork, timer):
    history = clockwork.as_of("2025-08-01")
    dates = timer.predict(history)
    gaps, offsets = orders_of(history.purchases).gaps_days()
    sd = segment_sd(np.log(gaps), offsets)
    width = ((dates["due_high"] - dates["due_low"]) / DAY).to_numpy()

    assert np.nanmedian(width[sd < 0.3]) < 0.5 * np.nanmedian(width[sd > 0.8])


def test_what_was_chosen_and_the_report_survive_the_round_trip(clockwork, timer):
    again = PurchaseTimer.from_arrays(timer.to_arrays())
    history = clockwork.as_of("2025-08-01")

    assert again.report_ == timer.report_
    assert type(again.customer_table_) is log_gap.LogGapTable
    pd.testing.assert_frame_equal(again.predict(history), timer.predict(history), check_exact=True)


def test_one_customer_of_a_log_normal_shop_equals_the_batch(clockwork, timer):
    history = clockwork.as_of("2025-08-01")
    batch = timer.predict(history)
    for one in (0, 17, 299):
        pd.testing.assert_frame_equal(
            timer.predict(history, customers=[one]), batch.loc[[one]], check_exact=True
        )


def test_the_choice_does_not_see_past_the_cutoff(clockwork):
    """The same report from a log that ends at the cutoff."""
    whole = PurchaseTimer().fit(clockwork.as_of("2025-06-01"))
    frame = clockwork.to_pandas()
    known = frame[frame["timestamp"] < pd.Timestamp("2025-06-01", tz="UTC")]
    short = InteractionLog.from_frame(
        known[["customer_id", "item_id", "timestamp"]], timezone="UTC", closed_until="2025-06-01"
    )

    assert PurchaseTimer().fit(short.as_of("2025-06-01")).report_ == whole.report_


def test_dates_beat_those_of_the_law_found_in_all_gaps(clockwork, timer, monkeypatch):
    """Mean error within 60 days at a cutoff that nothing was chosen on."""
    outcomes = label_outcomes(clockwork, "2025-08-01", 60)
    history, wait = outcomes.history, outcomes.customers["next_purchase_days"]
    monkeypatch.setattr("anticipate.timing.tuning.FEWEST_RETURNS", 10**9)
    plain = PurchaseTimer().fit(history)

    def error(one):
        due = (one.predict(history)["due"] - history.cutoff) / DAY
        return clipped_errors_days(due, wait, 60).mean()

    assert plain.report_["law"]["order"]["chosen"] == "gamma"
    assert error(timer) < 0.97 * error(plain)


def test_older_gaps_are_forgotten_as_the_table_says():
    """Gaps e^4, e^2 with a half kept: n 3/2, logs 4, squares 12. K and v 1, m 2, s0 1: mean 12/5,
    ybar 8/3, SS 4/3 + 3/5 . 4/9 = 8/5; variance (1 + 8/5) / (5/2) . (7/2) / (5/2).
    """
    gaps = np.exp([4.0, 2.0])
    at = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta([0, *np.cumsum(gaps)], unit="D")
    frame = pd.DataFrame({"customer_id": 1, "item_id": 1, "timestamp": at})
    timer = PurchaseTimer()
    ones = (np.array([x]) for x in (2.0, 1.0, 1.0, 1.0, 0.5))
    timer.customer_table_ = log_gap.LogGapTable(*ones, np.ones((1, 5)))
    timer.item_table_, timer.item_ids_ = whole_table(1, 2, 9, np.ones(5), n_items=1), np.array([1])
    log = InteractionLog.from_frame(frame, closed_until="2026-01-01")
    table = timer.predict(log.as_of(at[-1] + pd.Timedelta(1, "us")))
    days = (table["due_high"] - at[-1]) / DAY
    sd = np.sqrt(2.6 / 2.5 * 3.5 / 2.5)

    assert days[1] == pytest.approx(np.exp(2.4 + sd * stats.t(2.5).ppf(0.9)), rel=1e-3)


def test_items_keep_what_they_differ_by(monkeypatch):
    """Item 1 is bought five times less often than item 0, whatever the whole is moved to."""
    rng, rows = np.random.default_rng(4), []
    for who in range(200):
        for item, usual in enumerate((7.0, 35.0)):
            pace = usual * rng.lognormal(0, 0.3)
            t = rng.uniform(0, usual) + np.cumsum(pace * rng.lognormal(0, 0.7, 100))
            rows += [(who, item, x) for x in t[t < 250]]
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "day"])
    frame["timestamp"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    history = InteractionLog.from_frame(frame, timezone="UTC", closed_until="2025-10-01").as_of(
        "2025-09-08"
    )
    timer = PurchaseTimer().fit(history)
    monkeypatch.setattr("anticipate.timing.tuning.FEWEST_RETURNS", 10**9)
    tables = [timer.item_table_, PurchaseTimer().fit(history).item_table_]
    scales = [table.prior_scale_days / table.prior_scale_days[-1] for table in tables]
    odds = [logit(table.next_share) for table in tables]

    assert timer.report_["law"]["item"]["chosen"] == "gamma, tuned"
    assert 3 < scales[0][1] / scales[0][0] < 8
    np.testing.assert_allclose(*scales)
    np.testing.assert_allclose(*(one - one[-1] for one in odds), atol=1e-9)
    assert abs(odds[0][-1] - odds[1][-1]).max() > 0.01
