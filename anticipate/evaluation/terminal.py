"""A report as plain text: aligned, at most 100 columns, ASCII only.

Reads  a Report's sections.
Gives  one string; the graded headline of each section first.
Never  a character that some terminal cannot show, a colour, or the locale's decimal comma.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable

from .sections import GroupRow, MetricRow, Section

WIDTH = 100
_DECIMALS = ((2.0, 3), (10.0, 2), (1000.0, 1))
_RIGHT = (False, True, True, False, True, False, True)
_HEAD = ("metric", "ours", "best plain rule", "", "better by", "grade", "n")
LEGEND = (
    "Grade, against the best plain rule: A >= 10 % better, B >= 5 %, C better, D not better; "
    "~ = the difference may be chance (within two standard errors)."
)


def report_text(title: str, sections: Iterable[Section]) -> str:
    """The whole report.

    Parameters
    ----------
    title : str
        First line.
    sections : iterable of Section
        In the order shown.

    Returns
    -------
    str
        Lines of at most 100 characters.
    """
    parts = [_wrap(title, ""), *(section_text(section) for section in sections), _wrap(LEGEND, "")]
    return "\n\n".join(parts)


def section_text(section: Section) -> str:
    """One section: headline, metrics, groups, notes."""
    head = section.headline
    verdict = f"grade {_grade(head)}" if head.grade else ""
    lines = [f"{section.title} ({section.name})  {verdict}".rstrip()]
    lines += _table([_HEAD, *(_cells(row) for row in section.rows)])
    lines += _groups(section.groups)
    lines += [_wrap(note, "  ") for note in section.notes]
    return "\n".join(lines)


def number_text(value: float, beside: float = math.nan) -> str:
    """A number in five characters or so.

    Parameters
    ----------
    value : float
        NaN is shown as ``-``.
    beside : float, default=NaN
        The number it will be compared with; the larger of the two sets the decimals.

    Returns
    -------
    str
        Three decimals below 2, two below 10, one below 1,000, else none.

    Examples
    --------
    >>> number_text(0.12345), number_text(31.25), number_text(12345.6), number_text(float("nan"))
    ('0.123', '31.2', '12,346', '-')
    >>> number_text(6.495, beside=20.04)
    '6.5'
    """
    if math.isnan(value):
        return "-"
    size = max(abs(value), 0.0 if math.isnan(beside) else abs(beside))
    digits = next((digits for below, digits in _DECIMALS if size < below), 0)
    return f"{value:,.{digits}f}"


def percent_text(value: float) -> str:
    """A relative improvement with its sign.

    Parameters
    ----------
    value : float
        .1 = ten per cent; NaN is shown as nothing.

    Returns
    -------
    str

    Examples
    --------
    >>> percent_text(0.123), percent_text(-0.04), percent_text(25.0)
    ('+12.3 %', '-4.0 %', '> 1000 %')
    """
    if math.isnan(value):
        return ""
    if abs(value) > 10:
        return "> 1000 %" if value > 0 else "< -1000 %"
    return f"{100 * value:+.1f} %"


def fact_text(name: str, value: str | int | float) -> tuple[str, str]:
    """A fact about the report in words.

    Parameters
    ----------
    name : str
        Underscores become spaces.
    value : str, int or float

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> fact_text("horizon_days", 30.0), fact_text("events", 10039)
    (('horizon days', '30'), ('events', '10,039'))
    """
    shown = f"{value:g}" if isinstance(value, float) else value
    return name.replace("_", " "), f"{shown:,}" if isinstance(shown, int) else str(shown)


def _cells(row: MetricRow) -> tuple[str, ...]:
    base = "" if row.baseline_name is None else number_text(row.baseline, row.ours)
    return (
        row.metric,
        number_text(row.ours, row.baseline),
        base,
        row.baseline_name or "",
        percent_text(row.improvement),
        _grade(row),
        f"{row.n:,}",
    )


def _grade(row: MetricRow) -> str:
    return row.grade + ("~" if row.within_chance and row.grade else "")


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    # "best plain rule" heads two columns: the number and the name.
    widths = [max(len(row[i]) for row in rows[1:]) for i in range(len(_HEAD))]
    widths = [max(width, len(_HEAD[i]) if i not in (2, 3) else 0) for i, width in enumerate(widths)]
    spare = len(_HEAD[2]) - (widths[2] + 2 + widths[3])
    widths[3] += max(spare, 0)
    head = list(rows[0])
    head[2:4] = [head[2].ljust(widths[2] + 2 + widths[3])]
    right = [_RIGHT[0], _RIGHT[1], False, *_RIGHT[4:]]
    wide = [widths[0], widths[1], widths[2] + 2 + widths[3], *widths[4:]]
    lines = [_line(head, wide, right)]
    return lines + [_line(list(row), widths, list(_RIGHT)) for row in rows[1:]]


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    parts = [
        cell.rjust(width) if is_right else cell.ljust(width)
        for cell, width, is_right in zip(cells, widths, right, strict=True)
    ]
    return ("  " + "  ".join(parts)).rstrip()


def _groups(groups: tuple[GroupRow, ...]) -> list[str]:
    """One line per grouping: level, ours against the best plain rule, grade."""
    lines = []
    for grouping in dict.fromkeys(group.grouping for group in groups):
        rows = [group for group in groups if group.grouping == grouping]
        cells = [_group_cell(group) for group in rows]
        lines.append(_wrap(f"{rows[0].row.metric} by {grouping}: {';  '.join(cells)}", "  "))
    return lines


def _group_cell(group: GroupRow) -> str:
    row = group.row
    text = f"{group.level} {number_text(row.ours, row.baseline)}"
    if row.baseline_name is not None:
        text += f" vs {number_text(row.baseline, row.ours)} {_grade(row)}"
    # Levels stay in one piece when the line is wrapped.
    return f"{text} (n {row.n:,})".replace(" ", "\0")


def _wrap(text: str, indent: str) -> str:
    filled = textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False
    )
    return filled.replace("\0", " ")
