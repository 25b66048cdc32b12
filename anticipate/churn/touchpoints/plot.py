"""The touchpoint table as a picture: odds ratios with their intervals, on a log axis.

Reads  the table of ``touchpoint_associations``.
Gives  drawings on matplotlib axes.
Never  pyplot, a backend, a global setting; matplotlib is loaded only when a picture is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._checks import check_columns
from ...evaluation.plots import FAINT, INK, OURS
from ...exceptions import MissingExtraError
from .words import label_touchpoint, show_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
NEEDED = ("odds_ratio", "odds_low", "odds_high", "n_customers")
SCALE = "odds ratio, adjusted: right of 1 leaving is likelier; filled: the interval leaves out 1"
NOTE = (
    "Associations among customers otherwise alike in the log, not effects:\n"
    "it does not follow that a touchpoint made anyone stay or leave."
)
_FIGURE_SPACE = "\N{FIGURE SPACE}"  # as wide as a digit
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_WIDTH, _ROW, _FRAME = 8.2, 0.34, 1.6  # inches


def plot_touchpoints(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Odds ratios of :func:`touchpoint_associations` with their intervals: associations only.

    Parameters
    ----------
    table : DataFrame
        What :func:`touchpoint_associations` gave, or some of its rows. Touchpoints that no
        customer had are passed over.
    ax : matplotlib Axes, optional
        Where to draw; a new figure of a fitting height by default.

    Returns
    -------
    matplotlib Axes
        Filled points have an interval without 1. ``ax.figure.savefig(...)`` writes a new figure.

    Raises
    ------
    ColumnError
        If the table lacks a column.
    MissingExtraError
        Without matplotlib.

    Examples
    --------
    >>> from anticipate import load_example
    >>> from anticipate.churn.touchpoints.associations import touchpoint_associations
    >>> table = touchpoint_associations(load_example("bookshop").as_of("2025-06-30"))
    >>> len(plot_touchpoints(table).get_yticklabels())
    9
    """
    check_columns(
        "touchpoints", NEEDED, table.columns, hint="Give what touchpoint_associations returned."
    )
    shown = table[table["n_customers"] > 0]
    axes = _new_axes(len(shown)) if ax is None else ax
    churn = table.attrs.get("churn", "no purchase")
    axes.set_title(f"Odds of {churn} after each touchpoint", loc="left", color=INK)
    axes.set_xlabel(f"{SCALE}\n{NOTE}", color=INK)
    axes.set_xscale("log")
    axes.axvline(1, color=INK, linewidth=1)
    _draw_points(axes, shown)
    _label_rows(axes, shown, table.attrs)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return axes


def _new_axes(n_rows: int) -> Axes:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "pictures need matplotlib: pip install 'anticipate-needs[plot]'."
        ) from error
    size = (_WIDTH, _FRAME + _ROW * max(n_rows, 1))
    return Figure(figsize=size, layout="constrained").add_subplot()


def _draw_points(ax: Axes, shown: pd.DataFrame) -> None:
    """Points and intervals, first row on top; what lies off the axis is drawn at its edge."""
    left, right = _limits(shown)
    columns = (shown[name].to_numpy(np.float64) for name in NEEDED[:3])
    ratio, low, high = (np.clip(column, left, right) for column in columns)
    place = np.arange(len(shown), dtype=np.float64)
    clear = (low > 1) | (high < 1)
    ax.hlines(place, low, high, color=np.where(clear, OURS, FAINT).tolist(), linewidth=2)
    for some, fill, edge in ((clear, OURS, OURS), (~clear, "white", FAINT)):
        ax.scatter(
            ratio[some], place[some], s=46, color=fill, edgecolors=edge, linewidths=1.6, zorder=3
        )
    ticks = [tick for tick in _TICKS if left <= tick <= right]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.grid(visible=True, axis="x", color=FAINT, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_xlim(left, right)


def _limits(shown: pd.DataFrame) -> tuple[float, float]:
    """Around all intervals and 1/2 to 2, but no further than the outermost ticks."""
    low, high = shown["odds_low"].min(), shown["odds_high"].max()
    left = np.fmin(low, 0.5) / 1.15
    right = np.fmax(high, 2.0) * 1.15
    return float(max(left, _TICKS[0] / 1.15)), float(min(right, _TICKS[-1] * 1.15))


def _label_rows(ax: Axes, shown: pd.DataFrame, attrs: Mapping[Any, Any]) -> None:
    """Names at the left; numbers and counts at the right, as a second axis: layouts see it."""
    names = [label_touchpoint(str(name), attrs.get("reference_channel")) for name in shown.index]
    place = np.arange(len(shown))
    if not len(shown):
        ax.text(0.5, 0.5, "no touchpoint", transform=ax.transAxes, ha="center", color=INK)
    ax.set_yticks(place, names, color=INK)
    ax.set_ylim(max(len(shown), 1) - 0.5, -1.1)
    ax.tick_params(axis="y", length=0)
    right = ax.secondary_yaxis("right")
    right.set_yticks([-0.85, *place], _numbers(shown, attrs.get("confidence")), color=INK)
    right.tick_params(axis="y", length=0)
    right.spines["right"].set_visible(False)


def _numbers(shown: pd.DataFrame, confidence: float | None) -> list[str]:
    """A header, then a line per row."""
    counts = [f"{n:,}" for n in shown["n_customers"]]
    wide = max(map(len, counts), default=0)
    interval = "interval" if confidence is None else f"{100 * confidence:g} % interval"
    lines = [
        f"{n.rjust(wide, _FIGURE_SPACE)}   {_odds(*ratio)}"
        for n, ratio in zip(counts, shown[list(NEEDED[:3])].itertuples(index=False), strict=True)
    ]
    return [f"customers, ratio ({interval})", *lines]


def _odds(ratio: float, low: float, high: float) -> str:
    if not np.isfinite([ratio, low, high]).all():
        return "cannot be told"
    return f"{show_ratio(ratio)} ({show_ratio(low)} to {show_ratio(high)})"
