"""Own frequency: what a customer bought on most days, plain or with a half-life.

Reads  ``Visits``.
Gives  lists; equal counts break by popularity, and popular items fill the list up.
Source Li et al., ACM TOIS 41(4), 2023 (GP-TopFreq, the strongest simple baseline).
"""

from __future__ import annotations

import numpy as np

from .baskets import Array, Visits, lists_by_block

PLAIN = {"half_life_days": np.inf}
HALF_LIVES = (30.0, 60.0, 120.0)


def own_lists(
    visits: Visits, asked: Array, *, half_life_days: float = np.inf, n: int = 10
) -> Array:
    """Sum of .5 ** (age / half-life) over the days on which the customer bought the item."""
    age_days = visits.now - visits.day
    counts = visits.matrix(np.exp2(-age_days / half_life_days))
    return lists_by_block(asked, lambda rows: counts[asked[rows]].toarray(), visits.popularity, n)


def popular_lists(visits: Visits, asked: Array, *, n: int = 10) -> Array:
    """The same list for everybody: most buyers first."""
    best = np.argsort(-visits.popularity, kind="stable")[:n]
    return np.tile(best, (len(asked), 1))
