"""What is open, and which re-checks are due.

Reads  the events.
Gives  two lists: matters by kind, then the oldest first; re-checks, the oldest first.
Never  a matter that the rules of ``kernels.open_rows`` call closed.
"""

from __future__ import annotations

from typing import Any

from ...kernels.care import DAY, RECHECK_AFTER_DAYS
from ...kernels.open_rows import OpenRows, contacted_row, open_rows, resolved_matter
from .known import Known

Entry = dict[str, Any]
SHOWN = 20


def find_matters(known: Known) -> OpenRows:
    return open_rows(known.events, known.moment.as_of)


def open_list(known: Known, found: OpenRows) -> list[Entry]:
    """Complaints, returns, unanswered contacts, the first 20. Keys as in docs/brief.md."""
    kinds = (
        ("complaint", "complaint_open", "settle_complaint", found.complaints),
        ("return", "return_open", "settle_return", found.returns),
        ("contact", "contact_unanswered", "answer_contact", found.contacts),
    )
    return [
        {**_matter(known, kind, row), "what_to_do": known.say(advice), **_said(known, code, row)}
        for kind, code, advice, rows in kinds
        for row in rows[:SHOWN].tolist()
    ][:SHOWN]


def open_days(known: Known, found: OpenRows) -> list[str]:
    """Since when each open matter waits, shown or not, in the order of ``open_list``."""
    rows = (found.complaints, found.returns, found.contacts)
    return [known.day_of(row) for kind in rows for row in kind.tolist()]


def rechecks(known: Known, found: OpenRows) -> list[Entry]:
    """Resolutions a week old: is all well? Keys as in docs/brief.md."""
    return [_recheck(known, row) for row in found.rechecks[:SHOWN].tolist()]


def _matter(known: Known, kind: str, row: int) -> Entry:
    contacted = contacted_row(known.events, row)
    item = int(known.events.item[row])
    return {
        "kind": kind,
        "since": known.day_of(row),
        "days_open": known.days_since(row),
        "topic": known.topic(row),
        "item_id": known.item_id(item),
        "item": known.name(item),
        "order_id": known.order(row),
        "channel": known.channel(row),
        "contacted_on": None if contacted < 0 else known.day_of(contacted),
    }


def _said(known: Known, code: str, row: int) -> Entry:
    about, since = known.about(row), known.day_of(row)
    return known.say(code, since=since, about=about, days=known.days_since(row))


def _recheck(known: Known, row: int) -> Entry:
    """What was resolved is told by the matter that it closed, where there is one."""
    matter = resolved_matter(known.events, row)
    told = row if matter < 0 else matter
    due = int(known.events.timestamp[row]) + RECHECK_AFTER_DAYS * DAY
    entry = _matter(known, "recheck", told)
    contacted = contacted_row(known.events, row)
    entry |= {
        "since": known.day_of(row),
        "days_open": known.days_since(row),
        "contacted_on": None if contacted < 0 else known.day_of(contacted),
    }
    said = known.say("recheck_due", since=known.day_of(row), about=known.about(told))
    return {**entry, "due": known.day(due), "what_to_do": known.say("ask_again"), **said}
