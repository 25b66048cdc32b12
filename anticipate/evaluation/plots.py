"""The report's pictures.

Reads  the curves of a section (``Section.curves``).
Gives  drawings on matplotlib axes; inline SVG that follows the page's colours.
Never  pyplot, a backend, a global setting; never loaded unless a picture is asked for.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ..exceptions import MissingExtraError
from .sections import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS = "#1f6fb2"
PLAIN = ("#b3540e", "#7a6a9b", "#5f7d4f", "#8a8a8a")  # baselines, in order
INK, FAINT = "#22262b", "#8d949c"
_SIZE = (5.2, 3.5)  # inches
_STYLE = {
    "svg.fonttype": "none",  # text stays text: selectable, read aloud, in the page's font
    "svg.hashsalt": "anticipate",  # same picture, same bytes
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.formatter.use_locale": False,
}


class Picture(NamedTuple):
    """How a curve is shown: title, what a reader should see in it, and who draws it."""

    title: str
    text: str
    draw: Callable[[Axes, pd.DataFrame], None]


def draw_recall_by_rank(ax: Axes, curve: pd.DataFrame) -> None:
    """Recall when the list is cut after each rank: ours thick, plain rules thin."""
    _lines(ax, curve, "rank", marker="o")
    ax.set(xlabel="length of the list", ylabel="share of purchases found")
    ax.set_xticks(curve["rank"])
    ax.set_ylim(bottom=0)
    ax.legend(loc="lower right")


def draw_reliability(ax: Axes, curve: pd.DataFrame) -> None:
    """Said against seen; points on the diagonal keep their word, bars are 95 % intervals."""
    ax.plot([0, 1], [0, 1], color=FAINT, linewidth=1, dashes=(4, 3), label="perfect")
    seen, low, high = (curve[name].to_numpy() for name in ("observed", "low", "high"))
    ends = np.clip([seen - low, high - seen], 0.0, None)
    ax.errorbar(
        curve["predicted"], seen, yerr=ends, color=OURS, marker="o", markersize=5,
        linewidth=1.2, elinewidth=1, label="ours, groups of equal size",
    )  # fmt: skip
    _unit_axes(ax, "probability of leaving that was said", "share that left")
    ax.legend(loc="upper left")


def draw_gains(ax: Axes, curve: pd.DataFrame) -> None:
    """Share of leavers found when the most at risk are called first."""
    ax.plot([0, 1], [0, 1], color=FAINT, linewidth=1, dashes=(4, 3), label="by chance")
    _lines(ax, curve, "contacted")
    _unit_axes(ax, "share of customers called, most at risk first", "share of leavers found")
    ax.legend(loc="lower right")


def draw_errors(ax: Axes, curve: pd.DataFrame) -> None:
    """How early or late the dates were; the more in the middle, the better."""
    left, right = curve["left_days"].to_numpy(), curve["right_days"].to_numpy()
    names = [name for name in curve.columns if name not in ("left_days", "right_days")]
    ax.bar(left, curve["ours"], right - left, align="edge", color=OURS, alpha=0.75, label="ours")
    for name, colour in zip(names[1:], PLAIN, strict=False):
        edges = np.append(left, right[-1:])
        ax.stairs(curve[name], edges, color=colour, linewidth=1.8, label=name)
    ax.axvline(0, color=FAINT, linewidth=1)
    ax.set(xlabel="days too early (-) or too late (+)", ylabel="share of dates")
    ax.yaxis.set_major_formatter(_percent())
    ax.legend(loc="upper right")


PICTURES = {
    "recall_by_rank": Picture(
        "Recall by rank",
        "Share of what customers bought that stood in the list, by its length.",
        draw_recall_by_rank,
    ),
    "reliability": Picture(
        "Reliability",
        "Said probability of leaving against the share that left. On the dashed line the "
        "probabilities keep their word.",
        draw_reliability,
    ),
    "gains": Picture(
        "Gains of the at-risk list",
        "Share of leavers found when customers are called from the most to the least at risk.",
        draw_gains,
    ),
    "errors": Picture(
        "Timing errors",
        "Predicted minus real date in days, both clipped at the window's end.",
        draw_errors,
    ),
}


def section_pictures(section: Section) -> list[str]:
    """The section's pictures as inline SVG.

    Parameters
    ----------
    section : Section
        Curves without a picture of that name, or without a finite number, are passed over.

    Returns
    -------
    list of str
        ``<svg>`` elements with a title and a description, ids of their own, colours as CSS
        variables of the page (``--ours``, ``--ink``, ...) with a fixed fallback.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    return [_inline(_svg(name, curve), name, curve) for name, curve in _drawable(section)]


