"""A long array that is written piece by piece, so that it never stands in memory whole.

Reads  a dtype, a shape, and a function that makes the pieces anew each time it is called.
Gives  the bytes of the same ``.npy`` file as the whole array would give.
Never  a file that holds more or less than its header says.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ..exceptions import ParameterError
from . import npy

Array = NDArray[Any]


class Pieces(NamedTuple):
    """What ``np.concatenate(list(make()))`` would be."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    make: Callable[[], Iterator[Array]]


def storable(name: str, values: Any) -> Array | Pieces:
    """As :func:`npy.storable`; of pieces, name and dtype are checked."""
    if not isinstance(values, Pieces):
        return npy.storable(name, values)
    dtype = npy.storable(name, np.empty(0, values.dtype)).dtype
    return Pieces(dtype, values.shape, values.make)


def content(values: Array | Pieces) -> Iterator[Any]:
    """Header and content of the file.

    Raises
    ------
    ParameterError
        If the pieces are not as long together as their shape says.
    """
    if not isinstance(values, Pieces):
        yield from npy.pieces(values)
        return
    header = io.BytesIO()
    npy_format.write_array_header_1_0(header, _header(values))
    yield header.getvalue()
    n_left = math.prod(values.shape)
    for piece in values.make():
        plain = np.asarray(piece, dtype=values.dtype, order="C")
        n_left -= plain.size
        if plain.size:
            yield plain.reshape(-1).view(np.uint8).data
    if n_left:
        raise ParameterError(f"pieces of an array: {-n_left:+} values beside shape {values.shape}.")


def _header(values: Pieces) -> dict[str, Any]:
    descr = npy_format.dtype_to_descr(values.dtype)
    return {"descr": descr, "fortran_order": False, "shape": values.shape}
