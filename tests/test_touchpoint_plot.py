"""The picture of the touchpoint table."""

from __future__ import annotations

import sys
from itertools import pairwise

import pandas as pd
import pytest

from anticipate.churn.touchpoints.associations import touchpoint_associations
from anticipate.churn.touchpoints.plot import NOTE, plot_touchpoints
from anticipate.exceptions import ColumnError, MissingExtraError
from anticipate.log import InteractionLog


@pytest.fixture(scope="module")
def table(bookshop: InteractionLog) -> pd.DataFrame:
    return touchpoint_associations(bookshop.as_of("2025-06-30"))


@pytest.mark.parametrize("n_rows", [0, 1, 14])
def test_no_two_labels_of_the_picture_overlap(table: pd.DataFrame, n_rows: int):
    shown = pd.concat([table, table]).iloc[:n_rows]
    shown.attrs = table.attrs
    ax = plot_touchpoints(shown)
    ax.figure.draw_without_rendering()
    (right,) = ax.child_axes
    for labels in (ax.get_yticklabels(), right.get_yticklabels()):
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
        assert all(one.y1 < next_.y0 for one, next_ in pairwise(boxes))

    assert len(ax.get_yticklabels()) == n_rows
    assert len(right.get_yticklabels()) == n_rows + 1
    assert NOTE in ax.get_xlabel()


def test_the_picture_is_drawn_where_it_is_told(table: pd.DataFrame):
    """A NaN row keeps its name and count; a touchpoint that nobody had is passed over."""
    told = table.assign(odds_ratio=table["odds_ratio"].where(table.index != "return"))
    told.loc["cancel", "n_customers"] = 0
    there = plot_touchpoints(table.iloc[:1])

    ax = plot_touchpoints(told, ax=there.figure.add_subplot())
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert ax is not there
    assert "return" in names
    assert "cancellation" not in names
    assert "app (against web)" in names


def test_a_table_of_something_else_is_refused():
    with pytest.raises(ColumnError, match="odds_ratio"):
        plot_touchpoints(pd.DataFrame({"n_customers": [1]}))


def test_without_matplotlib_the_extra_is_named(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"anticipate-needs\[plot\]"):
        plot_touchpoints(table)
