"""Which complaints were resolved, and when.

Reads  the events of whole customers, in their total order.
Gives  per complaint: the instant of the ``resolved`` event that closed it.
Never  another customer's events; a ``resolved`` that came before the complaint.

A ``resolved`` closes all earlier complaints of its customer that it does not contradict: where
both name an item, or both an order, it must be the same one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .care import COMPLAINT_CODE, RESOLVED_CODE
from .events import Events
from .segments import run_starts

Array = NDArray[Any]
NEVER = np.iinfo(np.int64).max
_ANY = -2  # stands for every item or order; -1 means that none was named


def match_resolved(events: Events) -> tuple[Array, Array]:
    """Positions of the complaints, and when each was resolved (microseconds UTC; NEVER).

    O(k log k) in complaints and resolutions, after one pass over the events.
    """
    complaints = np.flatnonzero(events.event == COMPLAINT_CODE)
    resolutions = np.flatnonzero(events.event == RESOLVED_CODE)
    at = np.full(len(complaints), NEVER)
    if not len(complaints) or not len(resolutions):
        return complaints, at
    row = _first_later(events, complaints, resolutions)
    found = row < events.n
    at[found] = events.timestamp[row[found]]
    return complaints, at


def _first_later(events: Events, complaints: Array, resolutions: Array) -> Array:
    """Row of the first fitting resolution of each complaint; ``events.n`` where none is."""
    answers = [_names(events, resolutions, i, o) for i in (False, True) for o in (False, True)]
    questions = _questions(events, complaints)
    _, group = np.unique(np.concatenate(answers + questions), axis=0, return_inverse=True)
    n_answers = len(answers) * len(resolutions)
    table = np.sort((group[:n_answers] << 32) | np.tile(resolutions, len(answers)))
    # Rows of one instant are sorted by item, which says nothing about what came first.
    starts = run_starts(events.customer, events.timestamp)
    instant = starts[np.searchsorted(starts, complaints, side="right") - 1]
    wanted = (group[n_answers:] << 32) | np.tile(instant, len(questions))
    hit = np.append(table, -1)[np.searchsorted(table, wanted)]
    row = np.where(hit >> 32 == wanted >> 32, hit & 0xFFFFFFFF, events.n)
    return row.reshape(len(questions), -1).min(axis=0)


def _names(events: Events, rows: Array, any_item: bool, any_order: bool) -> Array:
    """(customer, item, order) of the rows, item or order widened to ANY."""
    item = np.full(len(rows), _ANY) if any_item else events.item[rows]
    order = np.full(len(rows), _ANY) if any_order else events.order[rows]
    return np.stack((events.customer[rows], item, order), axis=1).astype(np.int64)


def _questions(events: Events, rows: Array) -> list[Array]:
    """What may resolve a complaint: its own item or none named; any, if it names none."""
    customer, item, order = _names(events, rows, False, False).T
    items = [np.where(item < 0, _ANY, item), np.where(item < 0, _ANY, -1)]
    orders = [np.where(order < 0, _ANY, order), np.where(order < 0, _ANY, -1)]
    return [np.stack((customer, i, o), axis=1) for i in items for o in orders]
