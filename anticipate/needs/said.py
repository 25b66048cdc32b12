"""How far what customers said moves the odds: signs are given, sizes are learned.

Reads  what was said of candidates, their log-odds without it, and what was bought.
Gives  one weight per kind of word.
Never  a sign that is turned round: what speaks against an item never raises it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blend import fit_shifts
from .signals import AGAINST, KINDS

Array = NDArray[Any]
SAID = (*KINDS, "disliked_alike", "liked_alike")  # of the item; of items like it
PRIOR = np.array([-1.0, -1.0, -2.0, 1.0, 1.0, 0.5, -0.5, 0.5])  # log-odds before any evidence
PRIOR_SD = 0.5
LEAST = 0.1  # log-odds that a word moves at least, in its own direction
_IS_AGAINST = np.array([*AGAINST, True, False])


def fit_said(said: Array, log_odds: Array, bought: Array) -> Array:
    """Weights of ``SAID`` (8,) from rows of which something was said (r, 8)."""
    weights = fit_shifts(said, log_odds, bought, PRIOR, PRIOR_SD)
    return np.where(_IS_AGAINST, np.minimum(weights, -LEAST), np.maximum(weights, LEAST))
