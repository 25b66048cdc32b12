"""Which partition an id belongs to: the same in every file, process and engine.

Reads  ids, whole numbers or text.
Gives  64-bit hashes, partition numbers, a seeded sample.
Never  Python's ``hash``; two places for the number 7 and the text "7" of a CSV, which may
       turn out to be that number once all files are read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]
_WHOLE = r"0|-?[1-9][0-9]{0,18}"
_STEP = 0x9E3779B97F4A7C15  # odd: seeds that follow one another land far apart


def customer_hash(ids: Array, seed: int = 0) -> Array:
    """A well mixed 64-bit number of each id, uint64 of shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> texts = np.array(["7", "x"], dtype=object)
    >>> bool(customer_hash(np.array([7]))[0] == customer_hash(texts)[0])
    True
    """
    first = _texts(ids) if ids.dtype == object else _numbers(ids)
    return _numbers(first ^ np.uint64(seed * _STEP % 2**64))


def hash_bucket(ids: Array, n_partitions: int, seed: int = 0) -> Array:
    """Partition number of each id, int64 of shape (n,), from 0 to ``n_partitions`` - 1."""
    return (customer_hash(ids, seed) % np.uint64(n_partitions)).astype(np.int64)


def sampled(ids: Array, share: float, seed: int = 0) -> Array:
    """Mask of a ``share`` of the ids; a larger share holds the smaller one."""
    return customer_hash(ids, seed) <= np.uint64(min(max(share, 0.0), 1.0) * (2**64 - 2**11))


def _numbers(numbers: Array) -> Array:
    return pd.util.hash_array(numbers.astype(np.int64, copy=False).view(np.uint64))


def _texts(ids: Array) -> Array:
    hashes = pd.util.hash_array(ids, categorize=False)
    whole = np.flatnonzero(pd.Series(ids, dtype=object).str.fullmatch(_WHOLE).to_numpy(dtype=bool))
    numbers = [int(text) for text in ids[whole].tolist()]
    fits = [place for place, number in enumerate(numbers) if -(2**63) <= number < 2**63]
    hashes[whole[fits]] = _numbers(np.array([numbers[place] for place in fits], dtype=np.int64))
    return hashes