def draw_report(sections: Iterable[Section]) -> Figure:
    """All pictures of a report on one figure, two in a row.

    Parameters
    ----------
    sections : iterable of Section
        Sections without a picture are passed over.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    matplotlib = _matplotlib()
    curves = [pair for section in sections for pair in _drawable(section)]
    n_rows = max((len(curves) + 1) // 2, 1)
    with matplotlib.rc_context(_STYLE | {"figure.facecolor": "white"}):
        size = (2 * _SIZE[0], n_rows * _SIZE[1])
        figure = matplotlib.figure.Figure(figsize=size, layout="constrained")
        for place, (name, curve) in enumerate(curves, start=1):
            ax = figure.add_subplot(n_rows, 2, place)
            ax.set_title(PICTURES[name].title, loc="left")
            PICTURES[name].draw(ax, curve)
    return figure


def _drawable(section: Section) -> list[tuple[str, pd.DataFrame]]:
    return [
        (name, curve)
        for name, curve in section.curves.items()
        if name in PICTURES and len(curve) and curve.iloc[:, 1:].notna().any(axis=None)
    ]


def _svg(name: str, curve: pd.DataFrame) -> str:
    matplotlib = _matplotlib()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context(_STYLE), io.StringIO() as text:
        figure = matplotlib.figure.Figure(figsize=_SIZE, layout="constrained")
        PICTURES[name].draw(figure.add_subplot(), curve)
        figure.savefig(text, format="svg", metadata=nothing)
        return text.getvalue()


def _inline(svg: str, name: str, curve: pd.DataFrame) -> str:
    """A bare ``<svg>`` for a page: own ids, a name and a description, the page's colours."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    own = f"{name}-{hashlib.sha256(body.encode()).hexdigest()[:8]}-"
    body = re.sub(r'\bid="', f'id="{own}', body)
    body = re.sub(r'(href="#|url\(#)', rf"\g<1>{own}", body)
    body = re.sub(r"font: ([^;\"]*?px) [^;\"]*", r"font: \1 var(--font, sans-serif)", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var({variable}, {colour})")
    opening, rest = body.split(">", 1)
    opening = re.sub(r'\s(width|height)="[^"]*"', "", opening)
    label = f'role="img" aria-labelledby="{own}title {own}desc"'
    head = (
        f'<title id="{own}title">{escape(PICTURES[name].title)}</title>'
        f'<desc id="{own}desc">{escape(describe(name, curve))}</desc>'
    )
    return f"{opening} {label}>{head}{rest}"


def describe(name: str, curve: pd.DataFrame) -> str:
    """The picture in words, for those who cannot see it."""
    text = PICTURES[name].text
    if name == "recall_by_rank":
        last = curve.iloc[-1]
        found = ", ".join(f"{column} {last[column]:.3f}" for column in curve.columns[1:])
        return f"{text} At length {int(last['rank'])}: {found}."
    if name == "reliability":
        gap = (curve["predicted"] - curve["observed"]).abs().max()
        return f"{text} Largest gap of {len(curve)} groups: {gap:.3f}."
    if name == "gains":
        tenth = curve.iloc[(curve["contacted"] - 0.1).abs().argmin()]
        found = ", ".join(f"{column} {tenth[column]:.3f}" for column in curve.columns[1:])
        return f"{text} Calling the first tenth finds: {found}."
    middle = curve.iloc[len(curve) // 2]
    found = ", ".join(f"{column} {middle[column]:.3f}" for column in curve.columns[2:])
    width = middle["right_days"] - middle["left_days"]
    return f"{text} Within {width / 2:.1f} days of the real date: {found}."


_VARIABLES = {OURS: "--ours", INK: "--ink", FAINT: "--faint"} | {
    colour: f"--plain-{place}" for place, colour in enumerate(PLAIN, start=1)
}


def _lines(ax: Axes, curve: pd.DataFrame, x: str, marker: str | None = None) -> None:
    """Baselines first, so that ours lies on top; the legend names ours first."""
    baselines = [name for name in curve.columns if name not in (x, "ours")]
    style: dict[str, Any] = {"marker": marker, "markersize": 3.5}
    ax.plot(curve[x], curve["ours"], color=OURS, linewidth=2.4, zorder=3, label="ours", **style)
    for name, colour in zip(baselines, PLAIN, strict=False):
        ax.plot(curve[x], curve[name], color=colour, linewidth=1.4, label=name, **style)


def _unit_axes(ax: Axes, x_label: str, y_label: str) -> None:
    ax.set(xlabel=x_label, ylabel=y_label, xlim=(0, 1), ylim=(0, 1.02))
    ax.xaxis.set_major_formatter(_percent())
    ax.yaxis.set_major_formatter(_percent())


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0, decimals=0)


def _matplotlib() -> Any:
    try:
        import matplotlib.figure
    except ImportError as error:
        raise MissingExtraError(
            "pictures need matplotlib: pip install 'anticipate-needs[plot]'."
        ) from error
    return matplotlib
