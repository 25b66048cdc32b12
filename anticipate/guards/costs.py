"""What a mistake costs and what doubting a wish does, and what follows for a warning.

Reads  two amounts of one unit of money.
Gives  the chance from which a warning pays, and its expected net money.
Never  a threshold that was learned: that is the proofs' to find.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.costliest import saving
from ..kernels.rules import KINDS
from ..kernels.verdicts import Speaking

Floats = NDArray[np.float64]


class Costs(NamedTuple):
    """Per line, in one unit of money."""

    mistake: float  # made
    doubt: float  # of a wish: annoyance, and sales lost by it

    @property
    def break_even(self) -> float:
        """The chance from which a warning pays."""
        return self.doubt / (self.mistake + self.doubt)

    @property
    def aloud(self) -> Speaking:
        """Every kind of duplicate from break-even on, proved or not."""
        thresholds = np.array([math.inf, *[self.break_even] * (len(KINDS) - 1)])
        return Speaking(thresholds, self.mistake, self.doubt, math.inf)

    def saving(self, probability: Any) -> Floats:
        """Expected net money of a warning."""
        return saving(probability, self.mistake, self.doubt)
