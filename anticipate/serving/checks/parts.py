"""Going through long mapped arrays part by part.

Reads  arrays of any length, mapped or not.
Gives  their rows in parts, and what holds of all of them.
Never  more of a file in memory than a few megabytes: pages are let go as they are passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bundle import let_go

Array = NDArray[Any]

ROWS = 1 << 14  # looked at together: what they give rise to stays in the cache
_HELD = 1 << 20  # rows passed before their pages are let go


def in_parts(*columns: Array) -> Iterator[tuple[Array, ...]]:
    """Runs of rows of columns of one length, each with the first row of the next run."""
    for _, part in numbered_parts(*columns):
        yield part


def numbered_parts(*columns: Array) -> Iterator[tuple[int, tuple[Array, ...]]]:
    """The same, with the number of each run's first row."""
    for start in range(0, len(columns[0]), ROWS):
        yield start, tuple(column[start : start + ROWS + 1] for column in columns)
        if (start + ROWS) % _HELD == 0:
            _let_go(columns)
    _let_go(columns)


def ascends(values: Array, *, strictly: bool = False) -> bool:
    """Whether each value is above the one before, or not below it."""
    falls = np.less_equal if strictly else np.less
    return not any(falls(part[1:], part[:-1]).any() for (part,) in in_parts(values))


def is_permutation(codes: Array) -> bool:
    """Whether 0 to n - 1 are there once each."""
    n = len(codes)
    seen = np.zeros(n, dtype=bool)
    for (part,) in in_parts(codes):
        if part.min() < 0 or part.max() >= n:
            return False
        seen[part] = True
    return bool(seen.all())


def longest_run(offsets: Array) -> int:
    """Entries of the longest run that ascending offsets cut."""
    runs = ((part[1:] - part[:-1]).max(initial=0) for (part,) in in_parts(offsets))
    return int(max(runs, default=0))


def _let_go(columns: tuple[Array, ...]) -> None:
    for column in columns:
        let_go(column)
