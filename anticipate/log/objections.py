"""Who objects to what: customers' own words about how their data may be used.

Reads  the ``objects_to`` attribute, text or lists of words, as of a history's cutoff.
Gives  one mask per history.
Never  a guess: anything that does not name the use is no objection.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import OBJECTS_TO, PROFILING
from .history import History, check_history


def objectors(history: History, use: str = PROFILING) -> NDArray[np.bool_]:
    """Customers who object to a use, shape (n_customers,); by default to profiling."""
    check_history(history)
    if OBJECTS_TO not in history.customers.columns:
        return np.zeros(history.n_customers, dtype=bool)
    place, answers = _distinct(history.customers[OBJECTS_TO])
    named = np.array([*(names_use(one, use) for one in answers), False])
    return np.asarray(named[place], dtype=bool)


def names_use(value: Any, use: str) -> bool:
    """Whether an answer names a use: one word, words between commas, semicolons or blanks, or
    a list of words.
    """
    if isinstance(value, str):
        return use in value.replace(",", " ").replace(";", " ").split()
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return use in list(value)
    return False


def _distinct(said: pd.Series[Any]) -> tuple[NDArray[Any], list[Any]]:
    """Each answer once, and whose it is: a million customers gave a handful. -1 for none."""
    if not isinstance(said.dtype, pd.StringDtype):
        said = said.astype(object).map(_words)
    place, answers = pd.factorize(said)
    return np.asarray(place), list(answers)


def _words(value: Any) -> Any:
    """Text as it is, lists as tuples of their words; what is neither says nothing."""
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return tuple(one for one in value if isinstance(one, str))
    return value if isinstance(value, str) else None
