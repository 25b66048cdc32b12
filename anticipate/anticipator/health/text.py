"""A bundle's health as plain text: the verdict first, ASCII, at most 100 columns.

Reads  a ``Health``.
Gives  one string.
Never  a row that says nothing: of facts that did not drift only the most moved are shown.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .drift import NONE
from .outcomes import OPEN

if TYPE_CHECKING:
    from .check import Health

WIDTH, SHOWN = 100, 8


def health_text(health: Health) -> str:
    """Verdict, reasons, closed windows, drift, notes."""
    dates, share = health.dates, health.unknown
    lines = [
        f"Refit: {health.refit}",
        *_bullets(health.reasons),
        f"bundle of {dates.cutoff:%Y-%m-%d}, trained until {dates.trained_until:%Y-%m-%d}; checked "
        f"as of {dates.as_of:%Y-%m-%d}",
        f"{health.n_events:,} events since; of customers it does not know "
        f"{_percent(share['customers'])}, of items {_percent(share['items'])}",
        "",
        *_judged(health),
        "",
        *_drift(health),
        *_bullets(health.notes),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _judged(health: Health) -> list[str]:
    rows = health.judged
    closed = rows[rows["verdict"] != OPEN]
    head = ("closed windows", "", "n", "said", "seen", "by chance", "slope", "skill", "")
    cells = [
        (row.name, row.event, f"{row.n:,}", f"{row.said:,.0f}", f"{row.seen:,.0f}",
         f"{row.low:,.0f}-{row.high:,.0f}", _number(row.slope), _number(row.brier_skill),
         row.verdict)
        for row in closed.itertuples(index=False)
    ]  # fmt: skip
    open_ = rows[rows["verdict"] == OPEN]
    later = [
        f"{row.name}: the window is open until {row.closes:%Y-%m-%d}"
        for row in open_.itertuples(index=False)
    ]
    return (_aligned([head, *cells], left=2) if cells else []) + later


def _drift(health: Health) -> list[str]:
    if health.window_days is None:
        return []
    table = health.drift
    moved = table[table["verdict"] != NONE]
    shown = moved if len(moved) >= SHOWN else table.head(SHOWN)
    head = (f"drift, {health.window_days} days", "before", "now", "moved", "by chance", "")
    cells = [
        (f"{row.kind} {row.name}", f"{row.before:.3g}", f"{row.now:.3g}", _number(row.drift),
         _number(row.by_chance), row.verdict)
        for row in shown.itertuples(index=False)
    ]  # fmt: skip
    rest = len(table) - len(shown)
    more = [f"{rest} more did not drift"] if rest else []
    return _aligned([head, *cells], left=1) + more


def _aligned(rows: list[tuple[Any, ...]], left: int) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i < left or i == len(row) - 1 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _bullets(sentences: Iterable[str]) -> list[str]:
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(f"- {sentence}", WIDTH, subsequent_indent="  ")
    ]


def _number(value: Any) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"
