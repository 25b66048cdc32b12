"""The moment that is asked about: whose events, up to when.

Reads  the store, the customers asked for, one instant each, and what is recent.
Gives  their events, sorted, as customers 0..m-1 of one batch.
Never  an event at or after a customer's ``as_of``; what nobody asks for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.days import local_days
from ..kernels.events import PURCHASE_CODE, Events
from ..kernels.habits import Habits, LastHabits, habits_from
from ..kernels.holdings import kept_from
from ..kernels.offers import SIGNAL_CODES
from ..kernels.owned import Kept, Lines, find_kept, undone_times
from ..kernels.returns import CANCEL_CODE, NEVER, RETURN_CODE, ReturnMatch, match_returns
from .held import Held
from .once import once
from .overlay import Words
from .recent import Recent
from .recent_events import Merged, merge
from .store import MARKETING, PROFILING, Store

Array = NDArray[Any]
_NOTHING = np.empty(0, dtype=np.int64)


class Moment:
    """m requests: customers may repeat, each with an instant of its own.

    Attributes
    ----------
    ids : list
        As asked.
    codes : int array of shape (m,)
        -1: unknown to the bundle.
    as_of : int64 array of shape (m,), microseconds UTC
    events : Events
    new : bool array of shape (n_events,)
        The event came with the request.
    changed : bool array of shape (m,)
        Recent events were added.
    profiling, marketing : bool arrays of shape (m,)
        What is objected to.
    words : Words
        Vocabularies of this request.
    """

    def __init__(
        self, store: Store, ids: list[Any], as_of: Array, recent: Recent, words: Words
    ) -> None:
        self.ids, self.as_of, self.timezone, self.words = ids, as_of, store.timezone, words
        self.m = len(ids)
        self.names: dict[int, str] = {}  # of items shown so far
        self.codes = store.customer_codes(ids)
        self._store = store
        stored = store.events_of(self.codes)
        merged = merge(stored, ids, as_of, recent) if recent.positions else None
        self._merged: Merged | None = merged
        self.has_new = merged is not None
        self.events: Events = stored if merged is None else merged.events

    @once
    def new(self) -> Array:
        return np.zeros(self.events.n, dtype=bool) if self._merged is None else self._merged.new

    @once
    def changed(self) -> Array:
        return np.zeros(self.m, dtype=bool) if self._merged is None else self._merged.changed

    @once
    def _flags(self) -> Array:
        if self.m == 1:
            code = self.codes.item(0)
            return np.array([self._store.flags.item(code) if code >= 0 else 0])
        if not self._store.n_customers:
            return np.zeros(self.m, dtype=np.uint8)
        return self._store.flags[self.codes] * (self.codes >= 0)

    @once
    def is_served(self) -> Array:
        """bool (m,): known to the bundle, and not objecting to profiling."""
        return (self.codes >= 0) & ~self.profiling

    @once
    def profiling(self) -> Array:
        return (self._flags & PROFILING) > 0

    @once
    def marketing(self) -> Array:
        return (self._flags & MARKETING) > 0

    @once
    def returns(self) -> ReturnMatch:
        """Which purchase each return undid."""
        return match_returns(self.events)

    def habits(self, lines: Lines) -> Habits | None:
        """Of each line's customer, as stored; None if something was bought since."""
        if self.has_new:
            return None
        return habits_from(self._stored_habits, lines)

    @once
    def _stored_habits(self) -> LastHabits:
        return self._store.habits_of(self.codes)

    @once
    def undone_at(self) -> Array:
        """When each purchase was undone, int64 (n,): as stored, unless more came back since."""
        stored = self._store.undone_of(self.codes)
        if self._merged is None:
            return stored
        if self._merged.has(RETURN_CODE) or self._merged.has(CANCEL_CODE):
            return undone_times(self.events, self.returns)
        at = np.full(self.events.n, NEVER)
        at[~self.new] = stored
        return at

    @once
    def held(self) -> Held | None:
        """What was bought of an item by the cutoff.

        None where recent events stand between stored ones: rows are then counted otherwise.
        """
        if self._merged is not None and not self._merged.at_the_end:
            return None
        return Held(self._store, self.codes)

    @property
    def has_new_signals(self) -> bool:
        """Whether a liking or disliking came with the request."""
        return self._merged is not None and any(map(self._merged.has, SIGNAL_CODES))

    def bought_since(self, request: Array, item: Array) -> Array:
        """Which of these (c,) were bought since the bundle was made: positions."""
        if self._merged is None or not self._merged.has(PURCHASE_CODE):
            return _NOTHING
        return self._merged.bought(request, item)

    def find_kept(self, lines: Lines, asked: Array, n_items: int) -> Kept | None:
        """``owned.find_kept`` before each line; what is stored of it where nothing touched it."""
        held = self.held
        if held is None or (self._merged is not None and self._merged.touches(asked)):
            return find_kept(self.events, self.undone_at, lines, asked=asked, n_items=n_items)
        request = np.concatenate([lines.customer] * len(asked))
        place, hit = held.find(request, asked.ravel())
        if not hit.any():
            return None
        start = 0 if self.m == 1 else self.events.offsets[request]
        return kept_from(held.holdings, place, hit, start)

    @property
    def day(self) -> Array:
        """Local day in which each instant lies, int32 (m,)."""
        return local_days(self.as_of, self.timezone)

    def rows(self, i: int) -> slice:
        return slice(int(self.events.offsets[i]), int(self.events.offsets[i + 1]))
