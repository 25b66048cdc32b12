"""When the next order comes if gaps are log-normal: longer tails than gamma gaps have.

Reads  a customer's closed gaps, later ones weighing more; the whole's table.
Gives  a law with the same answers as ``next_gap.GapLaw``: chances, dates.
Never  one spread for all: some shop like a clock and some do not, and each gap tells which.
Source normal logs, mean and variance unknown: Gelman et al., Bayesian Data Analysis, 3rd ed.,
       2013, sec. 3.3 (normal-inverse-chi-squared prior, Student predictive).

Symbols: y = log gap ~ N(mu, s2), mu ~ N(m, s2 / K), s2 ~ scaled Inv-chi2(v, s0^2); of n gaps,
mean ybar and sum of squares SS around it. K and v count gaps; forgetting keeps a share of each
older gap's weight, so n, sums and SS are weighted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special
from .next_gap import SHORTEST_DAYS, visit_bin
from .segments import segment_sum

Floats = NDArray[np.float64]
Array = NDArray[Any]


class LogGapTable(NamedTuple):
    """One row for all customers, as columns of shape (1,)."""

    mean_log: Floats  # m, log days
    mean_gaps: Floats  # K
    sd_log: Floats  # s0
    sd_gaps: Floats  # v
    kept: Floats  # share of its weight that a gap keeps with every later one
    next_share: Floats  # (1, 5): pi by next_gap.VISIT_EDGES

    @classmethod
    def from_mapping(cls, arrays: Mapping[str, Array]) -> LogGapTable:
        return cls(*(np.asarray(arrays[name], dtype=np.float64) for name in cls._fields))


class LogGaps(NamedTuple):
    """Closed gaps of each segment, weighted; all (s,)."""

    n: Floats
    total: Floats  # of log days
    squares: Floats


class LogGapLaw(NamedTuple):
    """log gap = mean + sd . Student with df degrees of freedom; all (p,)."""

    mean: Floats
    sd: Floats
    df: Floats
    pi: Floats

    def survival(self, days: Array) -> Floats:
        """S(t) = P(gap > t | there is one); 1 at t <= 0."""
        t = np.maximum(days, np.finfo(float).tiny)
        return np.asarray(special.stdtr(self.df, (self.mean - np.log(t)) / self.sd))

    def days_at(self, left: Array) -> Floats:
        """t with S(t) = ``left``; infinite where ``left`` is 0."""
        inside = np.clip(left, np.finfo(float).tiny, 1.0 - np.finfo(float).epsneg)
        power = self.mean - self.sd * special.stdtrit(self.df, inside)
        t = np.exp(np.minimum(power, 700.0))  # e^700 is still finite
        return np.where(left > 0.0, np.where(left < 1.0, t, 0.0), np.inf)

    def log_density(self, days: Array) -> Floats:
        """log of -S'(t), t >= ``SHORTEST_DAYS``."""
        y = np.log(np.maximum(days, SHORTEST_DAYS))
        z2 = np.square((y - self.mean) / self.sd) / self.df
        scale = np.log(self.sd) + y + 0.5 * np.log(self.df) + special.betaln(self.df / 2.0, 0.5)
        return np.asarray(-scale - (self.df + 1.0) / 2.0 * np.log1p(z2))


def log_gaps(gaps_days: Array, offsets: Array, kept: float) -> LogGaps:
    """Weighted sums of the logs of closed gaps (g,) in segments (s + 1,), earliest first.

    The last gap of a segment weighs 1, the one before ``kept``, then ``kept ** 2``.
    """
    counts = np.diff(offsets)
    later = np.repeat(offsets[1:], counts) - 1 - np.arange(len(gaps_days))
    weight = np.power(kept, later.astype(np.float64))
    y = np.log(np.maximum(gaps_days, SHORTEST_DAYS))
    sums = (segment_sum(weight * part, offsets) for part in (np.ones(len(y)), y, y * y))
    return LogGaps(*sums)


def log_gap_law(table: LogGapTable, n_visits: Array, gaps: LogGaps) -> LogGapLaw:
    """The law of each customer's next gap.

    Parameters
    ----------
    table : LogGapTable
    n_visits : array of shape (p,)
        Days on which the customer ordered (>= 1); 0 is taken as 1.
    gaps : LogGaps
        With the table's ``kept``.

    Returns
    -------
    LogGapLaw
        df = v + n; mean = (K m + n ybar) / (K + n); sd^2 = (v s0^2 + SS + K n / (K + n)
        (ybar - m)^2) / df . (K + n + 1) / (K + n).
    """
    m, K, v = table.mean_log, table.mean_gaps, table.sd_gaps
    n = gaps.n
    own = np.divide(gaps.total, n, out=np.zeros(n.shape), where=n > 0)
    inside = np.maximum(gaps.squares - n * own * own, 0.0)
    between = K * n / (K + n) * np.square(own - m)
    variance = (v * table.sd_log**2 + inside + between) / (v + n)
    return LogGapLaw(
        mean=(K * m + gaps.total) / (K + n),
        sd=np.sqrt(variance * (K + n + 1.0) / (K + n)),
        df=v + n,
        pi=table.next_share[0, visit_bin(np.maximum(n_visits, 1))],
    )
