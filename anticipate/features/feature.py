"""A feature: its name, its unit, its formula, and the kernel that computes it.

Reads  nothing; a container.
Gives  ``Feature``, the row of the tables in this folder.
Never  a formula of its own: those are in ``anticipate.kernels``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.typing import NDArray


class Feature(NamedTuple):
    name: str
    unit: str
    formula: str
    compute: Callable[[Any], NDArray[Any]]  # a Past or a Shelf in, float64 out
