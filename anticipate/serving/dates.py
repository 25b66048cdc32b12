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


def log_odds_within(
    gaps: GapTable, item: Array, own: OwnState, at: Array, within_days: float
) -> Array:
    """Of a purchase within so many days, (c,); meaningful where there was one before."""
    p = chance_within(_law(gaps, item, own), _open_days(own, at), within_days)
    return np.asarray(special.logit(np.minimum(np.maximum(p, _FLOOR), 1 - _FLOOR)))


def due(gaps: GapTable, item: Array, own: OwnState, at: Array) -> Array:
    """Median date in microseconds UTC (c,); NEVER where none was bought or it may never come."""
    days = days_until(_law(gaps, item, own), _open_days(own, at), 0.5)
    comes = np.isfinite(days) & (own.n_visits > 0)
    ahead = np.rint(np.where(comes, days, 0.0) * DAY).astype(np.int64)
    return np.where(comes, at + ahead, NEVER)


def _law(gaps: GapTable, item: Array, own: OwnState) -> GapLaw:
    return gap_law(gaps, item, own.n_visits, (own.last - own.first) / DAY)


def _open_days(own: OwnState, at: Array) -> Array:
    return (at - own.last) / DAY
