"""The best rows of each group: order, ties, NaN, any batch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from anticipate.exceptions import ParameterError
from anticipate.kernels import ranking
from anticipate.kernels.ranking import rank_within_group, top_k, top_k_offsets, top_k_per_group

NAN, INF = np.nan, np.inf


def test_the_best_rows_come_first():
    """Group 0 holds .1 .9 .5, group 1 holds .2: rows 1, 2 and row 3."""
    offsets = np.array([0, 3, 4])

    assert top_k_per_group(offsets, [0.1, 0.9, 0.5, 0.2], [1, 2, 3, 4], 2).tolist() == [1, 2, 3]
    assert top_k_offsets(offsets, 2).tolist() == [0, 2, 3]
    assert rank_within_group(offsets, [0.1, 0.9, 0.5, 0.2], [1, 2, 3, 4]).tolist() == [3, 1, 2, 1]


def test_equal_scores_go_by_item_code():
    assert top_k_per_group(np.array([0, 4]), [1, 1, 1, 1], [9, 3, 7, 3], 3).tolist() == [1, 3, 2]


def test_zero_and_minus_zero_are_equal():
    assert top_k_per_group(np.array([0, 2]), [0.0, -0.0], [5, 4], 2).tolist() == [1, 0]


def test_nan_comes_after_minus_infinity():
    scores = [NAN, -INF, 0.0, INF, NAN]

    assert top_k_per_group(np.array([0, 5]), scores, [4, 3, 2, 1, 0], 5).tolist() == [3, 2, 1, 4, 0]


# -- edge --------------------------------------------------------------------------


def test_empty_groups_and_small_groups():
    offsets = np.array([0, 0, 1, 1, 3, 3])

    assert top_k_per_group(offsets, [0.5, 0.1, 0.2], [0, 0, 1], 5).tolist() == [0, 2, 1]
    assert top_k_offsets(offsets, 5).tolist() == [0, 0, 1, 1, 3, 3]


def test_nothing_asked_or_nothing_there():
    assert top_k_per_group(np.array([0, 2]), [1.0, 2.0], [0, 1], 0).tolist() == []
    assert top_k_per_group(np.array([0]), [], [], 3).tolist() == []
    assert top_k_per_group(np.array([0, 0]), [], [], 3).tolist() == []
    assert rank_within_group(np.array([0, 0]), [], []).tolist() == []


@pytest.mark.parametrize(
    ("offsets", "scores", "ties", "k", "word"),
    [
        ([0, 2], [1.0, 2.0], [0, 1], -1, "k is -1"),
        ([0, 2], [1.0, 2.0], [0], 1, "tie codes"),
        ([0, 1], [1.0, 2.0], [0, 1], 1, "offsets"),
        ([1, 2], [1.0, 2.0], [0, 1], 1, "offsets"),
        ([0, 3, 2], [1.0, 2.0], [0, 1], 1, "offsets"),
    ],
)
def test_arguments_that_disagree_are_refused(
    offsets: list[int], scores: list[float], ties: list[int], k: int, word: str
):
    with pytest.raises(ParameterError, match=word):
        top_k_per_group(np.array(offsets), scores, ties, k)


# -- law ---------------------------------------------------------------------------


def random_groups(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 30, 80)
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    scores = rng.choice([0.0, 0.25, 0.5, NAN, INF], offsets[-1])
    ties = np.concatenate([rng.permutation(size) for size in sizes])
    return offsets, scores, ties


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("block_rows", [1, 64, 20_000])
def test_the_answer_is_that_of_sorting_each_group(
    seed: int, block_rows: int, monkeypatch: pytest.MonkeyPatch
):
    """One group at a time, by Python's sort; blocks of any size change nothing."""
    monkeypatch.setattr(ranking, "_BLOCK_ROWS", block_rows)
    offsets, scores, ties = random_groups(seed)
    expected: list[int] = []
    for start, end in pairwise(offsets):
        keys = [(np.isnan(scores[r]), -scores[r], ties[r], r) for r in range(start, end)]
        keys = [(nan, 0.0 if nan else score, tie, row) for nan, score, tie, row in keys]
        expected += [row for *_, row in sorted(keys)][:7]

    assert top_k_per_group(offsets, scores, ties, 7).tolist() == expected


@pytest.mark.parametrize("seed", range(20))
def test_rows_that_cannot_be_among_the_best_change_nothing(seed: int):
    """Groups of many rows, few of them asked for: ties at the edge, NaN and infinities too."""
    draw = np.random.default_rng(seed)
    offsets = np.concatenate(([0], np.cumsum(draw.integers(8, 13, 30))))
    values = np.array([NAN, -INF, INF, 0.0, 1.0, 2.0, 3.0])
    scores, ties = draw.choice(values, offsets[-1]), draw.integers(0, 4, offsets[-1])
    assert ranking._contenders(offsets, scores, 2) is not None

    best = top_k_per_group(offsets, scores, ties, 2)

    ranks = rank_within_group(offsets, scores, ties)
    assert best.tolist() == [
        first + place
        for first, last in pairwise(offsets.tolist())
        for place in np.argsort(ranks[first:last])[:2].tolist()
    ]


def test_a_group_alone_is_the_group_in_a_batch():
    offsets, scores, ties = random_groups(9)
    whole, kept = top_k_per_group(offsets, scores, ties, 5), top_k_offsets(offsets, 5)
    for group in range(len(offsets) - 1):
        start, end = offsets[group], offsets[group + 1]
        alone = top_k_per_group(np.array([0, end - start]), scores[start:end], ties[start:end], 5)

        assert top_k(scores[start:end], ties[start:end], 5).tolist() == alone.tolist()
        assert (alone + start).tolist() == whole[kept[group] : kept[group + 1]].tolist()


def test_ranks_and_top_rows_agree():
    offsets, scores, ties = random_groups(3)
    ranks = rank_within_group(offsets, scores, ties)
    top = top_k_per_group(offsets, scores, ties, 4)

    assert sorted(top.tolist()) == np.flatnonzero(ranks <= 4).tolist()
