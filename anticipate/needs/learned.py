"""What training leaves behind: the weights, and what they were learned from.

Reads  nothing.
Gives  ``Learned``.
Never  a table of customers or items: a later history brings its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from .blend import Blend

Array = NDArray[Any]


class Learned(NamedTuple):
    """A blend for each kind of candidate, and what moves their odds."""

    tail: Blend  # own pairs beyond each customer's best
    own: Blend
    new: Blend
    shifts: Array  # float64 (8,): what each word said adds to the log-odds
    newcomer: Array  # float64 (2,): what being a newcomer adds, and the weight of the group
    sources: tuple[str, ...]  # that helped
    report: dict[str, Any]
    missing: str  # which data were missing, in one sentence; empty if none
