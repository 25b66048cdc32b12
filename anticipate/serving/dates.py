"""When an item will be needed again, at a moment.

Reads  what a customer did with each candidate, the table of gaps by item.
Gives  P(bought within h days), as log-odds, and the median date of each pair.
Never  a date for what may never come again: ``NEVER``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import special
from ..kernels.next_gap import GapLaw, GapTable, chance_within, days_until, gap_law
from ..kernels.offers import OwnState

Array = NDArray[Any]
DAY = 86_400_000_000
NEVER = int(np.iinfo(np.int64).max)
_FLOOR = 1e-6


def law_of(gaps: GapTable, item: Array, own: OwnState) -> GapLaw:
    """The law of each pair's next gap, (c,)."""
    return gap_law(gaps, item, own.n_visits, (own.last - own.first) / DAY)


def log_odds_within(law: GapLaw, last: Array, at: Array, within_days: float) -> Array:
    """Of a purchase within so many days of ``at``; ``last`` is when the latest was, (c,)."""
    p = chance_within(law, (at - last) / DAY, within_days)
    return np.asarray(special.logit(np.minimum(np.maximum(p, _FLOOR), 1 - _FLOOR)))


def due(law: GapLaw, last: Array, at: Array) -> Array:
    """Median date in microseconds UTC (c,); NEVER where it may not come again."""
    days = days_until(law, (at - last) / DAY, 0.5)
    comes = np.isfinite(days)
    ahead = np.rint(np.where(comes, days, 0.0) * DAY).astype(np.int64)
    return np.where(comes, at + ahead, NEVER)
