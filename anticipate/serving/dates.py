"""When an item will be needed again, at a moment.

Reads  what a customer did with each candidate, the bundle's table of gaps by item.
Gives  P(bought within h days) and the median date of each pair.
Never  a date for what may never come again: ``NEVER``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.next_gap import GapLaw, chance_within, days_until, gap_law
from ..kernels.offers import OwnState
from .store import Store

Array = NDArray[Any]
DAY = 86_400_000_000
NEVER = int(np.iinfo(np.int64).max)


def within(store: Store, item: Array, own: OwnState, at: Array, within_days: float) -> Array:
    """P(bought within so many days) of each pair (c,); meaningful where it was bought before.

    ``at``, and ``own`` too, may be (2, c): two instants asked about at once.
    """
    return chance_within(_law(store, item, own), _open_days(own, at), within_days)


def due(store: Store, item: Array, own: OwnState, at: Array) -> Array:
    """Median date in microseconds UTC (c,); NEVER where none was bought or it may never come."""
    days = days_until(_law(store, item, own), _open_days(own, at), 0.5)
    comes = np.isfinite(days) & (own.n_visits > 0)
    ahead = np.rint(np.where(comes, days, 0.0) * DAY).astype(np.int64)
    return np.where(comes, at + ahead, NEVER)


def _law(store: Store, item: Array, own: OwnState) -> GapLaw:
    return gap_law(store.gaps, item, own.n_visits, (own.last - own.first) / DAY)


def _open_days(own: OwnState, at: Array) -> Array:
    return (at - own.last) / DAY
