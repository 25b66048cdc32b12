"""Lines that lie before the end of the history: each sees what was known before it.

Reads  events, some of them known later than they happened; lines at any time.
Gives  ``check_lines``' findings, as if the history had been cut at each line.
Never  an event that had happened but was not yet known.

Most events are known at once, so all lines are checked together; only carts that stand between
an event and its becoming known are checked again, one by one, without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.events import Events
from ..kernels.owned import Lines, undone_times
from ..kernels.past import slice_customers
from ..kernels.returns import match_returns
from ..kernels.rules import Findings, Tables, check_lines

Array = NDArray[Any]


def check_as_known(
    events: Events, undone_at: Array, lines: Lines, *, tables: Tables, objects: Array
) -> Findings:
    """``check_lines`` by what was known; arguments and answer are the same."""
    found = check_lines(events, undone_at, lines, tables=tables, objects=objects)
    doubt = _carts_in_doubt(events, lines)
    if doubt:
        found = Findings(*(column.copy() for column in found))
    for customer, at in doubt:
        mine = np.flatnonzero(lines.customer == customer)
        here = lines.timestamp[mine] == at
        theirs = Lines(*(column[mine] for column in lines))
        again = _check_one(events, theirs, customer, at, tables=tables, objects=objects)
        again = again._replace(line=np.where(again.line >= 0, mine[again.line], -1))
        for column, new in zip(found, again, strict=True):
            column[mine[here]] = new[here]
    return found


def _carts_in_doubt(events: Events, lines: Lines) -> list[tuple[int, int]]:
    """(customer, instant) of lines after an event and not after its becoming known."""
    if events.known_at is events.timestamp or not len(lines.item):
        return []
    late = np.flatnonzero(events.known_at > events.timestamp)
    times, rank = np.unique(lines.timestamp, return_inverse=True)
    span = np.int64(len(times) + 1)
    carts = np.unique(lines.customer * span + rank)
    who = events.customer[late].astype(np.int64) * span
    first = carts.searchsorted(who + times.searchsorted(events.timestamp[late], side="right"))
    last = carts.searchsorted(who + times.searchsorted(events.known_at[late], side="right"))
    marks = np.zeros(len(carts) + 1, dtype=np.int64)
    np.add.at(marks, first, 1)
    np.add.at(marks, np.maximum(last, first), -1)
    doubt = carts[np.cumsum(marks[:-1]) > 0]
    return [(int(key // span), int(times[key % span])) for key in doubt.tolist()]


def _check_one(
    events: Events, lines: Lines, customer: int, at: int, *, tables: Tables, objects: Array
) -> Findings:
    """One customer's lines by the events that were known before an instant."""
    own = slice_customers(events, customer, customer + 1)
    start = int(events.offsets[customer])
    rows = np.flatnonzero(np.maximum(own.known_at, own.timestamp) < at)
    known = own.take(rows)
    found = check_lines(
        known,
        undone_times(known, match_returns(known)),
        lines._replace(customer=np.zeros(len(lines.item), dtype=np.int64)),
        tables=tables,
        objects=objects[customer : customer + 1],
    )
    if not len(rows):
        return found
    return found._replace(row=np.where(found.row >= 0, start + rows[found.row], -1))
