"""What happened lately, one line an event, the latest first.

Reads  the events.
Gives  at most 20 entries; lines of one order, sent or taken back, are one entry.
Never  views, searches and carts: they are not what a customer tells us.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import columns as c
from ...kernels.open_rows import answer_row
from ...suggestions.brief_words import Sentence
from .known import Known

Array = NDArray[Any]
SHOWN, LISTED, NAMED = 20, 10, 3
ENOUGH_ROWS = 512  # looked at first
_TOLD = (
    c.PURCHASE, c.RETURN, c.CANCEL, c.CONTACT, c.COMPLAINT, c.RESOLVED, c.RATING, c.WISH,
    c.NOT_INTERESTED, c.WARNING_ACCEPTED, c.WARNING_DISMISSED, c.CONTACTED, c.SUBSCRIBE, c.RENEW,
    c.LAPSE,
)  # fmt: skip
_OF_AN_ORDER = (c.PURCHASE, c.RETURN, c.CANCEL)
_ASKS = (c.CONTACT, c.COMPLAINT, c.RETURN)  # what waits for an answer
_IS_TOLD = np.isin(np.arange(128), [c.EVENT_CODES[name] for name in _TOLD])
_IS_OF_AN_ORDER = np.isin(np.arange(128), [c.EVENT_CODES[name] for name in _OF_AN_ORDER])


def timeline_of(known: Known) -> list[dict[str, Any]]:
    """Keys as in docs/brief.md."""
    return [_entry(known, rows) for rows in _latest_groups(known)]


def _latest_groups(known: Known) -> list[Array]:
    """Rows of each entry, the latest entry first. A group lies within a day, so that whole days
    from the end on are enough once they hold as many groups as are shown.
    """
    rows = np.flatnonzero(_IS_TOLD[known.events.event])
    day, size = known.events.day[rows], ENOUGH_ROWS
    while len(rows):
        tail = rows[day >= day[-size]] if size < len(rows) else rows
        groups = _groups(known, tail)
        if len(groups) >= SHOWN or len(tail) == len(rows):
            return sorted(groups, key=lambda group: -int(group[-1]))[:SHOWN]
        size *= 8
    return []


def _groups(known: Known, rows: Array) -> list[Array]:
    """Rows told together: of a kind, an order and a day; others stand alone."""
    events = known.events
    alone = np.where(_IS_OF_AN_ORDER[events.event[rows]], -1, rows)
    columns = (events.event[rows], events.order[rows], events.day[rows], alone)
    order = np.lexsort((rows, *columns))
    new = np.zeros(len(rows), dtype=bool)
    for column in columns:
        new[1:] |= column[order][1:] != column[order][:-1]
    return np.split(rows[order], np.flatnonzero(new))


def _entry(known: Known, rows: Array) -> dict[str, Any]:
    last, events = int(rows[-1]), known.events
    name = known.store.event_names[int(events.event[last])]
    answer = answer_row(events, last) if name in _ASKS else -1
    return {
        "date": known.day_of(last),
        "at": known.at(int(events.timestamp[last])),
        "event": name,
        "items": _items(known, rows[-LISTED:]),
        "n_lines": len(rows),
        "topic": known.topic(last),
        "order_id": known.order(last),
        "channel": known.channel(last),
        "answered_on": None if answer < 0 else known.day_of(answer),
        **_sentence(known, name, rows),
    }


def _items(known: Known, rows: Array) -> list[dict[str, Any]]:
    events = known.events
    return [
        {
            "item_id": known.item_id(int(events.item[row])),
            "name": known.name(int(events.item[row])),
            "quantity": float(events.quantity[row]),
            "gift": bool(events.gift[row]),
        }
        for row in rows.tolist()
        if events.item[row] >= 0
    ]


def _sentence(known: Known, name: str, rows: Array) -> Sentence:
    events, last = known.events, int(rows[-1])
    gift = events.gift[rows]
    if name == c.PURCHASE:
        own, gifts = (_names(known, rows[mask]) for mask in (~gift, gift))
        if own and gifts:
            return known.say("did_purchase_both", items=own, gifts=gifts)
        code, fact = ("did_purchase_gift", "gifts") if gifts else ("did_purchase", "items")
        return known.say(code, **{fact: gifts or own})
    if name in _OF_AN_ORDER:
        return known.say(f"did_{name}", items=_names(known, rows), topic=known.topic(last))
    if name == c.RATING:
        value = float(events.value[last])
        said = None if np.isnan(value) else value
        return known.say("did_rating", item=known.name(int(events.item[last])), value=said)
    if events.item[last] >= 0 and name not in c.ITEM_OPTIONAL:
        return known.say(f"did_{name}", item=known.name(int(events.item[last])))
    return known.say(f"did_{name}", about=known.about(last))


def _names(known: Known, rows: Array) -> list[str]:
    """At most three names, then "+2" for two more."""
    items = list(dict.fromkeys(known.events.item[rows].tolist()))
    names = [str(known.name(item)) for item in items[:NAMED]]
    return names + ([f"+{len(items) - NAMED}"] if len(items) > NAMED else [])
