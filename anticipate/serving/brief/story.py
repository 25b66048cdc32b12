"""The customer in three to six sentences, read in ten seconds.

Reads  the other parts of the brief.
Gives  sentences in the order in which they matter at the counter.
Never  anything that the other parts do not say.
"""

from __future__ import annotations

from typing import Any

from ...suggestions.brief_words import Sentence, as_sentence
from .known import Known

MOST, NAMED = 6, 3
LIKELY = 0.2  # needs less probable than this are no story
_TOLD_US = ("repeat_contacts", "complaint_again", "complaint_unsettled", "second_order",
            "bought_again")  # fmt: skip
_SAID_NO = ("was_sent_back", "was_cancelled", "was_rated_low", "was_refused", "was_dismissed")


def story_of(known: Known, brief: dict[str, Any], others: list[str]) -> list[Sentence]:
    """Each with a capital letter and a full stop. ``others``: since when all that is open
    besides the first matter waits.
    """
    told = [
        _who(known, brief["relation"]),
        *_worth(known, brief["relation"]),
        *_open(known, brief, others),
        *(_only(one) for one in brief["rechecks"][:1]),
        *_ahead(known, brief),
        *[_only(one) for one in brief["likely_to_go_wrong"] if one["code"] in _TOLD_US][:1],
        *_not_offered(known, brief),
    ]
    return [{**one, "text": as_sentence(one["text"])} for one in told[:MOST]]


def _who(known: Known, relation: dict[str, Any]) -> Sentence:
    if not known.events.n:
        return known.say("story_unknown")
    if relation["customer_since"] is None:
        last = known.day_of(known.events.n - 1)
        return known.say("story_no_purchase", n_events=known.events.n, last=last)
    return known.say(
        "story_since",
        since=relation["customer_since"],
        n_days=relation["n_purchase_days"],
        last=relation["last_purchase"],
    )


def _worth(known: Known, relation: dict[str, Any]) -> list[Sentence]:
    """Of buyers; of those who object to profiling that they do."""
    if known.profiling:
        return [known.say("withheld_profiling")]
    if relation["customer_since"] is None:
        return []
    segment, value = relation["segment"], relation["expected_value"]
    if value is None:
        return [known.say("story_segment", segment=segment)]
    facts = {"segment": segment, "value": value, "horizon_days": relation["horizon_days"]}
    band = relation["value_band"]
    if band is None:
        return [known.say("story_value", **facts)]
    return [known.say("story_value_band", **facts, band=band)]


def _open(known: Known, brief: dict[str, Any], others: list[str]) -> list[Sentence]:
    if not brief["open"]:
        return [known.say("story_nothing_open")]
    first = _only(brief["open"][0])
    if not others:
        return [first]
    return [first, known.say("story_more_open", n=len(others), since=min(others))]


def _ahead(known: Known, brief: dict[str, Any]) -> list[Sentence]:
    reasons = [one for one in brief["withheld_because"] if one["code"] != "withheld_profiling"]
    if reasons or known.profiling:
        return reasons[:1]
    needs = [one for one in brief["ahead"] if one["probability"] >= LIKELY][:NAMED]
    dated = next((one for one in needs if one["due"] is not None), None)
    names = [one["name"] for one in needs]
    if not needs:
        return [known.say("story_no_needs")]
    if dated is None:
        return [known.say("story_needs", items=names)]
    return [known.say("story_needs_due", items=names, item=dated["name"], due=dated["due"])]


def _not_offered(known: Known, brief: dict[str, Any]) -> list[Sentence]:
    """What they said no to."""
    no = [one["name"] for one in brief["do_not_offer"] if one["code"] in _SAID_NO]
    return [known.say("story_do_not_offer", items=no[:NAMED])] if no else []


def _only(one: dict[str, Any]) -> Sentence:
    """The sentence of a longer entry."""
    return {name: one[name] for name in ("code", "facts", "text")}
