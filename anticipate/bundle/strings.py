"""Text without pickle: one array of bytes and one of offsets.

Reads  a list of str.
Gives  ``offsets (n + 1,)`` int64 and UTF-8 ``data`` uint8; text i is ``offsets[i]:offsets[i+1]``.
Never  object arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def pack_strings(texts: Sequence[str]) -> tuple[Array, Array]:
    """Offsets (n + 1,) int64 and UTF-8 bytes (uint8) of n texts.

    Examples
    --------
    >>> unpack_strings(*pack_strings(["tea", "", "커피"]))
    ['tea', '', '커피']
    """
    raws = [text.encode("utf-8", "surrogatepass") for text in texts]
    offsets = np.cumsum([0, *(len(raw) for raw in raws)], dtype=np.int64)
    return offsets, np.frombuffer(b"".join(raws), dtype=np.uint8)


def unpack_strings(offsets: Array, data: Array) -> list[str]:
    """The texts that :func:`pack_strings` packed.

    Raises
    ------
    ValueError
        If the bytes are not UTF-8 or the offsets do not divide them.
    """
    raw, cuts = data.tobytes(), offsets.tolist()
    if not cuts or cuts[0] != 0 or cuts[-1] != len(raw) or cuts != sorted(cuts):
        raise ValueError(f"packed text: the offsets do not divide {len(raw)} bytes.")
    return [raw[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(cuts)]
