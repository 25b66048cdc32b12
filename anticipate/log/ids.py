"""Ids: one type per column, kept as it came, coded as ranks in the sorted vocabulary.

Reads  a column of ids as a pandas Series.
Gives  int32 codes (-1 missing) and the sorted vocabulary (int64, uint64 or object of str).
Never  a silent change of type: "7" and 7 are different customers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import MISSING
from ..exceptions import IdTypeError

Array = NDArray[Any]
_EXACT_FLOAT = 2.0**53


def encode_ids(column: pd.Series[Any], name: str) -> tuple[Array, Array]:
    """Codes (int32) and sorted vocabulary of a column of ids."""
    values, missing = _typed(column, name)
    if values.dtype == object:
        return _encode_text(values, missing)
    return _encode_integers(values, missing)


def lookup_codes(ids: Array, vocabulary: Array) -> Array:
    """Position of each id in a sorted vocabulary (int64), -1 where it is not there."""
    if len(vocabulary) == 0 or len(ids) == 0:
        return np.full(len(ids), MISSING, dtype=np.int64)
    codes = np.minimum(np.searchsorted(vocabulary, ids), len(vocabulary) - 1)
    return np.where(vocabulary[codes] == ids, codes, MISSING)


def check_ids(ids: Iterable[Any], vocabulary: Array, name: str) -> Array:
    """Ids given by a caller, as an array of the vocabulary's type, in the caller's order."""
    given = list(ids) if not isinstance(ids, (pd.Series, pd.Index, np.ndarray)) else ids
    series = pd.Series(given) if len(given) else pd.Series(given, dtype=object)
    values, missing = _typed(series, name)
    if missing.any():
        raise IdTypeError(f"{name}: an id is missing (row {int(np.flatnonzero(missing)[0])}).")
    wants_text, is_text = vocabulary.dtype == object, values.dtype == object
    if len(values) and len(vocabulary) and wants_text != is_text:
        kind = {True: "text", False: "whole numbers"}
        raise IdTypeError(
            f"{name}: the log's ids are {kind[wants_text]}, got {kind[is_text]}. "
            "Convert them to the log's type."
        )
    return values if len(values) else vocabulary[:0]


def _typed(column: pd.Series[Any], name: str) -> tuple[Array, Array]:
    """Values as int64/uint64/object-of-str, and where they are missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    missing = column.isna().to_numpy(dtype=bool)
    if pd.api.types.is_bool_dtype(column.dtype):
        raise IdTypeError(f"{name}: ids are booleans; give whole numbers or text.")
    if pd.api.types.is_integer_dtype(column.dtype):
        return _integers(column, missing), missing
    if pd.api.types.is_float_dtype(column.dtype):
        return _whole_floats(column.to_numpy(np.float64, na_value=np.nan), missing, name), missing
    return _objects(column, missing, name), missing


def _integers(column: pd.Series[Any], missing: Array) -> Array:
    target = np.uint64 if column.dtype in (np.uint64, "UInt64") else np.int64
    if missing.any():
        column = column.fillna(0)
    values = column.to_numpy(dtype=target)
    fits = target == np.int64 or not len(values) or values.max() <= np.iinfo(np.int64).max
    return values.astype(np.int64, copy=False) if fits else values


def _whole_floats(values: Array, missing: Array, name: str) -> Array:
    known = values[~missing]
    whole = np.isfinite(known).all() and (known == np.floor(known)).all()
    if not whole or (np.abs(known) > _EXACT_FLOAT).any():
        raise IdTypeError(
            f"{name}: ids are fractional or too large floats; give whole numbers or text."
        )
    return np.where(missing, 0, values).astype(np.int64)


def _objects(column: pd.Series[Any], missing: Array, name: str) -> Array:
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("string", "empty"):
        return column.to_numpy(dtype=object)
    if kind == "integer":
        return _integers(column.astype("Int64"), missing)
    raise IdTypeError(
        f"{name}: ids are of kind {kind!r}; a column must be all whole numbers or all text. "
        "Convert it, for example with .astype(str)."
    )


def _encode_text(values: Array, missing: Array) -> tuple[Array, Array]:
    codes, found = pd.factorize(values, use_na_sentinel=True)
    uniques = np.asarray(found, dtype=object)
    order = np.argsort(uniques)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    if not len(rank):
        return np.full(len(values), MISSING, dtype=np.int32), uniques
    return np.where(missing, MISSING, rank[codes]).astype(np.int32), uniques[order]


def _encode_integers(values: Array, missing: Array) -> tuple[Array, Array]:
    known = values[~missing] if missing.any() else values
    if len(known) == 0:
        return np.full(len(values), MISSING, dtype=np.int32), known
    low, high = int(known.min()), int(known.max())
    if high - low < max(4 * len(known), 1 << 16):
        codes, vocabulary = _encode_dense(known, low, high - low + 1)
    else:
        vocabulary, codes = np.unique(known, return_inverse=True)
    if not missing.any():
        return codes.astype(np.int32, copy=False), vocabulary
    out = np.full(len(values), MISSING, dtype=np.int32)
    out[~missing] = codes
    return out, vocabulary


def _encode_dense(known: Array, low: int, span: int) -> tuple[Array, Array]:
    """Ids in a narrow range: a table of who is there is faster than sorting."""
    shifted = known - known.dtype.type(low)
    present = np.zeros(span, dtype=bool)
    present[shifted] = True
    rank = np.cumsum(present, dtype=np.int32) - np.int32(1)
    vocabulary = np.flatnonzero(present).astype(known.dtype) + known.dtype.type(low)
    return rank[shifted], vocabulary
