"""Care before the next sale: what staff should follow up.

Reads  the moment's events.
Gives  ``follow_up`` suggestions, and whose selling suggestions are withheld meanwhile.
Never  a follow-up to the customer: it tells staff what to do.
"""

from __future__ import annotations

import numpy as np

from ..kernels.care import DAY, RECHECK_AFTER_DAYS, OpenMatters, open_matters
from ..suggestions import CUSTOMER_KINDS, SELLING_KINDS, Reason, Suggestion
from ..suggestions.reason import Fact
from .instants import to_datetime
from .moment import Moment
from .names import event_evidence, item_name
from .store import Store


def find_open(moment: Moment) -> OpenMatters:
    return open_matters(moment.events, moment.as_of)


def is_open(matters: OpenMatters) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Per request: a complaint or return waits for an answer."""
    return (matters.complaint >= 0) | (matters.returned >= 0)


def may_show(one: Suggestion, audience: str, withheld: bool) -> bool:
    """Whether this audience may see it, and nothing that sells is ``withheld``."""
    if withheld and one.kind in SELLING_KINDS:
        return False
    return audience == "staff" or one.kind in CUSTOMER_KINDS


def has_follow_up(matters: OpenMatters) -> list[bool]:
    """Per request: staff have something to do."""
    waits = is_open(matters) | (matters.recheck >= 0)
    return list(waits.tolist())


def follow_ups(
    store: Store, moment: Moment, matters: OpenMatters, request: int
) -> list[Suggestion]:
    """What is open for one customer, complaint before return before re-check."""
    found = []
    for code, rows in (
        ("open_complaint", matters.complaint),
        ("open_return", matters.returned),
        ("recheck", matters.recheck),
    ):
        row = int(rows[request])
        if row >= 0:
            found.append(_follow_up(store, moment, request, row, code))
    return found[:1] if found and found[0].reason.code != "recheck" else found


def _follow_up(store: Store, moment: Moment, request: int, row: int, code: str) -> Suggestion:
    events = moment.events
    when = int(events.timestamp[row])
    since = to_datetime(when, store.timezone)  # the day that the customer remembers
    topic = moment.words["reasons"].id(int(events.reason[row])) or "no topic given"
    item = int(events.item[row])
    facts: dict[str, dict[str, Fact]] = {
        "open_complaint": {"since": since, "topic": topic},
        "open_return": {"since": since, "item": item_name(store, moment, item)},
        "recheck": {"resolved_on": since},
    }
    due = when + RECHECK_AFTER_DAYS * DAY if code == "recheck" else int(moment.as_of[request])
    return Suggestion(
        kind="follow_up",
        audience="staff",
        customer_id=moment.ids[request],
        item_id=None,
        probability=1.0,
        due=to_datetime(due),
        reason=Reason(code, facts[code]),
        evidence=(event_evidence(moment, row),),
        options=("call or write to the customer", "hand over to a colleague", "mark as resolved"),
    )
