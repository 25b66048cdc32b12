"""From probabilities to verdicts: when a warning is worth a word, and how often one is said.

Reads  what a guard found, thresholds by kind, what mistakes and doubts cost.
Gives  which lines are warned of.
Never  more warnings in a quarter than agreed: answered ones and those of this review count.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .answers import QUARTER_DAYS
from .owned import DAY, Lines
from .rules import Findings

Array = NDArray[Any]
Floats = NDArray[np.float64]


class Speaking(NamedTuple):
    """When to warn."""

    thresholds: Floats  # (4,) by position in KINDS: warn above it; inf is silent
    cost_mistake: float  # what a mistake made costs
    cost_doubt: float  # what doubting a wish costs: annoyance, and sales lost by it
    most_per_quarter: float  # warnings a customer and quarter; inf unlimited

    @property
    def costs(self) -> tuple[float, float]:
        """Of a mistake, of a doubt."""
        return self.cost_mistake, self.cost_doubt

    @classmethod
    def from_array(cls, stored: Array) -> Speaking:
        """Inverse of ``to_array``."""
        values = np.asarray(stored, dtype=np.float64)
        return cls(values[:-3], *values[-3:].tolist())

    def to_array(self) -> Floats:
        """Thresholds, then the rest, (7,)."""
        return np.append(self.thresholds, self[1:])


def choose_warnings(found: Findings, lines: Lines, speaking: Speaking) -> Array:
    """Lines to warn of, bool (n,): above their kind's threshold, costliest first within the cap."""
    warn = found.probability > speaking.thresholds[found.kind]
    if np.isinf(speaking.most_per_quarter) or not warn.any():
        return np.asarray(warn)
    return _within_cap(warn, found, lines, speaking.most_per_quarter)


def _within_cap(warn: Array, found: Findings, lines: Lines, most: float) -> Array:
    rows = warn.nonzero()[0]
    order = rows[np.lexsort((lines.item[rows], -found.probability[rows], lines.timestamp[rows],
                             lines.customer[rows]))]  # fmt: skip
    kept = np.zeros(len(warn), dtype=bool)
    said: list[int] = []
    customer = -1
    # Each warning counts for the next ones, so this is a loop; warnings are rare.
    for i in order.tolist():
        if int(lines.customer[i]) != customer:
            customer, said = int(lines.customer[i]), []
        since = int(lines.timestamp[i]) - QUARTER_DAYS * DAY
        said = [at for at in said if at >= since]
        if len(said) + int(found.n_lately[i]) < most:
            kept[i] = True
            said.append(int(lines.timestamp[i]))
    return kept
