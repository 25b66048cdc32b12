"""Customers with equal statistics, counted: what BTYD models learn from, and all that adds up.

Reads  a purchase summary, whole or in parts.
Gives  weighted cells, sorted, so equal data make equal cells in any order and division.
Never  a customer's identity: a cell knows how many, not who.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._checks import check_columns, check_numbers
from ...exceptions import BadRowsError
from ...kernels.segments import run_starts

Floats = NDArray[np.float64]
COLUMNS = ["n_repeats", "last_repeat_days", "age_days"]
LOG_GAPS, WEIGHT = "log_gap_sum", "weight"


PER_UNIT = (1.0, 7.0, 24.0)  # days; weeks of days, days of hours
LARGEST_KEY, LARGEST_WHOLE = 2.0**62, 2.0**31
LOOK = 1000  # rows after which most columns that are not whole are known


class Cells(NamedTuple):
    """Counted customers; all of shape (n_cells,)."""

    x: Floats  # repeat purchase days
    t_x: Floats  # time of the last one
    T: Floats  # age
    weight: Floats  # how many customers
    log_gap_sum: Floats  # of all of them; NaN where unknown


class _Packed(NamedTuple):
    key: NDArray[np.int64]  # (n,), sorts as (x, t_x, T)
    width: int
    per_unit: float


def summary_cells(summary: pd.DataFrame, *, log_gaps: bool = False) -> Cells:
    """The summary as cells; ``log_gaps`` asks for the column ``log_gap_sum`` if there is one.

    Raises
    ------
    ColumnError, BadRowsError
    """
    x, t_x, T = statistics(summary)
    gaps = _log_gaps(summary) if log_gaps and LOG_GAPS in summary.columns else None
    if WEIGHT not in summary.columns and gaps is None:
        return _count(x, t_x, T)
    weight = finite_column(summary, WEIGHT) if WEIGHT in summary.columns else np.ones(len(x))
    refuse(weight < 0, f"{WEIGHT} is below 0")
    unknown = np.full(len(x), np.nan)
    return compress(Cells(x, t_x, T, weight, unknown if gaps is None else weight * gaps))


def merge_cells(parts: Iterable[Cells]) -> Cells:
    """Cells of all parts together: the same bits in any order of the parts.

    While weights are whole numbers, also in any division into parts.
    """
    nobody = Cells(*(np.empty(0) for _ in Cells._fields))
    columns = zip(nobody, *parts, strict=True)
    return compress(Cells(*(np.concatenate(column) for column in columns)))


def statistics(summary: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """The checked columns n_repeats, last_repeat_days and age_days as float64."""
    check_columns("summary", COLUMNS, summary.columns, hint="purchase_summary(history) gives them.")
    x, t_x, T = (finite_column(summary, name) for name in COLUMNS)
    bad = (x < 0) | (t_x < 0) | (t_x > T) | ((x == 0) & (t_x != 0))
    refuse(bad, "0 <= last_repeat_days <= age_days and 0 repeats at time 0 do not hold")
    refuse(x != np.rint(x), "n_repeats is no whole number")
    return x, t_x, T


def compress(cells: Cells) -> Cells:
    """Equal statistics once, sorted; weights and sums added up in one order."""
    packed = _pack(cells.x, cells.t_x, cells.T)
    keys: tuple[NDArray[Any], ...] = (cells.T, cells.t_x, cells.x) if packed is None else packed[:1]
    if packed is None or not np.array_equal(cells.weight, np.rint(cells.weight)):
        # Fractions: the first two keys settle the order in which they are added.
        order = np.lexsort((cells.log_gap_sum, cells.weight, *keys))
    else:
        order = np.argsort(keys[0])
    x, t_x, T, weight, log_gaps = (column[order] for column in cells)
    if not len(x):
        return Cells(x, t_x, T, weight, log_gaps)
    starts = run_starts(x, t_x, T)
    added = np.add.reduceat(weight, starts), np.add.reduceat(log_gaps, starts)
    return Cells(x[starts], t_x[starts], T[starts], *added)


def _count(x: Floats, t_x: Floats, T: Floats) -> Cells:
    # One customer per row: one sort of one integer each, and no rows to carry along.
    packed = _pack(x, t_x, T)
    if packed is None:
        return compress(Cells(x, t_x, T, np.ones(len(x)), np.full(len(x), np.nan)))
    key = np.sort(packed.key)
    starts = run_starts(key)
    key, weight = key[starts], np.diff(starts, append=len(key)).astype(np.float64)
    rest, T_whole = np.divmod(key, packed.width)
    x_whole, t_x_whole = np.divmod(rest, packed.width)
    return Cells(
        x_whole.astype(np.float64),
        t_x_whole / packed.per_unit,
        T_whole / packed.per_unit,
        weight,
        np.full(len(key), np.nan),
    )


def _pack(x: Floats, t_x: Floats, T: Floats) -> _Packed | None:
    # Three whole numbers in one, if times are whole in some usual step of the unit.
    for per_unit in PER_UNIT:
        whole = [_whole(x, 1.0), _whole(t_x, per_unit), _whole(T, per_unit)]
        if any(values is None for values in whole):
            continue
        n, last, age = (values for values in whole if values is not None)
        width = int(age.max(initial=0)) + 1
        if (float(n.max(initial=0)) + 1) * float(width) ** 2 < LARGEST_KEY:
            return _Packed((n * width + last) * width + age, width, per_unit)
    return None


def _whole(values: Floats, per_unit: float) -> NDArray[np.int64] | None:
    # k such that k / per_unit is each value to the last bit
    for part in (values[:LOOK], values):
        if part.max(initial=0.0) * per_unit > LARGEST_WHOLE:
            return None
        whole = np.rint(part * per_unit)
        if not np.array_equal(whole / per_unit, part):
            return None
    return whole.astype(np.int64)


def _log_gaps(summary: pd.DataFrame) -> Floats:
    # Rounded to 2^-24 nats: sums of them are exact, so they add up in any order.
    return np.asarray(np.rint(finite_column(summary, LOG_GAPS) * 2.0**24) / 2.0**24)


def finite_column(summary: pd.DataFrame, name: str) -> Floats:
    """A column as float64; missing or infinite values are refused."""
    values = check_numbers(f"summary: {name}", summary[name])
    refuse(~np.isfinite(values), f"{name} is missing or infinite")
    return values


def refuse(bad: NDArray[np.bool_], what: str) -> None:
    """One error for all bad rows, if there are any."""
    if bad.any():
        rows = np.flatnonzero(bad)
        raise BadRowsError(f"summary: {what} in {len(rows)} rows, first {rows[:3].tolist()}.")
