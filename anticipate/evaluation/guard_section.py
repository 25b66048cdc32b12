"""Warnings, judged by mistakes that were put into real carts.

Reads  reviewed cart lines: ``injected_kind`` (None = legitimate), ``verdict``, ``probability``.
Gives  a Section: catches at an equal number of false alarms, precision at stated prevalence.
Never  a guard compared with a rule that warns more often: catches are counted at one price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import check_columns, check_numbers
from ..columns import CUSTOMER
from . import guard_metrics as metrics
from .injection import INJECTED
from .sections import GroupRow, MetricRow, Section, group_rows, mean_row, number_row

Floats = npt.NDArray[np.float64]
PREVALENCES = (0.5, 1.0, 5.0)  # mistakes per 1,000 legitimate lines
ALLOWANCES = (10.0, 1.0)  # warnings per 1,000 legitimate lines; the first is the headline's
KIND = "kind of mistake"
_FEW = 10  # false alarms; fewer say little about their rate


def evaluate_guard(
    reviewed: pd.DataFrame,
    *,
    baselines: Mapping[str, pd.DataFrame],
    groups: pd.DataFrame | None = None,
) -> Section:
    """Injected mistakes that were caught, and what catching them cost.

    Parameters
    ----------
    reviewed : DataFrame
        ``injected_carts``' lines as ``guard.review`` gave them back: ``injected_kind``,
        ``verdict`` ("warn" or "pass") and ``probability`` (of a mistake; NaN = none seen).
    baselines : mapping of str to DataFrame
        The same lines, in the same order, reviewed by plain rules.
    groups : DataFrame or None
        See ``customer_groups``.

    Returns
    -------
    Section
        Named ``"guard"``; headline ``Caught at 10/1000``; groups begin with the kinds.
    """
    sides = {name: _side(table) for name, table in {"": reviewed, **baselines}.items()}
    ours = sides.pop("")
    rows = [_caught_at(ours, sides, allowance)[0] for allowance in ALLOWANCES]
    rows += [_precision(ours, per_1000) for per_1000 in PREVALENCES]
    rows += _as_set(ours)
    return Section(
        name="guard",
        title="Warnings of unwanted purchases",
        rows=tuple(rows),
        groups=_groups(reviewed, ours, sides, groups),
        notes=_notes(ours),
    )


@dataclass(frozen=True)
class Side:
    """One reviewer's answers, row by row."""

    mistake: npt.NDArray[np.bool_]
    warned: npt.NDArray[np.bool_]
    probability: Floats


def _side(table: pd.DataFrame) -> Side:
    wanted = (INJECTED, "verdict", "probability")
    check_columns("guard", wanted, table.columns, hint="Review the lines of injected_carts.")
    return Side(
        mistake=table[INJECTED].notna().to_numpy(),
        warned=(table["verdict"] == "warn").to_numpy(dtype=bool),
        probability=check_numbers("guard: probability", table["probability"]),
    )


def _caught_at(
    ours: Side, others: Mapping[str, Side], allowance: float
) -> tuple[MetricRow, Floats, dict[str, Floats]]:
    """The row, and per line of a mistake (NaN elsewhere) whether it is caught at that price."""
    caught = {
        name: np.where(side.mistake, _beyond(side, allowance), np.nan)
        for name, side in {"": ours, **others}.items()
    }
    mine = caught.pop("")
    row = mean_row(
        f"Caught at {allowance:g}/1000",
        mine,
        caught,
        better="higher",
        meaning=f"share of mistakes caught when {allowance:g} of 1,000 good lines may be warned",
    )
    return row, mine, caught


def _beyond(side: Side, allowance: float) -> npt.NDArray[np.bool_]:
    limit = metrics.score_limit(side.mistake, side.probability, false_per_1000=allowance)
    return np.asarray(side.probability > limit)


def _precision(ours: Side, per_1000: float) -> MetricRow:
    """Not graded: a rule that hardly ever warns would win it."""
    return number_row(
        f"Precision at {per_1000:g}/1000",
        metrics.precision_at_prevalence(ours.mistake, ours.warned, per_1000=per_1000),
        {},
        better="none",
        n=int(ours.warned.sum()),
        meaning=f"share of warnings that are right if {per_1000:g} of 1,000 lines are mistakes",
    )


def _as_set(ours: Side) -> list[MetricRow]:
    """What the guard does at its own threshold."""
    caught = metrics.catch_share(ours.mistake, ours.warned)
    false = metrics.warnings_per_1000(ours.mistake, ours.warned)
    n_bad, n_good = int(ours.mistake.sum()), int((~ours.mistake).sum())
    return [
        number_row("Caught as set", caught, {}, better="none", n=n_bad,
                   meaning="share of mistakes warned of at the guard's own threshold"),
        number_row("False alarms /1000", false, {}, better="none", n=n_good,
                   meaning="warnings per 1,000 legitimate lines at that threshold"),
    ]  # fmt: skip


def _groups(
    reviewed: pd.DataFrame, ours: Side, others: Mapping[str, Side], groups: pd.DataFrame | None
) -> tuple[GroupRow, ...]:
    row, mine, theirs = _caught_at(ours, others, ALLOWANCES[0])
    lines = np.arange(len(reviewed))
    kinds = pd.DataFrame({KIND: reviewed[INJECTED].to_numpy()}, index=lines)
    by_kind = group_rows(
        kinds, lines, row.metric, mine, theirs, better="higher", meaning=row.meaning
    )
    if groups is None:
        return by_kind
    customers = reviewed[CUSTOMER].to_numpy()
    return by_kind + group_rows(
        groups, customers, row.metric, mine, theirs, better="higher", meaning=row.meaning
    )


def _notes(ours: Side) -> tuple[str, ...]:
    n_false = int((ours.warned & ~ours.mistake).sum())
    n_good = int((~ours.mistake).sum())
    judged = (
        f"{int(ours.mistake.sum()):,} mistakes were put into real carts with {n_good:,} lines; "
        "those lines count as legitimate: they were bought, and not sent back within the window"
    )
    if n_false >= _FEW:
        return (judged,)
    few = f"only {n_false} false alarms in {n_good:,} lines: the precision is a rough guess"
    return judged, few
