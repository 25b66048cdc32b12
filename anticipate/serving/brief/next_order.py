"""When the next order is expected.

Reads  the days on which they bought, the law of all customers' gaps.
Gives  a date with an 80 % interval, as ``PurchaseTimer.predict`` does.
Never  a date for what may never come, or of somebody who objects to profiling.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels.events import PURCHASE_CODE
from ...kernels.log_gap import LogGapTable, log_gap_law, log_gaps
from ...kernels.next_gap import GapTable, NextLaw, days_until, gap_law
from .known import DAY, Known

Array = NDArray[Any]
_SHARES = {"due": 0.5, "low": 0.1, "high": 0.9}


def next_order(known: Known) -> dict[str, Any] | None:
    """Keys as in docs/brief.md; None where it is likelier than not that none comes."""
    table = known.store.group("next_order")
    rows = known.rows_of(PURCHASE_CODE)
    if not table or known.profiling or not len(rows):
        return None
    days, new = known.events.day[rows], np.ones(len(rows), dtype=bool)
    new[1:] = days[1:] != days[:-1]
    visit = known.events.timestamp[rows[new]]  # the first line of each day
    law = _law(table, visit)
    open_days = np.array([(known.as_of - int(visit[-1])) / DAY])
    ahead = {name: float(days_until(law, open_days, share)[0]) for name, share in _SHARES.items()}
    if np.isnan(ahead["due"]):
        return None
    dates = {name: known.day(known.as_of + round(wait * DAY)) for name, wait in ahead.items()
             if not np.isnan(wait)}  # fmt: skip
    code = "next_order" if "high" in dates else "next_order_or_never"
    return {**dict.fromkeys(_SHARES), **dates, **known.say(code, **dates)}


def _law(table: dict[str, Array], visit: Array) -> NextLaw:
    """The customer is a pair with the shop."""
    n_visits = np.array([len(visit)])
    if "mean_log" not in table:
        total_days = np.array([int(visit[-1] - visit[0]) / DAY])
        return gap_law(GapTable.from_mapping(table), np.array([-1]), n_visits, total_days)
    log_table, gaps_days = LogGapTable.from_mapping(table), np.diff(visit) / DAY
    own = log_gaps(gaps_days, np.array([0, len(gaps_days)]), float(log_table.kept[0]))
    return log_gap_law(log_table, n_visits, own)
