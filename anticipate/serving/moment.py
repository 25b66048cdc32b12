"""The moment that is asked about: whose events, up to when.

Reads  the store, the customers asked for, one instant each, and what is recent.
Gives  their events, sorted, as customers 0..m-1 of one batch.
Never  an event at or after a customer's ``as_of``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.days import local_days
from ..kernels.events import Events, offsets_of
from ..kernels.habits import Habits, LastHabits, habits_from
from ..kernels.owned import Lines, undone_times
from ..kernels.returns import CANCEL_CODE, NEVER, RETURN_CODE, ReturnMatch, match_returns
from .overlay import Overlay
from .recent import Recent
from .store import MARKETING, PROFILING, STORED_COLUMNS, Store

Array = NDArray[Any]


@dataclass(frozen=True)
class Moment:
    """m requests: customers may repeat, each with an instant of its own."""

    ids: list[Any]  # as asked
    codes: Array  # int64 (m,), -1 unknown to the bundle
    as_of: Array  # int64 (m,) microseconds UTC
    timezone: str
    events: Events
    new: Array  # bool (n,): the event came with the request
    changed: Array  # bool (m,): recent events were added
    profiling: Array  # bool (m,): objects to profiling
    marketing: Array  # bool (m,): objects to marketing
    words: dict[str, Overlay]
    stored_habits: LastHabits  # of each request's customer, before the request's own events
    stored_undone: Array  # int64: ``undone_at`` of the events that did not come with the request

    @property
    def m(self) -> int:
        return len(self.ids)

    @cached_property
    def has_new(self) -> bool:
        return bool(self.changed.any())

    @cached_property
    def returns(self) -> ReturnMatch:
        """Which purchase each return undid."""
        return match_returns(self.events)

    def habits(self, lines: Lines) -> Habits | None:
        """Of each line's customer, as stored; None if something was bought since."""
        if self.has_new:
            return None
        return habits_from(self.stored_habits, lines)

    @cached_property
    def undone_at(self) -> Array:
        """When each purchase was undone, int64 (n,): as stored, unless more came back since."""
        if not self.has_new:
            return self.stored_undone
        came = self.events.event[self.new]
        if ((came == RETURN_CODE) | (came == CANCEL_CODE)).any():
            return undone_times(self.events, self.returns)
        at = np.full(self.events.n, NEVER)
        at[~self.new] = self.stored_undone
        return at

    @property
    def day(self) -> Array:
        """Local day in which each instant lies, int32 (m,)."""
        return local_days(self.as_of, self.timezone)

    def rows(self, i: int) -> slice:
        return slice(int(self.events.offsets[i]), int(self.events.offsets[i + 1]))


def make_moment(
    store: Store, ids: list[Any], as_of: Array, recent: Recent, words: dict[str, Overlay]
) -> Moment:
    """Gather everything known of these customers before their instants."""
    codes = store.customer_codes(ids)
    events = store.events_of(codes)
    new, changed = np.zeros(events.n, dtype=bool), np.zeros(len(ids), dtype=bool)
    if recent.positions:
        events, new, changed = _with_recent(events, ids, as_of, recent)
    flags = np.where(codes >= 0, store.flags[codes] if store.n_customers else 0, 0)
    return Moment(
        ids, codes, as_of, store.timezone, events, new, changed,
        (flags & PROFILING) > 0, (flags & MARKETING) > 0, words, store.habits_of(codes),
        store.undone_of(codes),
    )  # fmt: skip


def _with_recent(
    events: Events, ids: list[Any], as_of: Array, recent: Recent
) -> tuple[Events, Array, Array]:
    """The events with the recent ones of each request; which are recent; whose changed."""
    known_at = recent.table["known_at"].tolist()
    instants = as_of.tolist()
    pairs = [
        (request, row)
        for request, id_ in enumerate(ids)
        for row in recent.rows_of(id_)
        if known_at[row] < instants[request]
    ]
    changed, new = np.zeros(len(ids), dtype=bool), np.zeros(events.n, dtype=bool)
    if not pairs:
        return events, new, changed
    request, row = np.array(pairs, dtype=np.int64).T
    changed[request] = True
    new = np.concatenate((new, np.ones(len(row), dtype=bool)))
    customer = np.concatenate((events.customer, request.astype(np.int32)))
    added = recent.table[row]
    columns = {
        name: np.concatenate((getattr(events, name), added[name])) for name in STORED_COLUMNS
    }
    # Stable: the bundle's events come before recent ones of the same instant.
    time = columns["timestamp"]
    if len(ids) > 1 or (time[1:] < time[:-1]).any():
        order = np.lexsort((time, customer))
        columns = {name: column[order] for name, column in columns.items()}
        customer, new = customer[order], new[order]
    offsets = offsets_of(customer, len(ids)) if len(ids) > 1 else np.array([0, len(customer)])
    known_at = columns["timestamp"]
    merged = Events(offsets=offsets, customer=customer, known_at=known_at, **columns)
    return merged, new, changed
