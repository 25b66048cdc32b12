"""Reductions over runs of rows: one road per quantity, so results agree bit for bit.

Reads  values of n rows and offsets (m + 1,) of m contiguous segments, empty ones allowed.
Gives  one number per segment.
Never  ``sum``, ``bincount`` or differences of cumulated floats: they differ in the last bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def segment_reduce(ufunc: np.ufunc, values: Array, offsets: Array, empty: Any) -> Array:
    """``ufunc.reduce`` of each segment; ``empty`` where a segment has no row."""
    starts = offsets[:-1]
    filled = np.flatnonzero(offsets[1:] > starts)
    if len(filled) == len(starts) and len(starts):
        return np.asarray(ufunc.reduceat(values, starts))
    out = np.full(len(starts), empty, dtype=np.result_type(values.dtype, np.asarray(empty).dtype))
    if len(filled):
        # Empty segments take no rows, so the next filled start also ends the one before it.
        out[filled] = ufunc.reduceat(values, starts[filled])
    return out


def segment_sum(values: Array, offsets: Array) -> Array:
    """Sums; 0 for an empty segment. Booleans are counted (int64)."""
    if values.dtype == bool:
        return segment_count(values, offsets)
    return segment_reduce(np.add, values, offsets, values.dtype.type(0))


def segment_count(mask: Array, offsets: Array) -> Array:
    """How many rows of each segment hold (int64). Integers: cumulated sums are exact."""
    total = np.concatenate(([0], np.cumsum(mask, dtype=np.int64)))
    return np.asarray(total[offsets[1:]] - total[offsets[:-1]])


def segment_max(values: Array, offsets: Array, empty: Any = np.nan) -> Array:
    return segment_reduce(np.maximum, values, offsets, empty)


def segment_min(values: Array, offsets: Array, empty: Any = np.nan) -> Array:
    return segment_reduce(np.minimum, values, offsets, empty)


def segment_mean(values: Array, offsets: Array) -> Array:
    """Means; NaN for an empty segment."""
    counts = np.diff(offsets)
    sums = segment_sum(values.astype(np.float64, copy=False), offsets)
    return np.asarray(np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0))


def segment_sd(values: Array, offsets: Array) -> Array:
    """Sample standard deviations (n - 1); NaN below two rows.

    Two passes around the segment's own mean: no cancellation.
    """
    counts = np.diff(offsets)
    centred = values - np.repeat(segment_mean(values, offsets), counts)
    squares = segment_sum(centred * centred, offsets)
    variance = np.divide(squares, counts - 1, out=np.full(len(counts), np.nan), where=counts > 1)
    return np.asarray(np.sqrt(variance))


def segment_last(values: Array, offsets: Array, empty: Any) -> Array:
    """The last row's value of each segment."""
    out = np.full(len(offsets) - 1, empty, dtype=np.result_type(values.dtype, np.asarray(empty)))
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    out[filled] = values[offsets[1:][filled] - 1]
    return out


def segment_first(values: Array, offsets: Array, empty: Any) -> Array:
    """The first row's value of each segment."""
    out = np.full(len(offsets) - 1, empty, dtype=np.result_type(values.dtype, np.asarray(empty)))
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    out[filled] = values[offsets[:-1][filled]]
    return out


def run_starts(*keys: Array) -> Array:
    """Positions where any of the sorted key columns changes, the first row included."""
    n = len(keys[0])
    if n == 0:
        return np.empty(0, dtype=np.int64)
    new = np.zeros(n, dtype=bool)
    new[0] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)


def within(offsets: Array) -> Array:
    """Position of each row inside its segment, from 0."""
    counts = np.diff(offsets)
    return np.arange(int(offsets[-1])) - np.repeat(offsets[:-1], counts)
