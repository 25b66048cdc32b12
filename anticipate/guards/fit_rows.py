"""Past lines with a known end: kept, sent back, or nearly all of their pieces sent back.

Reads  a history, and earlier moments of it.
Gives  slices of lines, oldest first: what could be said of each when it was bought, what came.
Never  a line whose window is still open; customers who object to profiling; a table or a return
       known only after the slice began.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.events import PURCHASE_CODE
from ..kernels.fit import look, slip_columns
from ..kernels.fit_past import NEARLY_ALL
from ..kernels.gap_learning import GroupSums
from ..kernels.owned import DAY, Lines
from ..kernels.return_risk import log_odds
from ..log import History
from .fit_items import align_items, fit_items
from .return_rows import Closed, closed_lines

Array = NDArray[Any]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
SHORTEST_DAYS, MOST_SLICES = 14.0, 4
PRIOR_LINES, PRIOR_SHARE = 20.0, 0.02  # lines that say how seldom nearly all pieces come back
OWN_WEIGHT = 5.0  # lines by which what came back of few is held to the item's share


class Rows(NamedTuple):
    """Lines and what came of them."""

    X: Floats  # (n, k)
    hit: Bools  # (n,)


class Swaps(NamedTuple):
    """Lines with an alternative, (n,)."""

    odds: Floats  # log-odds of the item's share of returns
    other: Floats  # of the alternative's
    hit: Bools  # the line came back
    anyway: Floats  # share of the alternative's own lines of this slice that came back


class Slice(NamedTuple):
    """Lines of one span of time."""

    returns: Rows  # of items that have an alternative or are one: log-odds of the share; came back
    swaps: Swaps
    slips: Rows  # pieces far above the usual: ``kernels.fit.COLUMNS``; nearly all came back


def fit_slices(history: History, window_days: float) -> list[Slice]:
    """At most four spans, oldest first; the newest ends where windows close."""
    closed, time = closed_lines(history, window_days), history.events.timestamp
    if not len(closed.row):
        return []
    begin = int(time.min()) + int(1.5 * window_days * DAY)
    end = int(history.cutoff_us - window_days * DAY)
    length = max(int(SHORTEST_DAYS * DAY), (end - begin) // MOST_SLICES)
    at, slipped = time[closed.row], nearly_all_back(history, window_days)
    found = []
    for k in range(MOST_SLICES, 0, -1):
        start = end - k * length
        if start >= begin:
            inside = (at >= start) & (at < start + length)
            part = Closed(closed.row[inside], closed.returned[inside])
            found.append(_slice(history, start, part, slipped, window_days))
    return found


def nearly_all_back(history: History, window_days: float) -> Bools:
    """Purchases of which at least four fifths of the pieces came back within the window."""
    events, match = history.events, history.returns
    soon = match.returned_at < events.timestamp + np.int64(window_days * DAY)
    bought = events.event == PURCHASE_CODE
    return np.asarray(bought & soon & (match.returned >= NEARLY_ALL * events.quantity))


def slip_share_of(history: History, days: float) -> float:
    """Of all lines whose window is closed."""
    rows = closed_lines(history, days).row
    back = float(nearly_all_back(history, days)[rows].sum())
    return (back + PRIOR_LINES * PRIOR_SHARE) / (len(rows) + PRIOR_LINES)


def _slice(
    history: History, start: int, closed: Closed, slipped: Bools, window_days: float
) -> Slice:
    events, rows = history.events, closed.row
    earlier = history.before(start)
    fits = fit_items(earlier, window_days)
    items = align_items(fits.items, earlier.item_ids, history.item_ids)
    returned = np.zeros(events.n)
    returned[np.maximum(events.timestamp, events.known_at) < start] = earlier.returns.returned
    lines = Lines(events.customer[rows], events.item[rows], events.timestamp[rows],
                  events.quantity[rows], np.asarray(events.gift[rows]))  # fmt: skip
    none = np.zeros(events.n_customers, dtype=bool)
    price = np.asarray(events.price[rows])
    seen = look(events, returned, lines, price, items=items, objects=none, marketing=none)
    odds, item = log_odds(items.share), lines.item
    named = np.zeros(len(odds), dtype=bool)
    named[items.alternatives[items.alternatives >= 0]] = True
    named |= items.alternatives[:, 0] >= 0
    involved, has = named[item], seen.has
    other = items.alternatives[item[has], seen.place[has]]
    by_item = GroupSums(item, history.n_items)
    n, back = by_item.add(np.ones(len(item))), by_item.add(closed.returned.astype(np.float64))
    came = (back + OWN_WEIGHT * items.share[:-1]) / (n + OWN_WEIGHT)
    return Slice(
        Rows(odds[item[involved], None], closed.returned[involved]),
        Swaps(odds[item[has]], odds[other], closed.returned[has], came[other]),
        Rows(np.column_stack(slip_columns(seen))[seen.far], slipped[rows[seen.far]]),
    )
