"""One array as one ``.npy`` file (format 1.0, C order, little endian, no pickle).

Reads  an array, or the bytes of a file and what the manifest declares about it.
Gives  the file's bytes in pieces, or a read-only view of them.
Never  object, structured or text dtypes; memory for a shape the file does not hold.
"""

from __future__ import annotations

import io
import math
import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ..exceptions import ParameterError
from .layout import ARRAY_NAME

Array = NDArray[Any]

_MAGIC = b"\x93NUMPY\x01\x00"
_PREFIX_BYTES = len(_MAGIC) + 2  # then the header's length in two bytes


def storable(name: str, array: Any) -> Array:
    """The array as it is stored: C order, little endian.

    Raises
    ------
    ParameterError
        If the name cannot be a file name everywhere, or the dtype needs pickle.
    """
    if not ARRAY_NAME.fullmatch(name):
        raise ParameterError(f"array name {name!r}: use lower case a-z, 0-9, '_', '-' and '.'.")
    values = np.asarray(array)
    if not _is_plain(values.dtype):
        raise ParameterError(
            f"array {name!r}: dtype {values.dtype} cannot be stored without pickle. "
            "Use numbers, booleans or datetime64; pack text with pack_strings()."
        )
    return np.asarray(values, dtype=values.dtype.newbyteorder("<"), order="C")


def _is_plain(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "biufMm" and dtype.itemsize <= 8


def pieces(values: Array) -> Iterator[Any]:
    """Header and content of the file of a :func:`storable` array."""
    header = io.BytesIO()
    npy_format.write_array_header_1_0(header, npy_format.header_data_from_array_1_0(values))
    yield header.getvalue()
    yield values.reshape(-1).view(np.uint8).data


def view(data: mmap.mmap | bytes, dtype: str, shape: tuple[int, ...]) -> Array:
    """Read-only view of a file's array, which must be what was declared.

    Raises
    ------
    ValueError
        If the header says something else, or the content is shorter or longer than it says.
    """
    seen_dtype, seen_shape, start = _header(data)
    if seen_dtype.str != dtype or seen_shape != shape:
        raise ValueError(
            f"its header says {seen_dtype.str} {seen_shape}, the manifest {dtype} {shape}"
        )
    # Python integers: a forged shape cannot overflow, and nothing is allocated.
    declared = math.prod(shape) * seen_dtype.itemsize
    if declared != len(data) - start:
        raise ValueError(f"its header declares {declared} bytes, it holds {len(data) - start}")
    return np.frombuffer(data, seen_dtype, math.prod(shape), start).reshape(shape)


def let_go(values: Any) -> None:
    """Give the pages of a mapped array's file back to the system; they are read again if touched.

    The mapping is read-only, so the same bytes are there. Nothing happens to an array in memory.
    """
    while isinstance(values, (np.ndarray, memoryview)):
        values = values.base if isinstance(values, np.ndarray) else values.obj
    if isinstance(values, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        values.madvise(mmap.MADV_DONTNEED)


def _header(data: mmap.mmap | bytes) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Dtype, shape and start of the content."""
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("it is not a .npy file of format 1.0")
    length = int.from_bytes(data[len(_MAGIC) : _PREFIX_BYTES], "little")
    raw = io.BytesIO(data[len(_MAGIC) : _PREFIX_BYTES + length])
    try:
        shape, fortran, dtype = npy_format.read_array_header_1_0(raw)
    except Exception as error:  # a foreign header may break the parser in many ways
        raise ValueError("its header cannot be read") from error
    if fortran or not _is_plain(dtype) or any(axis < 0 for axis in shape):
        raise ValueError("its header asks for an order or a dtype that is never stored")
    return dtype, shape, _PREFIX_BYTES + length
