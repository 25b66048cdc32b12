"""Everything that waits for an answer, row by row.

Reads  events of customers 0..m-1 and an instant for each.
Gives  rows of open complaints and returns, of unanswered contacts, and of due re-checks.
Never  a rule of its own for complaints and returns: those of ``care`` hold, whose latest open
       row is the last one here.

A contact waits for 30 days at most, until a later ``resolved`` of that customer about the same
item and order, or a later ``contacted`` about the same item, order and topic; what either side
does not name contradicts nothing. A complaint or return is not closed by a ``contacted``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .care import (
    COMPLAINT_CODE,
    COMPLAINT_DAYS,
    DAY,
    RECHECK_AFTER_DAYS,
    RECHECK_WITHIN_DAYS,
    RESOLVED_CODE,
    RETURN_CODE,
    RETURN_DAYS,
    is_resolved,
    same_or_unsaid,
)
from .events import Events

Array = NDArray[Any]
CONTACT_CODE, CONTACTED_CODE = 6, 14  # positions in columns.EVENTS; held by a test
CONTACT_DAYS = 30


class OpenRows(NamedTuple):
    """Rows into the events, ascending, so by customer and time; int64 of any length."""

    complaints: Array
    returns: Array
    contacts: Array
    rechecks: Array  # of the ``resolved`` event


def open_rows(events: Events, as_of: Array) -> OpenRows:
    """All that is open at each customer's instant.

    Parameters
    ----------
    events : Events
        All before the customers' instants.
    as_of : int64 array of shape (m,), microseconds UTC
    """

    def recent(code: int, days: int) -> list[int]:
        rows = np.flatnonzero(events.event == code)
        return rows[_age(events, rows, as_of) <= days * DAY].tolist()

    # Few rows of few customers are this young, so they are judged one by one.
    resolved = np.flatnonzero(events.event == RESOLVED_CODE)
    complaints, returns = (
        [row for row in recent(code, days) if not is_resolved(events, row, resolved)]
        for code, days in ((COMPLAINT_CODE, COMPLAINT_DAYS), (RETURN_CODE, RETURN_DAYS))
    )
    contacts = [row for row in recent(CONTACT_CODE, CONTACT_DAYS) if answer_row(events, row) < 0]
    age = _age(events, resolved, as_of)
    end = RECHECK_AFTER_DAYS + RECHECK_WITHIN_DAYS
    due = resolved[(age >= RECHECK_AFTER_DAYS * DAY) & (age < end * DAY)]
    return OpenRows(*(np.array(rows, np.int64) for rows in (complaints, returns, contacts, due)))


def answer_row(events: Events, row: int) -> int:
    """Row of the first event that answers a contact, complaint or return; -1 none.

    A ``resolved`` answers all three, a ``contacted`` a contact.
    """
    later = _later(events, row)
    fits = events.event[later] == RESOLVED_CODE
    if events.event[row] == CONTACT_CODE:
        fits |= _of_the_topic(events, row, later)
    fits &= _of_the_same(events, row, later)
    return later.start + int(fits.argmax()) if fits.any() else -1


def contacted_row(events: Events, row: int) -> int:
    """Row of the last ``contacted`` that may be about this row, not before it; -1 none."""
    later = _later(events, row)
    fits = _of_the_topic(events, row, later) & _of_the_same(events, row, later)
    return later.start + int(np.flatnonzero(fits)[-1]) if fits.any() else -1


def resolved_matter(events: Events, row: int) -> int:
    """Row of the latest complaint, return or contact that a ``resolved`` closed; -1 none."""
    start, end = _rows_of_its_customer(events, row)
    n = int(events.timestamp[start:end].searchsorted(events.timestamp[row], side="right"))
    earlier = slice(start, start + n)
    fits = np.isin(events.event[earlier], (COMPLAINT_CODE, RETURN_CODE, CONTACT_CODE))
    fits &= _of_the_same(events, row, earlier)
    return start + int(np.flatnonzero(fits)[-1]) if fits.any() else -1


def _of_the_topic(events: Events, row: int, later: slice) -> Array:
    """A ``contacted`` that does not name another topic."""
    topic = same_or_unsaid(events.reason[later], events.reason[row])
    return np.asarray(topic & (events.event[later] == CONTACTED_CODE))


def _of_the_same(events: Events, row: int, others: slice) -> Array:
    """Neither another item nor another order is named."""
    item = same_or_unsaid(events.item[others], events.item[row])
    return np.asarray(item & same_or_unsaid(events.order[others], events.order[row]))


def _later(events: Events, row: int) -> slice:
    """The customer's rows from this row's instant on."""
    start, end = _rows_of_its_customer(events, row)
    # Rows of one instant are sorted by item, which says nothing about what came first.
    first = start + int(events.timestamp[start:end].searchsorted(events.timestamp[row]))
    return slice(first, end)


def _rows_of_its_customer(events: Events, row: int) -> tuple[int, int]:
    start, end = events.offsets[events.customer[row] : events.customer[row] + 2].tolist()
    return start, end


def _age(events: Events, rows: Array, as_of: Array) -> Array:
    return np.asarray(as_of[events.customer[rows]] - events.timestamp[rows])
