"""Two arms beside each other: differences of shares and of means, with intervals.

Reads  what n treated and m held-out customers did.
Gives  the difference, its lower and upper end.
Never  an interval from fewer than ten customers in an arm: NaN stands there.
Source Newcombe, Interval estimation for the difference between independent proportions,
       Statist. Med. 17, 1998, method 10 (Wilson's intervals combined); Welch, The generalization
       of Student's problem, Biometrika 34, 1947.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[Any]
LEAST = 10  # customers in an arm: with fewer, Newcombe's interval leaves 0 out too often
NO_EFFECT, GAIN, LOSS = "no measurable effect", "gain", "loss"


class Difference(NamedTuple):
    """Treated minus held out, and an interval of it."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """``gain`` or ``loss`` where the interval leaves 0 out."""
        if self.low > 0:
            return GAIN
        return LOSS if self.high < 0 else NO_EFFECT


NOT_MEASURED = Difference(np.nan, np.nan, np.nan)


def share_difference(treated: Array, holdout: Array, confidence: float) -> Difference:
    """Difference of two shares of yes, bool (n,) and (m,); never degenerate, even at 0 and 1."""
    if min(len(treated), len(holdout)) < LEAST:
        return NOT_MEASURED
    p, low_p, high_p = _wilson(treated, confidence)
    q, low_q, high_q = _wilson(holdout, confidence)
    # Newcombe: d − √((p − l₁)² + (u₂ − q)²), d + √((u₁ − p)² + (q − l₂)²)
    below = sqrt((p - low_p) ** 2 + (high_q - q) ** 2)
    above = sqrt((high_p - p) ** 2 + (q - low_q) ** 2)
    return Difference(p - q, p - q - below, p - q + above)


def mean_difference(treated: Array, holdout: Array, confidence: float) -> Difference:
    """Difference of two means, float64 (n,) and (m,), arms of unequal variance."""
    if min(len(treated), len(holdout)) < LEAST:
        return NOT_MEASURED
    value = float(treated.mean() - holdout.mean())
    # Welch: s² = v/n + w/m, degrees of freedom s⁴ / ((v/n)²/(n − 1) + (w/m)²/(m − 1)).
    parts = np.array([arm.var(ddof=1) / len(arm) for arm in (treated, holdout)])
    error = sqrt(parts.sum())
    if not error:  # no spread in either arm tells nothing of what others would have spent
        return Difference(value, np.nan, np.nan) if value else Difference(0.0, 0.0, 0.0)
    freedom = error**4 / (parts**2 / (np.array([len(treated), len(holdout)]) - 1)).sum()
    half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    return Difference(value, value - half, value + half)


def _wilson(yes: Array, confidence: float) -> tuple[float, float, float]:
    # (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), Wilson 1927. By hand: SciPy's
    # binomtest works out an exact p value first, which nobody asked for.
    n, z = len(yes), float(stats.norm.ppf((1 + confidence) / 2))
    p = int(yes.sum()) / n
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return p, (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


__all__ = ["GAIN", "LEAST", "LOSS", "NOT_MEASURED", "NO_EFFECT", "Difference", "mean_difference",
           "share_difference"]  # fmt: skip
