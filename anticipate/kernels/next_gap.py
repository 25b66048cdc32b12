"""When the next purchase comes: one closed formula per question, per pair or customer.

Reads  visits so far, days between the first and the last, days since the last; a table by item.
Gives  chances, dates and rates, elementwise: a pair alone equals the same pair in a batch.
Never  "it surely comes": there may be no next purchase at all, and every answer counts that.
       Which law the gaps follow: here they are gamma, in ``log_gap`` log-normal; the questions
       are the same.
Source gamma gaps with an inverse-gamma scale (compound gamma): Dubey, Metrika 16, 1970;
       "bought again" times "when": Bhagat et al., Buy It Again, KDD 2018.

Symbols: gaps of a pair ~ Gamma(shape k, scale theta), theta ~ InvGamma(A, B) across pairs,
k and A pure numbers, B in days; pi = P(there is a next purchase | visits so far); c = days since
the last one. S(t) = P(gap > t | there is one) = I_u(A, k), u = B / (B + t): through u, not
t / (t + B), far tails keep their digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from . import special

Floats = NDArray[np.float64]
Array = NDArray[Any]
VISIT_EDGES = np.array([1, 2, 3, 5, 9])  # pi is learned apart for 1, 2, 3-4, 5-8, 9+ visits
# A rhythm drifts: n closed gaps count as EVIDENCE_GAPS n / (EVIDENCE_GAPS + n) of them.
EVIDENCE_GAPS = 10.0
# Its item speaks for a pair as PRIOR_GAPS / (PRIOR_GAPS + n): most pairs are seldom bought, and
# those bought often would be held back by them.
PRIOR_GAPS = 1.0
SHORTEST_DAYS = 1.0 / 24.0  # the log of a gap over midnight stays finite
FARTHEST_DAYS = 36_500.0  # a date beyond a hundred years is no date


class GapTable(NamedTuple):
    """By item, (n_items + 1,) rows; the last row speaks for items never seen."""

    shape: Floats  # k
    prior_shape: Floats  # A of a pair without a gap
    prior_scale_days: Floats  # B of a pair without a gap
    next_share: Floats  # (n_items + 1, 5): pi by VISIT_EDGES

    @classmethod
    def from_mapping(cls, arrays: Mapping[str, Array]) -> GapTable:
        return cls(*(np.asarray(arrays[name], dtype=np.float64) for name in cls._fields))


class NextLaw(Protocol):
    """What is known of each pair's next gap, whatever its shape; answers are (p,)."""

    @property
    def pi(self) -> Floats:
        """P(there is a next purchase), as of the last one."""
        ...

    def survival(self, days: Array) -> Floats:
        """S(t) = P(gap > t | there is one)."""
        ...

    def days_at(self, left: Array) -> Floats:
        """t with S(t) = ``left``; infinite where ``left`` is 0."""
        ...

    def log_density(self, days: Array) -> Floats:
        """log of -S'(t), t >= ``SHORTEST_DAYS``."""
        ...


class GapLaw(NamedTuple):
    """Compound gamma gaps; all (p,)."""

    k: Floats
    A: Floats
    B: Floats
    pi: Floats

    def survival(self, days: Array) -> Floats:
        t = np.maximum(days, 0.0)
        return np.asarray(special.betainc(self.A, self.k, self.B / (self.B + t)))

    def days_at(self, left: Array) -> Floats:
        u = special.betaincinv(self.A, self.k, left)
        t = self.B * (1.0 - u) / np.where(u > 0.0, u, 1.0)
        return np.where(u > 0.0, t, np.inf)

    def log_density(self, days: Array) -> Floats:
        # g^(k-1) B^A / (B (A, k) (B + g)^(A+k)), B (,) Euler's beta function
        g = np.maximum(days, SHORTEST_DAYS)
        spread = self.A * np.log(self.B) - (self.A + self.k) * np.log(self.B + g)
        return np.asarray((self.k - 1.0) * np.log(g) + spread - special.betaln(self.A, self.k))


