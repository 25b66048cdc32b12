"""What not to offer: disliked, dismissed, owned, or covered by something owned.

Reads  the events, what is owned, the guard's table of what stands for what.
Gives  one entry an item: what customers said first, the latest first, then what they own.
Never  something used up and bought again, unless they said no to it; a dislike after which it
       was wished for, or bought and kept.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels.answers import ACCEPTED_CODE, DISMISSED_CODE, DISMISSED_DAYS
from ...kernels.offers import (
    CANCEL_CODE,
    DISLIKED,
    LOW_RATING,
    NOT_INTERESTED_CODE,
    RATING_CODE,
    RETURN_CODE,
    latest_signal,
)
from ...suggestions.brief_words import Sentence
from .known import DAY, Known

Array = NDArray[Any]
DISLIKED_DAYS = 180
SAID_SHOWN, OWNED_SHOWN = 20, 12
_DISLIKES = (RETURN_CODE, CANCEL_CODE, RATING_CODE, NOT_INTERESTED_CODE)


class Unwanted:
    """What one customer should not be offered."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def as_list(self) -> list[dict[str, Any]]:
        """Keys as in docs/brief.md."""
        said = [self._said(row) for row in self._said_rows[:SAID_SHOWN]]
        owned = self._known.owned.item[:OWNED_SHOWN].tolist()
        have = [self._is_owned(item) for item in owned if item not in self._said_items]
        covered = [
            self._is_covered(item, by)
            for item, by in self._covered_by(owned)
            if item not in self._said_items and item not in self._owned_items
        ]
        return said + have + covered

    def forbids(self, item: int) -> bool:
        """Whether an item should not be offered, by all that is known, shown or not."""
        if item in self._owned_items or item in self._said_items:
            return True
        return any(one in self._owned_items for one in self._known.substitutes(item))

    @cached_property
    def _owned_items(self) -> dict[int, int]:
        """Item -> the row of its latest purchase."""
        owned = self._known.owned
        return dict(zip(owned.item.tolist(), owned.row.tolist(), strict=True))

    @cached_property
    def _said_rows(self) -> list[int]:
        """Of each item that they said no to, the row that says so; the latest first."""
        rows, kept = {**self._dismissed(), **self._disliked()}, self._known.kept
        bought = dict(zip(kept.item.tolist(), kept.row.tolist(), strict=True))
        stands = [row for item, row in rows.items() if bought.get(item, -1) < row]
        return sorted(stands, reverse=True)

    @cached_property
    def _said_items(self) -> set[int]:
        return set(self._known.events.item[self._said_rows].tolist())

    def _disliked(self) -> dict[int, int]:
        events, since = self._known.events, self._known.as_of - DISLIKED_DAYS * DAY
        rows = np.flatnonzero(np.isin(events.event, _DISLIKES) & (events.timestamp >= since))
        rows = rows[(events.event[rows] != RATING_CODE) | (events.value[rows] <= LOW_RATING)]
        items = np.unique(events.item[rows]).astype(np.int64)
        items = items[items >= 0]
        # A wish takes a dislike back: the rule of what is offered decides.
        signal = latest_signal(events, np.zeros(len(items), np.int64), items, since)
        disliked = set(items[signal == DISLIKED].tolist())
        return {i: r for r, i in zip(rows.tolist(), events.item[rows].tolist(), strict=True)
                if i in disliked}  # fmt: skip

    def _dismissed(self) -> dict[int, int]:
        """Items whose latest answer to a warning was a no, not long ago."""
        events = self._known.events
        rows = np.flatnonzero(np.isin(events.event, (ACCEPTED_CODE, DISMISSED_CODE)))
        latest = dict(zip(events.item[rows].tolist(), rows.tolist(), strict=True))
        since = self._known.as_of - DISMISSED_DAYS * DAY
        return {
            item: row
            for item, row in latest.items()
            if events.event[row] == DISMISSED_CODE and events.timestamp[row] >= since
        }

    def _covered_by(self, owned: list[int]) -> list[tuple[int, int]]:
        """(item, owned item that stands for it), by the latest owned, then item."""
        rules = self._known.rules
        if rules is None or not owned or not rules.substitutes.size:
            return []
        place = np.full(len(rules.consumable) + 1, len(owned))  # -1, none, is the last
        inside = [(item, i) for i, item in enumerate(owned) if item < len(rules.consumable) - 1]
        for item, i in inside:
            place[item] = i
        best = place[rules.substitutes[:-1]].min(axis=1)
        items = np.flatnonzero(best < len(owned))
        order = np.lexsort((items, best[items]))
        return [(int(items[i]), owned[int(best[items[i]])]) for i in order]

    def _said(self, row: int) -> dict[str, Any]:
        known, event = self._known, int(self._known.events.event[row])
        item, since = int(known.events.item[row]), known.day_of(row)
        facts: dict[str, Any] = {"item": known.name(item), "since": since}
        if event in (RETURN_CODE, CANCEL_CODE):
            code = "was_sent_back" if event == RETURN_CODE else "was_cancelled"
            facts["topic"] = known.topic(row)
        elif event == RATING_CODE:
            code, facts["value"] = "was_rated_low", float(known.events.value[row])
        else:
            code = "was_dismissed" if event == DISMISSED_CODE else "was_refused"
        return self._entry(item, since, known.say(code, **facts))

    def _is_owned(self, item: int) -> dict[str, Any]:
        since = self._known.day_of(self._owned_items[item])
        said = self._known.say("is_owned", item=self._known.name(item), since=since)
        return self._entry(item, since, said)

    def _is_covered(self, item: int, by: int) -> dict[str, Any]:
        known, since = self._known, self._known.day_of(self._owned_items[by])
        names = {"item": known.name_and_id(item), "owned": known.name_and_id(by)}
        return self._entry(item, since, known.say("is_covered", **names, since=since))

    def _entry(self, item: int, since: str, said: Sentence) -> dict[str, Any]:
        known = self._known
        return {
            "item_id": known.item_id(item), "name": known.name(item), "since": since, **said
        }  # fmt: skip
