"""Pairs, baskets, gaps, and the sorts beneath them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from random_events import make_log, random_history

from anticipate.kernels import gaps
from anticipate.kernels.baskets import find_baskets
from anticipate.kernels.order import group_order, total_order
from anticipate.kernels.pairs import find_pairs

DAY = 86_400_000_000
ROWS = [
    ("a", "x", "2025-01-01T10:00", 2),
    ("a", "x", "2025-01-01T18:00", 1),  # the same day: the same visit
    ("a", "y", "2025-01-01T18:00", 1),
    ("a", "x", "2025-01-11T10:00", 1),
    ("a", "x", "2025-01-31T10:00", 1),
    ("b", "y", "2025-01-02T00:00", 5),
]


def purchases(rows=ROWS):
    names = ["customer_id", "item_id", "timestamp", "quantity"]
    return make_log(pd.DataFrame(rows, columns=names)).as_of("2025-02-01").purchases


def test_pairs_by_hand():
    """(a, x): 4 lines, 3 visits, gaps of 10 and 20 days. (a, y) and (b, y): one each."""
    pairs = find_pairs(purchases(), 2)

    assert list(zip(pairs.customer, pairs.item, strict=True)) == [(0, 0), (0, 1), (1, 1)]
    assert pairs.n_lines.tolist() == [4, 1, 1]
    assert pairs.n_visits.tolist() == [3, 1, 1]
    assert pairs.gap_sum_days.tolist() == [30, 0, 0]
    assert pairs.gaps_days()[0].tolist() == [10, 20]
    assert pairs.gaps_days()[1].tolist() == [0, 2, 2, 2]
    assert pairs.sum_lines(purchases().quantity).tolist() == [5, 1, 5]


def test_baskets_by_hand():
    """Customer a: 1, 11 and 31 January; b: 2 January."""
    found = find_baskets(purchases())

    assert found.counts.tolist() == [3, 1]
    assert found.line_offsets.tolist() == [0, 3, 4, 5, 6]
    assert (found.last_line - found.visit).tolist() == [DAY // 3, 0, 0, 0]


def test_gaps_by_hand():
    """Gaps 10 and 20: mean 15, sd sqrt(25 + 25), longest 20; one visit has none."""
    pairs = find_pairs(purchases(), 2)
    visits = pairs.visit, pairs.visit_offsets

    assert gaps.gap_mean_days(*visits)[0] == 15
    assert gaps.gap_sd_days(*visits)[0] == pytest.approx(50**0.5)
    assert gaps.gap_max_days(*visits)[0] == 20
    for kernel in (gaps.gap_mean_days, gaps.gap_sd_days, gaps.gap_max_days):
        assert np.isnan(kernel(*visits)[1:]).all()


def test_gaps_of_segments_without_a_visit():
    visit, offsets = np.array([0, 2 * DAY, 5 * DAY]), np.array([0, 0, 2, 2, 3, 3])
    found, found_offsets = gaps.closed_gaps_days(visit, offsets)

    assert found.tolist() == [2]
    assert found_offsets.tolist() == [0, 0, 1, 1, 1, 1]
    np.testing.assert_array_equal(
        gaps.gap_mean_days(visit, offsets), [np.nan, 2, np.nan, np.nan, np.nan]
    )


def test_no_purchase_has_no_pair_and_no_basket():
    nothing = purchases().take(np.zeros(6, dtype=bool))

    assert find_pairs(nothing, 2).n == 0
    assert find_baskets(nothing).counts.tolist() == [0, 0]
    assert len(gaps.gap_sd_days(np.empty(0, np.int64), np.array([0]))) == 0


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_those_of_a_plain_groupby(seed):
    history = random_history(seed)
    pairs = find_pairs(history.purchases, history.n_items)
    table = history.to_pandas().query("event == 'purchase'")
    table["day"] = table["timestamp"].dt.floor("D")
    grouped = table.groupby(["customer_id", "item_id"])

    assert history.customer_ids[pairs.customer].tolist() == [key[0] for key in grouped.groups]
    assert pairs.n_lines.tolist() == grouped.size().tolist()
    assert pairs.n_visits.tolist() == grouped["day"].nunique().tolist()
    np.testing.assert_allclose(
        pairs.sum_lines(history.purchases.quantity), grouped["quantity"].sum()
    )


def random_keys(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    n = int(rng.integers(0, 80))
    customer = rng.integers(0, rng.choice([1, 3, 50, 2**31 - 1]), n).astype(np.int32)
    reach = 2 ** int(rng.choice([2, 20, 40, 62]))
    timestamp = rng.integers(-reach, reach, n)
    return customer, timestamp, [rng.integers(0, 3, n), rng.choice([np.nan, 1.0, 2.0], n)]


@pytest.mark.parametrize("seed", range(60))
def test_total_order_is_that_of_a_plain_sort(seed):
    """By customer, time (to the microsecond, from 1677 to 2262), then the rest, NaN last."""
    customer, timestamp, rest = random_keys(np.random.default_rng(seed))
    order = total_order(customer, timestamp, rest)
    plain = np.lexsort([*reversed(rest), timestamp, customer])

    assert sorted(order.tolist()) == list(range(len(customer)))
    for column in (customer, timestamp, *rest):
        np.testing.assert_array_equal(column[order], column[plain])


@pytest.mark.parametrize("heavy", [0.0, 0.9])
def test_large_sorts_go_in_parts_and_agree_with_plain_ones(heavy):
    """Enough rows to be parted; with ``heavy``, one customer holds nine tenths of them."""
    rng, n = np.random.default_rng(3), 150_000
    customer = np.where(rng.random(n) < heavy, 7, rng.integers(0, 40_000, n)).astype(np.int32)
    timestamp = rng.integers(0, 2**46, n)
    timestamp[: n // 3] = rng.integers(0, 50, n // 3)  # many ties
    rest = [rng.integers(0, 5, n)]
    order, plain = total_order(customer, timestamp, rest), np.lexsort([*rest, timestamp, customer])

    for column in (customer, timestamp, *rest):
        np.testing.assert_array_equal(column[order], column[plain])
    np.testing.assert_array_equal(group_order(customer), np.argsort(customer, kind="stable"))


@pytest.mark.parametrize("width", [2, 40, 62])
@pytest.mark.parametrize("n", [0, 1, 500, 70_000])
def test_group_order_is_stable(n, width):
    key = np.random.default_rng(n).integers(-(2**width), 2**width, n)

    np.testing.assert_array_equal(group_order(key), np.argsort(key, kind="stable"))
