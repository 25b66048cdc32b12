"""Recent events among those the bundle holds.

Reads  stored events of the requests' customers, recent rows.
Gives  both as one, in order; which are new, and of what they are.
Never  a row that was not known before its request's instant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.events import PURCHASE_CODE, Events, offsets_of
from ..kernels.returns import CANCEL_CODE, RETURN_CODE
from .lazy_events import LazyEvents
from .once import once
from .recent import Recent

Array = NDArray[Any]
_OF_WHAT_IS_OWNED = frozenset((PURCHASE_CODE, RETURN_CODE, CANCEL_CODE))


class Merged:
    """Stored and recent events of m requests."""

    def __init__(self, stored: Events, request: Array, added: Array) -> None:
        """``added`` are records, by request in time order."""
        n, m = stored.n, stored.n_customers
        self.added, self.request = added, request
        time = np.concatenate((stored.timestamp, added["timestamp"]))
        order = None
        if m > 1:
            customer = np.concatenate((stored.customer, request.astype(np.int32)))
            # Stable: the bundle's events come before recent ones of the same instant.
            order = np.lexsort((time, customer))
            customer, offsets = customer[order], offsets_of(customer, m)
        else:
            customer = np.zeros(len(time), dtype=np.int32)
            offsets = np.array([0, len(time)], dtype=np.int64)
            if n and time.item(n) < time.item(n - 1):
                order = time.argsort(kind="stable")
        self.events = _joined(stored, added, order, customer, offsets)
        self._order, self._n = order, n

    @once
    def new(self) -> Array:
        """bool (n_events,): it came with the request."""
        new = np.zeros(self.events.n, dtype=bool)
        new[self._n :] = True
        return new if self._order is None else new[self._order]

    @once
    def at_the_end(self) -> bool:
        """Whether every new row stands behind all stored ones of its customer."""
        if self._order is None:
            return True
        if self.events.n_customers == 1:
            return False
        follows = self.new[:-1] & ~self.new[1:]  # a stored row after a new one
        return not bool((follows & (self.events.customer[1:] == self.events.customer[:-1])).any())

    @once
    def changed(self) -> Array:
        """bool (m,): recent events were added."""
        changed = np.zeros(self.events.n_customers, dtype=bool)
        changed[self.request] = True
        return changed

    @once
    def _kinds(self) -> list[int]:
        return list(self.added["event"].tolist())

    def has(self, code: int) -> bool:
        """Whether a new row is of this kind."""
        return code in self._kinds

    def touches(self, items: Array) -> bool:
        """Whether a new row may change what is owned of one of these items."""
        mine = {
            item
            for item, kind in zip(self.added["item"].tolist(), self._kinds, strict=True)
            if kind in _OF_WHAT_IS_OWNED
        }
        return not mine.isdisjoint(items.ravel().tolist())

    def bought(self, request: Array, item: Array) -> Array:
        """Positions of the pairs (c,) that a new purchase is of."""
        rows = self.added["event"] == PURCHASE_CODE
        mine, theirs = self.added["item"][rows].tolist(), item.tolist()
        if self.events.n_customers == 1:
            mine = set(mine)
            found = [i for i, one in enumerate(theirs) if one in mine]
        else:
            pairs = set(zip(self.request[rows].tolist(), mine, strict=True))
            asked = zip(request.tolist(), theirs, strict=True)
            found = [i for i, pair in enumerate(asked) if pair in pairs]
        return np.array(found, dtype=np.int64)


def merge(stored: Events, ids: list[Any], as_of: Array, recent: Recent) -> Merged | None:
    """The events with the recent ones of each request; None if there are none."""
    known_at = recent.known_at
    instants = as_of.tolist()
    if len(ids) == 1:
        rows = [row for row in recent.rows_of(ids[0]) if known_at[row] < instants[0]]
        if not rows:
            return None
        all_ = len(rows) == len(known_at)
        return Merged(stored, np.zeros(len(rows), int), recent.table[slice(None) if all_ else rows])
    pairs = [
        (request, row)
        for request, (id_, instant) in enumerate(zip(ids, instants, strict=True))
        for row in recent.rows_of(id_)
        if known_at[row] < instant
    ]
    if not pairs:
        return None
    request, row = np.array(pairs, dtype=np.int64).T
    return Merged(stored, request, recent.table[row])


def _joined(
    stored: Events, added: Array, order: Array | None, customer: Array, offsets: Array
) -> LazyEvents:
    def column(name: str) -> Array:
        both = np.concatenate((getattr(stored, name), added[name]))
        return both if order is None else both[order]

    return LazyEvents(offsets, customer, column)
