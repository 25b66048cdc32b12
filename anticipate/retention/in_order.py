"""First come, first served: customers in a given order, each the best level that is left.

Reads  values, an order of customers, the limits.
Gives  one level per customer, within every limit.
Never  a level that a limit no longer allows; a customer twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .resources import SLACK, Resources

Array = NDArray[Any]


def serve_in_order(values: Array, order: Array, resources: Resources) -> Array:
    """One level per customer, shape (n,), -1 for none.

    Parameters
    ----------
    values : float64 array of shape (K, n)
        What each level is liked for; -inf where it is not allowed.
    order : int array of customers, first served first
    resources : Resources

    Notes
    -----
    O(K n): what is left only shrinks, so a level that no longer fits is closed for all who come
    later. There are at most K + 1 rounds, each of whole arrays.
    """
    n_levels, n = values.shape
    choice = np.full(n, -1, dtype=np.int8)
    left, waiting = resources.most * SLACK, order
    is_open = _still_open(left, resources)
    while len(waiting) and is_open.any():
        best, liked = _best_open(values[:, waiting], is_open)
        waiting, best = waiting[liked], best[liked]
        n_served = _how_many_fit(best, left, resources)
        choice[waiting[:n_served]] = best[:n_served]
        left = left - resources.use @ np.bincount(best[:n_served], minlength=n_levels)
        waiting = waiting[n_served:]
        is_open = _still_open(left, resources)
    return choice


def _best_open(values: Array, is_open: Array) -> tuple[Array, Array]:
    """The open level liked best, and whether any is allowed."""
    seen = np.where(is_open[:, None], values, -np.inf)
    best = seen.argmax(axis=0).astype(np.int8)
    return best, np.isfinite(seen.max(axis=0))


def _still_open(left: Array, resources: Resources) -> Array:
    """Levels of which one more contact fits, bool (K,)."""
    return np.asarray((resources.use <= left[:, None]).all(axis=0))


def _how_many_fit(best: Array, left: Array, resources: Resources) -> int:
    """Length of the longest beginning that is within every limit."""
    least = len(best)
    for use, most in zip(resources.use, left, strict=True):
        spent = np.cumsum(use[best])
        least = min(least, int(np.searchsorted(spent, most, side="right")))
    return least
