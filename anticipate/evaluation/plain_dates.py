"""Plain rule for dates: the last purchase plus the mean gap.

Reads  the purchase days of a History.
Gives  ``due, due_low, due_high`` per customer, or per customer and item.
Never  "may never" for anybody who bought: that is the plain rule's well-known weakness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..columns import CUSTOMER, ITEM, MICROSECONDS_PER_DAY, NO_TIME
from ..kernels.segments import run_starts
from ..log import History
from ..log.clock import to_timestamps

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_Z80 = 1.2815515655446004  # standard normal 90th percentile: ends of the central 80 %
_FARTHEST_DAYS = 36_500.0


def mean_gap_dates(history: History) -> pd.DataFrame:
    """Last purchase plus the customer's mean gap, else the mean gap of all.

    Parameters
    ----------
    history : History
        As of the cutoff.

    Returns
    -------
    DataFrame indexed by customer_id
        ``due, due_low, due_high`` (UTC): mean gap and its normal 80 % interval, with the
        customer's own spread from two gaps on, else that of all. NaT without a purchase, or
        when nobody came twice. A date may lie before the cutoff: overdue.

    Examples
    --------
    >>> from anticipate.log import InteractionLog
    >>> log = InteractionLog.from_frame(
    ...     {"customer_id": [1, 1, 2], "item_id": [7, 7, 7],
    ...      "timestamp": ["2025-01-01", "2025-01-11", "2025-01-20"]}, timezone="UTC",
    ...     closed_until="2025-02-01")
    >>> [f"{due:%m-%d}" for due in mean_gap_dates(log.as_of("2025-02-01"))["due"]]
    ['01-21', '01-30']
    """
    bought = history.purchases
    customers = np.arange(history.n_customers)
    visits = _visits(bought.customer.astype(np.int64), bought.day, bought.timestamp)
    gaps = _gaps(visits, parent=np.zeros(visits.group.size, dtype=np.int64))
    at = np.full(history.n_customers, -1)
    at[visits.group] = np.arange(visits.group.size)
    dates = _dates(visits, gaps).reindex(at)
    return dates.set_index(pd.Index(history.customer_ids[customers], name=CUSTOMER))


def mean_gap_pair_dates(history: History) -> pd.DataFrame:
    """Last purchase of the item plus the pair's mean gap, else the item's, else that of all.

    Parameters
    ----------
    history : History
        As of the cutoff.

    Returns
    -------
    DataFrame
        ``customer_id, item_id, due, due_low, due_high``, one row per pair bought before,
        sorted by the first two.

    Examples
    --------
    >>> from anticipate.log import InteractionLog
    >>> log = InteractionLog.from_frame(
    ...     {"customer_id": [1, 1, 2], "item_id": ["tea", "tea", "tea"],
    ...      "timestamp": ["2025-01-01", "2025-01-11", "2025-01-20"]}, timezone="UTC",
    ...     closed_until="2025-02-01")
    >>> [f"{due:%m-%d}" for due in mean_gap_pair_dates(log.as_of("2025-02-01"))["due"]]
    ['01-21', '01-30']
    """
    bought = history.purchases
    span = max(history.n_items, 1)
    key = bought.customer.astype(np.int64) * span + bought.item
    order = np.argsort(key, kind="stable")  # time order within a pair stays
    visits = _visits(key[order], bought.day[order], bought.timestamp[order])
    dates = _dates(visits, _gaps(visits, parent=visits.group % span))
    customer, item = np.divmod(visits.group, span)
    dates.insert(0, CUSTOMER, history.customer_ids[customer])
    dates.insert(1, ITEM, history.item_ids[item])
    return dates


@dataclass(frozen=True)
class _Visits:
    """Distinct purchase days of each group (a customer, or a pair)."""

    group: Ints  # (m,) distinct, ascending
    last: Ints  # (m,) microseconds of the last purchase
    n_gaps: Ints  # (m,) purchase days - 1
    total: Floats  # (m,) sum of the gaps, days
    squares: Floats  # (m,) sum of their squares


def _visits(group: Ints, day: npt.NDArray[np.int32], timestamp: Ints) -> _Visits:
    ends = np.append(run_starts(group), group.size)
    visit = run_starts(group, day)
    owner, days = group[visit], day[visit].astype(np.float64)
    starts = run_starts(owner)
    gap = np.diff(days, prepend=0.0)
    gap[starts] = 0.0
    count = np.diff(np.append(starts, owner.size))
    sums = [np.add.reduceat(part, starts) if starts.size else part for part in (gap, gap * gap)]
    return _Visits(owner[starts], timestamp[ends[1:] - 1], count - 1, sums[0], sums[1])


def _gaps(visits: _Visits, parent: Ints) -> tuple[Floats, Floats]:
    """Mean and sd of each group's gap: its own, else its parent's, else that of all."""
    everything = np.zeros(parent.size, dtype=np.int64)
    mean, sd = np.full(parent.size, np.nan), np.full(parent.size, np.nan)
    for level in (np.arange(parent.size), parent, everything):
        n, total, squares = (
            np.bincount(level, weights=part)[level] if level.size else np.zeros(0)
            for part in (visits.n_gaps, visits.total, visits.squares)
        )
        own = np.divide(total, n, out=np.full(n.size, np.nan), where=n > 0)
        spread = np.maximum(squares - n * np.square(np.nan_to_num(own)), 0.0)
        width = np.sqrt(np.divide(spread, n - 1, out=np.full(n.size, np.nan), where=n > 1))
        mean = np.where(np.isnan(mean), own, mean)
        sd = np.where(np.isnan(sd), width, sd)
    return mean, np.nan_to_num(sd)


def _dates(visits: _Visits, gaps: tuple[Floats, Floats]) -> pd.DataFrame:
    mean, sd = gaps
    ends = {"due": mean, "due_low": mean - _Z80 * sd, "due_high": mean + _Z80 * sd}
    return pd.DataFrame({name: _later(visits.last, days) for name, days in ends.items()})


def _later(start: Ints, days: Floats) -> pd.DatetimeIndex:
    near = np.clip(np.nan_to_num(days), -_FARTHEST_DAYS, _FARTHEST_DAYS)
    moved = start + np.rint(near * MICROSECONDS_PER_DAY).astype(np.int64)
    return to_timestamps(np.where(np.isnan(days), NO_TIME, moved))
