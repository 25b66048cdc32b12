"""Lagrange multipliers: what one unit more of each limit is worth.

Reads  what each level is worth to each customer, and the limits.
Gives  a price per limit, and a bound that no plan can pass.
Never  a rounding: whole customers are the next file's business.
Source Lagrangian relaxation of the multiple-choice knapsack: Kellerer, Pferschy, Pisinger,
       Knapsack Problems, 2004, sec. 11.2; cutting planes: Kelley, J. SIAM 8, 1960.

With prices u of d limits each customer alone takes the level of the highest v_k - (u A)_k, or
none at 0. The sum of these plus u b is convex in u, at least as high as any plan for every
u >= 0, and at its lowest equal to the linear programme's optimum. It is lowered by cutting
planes: first on a sample, which says about where; then on all, where customers whose choice
is the same in the whole neighbourhood are counted once and left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from .resources import Resources

Array = NDArray[Any]
SAMPLE = 4096  # customers of the first search
NEAR = 0.1  # half-width of the neighbourhood, of the price
TOLERANCE = 2e-8  # of the bound; prices err by about its root, which costs its square
MOST_CUTS = 300
SAME_POINT = 1e-7  # of the box
PREFER_LOW = 1e-6  # of several best prices the lowest: what one unit more would gain


class Prices(NamedTuple):
    """d multipliers and the bound they prove."""

    per_unit: Array  # float64 (d,), >= 0
    bound: float  # no plan is worth more


class _Dual(NamedTuple):
    """The function to lower: undecided customers and the sum of those who are decided."""

    values: Array  # (K, m)
    decided_value: float
    decided_counts: Array  # (K,)
    resources: Resources

    def at(self, u: Array) -> tuple[float, Array]:
        """Height and slope."""
        use, most, _ = self.resources
        choice, best = best_at(self.values, u @ use)
        counts = self.decided_counts + np.bincount(choice + 1, minlength=use.shape[1] + 1)[1:]
        paid = float((u @ use) @ self.decided_counts)
        height = self.decided_value - paid + float(best.sum()) + float(u @ most)
        return height, most - use @ counts


def best_at(values: Array, level_prices: Array) -> tuple[Array, Array]:
    """Each customer's level at these prices, -1 for none, and what it is worth beyond them."""
    choice = np.full(values.shape[1], -1, dtype=np.int8)
    best = np.zeros(values.shape[1])
    for k, row in enumerate(values):
        net = row - level_prices[k]
        choice[net > best] = k
        np.maximum(best, net, out=best)
    return choice, best


def find_prices(values: Array, resources: Resources) -> Prices:
    """The multipliers of the limits.

    Parameters
    ----------
    values : float64 array of shape (K, n)
        Worth of each level to each customer; -inf or at most 0 where it is no choice.
    resources : Resources
    """
    n_levels, n = values.shape
    whole = _Dual(values, 0.0, np.zeros(n_levels), resources)
    if not len(resources.most):
        return Prices(np.zeros(0), whole.at(np.zeros(0))[0])
    high = _highest(values, resources)
    if not high.any():
        return Prices(high, whole.at(high)[0])
    if n <= 2 * SAMPLE:
        return _lower(whole, np.zeros_like(high), high)
    return _search_near(whole, _guess(whole, high), high)


def _highest(values: Array, resources: Resources) -> Array:
    """Above these prices nobody takes a level that needs the limit."""
    top = np.maximum(values.max(axis=1, initial=0.0), 0.0)
    needs = resources.use > 0
    ratio = np.divide(top, resources.use, out=np.zeros_like(resources.use), where=needs)
    return ratio.max(axis=1)


def _guess(dual: _Dual, high: Array) -> Array:
    """Prices of a sample, every so many customers, with its share of the limits."""
    step = dual.values.shape[1] // SAMPLE
    sample = np.ascontiguousarray(dual.values[:, ::step])
    share = sample.shape[1] / dual.values.shape[1]
    fewer = dual.resources._replace(most=dual.resources.most * share)
    return _lower(dual._replace(values=sample, resources=fewer), np.zeros_like(high), high).per_unit


def _search_near(dual: _Dual, guess: Array, high: Array) -> Prices:
    """Lower the function near a guess, further away as long as the best lies on the edge."""
    near = NEAR
    while True:
        reach = near * np.maximum(guess, 0.02 * high)
        low, top = np.maximum(guess - reach, 0.0), np.minimum(guess + reach, high)
        found = _lower(_leave_out_decided(dual, low, top), low, top)
        edge = 1e-6 * (top - low)
        on_edge = (found.per_unit <= low + edge) & (low > 0)
        on_edge |= (found.per_unit >= top - edge) & (top < high)
        if not on_edge.any():
            return found
        guess, near = found.per_unit, 3 * near


def _leave_out_decided(dual: _Dual, low: Array, high: Array) -> _Dual:
    """Customers who choose the same at all prices between: counted once, then left out."""
    use = dual.resources.use
    cheap, dear = low @ use, high @ use
    # Decided for k: even at its dearest it beats every other at its cheapest.
    choice, sure = best_at(dual.values, dear)
    decided = sure >= 0
    for k, row in enumerate(dual.values):
        decided &= (choice == k) | (row - cheap[k] < sure)
    decided &= (choice < 0) | (sure > 0)
    chosen = decided & (choice >= 0)
    worth = dual.values[choice[chosen], np.flatnonzero(chosen)]
    counts = np.bincount(choice[chosen], minlength=len(dual.values)).astype(np.float64)
    return _Dual(dual.values[:, ~decided], float(worth.sum()), counts, dual.resources)


def _lower(dual: _Dual, low: Array, high: Array) -> Prices:
    """Kelley's cutting planes in a box.

    The linear programme sees prices in shares of the box and heights above the first one in
    units of the steepest fall across the box, so that its own tolerance is small beside both.
    """
    width = np.where(high > low, high - low, 1.0)
    bounds = [(None, None), *((0.0, float(h > lo)) for lo, h in zip(low, high, strict=True))]
    weights = np.concatenate(([1.0], np.full(len(low), PREFER_LOW)))
    share, tried = np.zeros_like(low), []
    height, slope = dual.at(low)
    best, first = Prices(low, height), height
    unit = max(float(np.abs(slope * width).max()), 1e-300)
    rows, right = [], []
    for _ in range(MOST_CUTS):
        steep = slope * width / unit
        tried.append(share)
        rows.append(np.concatenate(([-1.0], steep)))
        right.append(float(steep @ share) - (height - first) / unit)
        solved = linprog(weights, np.array(rows), np.array(right), bounds=bounds)
        if solved.x is None or best.bound - first - unit * solved.x[0] <= TOLERANCE * first:
            break
        share = np.clip(solved.x[1:], 0.0, 1.0)
        if np.abs(np.array(tried) - share).max(axis=1).min() < SAME_POINT:
            break  # the linear programme's own tolerance is reached
        height, slope = dual.at(low + width * share)
        if height <= best.bound * (1 + 1e-12):
            best = Prices(low + width * share, min(height, best.bound))
    return best
