"""What is open between a customer and us: care comes before the next sale.

Reads  events of customers 0..m-1 and an instant for each.
Gives  per customer the row of an open complaint or return, and of a resolution to re-check.
Never  an answer that needs more than the customer's own events.

A complaint is open for 30 days at most, a return for 14, until a later ``resolved`` of that
customer; where both name an item or an order, it must be the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import Events

Array = NDArray[Any]
DAY = 86_400_000_000
RETURN_CODE, COMPLAINT_CODE, RESOLVED_CODE = 4, 7, 8  # held equal to columns.EVENTS by a test
COMPLAINT_DAYS, RETURN_DAYS = 30, 14
RECHECK_AFTER_DAYS, RECHECK_WITHIN_DAYS = 7, 7
_MATTERS = np.zeros(128, dtype=bool)  # by event code
_MATTERS[[RETURN_CODE, COMPLAINT_CODE, RESOLVED_CODE]] = True


class OpenMatters(NamedTuple):
    """Rows into the events, -1 where there is nothing; all int64 (m,)."""

    complaint: Array  # the latest open complaint
    returned: Array  # the latest open return
    recheck: Array  # the latest resolution whose re-check is due


def open_matters(events: Events, as_of: Array) -> OpenMatters:
    """What is open at each customer's instant.

    Parameters
    ----------
    events : Events
        All before the customers' instants.
    as_of : int64 array of shape (m,), microseconds UTC
    """
    m = events.n_customers
    kinds, nothing = events.event, np.full(m, -1, dtype=np.int64)
    young = kinds
    if m == 1:  # a customer's events are in order: the old ones need no look
        young = kinds[events.timestamp.searchsorted(as_of.item(0) - COMPLAINT_DAYS * DAY) :]
    if not _MATTERS[young].any():
        return OpenMatters(nothing, nothing, nothing)
    found = OpenMatters(nothing, nothing.copy(), nothing.copy())
    age = as_of[events.customer] - events.timestamp
    complaints = np.flatnonzero((kinds == COMPLAINT_CODE) & (age <= COMPLAINT_DAYS * DAY))
    returns = np.flatnonzero((kinds == RETURN_CODE) & (age <= RETURN_DAYS * DAY))
    # Few rows of few customers are this young, so they are judged one by one.
    resolved = np.flatnonzero(kinds == RESOLVED_CODE)
    for rows, target in ((complaints, found.complaint), (returns, found.returned)):
        for row in rows.tolist():
            if not is_resolved(events, row, resolved):
                target[events.customer[row]] = row
    due = (age >= RECHECK_AFTER_DAYS * DAY) & (
        age < (RECHECK_AFTER_DAYS + RECHECK_WITHIN_DAYS) * DAY
    )
    rechecks = np.flatnonzero((kinds == RESOLVED_CODE) & due)
    found.recheck[events.customer[rechecks]] = rechecks  # in time order: the latest stays
    return found


def is_resolved(events: Events, row: int, resolved: Array) -> bool:
    """A resolved event of the same customer, not earlier than the row, about the same thing.

    ``resolved`` are the rows of all such events, ascending: they are few where events are many.
    """
    start, end = events.offsets[events.customer[row] : events.customer[row] + 2].tolist()
    # Rows of one instant are sorted by item, which says nothing about what came first.
    first = start + int(events.timestamp[start:end].searchsorted(events.timestamp[row]))
    later = resolved[slice(*resolved.searchsorted((first, end)).tolist())]
    fits = same_or_unsaid(events.item[later], events.item[row])
    fits &= same_or_unsaid(events.order[later], events.order[row])
    return bool(fits.any())


def same_or_unsaid(theirs: Array, ours: Any) -> Array:
    """Whether each names the same thing; -1 on either side contradicts nothing."""
    if ours < 0:
        return np.ones(len(theirs), dtype=bool)
    return (theirs == ours) | (theirs < 0)
