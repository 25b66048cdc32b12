"""Whether stored arrays fit together, asked once when they are read.

Reads  arrays of a fitted ranker by name.
Gives  the same arrays, or one error that names the first that does not fit.
Never  a value judged: only shapes, and codes that would point outside their table. Sparse
       products run in native code that looks at neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..exceptions import ParameterError

Array = NDArray[Any]


def require(holds: bool | np.bool_, problem: str) -> None:
    """Raises ParameterError with the problem unless it holds."""
    if not holds:
        raise ParameterError(f"arrays of a ranker: {problem}. Save the model again.")


def named(arrays: Mapping[str, Array], name: str) -> Array:
    """The array of that name."""
    require(name in arrays, f"{name} is missing")
    return arrays[name]


def of_length(arrays: Mapping[str, Array], name: str, n: int) -> Array:
    """A vector of n entries."""
    array = named(arrays, name)
    require(array.shape == (n,), f"{name} has shape {array.shape}; ({n},) is needed")
    return array


def codes_below(arrays: Mapping[str, Array], name: str, n: int, *, least: int = 0) -> Array:
    """A vector of whole numbers from ``least`` to n - 1."""
    codes = named(arrays, name)
    whole = codes.ndim == 1 and codes.dtype.kind in "iu"
    require(whole, f"{name} is no vector of codes")
    inside = not len(codes) or (codes.min() >= least and codes.max() < n)
    require(inside, f"{name} points outside its {n} entries")
    return codes


def sparse_from(
    arrays: Mapping[str, Array], name: str, n_columns: int, *, n_rows: int | None = None
) -> csr_matrix:
    """The matrix that ``sparse_arrays`` took apart.

    Raises
    ------
    ParameterError
        If its parts do not fit together, or to ``n_rows`` (where given) and ``n_columns``.
    """
    values, offsets = (named(arrays, f"{name}_{part}") for part in ("values", "offsets"))
    items = codes_below(arrays, f"{name}_items", n_columns)
    whole = offsets.ndim == 1 and offsets.dtype.kind in "iu" and len(offsets) > 0
    require(whole, f"{name}_offsets is no vector of offsets")
    spans = offsets[0] == 0 and offsets[-1] == len(items) and bool((np.diff(offsets) >= 0).all())
    require(spans and values.shape == items.shape, f"{name} has rows that overlap or lack entries")
    n = len(offsets) - 1
    require(n_rows in (None, n), f"{name} has {n} rows; {n_rows} are needed")
    return csr_matrix((values, items, offsets), shape=(n, n_columns))
