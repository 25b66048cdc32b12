"""Who objects to what: customers' own words about how their data may be used.

Reads  the ``objects_to`` attribute, text or lists of words, as of a history's cutoff.
Gives  one mask per history.
Never  a guess: anything that does not name the use is no objection.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import OBJECTS_TO, PROFILING
from .history import History, check_history


def objectors(history: History, use: str = PROFILING) -> NDArray[np.bool_]:
    """Customers who object to a use, shape (n_customers,); by default to profiling."""
    check_history(history)
    if OBJECTS_TO not in history.customers.columns:
        return np.zeros(history.n_customers, dtype=bool)
    return np.array([_names(value, use) for value in history.customers[OBJECTS_TO]], dtype=bool)


def _names(value: Any, use: str) -> bool:
    # One word, words between commas, semicolons or blanks, or a list of words.
    if isinstance(value, str):
        return use in value.replace(",", " ").replace(";", " ").split()
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return use in list(value)
    return False
