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
from numpy.typing import NDArray

from ..exceptions import ColumnError, ParameterError

Array = NDArray[Any]


def column_names(frame: Any) -> list[str]:
    if isinstance(frame, (pd.DataFrame, Mapping)):
        return [str(name) for name in frame]
    return list(_narwhals(frame).columns)


def column(frame: Any, name: str) -> pd.Series[Any]:
    """One column, its index 0..n-1. Names that are not text go by their text."""
    if not isinstance(frame, (pd.DataFrame, Mapping)):
        return _from_narwhals(_narwhals(frame).get_column(name))
    places = [place for place, found in enumerate(frame) if str(found) == name]
    if len(places) > 1:
        raise ColumnError(f"the column {name!r} stands twice in the table; rename one.")
    if isinstance(frame, pd.DataFrame):
        return frame.iloc[:, places[0]].reset_index(drop=True)
    values = list(frame.values())[places[0]]
    return values.reset_index(drop=True) if isinstance(values, pd.Series) else _series(values, name)


def as_numbers(series: pd.Series[Any]) -> Array:
    """float64 (n,), NaN where there is no number, or one that is too large."""
    try:
        found = pd.to_numeric(series, errors="coerce")
    except (TypeError, ValueError, OverflowError):  # lists, numbers of hundreds of digits
        found = series.map(_number)
    return np.asarray(found.to_numpy(np.float64, na_value=np.nan))


def as_text(series: pd.Series[Any]) -> pd.Series[str]:
    """Text of every value that is there, valid Unicode."""
    try:
        return series.astype("string")
    except UnicodeEncodeError:
        return series.map(whole_text, na_action="ignore").astype("string")


def whole_text(value: Any) -> str:
    """Valid Unicode: half a pair of surrogates, which no file can hold, becomes U+FFFD."""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def n_rows(frame: Any) -> int:
    if isinstance(frame, Mapping):
        try:
            lengths = {len(values) for values in frame.values()}
        except TypeError:
            raise ParameterError("each column of a mapping must be an array.") from None
        if len(lengths) > 1:
            raise ColumnError(f"columns differ in length: {sorted(lengths)}.")
        return lengths.pop() if lengths else 0
    return len(frame)


def to_pandas(frame: Any) -> pd.DataFrame:
    """A small table (attributes) as a new DataFrame."""
    if isinstance(frame, pd.DataFrame):
        return frame.copy()
    n_rows(frame)  # checks that the columns are of one length
    return pd.DataFrame({name: column(frame, name) for name in column_names(frame)})


def _series(values: Any, name: str) -> pd.Series[Any]:
    """A column of a mapping. Text stays as it is, so that the ids can say what is wrong."""
    array = values if isinstance(values, np.ndarray) else None
    if array is not None and array.ndim != 1:
        raise ColumnError(f"the column {name!r} has {array.ndim} dimensions, not one.")
    try:
        return pd.Series(array if array is not None else list(values), copy=False)
    except UnicodeEncodeError:
        return pd.Series(list(values), dtype=object)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan


def _narwhals(frame: Any) -> nw.DataFrame[Any]:
    try:
        return nw.from_native(frame, eager_only=True)
    except TypeError:
        raise ParameterError(
            f"cannot read a table of type {type(frame).__name__}; give a pandas, polars "
            "or Arrow table, or a mapping of arrays."
        ) from None


def _from_narwhals(series: Any) -> pd.Series[Any]:
    """Nulls stay apart from values: as floats, whole numbers would lose their last digits."""
    if isinstance(series.dtype, nw.Datetime) and series.dtype.time_zone is not None:
        utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return pd.Series(utc.to_numpy()).dt.tz_localize("UTC")
    if isinstance(series.dtype, (nw.Categorical, nw.Enum)):
        series = series.cast(nw.String)
    if not series.dtype.is_integer():
        return pd.Series(series.to_numpy())
    null = series.is_null().to_numpy()
    if not null.any():
        return pd.Series(series.to_numpy())
    values = np.array(series.fill_null(0).to_numpy())
    return pd.Series(pd.arrays.IntegerArray(values, np.array(null, dtype=bool)))
