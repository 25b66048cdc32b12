"""The building blocks of a report: graded numbers, their groups, the data of their pictures.

Reads  finished numbers, or one number per customer of ours and of each plain baseline.
Gives  ``MetricRow``, ``GroupRow`` and ``Section``: frozen, comparable, free of models.
Never  a mean over customers that only one side could answer: rows are compared as pairs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from .grading import best_baseline, grade, improvement

Floats = npt.NDArray[np.float64]
Better = Literal["higher", "lower", "none"]


@dataclass(frozen=True)
class MetricRow:
    """One number beside the best plain baseline's.

    Attributes
    ----------
    metric, meaning : str
        Short name, and one plain clause on what it says.
    ours : float
        NaN when it could not be computed.
    baseline_name : str or None
        The best plain baseline on this metric; None when there is none.
    baseline : float
        Its number; NaN when there is none.
    better : {"higher", "lower", "none"}
        Which way is good; ``"none"`` is never graded.
    n : int
        Customers, pairs or cart lines behind the number.
    within_chance : bool or None
        The difference is smaller than two standard errors of the paired differences; None
        where the metric is no mean over rows.
    """

    metric: str
    ours: float
    baseline_name: str | None
    baseline: float
    better: Better
    n: int
    meaning: str
    within_chance: bool | None = None

    @property
    def improvement(self) -> float:
        """Relative, positive is better; NaN where it is not graded."""
        if self.better == "none":
            return math.nan
        return improvement(self.ours, self.baseline, higher_is_better=self.better == "higher")

    @property
    def grade(self) -> str:
        """A, B, C, D, or empty where it is not graded."""
        if self.better == "none":
            return ""
        return grade(self.ours, self.baseline, higher_is_better=self.better == "higher")


@dataclass(frozen=True)
class GroupRow:
    """A metric on one group of customers: ``grouping`` is the column, ``level`` its value."""

    grouping: str
    level: str
    row: MetricRow


@dataclass(frozen=True)
class Section:
    """What one part of the library achieved; the first row is the headline.

    Attributes
    ----------
    name, title : str
        Key in the report, and the question it answers.
    rows : tuple of MetricRow
        At least one.
    groups : tuple of GroupRow
        The headline metric by group, in order.
    curves : mapping of str to DataFrame
        Data of the pictures.
    notes : tuple of str
        What a reader must know to judge the numbers.
    """

    name: str
    title: str
    rows: tuple[MetricRow, ...]
    groups: tuple[GroupRow, ...] = ()
    curves: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> MetricRow:
        return self.rows[0]

    def __getitem__(self, metric: str) -> MetricRow:
        """The row of a metric by its name."""
        found = {row.metric: row for row in self.rows}
        if metric not in found:
            raise KeyError(f"{self.name}: no metric {metric!r}; there are {list(found)}.")
        return found[metric]


def number_row(
    metric: str,
    ours: float,
    baselines: Mapping[str, float],
    *,
    better: Better,
    n: int,
    meaning: str,
) -> MetricRow:
    """A row from finished numbers.

    Parameters
    ----------
    metric, meaning : str
        As in ``MetricRow``.
    ours : float
        Our number.
    baselines : mapping of str to float
        Each plain baseline's number; the best one is kept.
    better : {"higher", "lower", "none"}
        With ``"none"`` baselines are not shown.
    n : int
        Rows behind the number.

    Returns
    -------
    MetricRow

    Examples
    --------
    >>> row = number_row(
    ...     "auc", 0.8, {"hiatus": 0.7}, better="higher", n=50, meaning="ranks leavers first"
    ... )
    >>> row.baseline_name, row.grade, round(row.improvement, 3)
    ('hiatus', 'A', 0.143)
    """
    shown = baselines if better != "none" else {}
    name, value = best_baseline(shown, higher_is_better=better == "higher")
    return MetricRow(metric, float(ours), name, float(value), better, int(n), meaning)


def mean_row(
    metric: str, ours: Floats, baselines: Mapping[str, Floats], *, better: Better, meaning: str
) -> MetricRow:
    """A row from one number per customer (or pair, or line).

    Parameters
    ----------
    metric, meaning : str
        As in ``MetricRow``.
    ours : ndarray of shape (n,)
        NaN where the metric does not apply.
    baselines : mapping of str to ndarray of shape (n,)
        The same rows for each plain baseline.
    better : {"higher", "lower", "none"}
        Which way is good.

    Returns
    -------
    MetricRow
        Means over the rows that apply; ``within_chance`` from the paired differences.

    Examples
    --------
    >>> import numpy as np
    >>> row = mean_row(
    ...     "error", np.array([1.0, 3.0]), {"mean gap": np.array([3.0, 5.0])},
    ...     better="lower", meaning="days off",
    ... )
    >>> row.ours, row.baseline, row.grade, row.within_chance
    (2.0, 4.0, 'A', False)
    """
    applies = ~np.isnan(ours)
    means = {name: _mean(values[applies]) for name, values in baselines.items()}
    row = number_row(
        metric, _mean(ours[applies]), means, better=better, n=int(applies.sum()), meaning=meaning
    )
    if row.baseline_name is None:
        return row
    differences = (ours - baselines[row.baseline_name])[applies]
    return MetricRow(**{**vars(row), "within_chance": _is_within_chance(differences)})


def group_rows(
    groups: pd.DataFrame,
    customers: npt.NDArray[Any] | pd.Index,
    metric: str,
    ours: Floats,
    baselines: Mapping[str, Floats],
    *,
    better: Better,
    meaning: str,
) -> tuple[GroupRow, ...]:
    """The same metric on every level of every grouping.

    Parameters
    ----------
    groups : DataFrame
        One grouping per column, indexed by customer_id (see ``customer_groups``).
    customers : array of shape (n,)
        Whose row it is; a customer may stand several times (pairs, cart lines).
    metric, ours, baselines, better, meaning
        As in ``mean_row``.

    Returns
    -------
    tuple of GroupRow
        Levels without a row are left out; customers without a level stand under ``"unknown"``.

    Examples
    --------
    >>> import numpy as np
    >>> groups = pd.DataFrame({"city": ["Rome", "Oslo"]}, index=pd.Index([1, 2]))
    >>> rows = group_rows(
    ...     groups, np.array([1, 2, 2]), "hit", np.array([1.0, 0.0, 1.0]), {},
    ...     better="higher", meaning="found",
    ... )
    >>> [(group.level, group.row.ours) for group in rows]
    [('Oslo', 0.5), ('Rome', 1.0)]
    """
    found: list[GroupRow] = []
    for grouping in groups.columns:
        for level, mask in _levels(groups[grouping].reindex(customers)):
            subset = {name: values[mask] for name, values in baselines.items()}
            row = mean_row(metric, ours[mask], subset, better=better, meaning=meaning)
            if row.n:
                found.append(GroupRow(str(grouping), level, row))
    return tuple(found)


def _levels(column: pd.Series) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Level names in category (else sorted) order, with their rows."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = list(column.cat.categories)
    else:
        levels = sorted(column.dropna().unique(), key=lambda level: (str(type(level)), level))
    for level in levels:
        yield str(level), (column == level).to_numpy(dtype=bool, na_value=False)
    yield "unknown", column.isna().to_numpy()


def _is_within_chance(differences: Floats) -> bool | None:
    if differences.size < 2:
        return None
    error = float(differences.std(ddof=1)) / math.sqrt(differences.size)
    return abs(float(differences.mean())) < 2.0 * error


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else math.nan
