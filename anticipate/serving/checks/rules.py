"""What must hold of an array's values, each on its own.

Reads  values of one stored array, and how many there are of everything.
Gives  what is wrong in a few words, or None.
Never  which customer or item is at fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .parts import in_parts, longest_run
from .texts import offsets_faults

Array = NDArray[Any]
Sizes = Mapping[str, int]
_LARGEST = float(np.finfo(np.float64).max)
_TINY, _HUGE = 1e-100, 1e100  # what lies beyond was neither counted nor learned


class Rule(Protocol):
    """One law that all values of an array obey."""

    def problem(self, values: Array, sizes: Sizes) -> str | None:
        """What is wrong; None if nothing is."""
        ...


class Anything(NamedTuple):
    """No law of its own: rules of its group speak of it."""

    def problem(self, values: Array, sizes: Sizes) -> str | None:
        return None


class Numbers(NamedTuple):
    """Numbers of [least, most]; the words say so. NaN where ``unknown`` is allowed."""

    least: float = -_LARGEST
    most: float = _LARGEST
    words: str = "finite numbers"
    unknown: bool = False

    def problem(self, values: Array, sizes: Sizes) -> str | None:
        flat = values.reshape(-1)
        # Compared this way round NaN is outside; the two reductions make no temporary arrays.
        low, high = (np.fmin, np.fmax) if self.unknown else (np.minimum, np.maximum)
        for (part,) in in_parts(flat):
            smallest, largest = low.reduce(part), high.reduce(part)
            if self.unknown and smallest != smallest:  # all of them are NaN
                continue
            if not (smallest >= self.least and largest <= self.most):
                return f"its values are not all {self.words}"
        return None


class Codes(NamedTuple):
    """Positions in a table: 0 to n - 1, or from ``least`` on."""

    of: str
    least: int = 0

    def problem(self, values: Array, sizes: Sizes) -> str | None:
        n, flat = sizes[self.of], values.reshape(-1)
        if all(part.min() >= self.least and part.max() < n for (part,) in in_parts(flat)):
            return None
        return f"its codes point outside the {n} {self.of.replace('_', ' ')}"


class Offsets(NamedTuple):
    """Where the runs of another array begin: from 0, ascending, to that array's length."""

    of: str
    most: int | None = None  # entries of a run

    def problem(self, values: Array, sizes: Sizes) -> str | None:
        for _, problem in offsets_faults("", values, sizes[self.of]):
            return problem
        if self.most is not None and longest_run(values) > self.most:
            return f"it has runs of more than {self.most} entries"
        return None


class Flags(NamedTuple):
    """Yes or no: bytes of 1 and 0, nothing else is a bool."""

    def problem(self, values: Array, sizes: Sizes) -> str | None:
        plain = values.reshape(-1).view(np.uint8)
        if all(part.max() <= 1 for (part,) in in_parts(plain)):
            return None
        return "it holds bytes other than 0 and 1"


ANYTHING = Anything()
FINITE = Numbers(-1e9, 1e9, "numbers within a milliard of 0")
FINITE_OR_UNKNOWN = Numbers(words="finite numbers or NaN", unknown=True)
POSITIVE = Numbers(_TINY, _HUGE, "finite numbers above 0")
POSITIVE_OR_UNKNOWN = Numbers(_TINY, _HUGE, "finite numbers above 0, or NaN", unknown=True)
AT_LEAST_0 = Numbers(least=0.0, words="finite numbers from 0 on")
SHARE = Numbers(0.0, 1.0, "shares from 0 to 1")
SHARE_ABOVE_0 = Numbers(_TINY, 1.0, "shares above 0, at most 1")
SHARE_WITHIN = Numbers(_TINY, 1.0 - 2.0**-53, "shares above 0 and below 1")
THRESHOLD = Numbers(0.0, np.inf, "numbers from 0 on, infinity for never")
AT_LEAST_1 = Numbers(1, 2**31, "counts from 1 on")
ROW = Numbers(0, 2**31, "rows")
ROW_OR_NONE = Numbers(-1, 2**31, "rows, or -1 for none")
COUNT = Numbers(0.0, 2.0**53, "counts")
