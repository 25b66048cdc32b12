"""Flags by their words: true, yes, y, t, 1; false, no, n, f, 0.

Reads  a column as the caller gives it.
Gives  booleans, and which values are neither.
Never  a guess: what is missing is false, what is neither is told.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .frames import as_text

Array = NDArray[Any]
_FLAG_WORDS = {
    word: truth
    for truth, words in ((True, "true 1 1.0 yes y t"), (False, "false 0 0.0 no n f"))
    for word in words.split()
}


def read_flags(said: pd.Series[Any]) -> tuple[Array, Array]:
    """Flags by their words, missing ones false, (n,); and which are neither true nor false."""
    lost = np.zeros(len(said), dtype=bool)
    if pd.api.types.is_bool_dtype(said.dtype):
        return said.fillna(False).to_numpy(dtype=bool), lost
    text = as_text(said).str.strip().str.lower()
    flags = text.map(_FLAG_WORDS).astype("boolean")
    lost = (flags.isna() & text.notna() & (text != "")).to_numpy(dtype=bool)
    return flags.fillna(False).to_numpy(dtype=bool), lost
