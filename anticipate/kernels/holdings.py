"""What customers have bought of each item so far, as it is stored.

Reads  events of whole customers, when purchases were undone.
Gives  one row per customer and item bought: visits, the purchases that speak for it.
Never  times: a row's number is enough to look them up, in a quarter of the space.

On line most questions are about few items, so a search among these rows replaces a pass over
all events. Rows of events are counted from the customer's first one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import PURCHASE_CODE, Events
from .offers import OwnState, visits_of
from .order import group_order
from .owned import Kept, Lines, find_kept
from .returns import NEVER

Array = NDArray[Any]


class Holdings(NamedTuple):
    """Of p pairs of a customer and an item, by customer, then item; all but one (p,)."""

    offsets: Array  # int64 (m + 1,): pairs of customer c are offsets[c]:offsets[c + 1]
    item: Array  # int32, ascending within a customer
    n_visits: Array  # int32: days on which it was bought
    first_row: Array  # int32: first purchase
    last_row: Array  # int32: first line of the last day
    kept_row: Array  # int32: latest purchase neither given away nor sent back; -1 none
    kept_visit_row: Array  # int32: first line of that day
    kept_first_row: Array  # int32: first purchase not given away
    kept_visits: Array  # int32
    in_batches: Array  # bool, as of ``Kept``


def find_holdings(events: Events, undone_at: Array) -> Holdings:
    """Holdings of all customers after all events."""
    rows = (events.event == PURCHASE_CODE).nonzero()[0]
    span = np.int64(int(events.item.max(initial=0)) + 1)
    key = events.customer[rows] * span + events.item[rows]
    order = group_order(key)
    rows, key = rows[order], key[order]
    is_first = np.ones(len(rows), dtype=bool)
    is_first[1:] = key[1:] != key[:-1]
    first = rows[is_first]
    own = visits_of(events, np.cumsum(is_first) - 1, rows, len(first))
    customer, item = events.customer[first], events.item[first]
    kept = _kept(events, undone_at, customer, item)
    offsets = customer.searchsorted(np.arange(events.n_customers + 1))
    start = events.offsets[customer]

    def relative(row: Array) -> Array:
        return np.where(row >= 0, row - start, -1).astype(np.int32)

    return Holdings(
        offsets=offsets.astype(np.int64),
        item=item,
        n_visits=own.n_visits.astype(np.int32),
        first_row=relative(first),
        last_row=relative(own.last_row),
        kept_row=relative(kept.row),
        kept_visit_row=relative(kept.visit_row),
        kept_first_row=relative(kept.first_row),
        kept_visits=kept.n_visits.astype(np.int32),
        in_batches=kept.in_batches,
    )


def _kept(events: Events, undone_at: Array, customer: Array, item: Array) -> Kept:
    n = len(item)
    after_all = np.full(n, NEVER - 1)
    lines = Lines(customer.astype(np.int64), item, after_all, np.ones(n), np.zeros(n, dtype=bool))
    kept = find_kept(events, undone_at, lines, asked=item[None, :], n_items=0) if n else None
    if kept is not None:
        return kept
    none = np.full(n, -1)
    return Kept(none, none, none, np.ones(n, np.int64), np.zeros(n, dtype=bool))


def own_from(held: Holdings, place: Array, start: Array | int, timestamp: Array) -> OwnState:
    """``offers.own_state`` of c candidates that were bought, from stored pairs.

    Parameters
    ----------
    place : array of shape (c,)
        Each candidate's pair.
    start : int or array of shape (c,)
        Where the events of its customer begin.
    timestamp : array
        Of the events.
    """
    last_row = held.last_row[place] + start
    first = timestamp[held.first_row[place] + start]
    return OwnState(held.n_visits[place].astype(np.int64), first, timestamp[last_row], last_row)


def kept_from(held: Holdings, place: Array, hit: Array, start: Array | int) -> Kept:
    """``owned.find_kept`` of n items asked for after all events, from stored pairs."""
    has = hit & (held.kept_row[place] >= 0)

    def row(column: Array) -> Array:
        return np.where(has, column[place] + start, -1)

    return Kept(
        row=row(held.kept_row),
        visit_row=row(held.kept_visit_row),
        first_row=row(held.kept_first_row),
        n_visits=np.where(has, held.kept_visits[place], 1),
        in_batches=has & held.in_batches[place],
    )
