"""Tables of any kind, column by column, as pandas Series; nothing of the caller's is changed.

Reads  a pandas, polars or Arrow table, or a mapping of arrays.
Gives  named Series, without copying numeric columns.
Never  a whole converted table: columns nobody asked for are not touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from ..exceptions import ColumnError, ParameterError


def column_names(frame: Any) -> list[str]:
    if isinstance(frame, (pd.DataFrame, Mapping)):
        return [str(name) for name in frame]
    return list(_narwhals(frame).columns)


def column(frame: Any, name: str) -> pd.Series[Any]:
    """One column, its index 0..n-1."""
    if isinstance(frame, pd.DataFrame):
        if list(frame.columns).count(name) > 1:
            raise ColumnError(f"events: the column {name!r} stands twice in the table; rename one.")
        return frame[name].reset_index(drop=True)
    if isinstance(frame, Mapping):
        values = frame[name]
        return values.reset_index(drop=True) if isinstance(values, pd.Series) else _series(values)
    return _from_narwhals(_narwhals(frame).get_column(name))


def n_rows(frame: Any) -> int:
    if isinstance(frame, Mapping):
        lengths = {len(values) for values in frame.values()}
        if len(lengths) > 1:
            raise ColumnError(f"events: columns differ in length: {sorted(lengths)}.")
        return lengths.pop() if lengths else 0
    return len(frame)


def to_pandas(frame: Any) -> pd.DataFrame:
    """A small table (attributes) as a new DataFrame."""
    if isinstance(frame, pd.DataFrame):
        return frame.copy()
    return pd.DataFrame({name: column(frame, name) for name in column_names(frame)})


def _series(values: Any) -> pd.Series[Any]:
    array = values if isinstance(values, np.ndarray) else None
    return pd.Series(array if array is not None else list(values), copy=False)


def _narwhals(frame: Any) -> nw.DataFrame[Any]:
    try:
        return nw.from_native(frame, eager_only=True)
    except TypeError:
        raise ParameterError(
            f"events: cannot read a table of type {type(frame).__name__}; give a pandas, polars "
            "or Arrow table, or a mapping of arrays."
        ) from None


def _from_narwhals(series: Any) -> pd.Series[Any]:
    if isinstance(series.dtype, nw.Datetime) and series.dtype.time_zone is not None:
        utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return pd.Series(utc.to_numpy()).dt.tz_localize("UTC")
    return pd.Series(series.to_numpy())
