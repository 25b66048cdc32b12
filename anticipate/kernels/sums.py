"""What a fit adds up over customers, and how it adds.

Reads  values and weights of n cells.
Gives  the container of a log-likelihood with two derivatives; weighted sums.
Never  BLAS: its threads would only wait for each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Sums(NamedTuple):
    """Of one model over all customers, by its k parameters."""

    value: float
    gradient: Floats  # (k,)
    hessian: Floats  # (k, k)


def dot(weight: Floats, values: Floats) -> float:
    """The sum of weight times value; both of shape (n,)."""
    return float(np.einsum("i,i->", weight, values))


def softplus_and_sigmoid(delta: Floats) -> tuple[Floats, Floats]:
    """ln(1 + e^delta) and 1 / (1 + e^-delta), sharing their exponential."""
    small = np.exp(-np.abs(delta))
    soft = np.maximum(delta, 0.0) + np.log1p(small)
    return soft, np.where(delta > 0, 1.0, small) / (1 + small)
