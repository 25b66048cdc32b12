"""Events of one request whose columns are made when they are first read.

Reads  a function that makes a column.
Gives  ``Events`` like any other; most questions read four of the fifteen columns.
Never  a column made twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.events import ROW_COLUMNS, Events

Array = NDArray[Any]


class LazyEvents(Events):
    """All events were known when they happened: ``known_at`` is ``timestamp``."""

    def __init__(self, offsets: Array, customer: Array, column: Callable[[str], Array]) -> None:
        """``column`` makes one by its name."""
        self.__dict__.update(offsets=offsets, customer=customer, _column=column)

    def __getattr__(self, name: str) -> Array:
        if name not in ROW_COLUMNS:
            raise AttributeError(name)
        make: Callable[[str], Array] = self.__dict__["_column"]
        column = self.timestamp if name == "known_at" else make(name)
        self.__dict__[name] = column
        return column


def of_one(n: int, column: Callable[[str], Array]) -> LazyEvents:
    """The n events of a single customer."""
    return LazyEvents(np.array([0, n], dtype=np.int64), np.zeros(n, dtype=np.int32), column)
