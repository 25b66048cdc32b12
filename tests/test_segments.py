"""Reductions over runs of rows, by hand and against plain loops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from anticipate.kernels import segments

VALUES = np.array([1.0, 2.0, 4.0, 8.0])
OFFSETS = np.array([0, 0, 3, 3, 4, 4])  # sizes 0, 3, 0, 1, 0


def test_sums_maxima_and_minima_by_hand_with_empty_segments():
    """{}, {1, 2, 4}, {}, {8}, {}."""
    assert segments.segment_sum(VALUES, OFFSETS).tolist() == [0, 7, 0, 8, 0]
    assert segments.segment_max(VALUES, OFFSETS, -1.0).tolist() == [-1, 4, -1, 8, -1]
    assert segments.segment_min(VALUES, OFFSETS, -1.0).tolist() == [-1, 1, -1, 8, -1]


def test_first_and_last_by_hand():
    assert segments.segment_first(VALUES, OFFSETS, 0.0).tolist() == [0, 1, 0, 8, 0]
    assert segments.segment_last(VALUES, OFFSETS, 0.0).tolist() == [0, 4, 0, 8, 0]


def test_mean_and_sample_sd_by_hand():
    """1, 2, 4: mean 7/3; squares 16/9 + 1/9 + 25/9 = 42/9; sd = sqrt(42/9 / 2)."""
    mean, sd = segments.segment_mean(VALUES, OFFSETS), segments.segment_sd(VALUES, OFFSETS)

    np.testing.assert_allclose(mean, [np.nan, 7 / 3, np.nan, 8, np.nan])
    np.testing.assert_allclose(sd, [np.nan, np.sqrt(42 / 18), np.nan, np.nan, np.nan])


def test_counts_of_a_mask():
    mask = np.array([True, False, True, True])

    assert segments.segment_count(mask, OFFSETS).tolist() == [0, 2, 0, 1, 0]
    assert segments.segment_sum(mask, OFFSETS).tolist() == [0, 2, 0, 1, 0]


def test_sd_keeps_its_digits_beside_a_large_mean():
    """1e9 + {0, 1, 2}: sd 1; squares of the values themselves would lose it."""
    sd = segments.segment_sd(1e9 + np.arange(3.0), np.array([0, 3]))

    assert sd[0] == pytest.approx(1, abs=1e-12)


def test_no_segment_and_no_row():
    none, no_row = np.array([0]), np.empty(0)

    assert len(segments.segment_sum(no_row, none)) == 0
    assert np.isnan(segments.segment_sd(no_row, np.array([0, 0]))).tolist() == [True]
    assert len(segments.run_starts(no_row)) == 0
    assert segments.within(np.array([0, 0])).tolist() == []


def test_run_starts_sees_a_change_in_any_key():
    first, second = np.array([1, 1, 2, 2]), np.array([5, 6, 6, 6])

    assert segments.run_starts(first, second).tolist() == [0, 1, 2]


def test_within_counts_from_zero_in_each_segment():
    assert segments.within(OFFSETS).tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("seed", range(5))
def test_a_segment_alone_gives_the_same_bits_as_among_others(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 300, 40)
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    values = rng.normal(size=offsets[-1]) * 10.0 ** rng.integers(-8, 8, offsets[-1])
    for reduce in (segments.segment_sum, segments.segment_mean, segments.segment_sd):
        whole = reduce(values, offsets)
        alone = [reduce(values[a:b], np.array([0, b - a]))[0] for a, b in pairwise(offsets)]

        np.testing.assert_array_equal(whole, alone)
