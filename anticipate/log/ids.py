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
_INT64 = np.iinfo(np.int64)


def encode_ids(column: pd.Series[Any], name: str) -> tuple[Array, Array]:
    """Codes (int32) and sorted vocabulary of a column of ids."""
    values, missing = _typed(column, name)
    if values.dtype == object:
        return _encode_text(values, missing, name)
    return _encode_integers(values, missing)


def lookup_codes(ids: Array, vocabulary: Array) -> Array:
    """Position of each id in a sorted vocabulary (int64), -1 where it is not there."""
    if len(vocabulary) == 0 or len(ids) == 0:
        return np.full(len(ids), MISSING, dtype=np.int64)
    if (ids.dtype.kind in "OU") != (vocabulary.dtype.kind in "OU"):
        raise IdTypeError("ids are text on one side and whole numbers on the other; convert one.")
    # In the vocabulary's own type: NumPy would compare int64 with uint64 as rounded floats.
    # A number that the cast wraps around differs from every known id below.
    same = ids if vocabulary.dtype == object else ids.astype(vocabulary.dtype, copy=False)
    codes = np.minimum(np.searchsorted(vocabulary, same), len(vocabulary) - 1)
    return np.where(vocabulary[codes] == ids, codes, MISSING)


def is_among(ids: Array, others: Array) -> Array:
    """Mask of the ids that are among the others, exact for any whole numbers."""
    return np.asarray(lookup_codes(ids, np.unique(others)) >= 0)


def one_kind(first: Array, second: Array) -> tuple[Array, Array]:
    """Both as int64, or as uint64 where one is too large for that."""
    if first.dtype == second.dtype or object in (first.dtype, second.dtype):
        return first, second
    small, large = (first, second) if first.dtype == np.int64 else (second, first)
    fits = not len(large) or int(large.max()) <= _INT64.max
    if not fits and len(small) and int(small.min()) < 0:
        raise IdTypeError("ids below 0 and ids above 2**63 do not fit together; make them text.")
    wide = np.int64 if fits else np.uint64
    return first.astype(wide, copy=False), second.astype(wide, copy=False)


def check_ids(ids: Iterable[Any], vocabulary: Array, name: str) -> Array:
    """Ids given by a caller, as an array of the vocabulary's type, in the caller's order."""
    if isinstance(ids, (str, bytes)) or not isinstance(ids, Iterable):
        raise IdTypeError(f"{name}: give a list of ids, not a single {type(ids).__name__}.")
    given = list(ids) if not isinstance(ids, (pd.Series, pd.Index, np.ndarray)) else ids
    series = _series(given)
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
    if is_text and series.dtype == object:  # pandas' own text is valid
        _check_unicode(values, name)
    return values if len(values) else vocabulary[:0]


def _series(given: Any) -> pd.Series[Any]:
    """Text that is not valid stays as it is, so that it can be told."""
    try:
        return pd.Series(given) if len(given) else pd.Series(given, dtype=object)
    except UnicodeEncodeError:
        return pd.Series(given, dtype=object)


def _typed(column: pd.Series[Any], name: str) -> tuple[Array, Array]:
    """Values as int64/uint64/object-of-str, and where they are missing."""
    missing = column.isna().to_numpy(dtype=bool)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _categories(column, name), missing
    if pd.api.types.is_bool_dtype(column.dtype):
        raise IdTypeError(f"{name}: ids are booleans; give whole numbers or text.")
    if pd.api.types.is_integer_dtype(column.dtype):
        return _integers(column, missing), missing
    if pd.api.types.is_float_dtype(column.dtype):
        return _whole_floats(column, missing, name), missing
    return _objects(column, missing, name), missing


def _categories(column: pd.Series[Any], name: str) -> Array:
    """The category of each row; that of a missing row is no one's and means nothing."""
    values, missing = _typed(pd.Series(column.cat.categories), name)
    filler = "" if values.dtype == object else 0
    values = np.append(np.where(missing, filler, values), np.array([filler], dtype=values.dtype))
    return np.asarray(values[column.cat.codes.to_numpy()])


def _integers(column: pd.Series[Any], missing: Array) -> Array:
    unsigned = pd.api.types.is_unsigned_integer_dtype(column.dtype)
    if missing.any():
        column = column.fillna(0)
    values = column.to_numpy(dtype=np.uint64 if unsigned else np.int64)
    fits = not unsigned or not len(values) or int(values.max()) <= _INT64.max
    return values.astype(np.int64, copy=False) if fits else values


def _whole_floats(column: pd.Series[Any], missing: Array, name: str) -> Array:
    values = column.to_numpy(np.float64, na_value=np.nan)
    known = values[~missing]
    # Half and single floats stop telling neighbours apart earlier than double ones.
    exact = 2.0 ** {2: 11, 4: 24}.get(getattr(column.dtype, "itemsize", 8), 53)
    whole = np.isfinite(known).all() and (known == np.floor(known)).all()
    if not whole or (np.abs(known) >= exact).any():
        raise IdTypeError(
            f"{name}: ids are fractional or too large floats; give whole numbers or text."
        )
    return np.where(missing, 0, values).astype(np.int64)


def _objects(column: pd.Series[Any], missing: Array, name: str) -> Array:
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("string", "empty"):
        return column.to_numpy(dtype=object)
    if kind == "floating":
        return _whole_floats(column.astype(np.float64), missing, name)
    if kind == "integer":
        known = column[~missing].tolist()
        if min(known) >= _INT64.min and max(known) <= _INT64.max:
            return _integers(column.astype("Int64"), missing)
        if min(known) >= 0 and max(known) < 2**64:
            return _integers(column.astype("UInt64"), missing)
        raise IdTypeError(f"{name}: some ids do not fit into 64 bits; make them text.")
    raise IdTypeError(
        f"{name}: ids are of kind {kind!r}; a column must be all whole numbers or all text. "
        "Convert it, for example with .astype(str)."
    )


def _encode_text(values: Array, missing: Array, name: str) -> tuple[Array, Array]:
    codes, found = pd.factorize(values, use_na_sentinel=True)
    uniques = np.asarray(found, dtype=object)
    _check_unicode(uniques, name)
    order = np.argsort(uniques)
    order = order[~_blank(uniques[order])]
    rank = np.full(len(uniques) + 1, MISSING, dtype=np.int32)  # the last place is no id's
    rank[order] = np.arange(len(order), dtype=np.int32)
    return np.where(missing, MISSING, rank[codes]).astype(np.int32), uniques[order]


def _blank(texts: Array) -> Array:
    """Where there is nothing to read: such an id is no id, it would join strangers."""
    return np.fromiter((not text.strip() for text in texts), dtype=bool, count=len(texts))


def _check_unicode(texts: Array, name: str) -> None:
    try:
        "".join(texts[texts != None]).encode()  # noqa: E711  elementwise
    except UnicodeEncodeError:
        raise IdTypeError(f"{name}: some ids are not valid Unicode (lone surrogates).") from None


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
    shifted = known - known.dtype.type(low) if low else known
    present = np.zeros(span, dtype=bool)
    present[shifted] = True
    rank = np.cumsum(present, dtype=np.int32) - np.int32(1)
    vocabulary = np.flatnonzero(present).astype(known.dtype) + known.dtype.type(low)
    return rank[shifted], vocabulary