def gap_law(table: GapTable, item: Array, n_visits: Array, gap_sum_days: Array) -> GapLaw:
    """The law of each pair's next gap, its own gaps weighed against its item's.

    Parameters
    ----------
    table : GapTable
    item : int array of shape (p,)
        Item codes; any code outside the table takes the last row.
    n_visits : array of shape (p,)
        Days on which the pair was bought (>= 1); 0 is taken as 1.
    gap_sum_days : array of shape (p,)
        Days from the first to the last visit = sum of the closed gaps.

    Returns
    -------
    GapLaw
        A = v A0 + w n k and B = v B0 + w G for n closed gaps of sum G, v = 1 / (1 + n) and
        w = 10 / (10 + n).
    """
    last = len(table.shape) - 1
    row = item
    if len(item) and not (item.min() >= 0 and item.max() < last):
        row = np.where((item >= 0) & (item < last), item, last)
    visits = np.maximum(n_visits, 1)
    n = (visits - 1).astype(np.float64)
    weight = EVIDENCE_GAPS / (EVIDENCE_GAPS + n)
    prior = PRIOR_GAPS / (PRIOR_GAPS + n)
    k = table.shape[row]
    return GapLaw(
        k=k,
        A=prior * table.prior_shape[row] + weight * n * k,
        B=prior * table.prior_scale_days[row] + weight * gap_sum_days,
        pi=table.next_share[row, visit_bin(visits)],
    )


def visit_bin(n_visits: Array) -> Array:
    """Column of ``next_share`` for each number of visits (>= 1)."""
    return np.asarray(VISIT_EDGES.searchsorted(n_visits, side="right") - 1)


def survival(law: NextLaw, days: Array) -> Floats:
    """S(t) = P(gap > t | there is a next purchase); 1 at t <= 0."""
    return law.survival(days)


def chance_ever(law: NextLaw, open_days: Array) -> Floats:
    """P(there is a next purchase | none in the first c days) = pi S / (pi S + 1 - pi)."""
    now = survival(law, open_days)
    return _share(law.pi, now, now)


def chance_within(law: NextLaw, open_days: Array, within_days: float) -> Floats:
    """P(next purchase within h days from now | none in the c days since the last).

    pi (S(c) - S(c + h)) / (pi S(c) + 1 - pi): an open gap is a censored one.
    """
    c = np.maximum(open_days, 0.0)
    now, then = survival(law, np.array((c, c + within_days)))
    return _share(law.pi, now, now - then)


def rate_per_day(law: NextLaw, open_days: Array) -> Floats:
    """Expected purchases per day at age c: the chance of one in the coming day.

    Used in place of the density, which is infinite at c = 0 for k < 1.
    """
    return chance_within(law, open_days, 1.0)


def days_until(law: NextLaw, open_days: Array, share: float) -> Floats:
    """Days from now by which the next purchase came with probability ``share``.

    Solves pi (S(c) - S(c + t)) = q (pi S(c) + 1 - pi); NaN = may never: the chance that it
    comes at all is below ``share``, or the date is past ``FARTHEST_DAYS``.
    """
    c = np.maximum(open_days, 0.0)
    now = survival(law, c)
    left = now - share * (now + (1.0 - law.pi) / law.pi)
    ever = left > 0.0
    t = law.days_at(np.clip(left, 0.0, 1.0)) - c
    return np.where(ever & (t <= FARTHEST_DAYS), np.maximum(t, 0.0), np.nan)


def gap_quantile_days(law: NextLaw, share: float) -> Floats:
    """Quantile of the whole gap, given that there is one: ``share`` = .5 is the usual gap."""
    return law.days_at(np.asarray(1.0 - share))


def _share(pi: Floats, now: Floats, part: Floats) -> Floats:
    """pi part / (pi S(c) + 1 - pi); 0 where both vanish (pi = 1 and a gap past all sizes)."""
    total = pi * now + (1.0 - pi)
    top = pi * np.maximum(part, 0.0)
    return np.divide(top, total, out=np.zeros(np.shape(total)), where=total > 0)
