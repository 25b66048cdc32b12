"""Answers as columns: the order of suggestions, without one object for each."""

from __future__ import annotations

import numpy as np
import pytest

from anticipate.serving.answer_rows import AnswerRows, _first, _objects
from anticipate.serving.dates import NEVER
from anticipate.suggestions import BENEFITS, KINDS, Reason, Suggestion, order_suggestions


def rows_of(request, kind, item, probability) -> AnswerRows:
    n = len(request)
    return AnswerRows(
        np.array(request, int), np.array([KINDS.index(one) for one in kind], int), _objects(item),
        np.array(probability, float), np.full(n, NEVER),
        _objects(["viewed"] * n), _objects([""] * n),
    )  # fmt: skip


def test_equal_benefits_go_by_kind_then_by_the_text_of_the_item():
    """ "10" stands before "2", as in ``order_suggestions``; a re-stock before a next need."""
    rows = rows_of(
        [0, 0, 0, 1], ["next_need", "next_need", "restock_due", "churn_risk"],
        [2, 10, 7, None], [0.5, 0.5, 0.5, 0.9],
    )  # fmt: skip

    assert _first(rows, 3, BENEFITS).item.tolist() == [7, 10, 2, None]
    assert _first(rows, 1, BENEFITS).item.tolist() == [7, None]


@pytest.mark.parametrize("seed", range(10))
def test_the_order_is_that_of_the_suggestions(seed):
    draw = np.random.default_rng(seed)
    request = np.sort(draw.integers(0, 5, 60))
    kind = draw.choice(["next_need", "restock_due"], 60)
    item, probability = draw.permutation(60).tolist(), draw.integers(0, 4, 60) / 4
    for i, who in enumerate(request.tolist()):
        item[i] += 1000 * who  # each once in a list
    rows = _first(rows_of(request, kind, item, probability), 4, BENEFITS)

    expected = []
    for who in range(5):
        mine = [
            Suggestion(kind[i], "customer", who, item[i], probability[i], None, Reason("viewed"))
            for i in np.flatnonzero(request == who)
        ]
        expected += [one.item_id for one in order_suggestions(mine)[:4]]
    assert rows.item.tolist() == expected


def test_nothing_to_order():
    assert _first(rows_of([], [], [], []), 3, BENEFITS).item.tolist() == []
