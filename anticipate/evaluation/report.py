"""What ``Anticipator.evaluate`` gives back: sections, and the forms they can be read in.

Reads  finished sections.
Gives  a table in the terminal, a DataFrame, JSON, a self-contained HTML page, pictures.
Never  recomputes: every form shows the same numbers.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .files import write_text
from .grading import GRADES
from .html_page import page_fragment, page_html
from .sections import MetricRow, Section
from .terminal import fact_text, report_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Report:
    """Our numbers beside the best plain rule's, graded.

    Attributes
    ----------
    sections : tuple of Section
        ``needs, suggestions, churn, timing, guard, stability, reasons``, as many as were made.
    cutoff : Timestamp
        Everything was known before it, and judged by what came after.
    about : mapping of str to str, int or float
        What a reader needs to place the numbers: horizons, customers, events.

    Examples
    --------
    >>> from anticipate.evaluation import Report, Section, number_row
    >>> row = number_row("auc", 0.8, {"hiatus": 0.7}, better="higher", n=50, meaning="ranks")
    >>> churn = Section("churn", "Who is leaving", (row,))
    >>> report = Report((churn,), pd.Timestamp("2025-03-01", tz="UTC"))
    >>> report["churn"].headline.grade
    'A'
    """

    sections: tuple[Section, ...]
    cutoff: pd.Timestamp
    about: Mapping[str, str | int | float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Section:
        """A section by its name."""
        found = {section.name: section for section in self.sections}
        if name not in found:
            raise KeyError(f"report: no section {name!r}; there are {list(found)}.")
        return found[name]

    def __iter__(self) -> Iterator[Section]:
        return iter(self.sections)

    def __str__(self) -> str:
        return report_text(self._title(), self.sections)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return page_fragment(self.sections, self.cutoff, self.about)

    @property
    def grades(self) -> dict[str, str]:
        """The headline's grade of each section; empty where nothing is compared."""
        return {section.name: section.headline.grade for section in self.sections}

    def to_frame(self, *, groups: bool = False) -> pd.DataFrame:
        """All numbers as one table.

        Parameters
        ----------
        groups : bool, default=False
            Also the rows of the groups, with ``grouping`` and ``level`` (else empty).

        Returns
        -------
        DataFrame
            ``section, metric, grouping, level, ours, baseline, baseline_name, improvement,
            grade, within_chance, n``.
        """
        rows = []
        for section in self.sections:
            parts = [("", "", row) for row in section.rows]
            parts += [(g.grouping, g.level, g.row) for g in section.groups if groups]
            for grouping, level, row in parts:
                place = {"section": section.name, "grouping": grouping, "level": level}
                rows.append(place | {name: getattr(row, name) for name in _COLUMNS})
        order = ["section", "metric", "grouping", "level", *_COLUMNS[1:]]
        return pd.DataFrame(rows, columns=order)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: no NaN, no infinity (None instead), times as ISO text."""
        return {
            "format": "anticipate-report",
            "version": FORMAT_VERSION,
            "cutoff": self.cutoff.isoformat(),
            "about": {str(key): _plain(value) for key, value in self.about.items()},
            "grades": GRADES,
            "sections": {section.name: _section_dict(section) for section in self.sections},
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The report as JSON text; with ``path`` also written there, whole or not at all.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        if path is not None:
            write_text(path, text)
        return text

    def to_html(self, path: str | os.PathLike[str]) -> Path:
        """Write a page that needs nothing else: no script, no style or font from outside.

        Parameters
        ----------
        path : path-like
            The file; its folder must exist.

        Returns
        -------
        Path
            The file written. The same report gives the same bytes. Without matplotlib the
            page has no pictures and says how to get them.

        Raises
        ------
        OutputError
            If the file cannot be written; nothing is left behind.
        """
        return write_text(path, page_html(self.sections, self.cutoff, self.about))

    def plot(self) -> Figure:
        """All pictures on one matplotlib figure.

        Raises
        ------
        MissingExtraError
            Without matplotlib; install ``anticipate-needs[plot]``.
        """
        from .plots import draw_report  # matplotlib is an extra: only whoever plots needs it

        return draw_report(self.sections)

    def _title(self) -> str:
        facts = [" ".join(fact_text(*fact)) for fact in self.about.items()]
        return ", ".join([f"Evaluation at {self.cutoff:%Y-%m-%d %H:%M %Z}", *facts])


_COLUMNS = (
    "metric", "ours", "baseline", "baseline_name", "improvement", "grade", "within_chance", "n",
)  # fmt: skip


def _section_dict(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "metrics": [_row_dict(row) for row in section.rows],
        "groups": [
            {"grouping": group.grouping, "level": group.level, **_row_dict(group.row)}
            for group in section.groups
        ],
        "curves": {name: _table_dict(table) for name, table in section.curves.items()},
        "notes": list(section.notes),
    }


def _row_dict(row: MetricRow) -> dict[str, Any]:
    return {
        "metric": row.metric,
        "meaning": row.meaning,
        "ours": _plain(row.ours),
        "baseline": _plain(row.baseline),
        "baseline_name": row.baseline_name,
        "better": row.better,
        "improvement": _plain(row.improvement),
        "grade": row.grade or None,
        "within_chance": row.within_chance,
        "n": row.n,
    }


def _table_dict(table: pd.DataFrame) -> dict[str, Any]:
    return {
        "columns": [str(name) for name in table.columns],
        "rows": [[_plain(value) for value in row] for row in table.to_numpy().tolist()],
    }


def _plain(value: Any) -> Any:
    """A float that JSON knows, everything else as it is."""
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
