"""Are two answers the same, bit for bit, and if not, where do they differ?

Reads  tables, arrays, mappings, sequences, numbers, text.
Gives  None, or a sentence that names table, column and row: never what stands there.
Never  a tolerance. NaN equals NaN.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]


def difference(first: Any, second: Any, *, what: str = "the answer") -> str | None:
    """The first difference, in words."""
    if isinstance(first, pd.Series):
        first, second = first.to_frame(), pd.DataFrame(second)
    if isinstance(first, pd.DataFrame):
        return _of_tables(first, second, what)
    if dataclasses.is_dataclass(first) and not isinstance(first, type):
        return _of_mappings(vars(first), getattr(second, "__dict__", {}), what)
    if isinstance(first, Mapping):
        return _of_mappings(first, second, what)
    if isinstance(first, np.ndarray):
        return _of_arrays(first, np.asarray(second), what)
    if isinstance(first, Sequence) and not isinstance(first, (str, bytes)):
        return _of_mappings(dict(enumerate(first)), dict(enumerate(second)), what)
    return None if _same_value(first, second) else f"{what} differs"


def _of_tables(first: pd.DataFrame, second: Any, what: str) -> str | None:
    if not isinstance(second, pd.DataFrame):
        return f"{what} is a table once and once a {type(second).__name__}"
    first, second = _flat(first), _flat(second)
    if list(first.columns) != list(second.columns):
        return f"{what} has the columns {list(first.columns)} once and once {list(second.columns)}"
    if len(first) != len(second):
        return f"{what} has {len(first)} rows once and once {len(second)}"
    for name in first.columns:
        rows = np.flatnonzero(~_same(_values(first[name]), _values(second[name])))
        if len(rows):
            return f"{what} differs in column {name!r}, row {rows[0]} ({len(rows)} rows differ)"
    return None


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Index levels with names as columns."""
    return table.reset_index() if table.index.names != [None] else table.reset_index(drop=True)


def _values(column: pd.Series[Any]) -> Array:
    return column.to_numpy() if column.dtype == np.float64 else column.to_numpy(dtype=object)


def _of_arrays(first: Array, second: Array, what: str) -> str | None:
    if first.shape != second.shape:
        return f"{what} has the shape {first.shape} once and once {second.shape}"
    if first.dtype != second.dtype:
        return f"{what} is {first.dtype} once and once {second.dtype}"
    n_differ = int((~_same(first.ravel(), second.ravel())).sum())
    return f"{what} differs in {n_differ} of {first.size} places" if n_differ else None


def _of_mappings(first: Mapping[Any, Any], second: Any, what: str) -> str | None:
    if not isinstance(second, Mapping) or list(first) != list(second):
        return f"{what} has other parts"
    for key, value in first.items():
        found = difference(value, second[key], what=f"{key!r} of {what}")
        if found:
            return found
    return None


def _same(first: Array, second: Array) -> Array:
    """Elementwise, bit for bit; any NaN equals any NaN."""
    if first.dtype.kind == "f" and first.dtype == second.dtype:
        bits = f"i{first.dtype.itemsize}"
        equal = np.ascontiguousarray(first).view(bits) == np.ascontiguousarray(second).view(bits)
        return np.asarray(equal | (np.isnan(first) & np.isnan(second)))
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    return np.fromiter((_same_value(a, b) for a, b in pairs), dtype=bool, count=len(first))


def _same_value(first: Any, second: Any) -> bool:
    """By what they say: a number may be of NumPy or of Python, missing is missing."""
    if _is_missing(first) or _is_missing(second):
        return _is_missing(first) and _is_missing(second)
    if isinstance(first, (list, tuple, dict)) or dataclasses.is_dataclass(first):
        return type(first) is type(second) and repr(first) == repr(second)
    if isinstance(first, (float, np.floating)) and isinstance(second, (float, np.floating)):
        return float(first).hex() == float(second).hex()
    return bool(first == second)


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value
