"""The brief: what staff should see before the customer arrives.

Reads  one customer's moment and the needs suggested.
Gives  a JSON-ready dictionary of facts and sentences.
Never  anything for the customer's own eyes: value, segment and risk are in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._checks import check_option
from ...columns import MARKETING, PROFILING
from ...suggestions import LANGUAGES, Suggestion
from ..moment import Moment
from ..store import Store
from .ahead import needs_ahead, withheld_because
from .known import Known
from .matters import find_matters, open_days, open_list, rechecks
from .next_order import next_order
from .relation import relation_of
from .story import story_of
from .things import owns, uses
from .timeline import timeline_of
from .trouble import likely_to_go_wrong
from .unwanted import Unwanted


def make_brief(
    store: Store, moment: Moment, suggestions: Iterable[Suggestion], language: str = "en"
) -> dict[str, Any]:
    """Who they are to us, what they have, what is open, what lies ahead, what not to offer.

    Parameters
    ----------
    store : Store
    moment : Moment
        Of one request.
    suggestions : iterable of Suggestion
        Of needs, the best first; others are not looked at.
    language : {"en", "ko"}
        Of the sentences; their codes and facts are the same in both.

    Returns
    -------
    dict
        Keys as in docs/brief.md.
    """
    check_option("language", language, LANGUAGES)
    known = Known(store, moment, language)
    matters, unwanted = find_matters(known), Unwanted(known)
    relation, withheld = relation_of(known), withheld_because(known, matters)
    waiting = open_days(known, matters)
    ahead = [] if withheld else needs_ahead(known, suggestions, unwanted)
    brief = {
        "customer_id": moment.ids[0],
        "as_of": known.at(known.as_of),
        "timezone": store.timezone,
        "language": language,
        "known": bool(known.events.n),
        "objects_to": _objects_to(known),
        "story": [],
        "relation": relation,
        "open": open_list(known, matters),
        "n_open": len(waiting),
        "rechecks": rechecks(known, matters),
        "ahead": [need for _, need in ahead],
        "withheld_because": withheld,
        "next_purchase": next_order(known),
        "likely_to_go_wrong": likely_to_go_wrong(known, relation, [item for item, _ in ahead]),
        "do_not_offer": unwanted.as_list(),
        "owns": owns(known),
        "n_owned": len(known.owned.item),
        "uses": uses(known),
        "timeline": timeline_of(known),
    }
    return {**brief, "story": story_of(known, brief, waiting[1:])}


def _objects_to(known: Known) -> list[str]:
    return [
        use for use, does in ((PROFILING, known.profiling), (MARKETING, known.marketing)) if does
    ]
