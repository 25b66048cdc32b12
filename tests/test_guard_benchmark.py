"""The guard's benchmark: catches at a price, injected lines, labels, the simulator's odds."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from anticipate import InteractionLog
from anticipate.datasets import make_log
from anticipate.kernels.returns import NEVER

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
DAY = 86_400_000_000


@pytest.fixture(scope="module")
def part():
    """``part("catches")`` is benchmarks/guards_catches.py; its siblings are importable."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield lambda name: importlib.import_module(f"guards_{name}")


def log_of(rows, *more):
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "timestamp", *more])
    return InteractionLog.from_frame(
        frame, **{name: name for name in more}, timezone="UTC", closed_until="2025-06-01"
    )


# -- by hand -----------------------------------------------------------------------


def test_a_tie_at_the_border_counts_by_its_expected_share(part):
    """1 of 4 good lines allowed (250 per 1,000), 2 tie with 1 of 2 mistakes: half of it is won."""
    mistake = np.array([True, True, False, False, False, False])
    score = np.array([0.9, 0.5, 0.5, 0.5, 0.1, 0.0])

    assert part("catches").expected_caught(mistake, score, 250.0) == pytest.approx(0.75)
    assert part("catches").caught_above(mistake, score, 250.0) == pytest.approx(0.5)


def test_a_score_of_zero_is_never_warned_of(part):
    """Everything is allowed, but one mistake of two has no score."""
    mistake, score = np.array([True, True, False]), np.array([0.4, 0.0, np.nan])

    assert part("catches").expected_caught(mistake, score, 1000.0) == pytest.approx(0.5)
    assert part("catches").caught_above(mistake, score, 1000.0) == pytest.approx(0.5)


def test_repeats_disturbed_when_half_are_caught(part):
    """The better mistake needs a border of .6: one repeat of two lies above it."""
    mistake = np.array([True, True, False, False, False])
    owned = np.array([True, True, True, True, False])
    score = np.array([0.6, 0.2, 0.7, 0.1, 0.9])

    assert part("catches").disturbed(mistake, owned, score, 0.5) == pytest.approx(0.5)
    assert np.isnan(part("catches").disturbed(mistake, owned, score * (score > 0.5), 0.8))


def test_the_best_number_of_days_is_found_in_hindsight(part):
    """The mistake lies 6 days back, good lines 2 and 20: within 7 days, half of one is allowed."""
    lines = pd.DataFrame({"injected_kind": ["already_owned", None, None], "days": [6.0, 2.0, 20.0]})

    caught, days = part("catches").best_within([lines], 250.0)

    assert (caught, days) == (pytest.approx(0.5), 7)


def test_worth_at_a_prevalence(part):
    """5 per 1,000, half caught: 2.5 right and 2 wrong per 1,000; 2.5 * 4 - 2 * .8 = 8.4."""
    precision = part("precision")
    rates = precision.Rates(caught=0.5, false=0.002, n_caught=5, n_false=2)

    right, warned, net = precision.worth(rates, 5.0)

    assert right == pytest.approx(2.5 / 4.5)
    assert 1000.0 * warned == pytest.approx(4.5)
    assert 1000.0 * net == pytest.approx(8.4)


def test_a_shift_makes_the_mean_the_share(part):
    """Two lines at odds 1/9, one of them a mistake: odds of 1 are needed, ln 9 more."""
    wanted, mistake = part("wanted"), np.array([True, False])

    shift = wanted.shift_to(mistake, np.array([0.1, 0.1]))

    assert shift == pytest.approx(np.log(9.0))
    assert wanted.moved(np.array([0.1, 0.0]), shift) == pytest.approx([0.5, 0.0])


def test_labels_of_repeats(part):
    """Bought on days 0, 3, 50: the second is undone by the first's return on day 10, so the third
    repeats only the second; a return before the repeat makes it an order anew."""
    lines = pd.DataFrame({
        "row": range(5), "customer": [1, 1, 1, 2, 2], "item": 7,
        "time": np.array([0, 3, 50, 0, 3]) * DAY,
        "back": np.array([10 * DAY, NEVER, NEVER, 2 * DAY, NEVER]),
    })  # fmt: skip

    found = part("labels").label_repeats(lines)

    assert found["repeats"].tolist() == [False, True, True, False, False]
    assert found["undone"].tolist() == [False, True, False, False, False]
    assert found["days"].tolist()[1:3] == [3.0, 47.0]


