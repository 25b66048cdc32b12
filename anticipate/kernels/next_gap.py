"""When the next purchase comes: one closed formula per question, per pair or customer.

Reads  visits so far, days between the first and the last, days since the last; a table by item.
Gives  chances, dates and rates, elementwise: a pair alone equals the same pair in a batch.
Never  "it surely comes": there may be no next purchase at all, and every answer counts that.
Source gamma gaps with an inverse-gamma scale (compound gamma): Dubey, Metrika 16, 1970;
       "bought again" times "when": Bhagat et al., Buy It Again, KDD 2018.

Symbols: gaps of a pair ~ Gamma(shape k, scale theta), theta ~ InvGamma(A, B) across pairs,
k and A pure numbers, B in days; pi = P(there is a next purchase | visits so far); c = days since
the last one. S(t) = P(gap > t | there is one) = I_u(A, k), u = B / (B + t): through u, not
t / (t + B), far tails keep their digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special

Floats = NDArray[np.float64]
Array = NDArray[Any]
VISIT_EDGES = np.array([1, 2, 3, 5, 9])  # pi is learned apart for 1, 2, 3-4, 5-8, 9+ visits
# A rhythm drifts: n closed gaps count as EVIDENCE_GAPS n / (EVIDENCE_GAPS + n) of them.
EVIDENCE_GAPS = 10.0
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


class GapLaw(NamedTuple):
    """What is known of each pair's next gap; all (p,)."""

    k: Floats
    A: Floats
    B: Floats
    pi: Floats


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
        A = A0 + w n k and B = B0 + w G for n closed gaps of sum G, w = 10 / (10 + n).
    """
    last = len(table.shape) - 1
    row = np.where((item >= 0) & (item < last), item, last)
    visits = np.maximum(n_visits, 1)
    n = (visits - 1).astype(np.float64)
    weight = EVIDENCE_GAPS / (EVIDENCE_GAPS + n)
    k = table.shape[row]
    return GapLaw(
        k=k,
        A=table.prior_shape[row] + weight * n * k,
        B=table.prior_scale_days[row] + weight * gap_sum_days,
        pi=table.next_share[row, visit_bin(visits)],
    )


def visit_bin(n_visits: Array) -> Array:
    """Column of ``next_share`` for each number of visits (>= 1)."""
    return np.asarray(VISIT_EDGES.searchsorted(n_visits, side="right") - 1)


def survival(law: GapLaw, days: Array) -> Floats:
    """S(t) = P(gap > t | there is a next purchase); 1 at t <= 0."""
    t = np.maximum(days, 0.0)
    return np.asarray(special.betainc(law.A, law.k, law.B / (law.B + t)))


def chance_ever(law: GapLaw, open_days: Array) -> Floats:
    """P(there is a next purchase | none in the first c days) = pi S / (pi S + 1 - pi)."""
    now = survival(law, open_days)
    return _share(law.pi, now, now)


def chance_within(law: GapLaw, open_days: Array, within_days: float) -> Floats:
    """P(next purchase within h days from now | none in the c days since the last).

    pi (S(c) - S(c + h)) / (pi S(c) + 1 - pi): an open gap is a censored one.
    """
    c = np.maximum(open_days, 0.0)
    now = survival(law, c)
    return _share(law.pi, now, now - survival(law, c + within_days))


def rate_per_day(law: GapLaw, open_days: Array) -> Floats:
    """Expected purchases per day at age c: the chance of one in the coming day.

    Used in place of the density, which is infinite at c = 0 for k < 1.
    """
    return chance_within(law, open_days, 1.0)


def days_until(law: GapLaw, open_days: Array, share: float) -> Floats:
    """Days from now by which the next purchase came with probability ``share``.

    Solves pi (S(c) - S(c + t)) = q (pi S(c) + 1 - pi); NaN = may never: the chance that it
    comes at all is below ``share``, or the date is past ``FARTHEST_DAYS``.
    """
    c = np.maximum(open_days, 0.0)
    now = survival(law, c)
    left = now - share * (now + (1.0 - law.pi) / law.pi)
    u = special.betaincinv(law.A, law.k, np.clip(left, 0.0, 1.0))
    ever = (left > 0.0) & (u > 0.0)
    t = law.B * (1.0 - u) / np.where(ever, u, 1.0) - c
    return np.where(ever & (t <= FARTHEST_DAYS), np.maximum(t, 0.0), np.nan)


def gap_quantile_days(law: GapLaw, share: float) -> Floats:
    """Quantile of the whole gap, given that there is one: ``share`` = .5 is the usual gap."""
    u = special.betaincinv(law.A, law.k, 1.0 - share)
    return np.asarray(law.B * (1.0 - u) / np.maximum(u, 1e-300))


def _share(pi: Floats, now: Floats, part: Floats) -> Floats:
    """pi part / (pi S(c) + 1 - pi); 0 where both vanish (pi = 1 and a gap past all sizes)."""
    total = pi * now + (1.0 - pi)
    top = pi * np.maximum(part, 0.0)
    return np.divide(top, total, out=np.zeros(np.shape(total)), where=total > 0)
