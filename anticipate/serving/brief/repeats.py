"""Things bought twice that were perhaps meant once.

Reads  the purchases of the last two weeks that were kept, and what was owned before them.
Gives  sentences for staff, to ask; what the guards say of a cart rests on proof, this on facts.
Never  a gift; what the customer said is wanted; as bought again, something used up.
"""

from __future__ import annotations

import numpy as np

from ...kernels.answers import DISMISSED_CODE
from ...kernels.clicks import QUICK_MINUTES
from ...suggestions.brief_words import Sentence
from .known import DAY, Known

MINUTE = 60_000_000
RECENT_DAYS = 14
SHOWN = 3


def second_orders(known: Known) -> list[Sentence]:
    """The same pieces of a thing in another order within the hour, the latest first."""
    events, found = known.events, []
    for row in _recent_rows(known):
        earlier = known.kept_rows[known.kept_rows < row]
        wait = events.timestamp[row] - events.timestamp[earlier]
        same = (events.item[earlier] == events.item[row]) & (wait <= QUICK_MINUTES * MINUTE)
        same &= events.quantity[earlier] == events.quantity[row]
        same &= events.order[earlier] != events.order[row]
        if same.any() and not _is_wanted(known, row):
            first = int(earlier[same][-1])
            minutes = int(events.timestamp[row] - events.timestamp[first]) / MINUTE
            orders = [str(o) for o in (known.order(first), known.order(row)) if o is not None]
            found.append(
                known.say(
                    "second_order",
                    item=known.name(int(events.item[row])),
                    minutes=max(1, int(np.ceil(minutes))),
                    since=known.day_of(row),
                    orders=orders,
                )
            )
    return found[:SHOWN]


def bought_again(known: Known) -> list[Sentence]:
    """A thing that lasts, bought though it or what stands for it was there, the latest first."""
    events, owned = known.events, set(known.owned.item.tolist())
    found = []
    for row in _recent_rows(known):
        item = int(events.item[row])
        if item not in owned or _is_wanted(known, row):
            continue
        earlier = known.kept_rows[known.kept_rows < row]
        wait = events.timestamp[row] - events.timestamp[earlier]
        family = np.array([item, *known.substitutes(item)])
        there = np.isin(events.item[earlier], family) & (wait > QUICK_MINUTES * MINUTE)
        there &= np.isin(events.item[earlier], known.owned.item)
        for first in earlier[there][-1:].tolist():
            found.append(
                known.say(
                    "bought_again",
                    item=known.name_and_id(item),
                    on=known.day_of(row),
                    owned=known.name_and_id(int(events.item[first])),
                    since=known.day_of(first),
                )
            )
    return found[:SHOWN]


def _recent_rows(known: Known) -> list[int]:
    """The latest 50 kept purchases of two weeks, the latest first."""
    rows = known.kept_rows
    late = known.events.timestamp[rows] >= known.as_of - RECENT_DAYS * DAY
    return rows[late][-50:][::-1].tolist()


def _is_wanted(known: Known, row: int) -> bool:
    """A warning of this item was dismissed: it is meant."""
    events = known.events
    same = (events.item == events.item[row]) & (events.event == DISMISSED_CODE)
    return bool(same.any())
