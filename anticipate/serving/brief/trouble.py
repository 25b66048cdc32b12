"""What is likely to go wrong, from facts that are held: contacts, returns, repeats, silence.

Reads  the events, the needs shown, the bundle's tables of returns.
Gives  one list, what the customer told us first.
Never  a guess without a fact; returns, ratings or silence of somebody who objects to profiling.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels.care import COMPLAINT_CODE, COMPLAINT_DAYS
from ...kernels.churn import AT_RISK, COOLING, DEPARTED, SEGMENTS
from ...kernels.complaints import NEVER
from ...kernels.events import PURCHASE_CODE
from ...kernels.offers import LOW_RATING, RATING_CODE
from ...kernels.open_rows import CONTACT_CODE
from ...suggestions.brief_words import Sentence
from .known import DAY, Known
from .repeats import bought_again, second_orders

Array = NDArray[Any]
RECENT_DAYS, YEAR_DAYS = 30, 365
FEWEST_BACK, LEAST_SHARE, LEAST_LIFT = 2, 0.1, 2.0  # how often is often
SHOWN = 10


def likely_to_go_wrong(known: Known, relation: dict[str, Any], ahead: list[int]) -> list[Sentence]:
    """At most 10 sentences. ``ahead`` holds the items of the needs shown."""
    found = [
        *_repeat_contacts(known),
        *_complaints_again(known),
        *_unsettled(known),
        *second_orders(known),
        *bought_again(known),
    ]
    if not known.profiling:
        found += [
            *_often_sent_back(known, ahead),
            *_own_lines_back(known),
            *_low_rating_like(known, ahead),
            *_may_leave(known, relation),
        ]
    return found[:SHOWN]


def _repeat_contacts(known: Known) -> list[Sentence]:
    """Two contacts or complaints on one topic within a month."""
    events = known.events
    asks = (events.event == CONTACT_CODE) | (events.event == COMPLAINT_CODE)
    asks &= (events.reason >= 0) & (events.timestamp >= known.as_of - RECENT_DAYS * DAY)
    rows = np.flatnonzero(asks)
    found = []
    for topic in dict.fromkeys(events.reason[rows].tolist()):
        mine = rows[events.reason[rows] == topic].tolist()
        if len(mine) > 1:
            channels = dict.fromkeys(known.channel(row) for row in mine)
            found.append(
                known.say(
                    "repeat_contacts",
                    n=len(mine),
                    topic=known.topic(mine[0]),
                    since=known.day_of(mine[0]),
                    channels=[str(one) for one in channels if one is not None],
                )
            )
    return found


def _complaints_again(known: Known) -> list[Sentence]:
    """The latest complaint of the last month, if it came within a month of a resolution."""
    rows, resolved_at = known.complaints
    if len(rows) < 2 or known.events.timestamp[rows[-1]] < known.as_of - RECENT_DAYS * DAY:
        return []
    at = int(known.events.timestamp[rows[-1]])
    before = resolved_at[:-1][resolved_at[:-1] < at]
    if not len(before) or at - int(before.max()) > RECENT_DAYS * DAY:
        return []
    last = int(rows[-1])
    return [
        known.say(
            "complaint_again",
            since=known.day_of(last),
            about=known.about(last),
            resolved_on=known.day(int(before.max())),
        )
    ]


def _unsettled(known: Known) -> list[Sentence]:
    """The latest complaint of the last year that is too old to be open and was never resolved."""
    rows, resolved_at = known.complaints
    age = known.as_of - known.events.timestamp[rows]
    old = (age > COMPLAINT_DAYS * DAY) & (age <= YEAR_DAYS * DAY) & (resolved_at == NEVER)
    return [
        known.say("complaint_unsettled", since=known.day_of(row), about=known.about(row))
        for row in rows[old][-1:].tolist()
    ]


def _often_sent_back(known: Known, ahead: list[int]) -> list[Sentence]:
    """Needs shown whose lines came back twice as often as usual."""
    guard = known.store.return_guard
    if guard is None:
        return []
    share, usual = guard.items.share, float(guard.items.share[-1])
    found = []
    for item in ahead:
        mine = float(share[min(item, len(share) - 1)])
        if mine >= max(LEAST_SHARE, LEAST_LIFT * usual):
            facts = {"return_percent": round(100 * mine), "usual_percent": round(100 * usual)}
            found.append(known.say("often_sent_back", item=known.name_and_id(item), **facts))
    return found


def _own_lines_back(known: Known) -> list[Sentence]:
    """Twice as many of their own lines came back as is usual."""
    bought = known.rows_of(PURCHASE_CODE)
    n_back = int((known.moment.returns.returned[bought] > 0).sum())
    guard = known.store.return_guard
    if guard is None or n_back < FEWEST_BACK:
        return []
    usual = float(guard.items.share[-1])
    if n_back < max(LEAST_SHARE, LEAST_LIFT * usual) * len(bought):
        return []
    percent = round(100 * usual)
    return [known.say("own_lines_back", n_back=n_back, n_lines=len(bought), usual_percent=percent)]


def _low_rating_like(known: Known, ahead: list[int]) -> list[Sentence]:
    """Needs shown of the same thing or category as the latest thing rated low there."""
    events, guard = known.events, known.store.return_guard
    rows = known.rows_of(RATING_CODE)
    rows = rows[events.timestamp[rows] >= known.as_of - YEAR_DAYS * DAY]
    rows = rows[events.value[rows] <= LOW_RATING]
    if guard is None or not len(rows):
        return []
    thing, category = guard.kinds.things, guard.kinds.categories
    rated = events.item[rows].astype(np.int64)
    found = []
    for item in ahead:
        code = np.array([item])
        alike = thing(rated) == thing(code)
        alike |= (category(rated) == category(code)) & (category(code) >= 0)
        for row in rows[alike & (rated != item)][-1:].tolist():
            facts = {
                "rated": known.name_and_id(int(events.item[row])),
                "value": float(events.value[row]),
                "since": known.day_of(row),
            }
            found.append(known.say("low_rating_like", item=known.name_and_id(item), **facts))
    return found


def _may_leave(known: Known, relation: dict[str, Any]) -> list[Sentence]:
    segment = relation["segment"]
    if segment not in (SEGMENTS[COOLING], SEGMENTS[AT_RISK], SEGMENTS[DEPARTED]):
        return []
    percent, days = round(100 * relation["p_churn"]), relation["horizon_days"]
    return [known.say("may_leave", segment=segment, percent=percent, horizon_days=days)]
