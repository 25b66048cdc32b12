"""What many customers said alike: each distinct answer is read once.

Reads  an attribute, one value per customer: words, or lists of words.
Gives  the distinct answers and who gave which.
Never  an answer made of a missing value.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]


def distinct(said: pd.Series[Any]) -> tuple[Array, list[Any]]:
    """Place of each customer's answer among the distinct ones, -1 for none; lists as tuples."""
    if not isinstance(said.dtype, pd.StringDtype):
        said = said.astype(object).map(_hashable)
    place, answers = pd.factorize(said)
    return np.asarray(place), list(answers)


def _hashable(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return tuple(sorted(map(str, value)))
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(map(str, value))
    return value if isinstance(value, Hashable) else str(value)
