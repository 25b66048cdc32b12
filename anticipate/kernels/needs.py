"""Formulas of next needs: decayed counts, repeat rates, log-odds and the best rows.

Reads  ages (days, or baskets) of what a customer did, and small tables of item statistics.
Gives  one number per customer-item pair, each from its own rows only.
Never  a matrix product: one row and many must give the same bits.
Source Gelman et al., Bayesian Data Analysis, 3rd ed., 2013, sec. 2.6 (Poisson rates);
       Bhagat et al., "Buy It Again", KDD 2018 (repeat rate x time since the last purchase).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import special
from .order import group_order
from .ranking import top_k_per_group
from .segments import segment_sum

Array = NDArray[Any]
SMALLEST = 1e-9  # probabilities stay inside [SMALLEST, 1 - SMALLEST]


def decayed_counts(age: Array, offsets: Array, half_life: float) -> Array:
    """Visits of each segment, each worth half as much per ``half_life`` of age (m,)."""
    return segment_sum(np.exp2(-age / half_life), offsets)


def time_kernel(
    age: Array, offsets: Array, share: Array, *, log_gap: Array, sd: Array, half_life: float
) -> Array:
    """How much past visits of each segment speak for a purchase now (m,).

    Sum over visits of (1 - s) 2^(-t / half_life) + s exp(-((ln t - g) / sd)^2 / 2): t age > 0,
    s the item's share of buyers who come again, g and sd its usual ln(gap). Of things bought
    again one is due a gap later; of others the memory just fades (after TAIW, 2023).
    """
    fades = np.exp2(-age / half_life)
    due = np.exp(-0.5 * ((np.log(np.maximum(age, 0.5)) - log_gap) / sd) ** 2)
    return segment_sum((1.0 - share) * fades + share * due, offsets)


def repeat_rate(n_repeats: Array, exposure: Array, prior_rate: Array, strength: float) -> Array:
    """Expected purchases per unit of time, shrunk to a prior rate.

    Purchases come at random with a rate of Gamma prior (shape ``strength``, mean
    ``prior_rate``): E[rate | n repeats in t] = (strength + n) / (strength / prior_rate + t).
    ``prior_rate`` > 0 keeps it finite.
    """
    return (strength + n_repeats) / (strength / prior_rate + exposure)


def rate_log_odds(rate: Array, horizon: float) -> Array:
    """Log-odds of at least one purchase in the horizon: p = 1 - exp(-x), x = rate * horizon.

    ln(p / (1 - p)) = ln(exp(x) - 1), without the cancellation of 1 - exp(-x).
    """
    return np.log(np.expm1(np.clip(rate * horizon, SMALLEST, 700.0)))


def due_log_odds(age: Array, log_gap: Array, log_gap_sd: Array, horizon: float) -> Array:
    """Log-odds that a gap which has lasted ``age`` (> 0) ends within the horizon.

    Log-normal gaps: p = 1 - S(age + horizon) / S(age), S(t) = Phi((log_gap - ln t) / sd).
    Logarithms of S keep the tails; -ln(1 - p) is their difference.
    """
    now = special.log_ndtr((log_gap - np.log(age)) / log_gap_sd)
    then = special.log_ndtr((log_gap - np.log(age + horizon)) / log_gap_sd)
    return np.log(np.expm1(np.clip(now - then, SMALLEST, 700.0)))


def to_log_odds(share: Array) -> Array:
    """Log-odds of probabilities, kept finite."""
    inside = np.clip(share, SMALLEST, 1.0 - SMALLEST)
    return np.log(inside) - np.log1p(-inside)


def to_probability(log_odds: Array) -> Array:
    return np.asarray(special.expit(log_odds))


def linear_log_odds(table: Array, weights: Array, intercept: float) -> Array:
    """``table @ weights + intercept``, column after column, so that rows are independent.

    table (r, k) column-major, weights (k,); zero weights are skipped.
    """
    total = np.full(len(table), intercept)
    for column in np.flatnonzero(weights):
        total = total + table[:, column] * weights[column]
    return total


def keep_best(offsets: Array, scores: Array, tie_codes: Array, k: int) -> Array:
    """Ascending row numbers of the ``k`` best rows of each group; ties by lower tie code.

    Scores must be >= 0. The k-th best at float32 precision is found by one integer sort (many
    times faster than ranking all rows); only rows at or above it are ranked exactly.
    """
    sizes = np.diff(offsets)
    group = np.repeat(np.arange(len(sizes)), sizes)
    # Non-negative floats order like their bits; float32 rounding keeps the order, so no row
    # that belongs to the k best can fall below the threshold.
    bits = scores.astype(np.float32).view(np.int32).astype(np.int64)
    packed = (group << 32) | bits
    packed.sort()
    place = np.maximum(offsets[1:] - k, offsets[:-1])
    nonempty = sizes > 0
    threshold = np.zeros(len(sizes), dtype=np.int64)
    threshold[nonempty] = packed[place[nonempty]] & 0xFFFFFFFF
    rows = np.flatnonzero(bits >= threshold[group])
    counts = np.bincount(group[rows], minlength=len(sizes))
    kept = np.concatenate(([0], np.cumsum(counts)))
    best = top_k_per_group(kept, scores[rows], tie_codes[rows], k)
    return np.sort(rows[best])


def find_keys(sorted_keys: Array, keys: Array) -> Array:
    """Position of each key among unique ascending ones (int64), -1 where it is not there."""
    if len(sorted_keys) == 0 or len(keys) == 0:
        return np.full(len(keys), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[place] == keys, place, -1)


def sum_by(codes: Array, values: Array, n: int) -> Array:
    """Sums of values by code 0..n-1, in the order of the rows (n,)."""
    order = group_order(codes)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=n))))
    return segment_sum(values[order], offsets)
