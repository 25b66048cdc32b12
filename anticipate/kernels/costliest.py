"""One warning a line at most: the costliest mistake speaks.

Reads  what several guards say of the same lines: whether they warn, and what a warning saves.
Gives  per line the guard that speaks.
Never  a warning that no guard gave; an answer that depends on other lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
# Ties go to the one named first.
KINDS = ("double_submit", "already_owned", "substitute_owned", "quantity_slip", "return_risk",
         "better_fit")  # fmt: skip
QUANTITY_SLIP, RETURN_RISK, BETTER_FIT = 3, 4, 5


def saving(probability: Floats, cost_mistake: Any, cost_annoyance: float) -> Floats:
    """Expected net money of a warning: C P - A (1 - P), in the costs' unit."""
    return np.asarray(cost_mistake * probability - cost_annoyance * (1.0 - probability))


def rank_of(kinds: Iterable[Any]) -> Array:
    """Place of each kind among ties; what is no kind comes last."""
    places = {kind: place for place, kind in enumerate(KINDS)}
    return np.array([places.get(kind, len(KINDS)) for kind in kinds], dtype=np.int64)


def costliest(warns: Array, savings: Floats, ranks: Array) -> Array:
    """Position of the guard that speaks for each line, (n,).

    Parameters
    ----------
    warns : bool array of shape (n_guards, n)
    savings : array of shape (n_guards, n)
        Expected net money of each guard's warning.
    ranks : int array of shape (n_guards, n)
        Which comes first among equals.

    Returns
    -------
    int array of shape (n,)
        Among those that warn the one that saves most; where none warns, that of the largest
        saving.
    """
    open_to = warns | ~warns.any(axis=0)
    worth = np.where(open_to, savings, -np.inf)
    best = worth == worth.max(axis=0)
    return np.asarray(np.where(best, ranks, ranks.max(initial=0) + 1).argmin(axis=0))
