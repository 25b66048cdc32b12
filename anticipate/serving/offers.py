"""Needs as suggestions: which kind, when due, and why.

Reads  candidates at a moment.
Gives  ``next_need`` and ``restock_due`` suggestions of each request, best first.
Never  more than asked for: sentences and dates are made for the few that are shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.offers import OwnState
from ..kernels.ranking import top_k, top_k_per_group
from ..suggestions import Reason, Suggestion
from ..suggestions.reason import Fact
from . import dates
from .candidates import CART, NEWCOMER, Candidates
from .instants import to_datetime
from .moment import Moment
from .store import Store

Array = NDArray[Any]
DAY = 86_400_000_000
RESTOCK_WITHIN_DAYS = 7.0  # a repeat whose date is this near is called by its date


def make_offers(
    store: Store, moment: Moment, found: Candidates, n: int, wanted: Array
) -> list[list[Suggestion]]:
    """The n most probable candidates of each wanted request, ties by item.

    ``wanted`` is a mask (m,); the others get none.
    """
    offers: list[list[Suggestion]] = [[] for _ in range(moment.m)]
    asked = found if wanted.all() else found.where(wanted[found.request])
    part = _best(asked, moment.m, n)
    if len(part.item) == 0:
        return offers
    due = _due(store, moment, part)
    probability = part.probability.tolist()
    for i, request in enumerate(part.request.tolist()):
        offers[request].append(_one(store, moment, part, i, probability[i], due[i]))
    return offers


def _best(found: Candidates, m: int, n: int) -> Candidates:
    if m == 1:
        return found.take(top_k(found.log_odds, found.item, n))
    order = np.argsort(found.request, kind="stable")
    offsets = np.searchsorted(found.request[order], np.arange(m + 1))
    return found.take(order[top_k_per_group(offsets, found.log_odds[order], found.item[order], n)])


def _due(store: Store, moment: Moment, part: Candidates) -> list[int]:
    """Dates of what was bought on two days or more; NEVER for the rest."""
    due = [dates.NEVER] * len(part.item)
    again = (part.own.n_visits > 1).nonzero()[0]
    if len(again):
        own = OwnState(*(column[again] for column in part.own))
        at = moment.as_of[part.request[again]]
        found = dates.due(store.gaps, part.item[again], own, at)
        for i, when in zip(again.tolist(), found.tolist(), strict=True):
            due[i] = when
    return due


def _one(
    store: Store, moment: Moment, part: Candidates, i: int, probability: float, due: int
) -> Suggestion:
    request = int(part.request[i])
    as_of = int(moment.as_of[request])
    dated = due != dates.NEVER
    restock = dated and due - as_of <= RESTOCK_WITHIN_DAYS * DAY
    return Suggestion(
        kind="restock_due" if restock else "next_need",
        audience="customer",
        customer_id=moment.ids[request],
        item_id=moment.words["items"].id(int(part.item[i])),
        probability=probability,
        due=to_datetime(due) if dated else None,
        reason=_reason(store, moment, part, i),
        evidence=_evidence(moment, int(part.own.last_row[i])),
    )


def _reason(store: Store, moment: Moment, part: Candidates, i: int) -> Reason:
    name = item_name(store, moment, int(part.item[i]))
    visits = int(part.own.n_visits[i])
    if visits:
        return _own_reason(moment, part, i, name, visits)
    row, origin = int(part.row[i]), int(part.origin[i])
    if origin == CART:
        return Reason("goes_with_cart", {"item": name, "because": item_name(store, moment, row)})
    if origin == NEWCOMER:
        return Reason("newcomer", {"item": name})
    stored = store.group("candidates")
    code = store.manifest["sources"][int(stored["source"][row])]
    fact, because = float(stored["fact"][row]), int(stored["because"][row])
    if code in ("goes_with", "follows"):
        return Reason(code, {"item": name, "because": item_name(store, moment, because)})
    if code in ("people_like_you", "group"):
        return Reason(code, {"item": name, "share_percent": round(100 * fact, 1)})
    if code == "category":
        return Reason(code, {"item": name, "n_purchases": int(fact)})
    if code == "wished":
        return Reason(code, {"item": name, "since": to_datetime(store.cutoff - round(fact * DAY))})
    if code == "popular":
        window = float(store.manifest["popular_window_days"])
        return Reason(code, {"item": name, "n_buyers": int(fact), "window_days": window})
    return Reason("viewed" if code == "viewed" else "newcomer", {"item": name})


def _own_reason(moment: Moment, part: Candidates, i: int, name: str, visits: int) -> Reason:
    as_of = int(moment.as_of[part.request[i]])
    since = (as_of - int(part.own.last[i])) / DAY
    if visits == 1:
        facts: dict[str, Fact] = {
            "item": name,
            "n_purchases": 1,
            "days_since_last": round(since, 1),
        }
        return Reason("bought_before", facts)
    gap = (int(part.own.last[i]) - int(part.own.first[i])) / DAY / (visits - 1)
    return Reason(
        "repeat", {"item": name, "gap_days": round(gap, 1), "days_since_last": round(since, 1)}
    )


def item_name(store: Store, moment: Moment, code: int) -> str:
    """The item's name where the log has one, else its id."""
    names = store.group("item_names")
    if names and 0 <= code < store.n_items:
        start, end = names["offsets"].item(code), names["offsets"].item(code + 1)
        if end > start:
            return str(names["bytes"][start:end].tobytes(), "utf-8")
    return str(moment.words["items"].id(code))


def item_name_and_id(store: Store, moment: Moment, code: int) -> str:
    """The item's name with its id, which tells editions apart; without a name the id."""
    name, item_id = item_name(store, moment, code), str(moment.words["items"].id(code))
    return item_id if name == item_id else f"{name} ({item_id})"


def _evidence(moment: Moment, row: int) -> tuple[dict[str, Any], ...]:
    return () if row < 0 else (event_evidence(moment, row),)


def event_evidence(moment: Moment, row: int) -> dict[str, Any]:
    """Date, item and order of one event."""
    events = moment.events
    return {
        "date": to_datetime(int(events.timestamp[row])).isoformat(),
        "item_id": moment.words["items"].id(int(events.item[row])),
        "order_id": moment.words["orders"].id(int(events.order[row])),
    }
