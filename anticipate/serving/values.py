"""Values as callers write them: ids, missing ones, truth.

Reads  single values of mappings and tables.
Gives  plain Python values, or one clear error.
Never  a guess: what is neither true nor false is an error, as in a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from ..exceptions import BadRowsError, IdTypeError

_NEVER_MISSING = {str, int, bool, datetime}
_TRUTH = {
    word: truth
    for truth, words in ((True, "true 1 1.0 yes y t"), (False, "false 0 0.0 no n f"))
    for word in words.split()
}


def plain_id(id_: Any) -> Any:
    """An id as Python's own number or text, so that answers are JSON-ready."""
    return id_.item() if isinstance(id_, np.generic) else id_


def checked_id(id_: Any) -> Any:
    """The same; what can be no id at all is refused."""
    id_ = plain_id(id_)
    if isinstance(id_, bool) or not isinstance(id_, (int, str)):
        raise IdTypeError(f"id: {type(id_).__name__} was given; ids are text or whole numbers.")
    return id_


def is_there(value: Any) -> bool:
    """None, NaN, NaT and NA are not; an array or a list is something, if nothing good."""
    if value is None:
        return False
    try:
        return bool(value == value)
    except (TypeError, ValueError):  # pandas.NA is neither equal nor different; nor is an array
        return hasattr(value, "__len__")


def without_missing(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Missing values are absent keys."""
    return {
        str(name): value
        for name, value in row.items()
        if value is not None and (type(value) in _NEVER_MISSING or is_there(value))
    }


def truth(value: Any, where: str) -> bool:
    """A flag by the words that a log reads.

    Raises
    ------
    BadRowsError
        If it is neither true nor false, with ``where``.
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    said = _TRUTH.get(str(value).strip().lower())
    if said is None:
        raise BadRowsError(f"{where} is neither true nor false.")
    return said
