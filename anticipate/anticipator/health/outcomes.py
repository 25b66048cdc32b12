"""What a bundle foretold at its cutoff, beside what then happened.

Reads  the bundle's own answers as of its cutoff, a log that goes on after it.
Gives  one row per kind of answer: said, seen, what chance would give, slope, skill.
Never  a window that the log does not close: it says when it will be.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from ...columns import CUSTOMER, ITEM, PURCHASE
from ...evaluation import brier_skill, calibration_line
from ...kernels import special
from ...log.clock import to_timestamp

Array = NDArray[Any]
Floats = NDArray[np.float64]
LEVEL = 0.99  # of the intervals
LOW, HIGH = 0.8, 1.25  # a ratio or slope between them needs no new fit
FEWEST = 20  # events said, and not said: below, nothing can be told
RIGHT, WRONG, FEW, OPEN = "right", "wrong", "too few", "open"
_Z = float(norm.ppf(0.5 + LEVEL / 2))


class Judged(NamedTuple):
    """One kind of answer; counts are of the event named."""

    name: str
    event: str
    closes: pd.Timestamp
    n: int = 0  # answers
    said: float = math.nan  # events
    seen: float = math.nan
    low: float = math.nan  # what chance gives where the answers are right
    high: float = math.nan
    slope: float = math.nan
    slope_low: float = math.nan
    slope_high: float = math.nan
    brier_skill: float = math.nan
    verdict: str = OPEN

    @property
    def ratio(self) -> float:
        """Seen over said."""
        return self.seen / self.said if self.said > 0 else math.nan


def judge(
    name: str,
    event: str,
    closes_us: int,
    p: Floats,
    y: Array,
    customer: Array,
    *,
    line: bool = True,
) -> Judged:
    """Probabilities ``p`` against outcomes ``y``, both (n,).

    The interval is that of the sum of independent customers' errors,
    sum_c (sum of y - p over c's answers)^2, so that one customer's answers may hang together.
    A ratio is wrong outside of 0.8 to 1.25 and the interval; a slope outside of 0.8 to 1.25 if
    its own interval leaves out 1, too.
    """
    said, seen = float(p.sum()), float(y.sum())
    _, whose = np.unique(customer, return_inverse=True)
    error = np.bincount(whose, weights=y - p) if len(p) else np.zeros(0)
    half = _Z * math.sqrt(float((error**2).sum()))
    row = Judged(name, event, to_timestamp(closes_us), len(p), said, seen,
                 max(said - half, 0.0), said + half)  # fmt: skip
    if line:
        row = row._replace(brier_skill=brier_skill(y, p), **_line(p, y, whose))
    return row._replace(verdict=_verdict(row))


def bought_in(log_lines: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Purchases of a window."""
    inside = (log_lines["timestamp"] >= start) & (log_lines["timestamp"] < end)
    return log_lines[inside & (log_lines["event"] == PURCHASE)]


def among(pairs: pd.DataFrame, bought: pd.DataFrame) -> Array:
    """Which pairs ``customer_id, item_id`` were bought (n,)."""
    wanted = pd.MultiIndex.from_frame(pairs[[CUSTOMER, ITEM]])
    return np.asarray(wanted.isin(pd.MultiIndex.from_frame(bought[[CUSTOMER, ITEM]])))


def _verdict(row: Judged) -> str:
    if min(row.said, row.n - row.said) < FEWEST:
        return FEW
    off = not LOW <= row.ratio <= HIGH and not row.low <= row.seen <= row.high
    steep = not LOW <= row.slope <= HIGH and not row.slope_low <= 1 <= row.slope_high
    return WRONG if off or (steep and not math.isnan(row.slope)) else RIGHT


def _line(p: Floats, y: Array, whose: Array) -> dict[str, Any]:
    """Slope of the outcomes on the log-odds, and its interval by customers.

    Sandwich H^-1 M H^-1 of the logistic likelihood: H its Hessian, M the sum over customers of
    the outer product of their scores (Huber 1967; Zeger, Liang 1986).
    """
    slope, intercept = calibration_line(y, p)
    if math.isnan(slope):
        return {}
    clipped = np.clip(p, 1e-9, 1.0 - 1e-9)
    z = special.logit(clipped)
    X = np.column_stack((np.ones(len(z)), z))
    fitted = special.expit(intercept + slope * z)
    H = (X * (fitted * (1.0 - fitted))[:, None]).T @ X
    scores = np.column_stack([np.bincount(whose, weights=x * (y - fitted)) for x in X.T])
    bread = np.linalg.pinv(H)
    half = _Z * math.sqrt(max(float((bread @ (scores.T @ scores) @ bread)[1, 1]), 0.0))
    return {"slope": slope, "slope_low": slope - half, "slope_high": slope + half}