def test_the_least_repeated_third(part):
    """Shares of repeat buyers 0, 1/2 and 1 of two buyers each: the first is the lowest third."""
    rows = [(who, item, "2025-01-01") for who in "ab" for item in "xyz"]
    rows += [("a", "y", "2025-02-01"), ("a", "z", "2025-02-01"), ("b", "z", "2025-02-01")]

    found = part("injection").least_repeated(log_of(rows).as_of("2025-03-01"), fewest=2)

    assert found.tolist() == ["x"]


def test_an_injected_line_looks_like_the_customers_own_last_purchase(part):
    """x was bought three for 2.50 last; y stands in the cart and is not injected."""
    rows = [
        ("a", "x", "2025-01-01", 1.0, 2.0), ("a", "x", "2025-02-01", 3.0, 2.5),
        ("a", "y", "2025-02-01", 1.0, 9.0), ("a", "y", "2025-04-02T10:00", 1.0, 9.0),
    ]  # fmt: skip
    before = part("injection").Before.at(log_of(rows, "quantity", "price"), "2025-04-01")

    lines = before.inject("any", seed=0)

    assert lines["injected_kind"].tolist() == [None, "already_owned"]
    assert lines.loc[1, ["item_id", "quantity", "price"]].tolist() == ["x", 3.0, 2.5]
    assert lines["timestamp"].nunique() == 1
    assert lines["owned"].tolist() == [True, True]


def test_a_double_submit_follows_within_ten_minutes(part):
    rows = [("a", "x", "2025-01-01"), ("a", "y", "2025-04-02T10:00")]
    before = part("injection").Before.at(log_of(rows), "2025-04-01")

    lines = before.inject("double", seed=3)
    wait = (lines["timestamp"].iloc[1] - lines["timestamp"].iloc[0]).total_seconds() / 60.0

    assert lines["item_id"].tolist() == ["y", "y"]
    assert 1.0 <= wait <= 10.0


# -- laws --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop():
    return make_log(300, random_state=5, return_truth=True)


@pytest.mark.parametrize("kind", ["low", "any", "double", "other"])
def test_injection_adds_one_line_a_cart_and_keeps_the_others(part, shop, kind):
    before = part("injection").Before.at(shop[0], "2024-12-01")
    lines = before.inject(kind, seed=1)
    injected = lines["injected_kind"].notna()

    assert injected.any()
    assert lines.loc[injected, "customer_id"].is_unique
    assert (~injected).sum() == len(before.carts)
    pd.testing.assert_frame_equal(lines, before.inject(kind, seed=1))


def test_lines_are_reviewed_with_what_was_known_at_their_own_instant(part, shop):
    """Round by round equals one review per cart with a history of its own."""
    log = shop[0]
    guard = part("data").fitted(log.as_of("2025-01-01"))
    together = part("rounds").review_live(log, guard, "2025-01-01", "2025-02-01")
    columns = ["customer_id", "item_id", "timestamp", "quantity", "price", "gift"]
    alone = [
        guard.review(cart[columns], log.as_of(moment))
        for (_, moment), cart in together.groupby(["customer_id", "timestamp"])
    ]
    probability = pd.concat(alone)["probability"].reindex(together.index)

    assert len(together) > 50
    assert probability.tolist() == together["probability"].tolist()


def test_the_oracle_is_right_where_it_is_sure_and_calibrated_between(part):
    log, truth = make_log(1500, random_state=8, return_truth=True)
    found = part("oracle").oracle_scores(log, truth).set_index("row")
    lines = part("rounds").span_lines(log, log.start, log.end)
    told = truth["accidental"].query("kind != 'quantity_slip'")
    key = ["customer_id", "item_id", "timestamp"]
    is_mistake = pd.MultiIndex.from_frame(lines[key]).isin(pd.MultiIndex.from_frame(told[key]))
    said = found["oracle"].reindex(lines["row"]).to_numpy()
    unsure = (said > 0.01) & (said < 0.99)

    assert not is_mistake[said <= 0].any()
    assert is_mistake[said >= 1].all()
    assert said[unsure].mean() == pytest.approx(is_mistake[unsure].mean(), abs=0.07)
