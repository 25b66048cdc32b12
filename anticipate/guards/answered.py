"""Warnings that customers answered: what they teach about items, and about repeats.

Reads  a History with ``warning_accepted`` and ``warning_dismissed`` events.
Gives  the answers, whether each was about an owned item, and counts by item.
Never  the answers of those who object to profiling.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.answers import ACCEPTED_CODE, DISMISSED_CODE
from ..kernels.clicks import QUICK_MINUTES
from ..kernels.events import Events
from ..kernels.owned import Lines, find_owned, undone_times
from ..log import History
from ..log.objections import objectors

Array = NDArray[Any]
Floats = NDArray[np.float64]
SHARE, SHARE_WEIGHT = 0.5, 2.0  # accepted, where nobody has answered
ITEM_WEIGHT = 4.0  # answers of everybody that speak in each item's


class Answered(NamedTuple):
    """Answers in the log's order, (a,)."""

    lines: Lines
    accepted: Array  # bool
    own: Array  # bool: of an item owned itself; else of a substitute, or of a line not yet bought
    click: Array  # bool: a second click, bought within the hour before; it counts as neither

    def take(self, mask: Array) -> Answered:
        """Those of a mask."""
        lines = Lines(*(column[mask] for column in self.lines))
        return Answered(lines, self.accepted[mask], self.own[mask], self.click[mask])

    def counts(self, n_items: int, *, own: bool) -> tuple[Floats, Floats]:
        """Accepted and all, by item (n_items,), of one kind."""
        item, mine = self.lines.item, (self.own == own) & ~self.click
        n = np.bincount(item[mine], minlength=n_items).astype(np.float64)
        yes = np.bincount(item[mine & self.accepted], minlength=n_items).astype(np.float64)
        return yes, n


def answers_of(history: History) -> Answered:
    """All answers about an item."""
    events: Events = history.events
    accepted = events.event == ACCEPTED_CODE
    asked = (accepted | (events.event == DISMISSED_CODE)) & (events.item >= 0)
    rows = np.flatnonzero(asked & ~objectors(history)[events.customer])
    lines = Lines(
        customer=events.customer[rows].astype(np.int64),
        item=events.item[rows].astype(np.int64),
        timestamp=events.timestamp[rows],
        quantity=np.ones(len(rows)),
        gift=np.zeros(len(rows), dtype=bool),
    )
    own = None
    if len(rows):
        undone_at = undone_times(events, history.returns)
        asked_items = lines.item[None, :]
        own = find_owned(events, undone_at, lines, asked=asked_items, n_items=history.n_items)
    has, click = np.zeros((2, len(rows)), dtype=bool)
    if own is not None:
        has, click = own.has, own.minutes <= QUICK_MINUTES
    return Answered(lines, accepted[rows], has, click)


def accepted_share(answered: Answered) -> float:
    """Of all answers, shrunk to one half; within (0, 1)."""
    n, yes = len(answered.accepted), float(answered.accepted.sum())
    return (yes + SHARE_WEIGHT * SHARE) / (n + SHARE_WEIGHT)


def item_factors(answered: Answered, n_items: int) -> Floats:
    """How much readier warnings of each item are accepted than most, as odds, (n_items + 1,)."""
    share = accepted_share(answered)
    yes = np.bincount(answered.lines.item[answered.accepted], minlength=n_items + 1)
    no = np.bincount(answered.lines.item[~answered.accepted], minlength=n_items + 1)
    own = (yes + ITEM_WEIGHT * share) / (no + ITEM_WEIGHT * (1.0 - share))
    return np.asarray(own * (1.0 - share) / share)
