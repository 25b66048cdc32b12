"""What is scarce: money, contacts in all, contacts of one level.

Reads  costs and caps of K service levels.
Gives  one row per limit that could bind: how much of it one contact of each level takes, and
       how much there is; how many more contacts of each level fit.
Never  a limit that nobody could reach: its price is 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SLACK = 1 + 1e-12  # a budget of .3 pays three contacts of .1


class Resources(NamedTuple):
    """d limits on K levels."""

    use: Array  # float64 (d, K): what one contact of each level takes
    most: Array  # float64 (d,): how much there is
    names: tuple[str, ...]  # "budget", "capacity" or "level:3"


def make_resources(
    costs: Array, budget: float | None, capacity: int | None, caps: list[int | None], n: int
) -> Resources:
    """The limits that n customers could reach.

    Parameters
    ----------
    costs : float64 array of shape (K,), currency per contact, >= 0
    budget : float or None
        Currency; None is no limit.
    capacity : int or None
        Contacts in all.
    caps : list of K ints or Nones
        Contacts of each level.
    n : int
        Customers, each contacted once at most.
    """
    n_levels = len(costs)
    given: list[tuple[str, Array, float | None]] = [
        ("budget", costs, budget),
        ("capacity", np.ones(n_levels), capacity),
        *((f"level:{k}", np.eye(n_levels)[k], cap) for k, cap in enumerate(caps)),
    ]
    kept = [
        (name, use, float(most))
        for name, use, most in given
        if most is not None and n * float(use.max(initial=0.0)) > most * SLACK
    ]
    return Resources(
        np.array([use for _, use, _ in kept], dtype=np.float64).reshape(-1, n_levels),
        np.array([most for _, _, most in kept], dtype=np.float64),
        tuple(name for name, _, _ in kept),
    )


def fits(counts: Array, resources: Resources) -> bool:
    """Whether so many contacts of each level, shape (K,), are within every limit."""
    return bool((resources.use @ counts <= resources.most * SLACK).all())


def counts_of(choice: Array, n_levels: int) -> Array:
    """Contacts of each level; -1 is no contact."""
    return np.bincount(choice[choice >= 0], minlength=n_levels)
