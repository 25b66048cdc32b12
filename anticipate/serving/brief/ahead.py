"""What lies ahead: needs with their dates, and why none are offered where none are.

Reads  the needs suggested, what is open, what not to offer.
Gives  at most 5 needs, and the reasons that withhold all of them.
Never  something that the brief itself says not to offer; a need of an objector.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ...kernels.open_rows import OpenRows
from ...suggestions import SELLING_KINDS, Suggestion
from ...suggestions.brief_words import Sentence
from ..instants import to_microseconds
from .known import Known
from .unwanted import Unwanted

SHOWN, LEAST = 5, 0.01  # what is less probable is no need ahead


def withheld_because(known: Known, found: OpenRows) -> list[Sentence]:
    """Reasons for which nothing is offered; empty where something may be."""
    reasons = (
        ("withheld_complaint", len(found.complaints) > 0),
        ("withheld_return", len(found.returns) > 0),
        ("withheld_marketing", known.marketing),
        ("withheld_profiling", known.profiling),
    )
    return [known.say(code) for code, holds in reasons if holds]


def needs_ahead(
    known: Known, suggestions: Iterable[Suggestion], unwanted: Unwanted
) -> list[tuple[int, dict[str, Any]]]:
    """(item code, entry), the likeliest first. Keys as in docs/brief.md."""
    found: list[tuple[int, dict[str, Any]]] = []
    for one in suggestions:
        if one.kind not in SELLING_KINDS or one.probability < LEAST or len(found) == SHOWN:
            continue
        item = known.moment.words["items"].code(one.item_id)
        if not unwanted.forbids(item):
            found.append((item, _need(known, one, item)))
    return found


def _need(known: Known, one: Suggestion, item: int) -> dict[str, Any]:
    facts = {name: _plain(fact) for name, fact in one.reason.facts.items()}
    return {
        "kind": one.kind,
        "item_id": one.item_id,
        "name": known.name(item),
        "probability": round(one.probability, 4),
        "due": None if one.due is None else _day(known, one.due),
        "evidence": [dict(event) for event in one.evidence],
        **known.say(one.reason.code, **facts),
    }


def _day(known: Known, instant: datetime) -> str:
    return known.day(to_microseconds(instant, known.store.timezone))


def _plain(fact: Any) -> Any:
    """A day as text, as the sentence writes it."""
    return fact.strftime("%Y-%m-%d") if isinstance(fact, datetime) else fact
