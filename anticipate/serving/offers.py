"""Needs as suggestions: which kind, when due, and why.

Reads  candidates at a moment.
Gives  ``next_need`` and ``restock_due`` suggestions of each request, best first.
Never  more than asked for: sentences and dates are made for the few that are shown.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.offers import OwnState
from ..kernels.ranking import top_k, top_k_per_group
from ..suggestions import Reason, Suggestion
from . import dates
from .candidates import CART, NEWCOMER, Candidates
from .instants import to_datetime
from .moment import Moment
from .names import event_evidence, item_name
from .store import Store

Array = NDArray[Any]
DAY = 86_400_000_000
RESTOCK_WITHIN_DAYS = 7.0  # a repeat whose date is this near is called by its date


class _Row(NamedTuple):
    """One candidate as Python's own numbers, many times faster to read one by one."""

    request: int
    item: int
    origin: int
    row: int
    n_visits: int
    first: int
    last: int
    last_row: int
    probability: float
    due: int
    as_of: int


def make_offers(
    store: Store, moment: Moment, found: Candidates, n: int, wanted: Array
) -> list[list[Suggestion]]:
    """The n most probable candidates of each wanted request, ties by item.

    ``wanted`` is a mask (m,); the others get none.
    """
    offers: list[list[Suggestion]] = [[] for _ in range(moment.m)]
    asked = found if wanted.all() else found.where(wanted[found.request])
    part = _best(asked, moment.m, n)
    if len(part.item):
        for row in _rows(store, moment, part):
            offers[row.request].append(_one(store, moment, row))
    return offers


def _best(found: Candidates, m: int, n: int) -> Candidates:
    if m == 1:
        return found.take(top_k(found.log_odds, found.item, n))
    order = np.argsort(found.request, kind="stable")
    offsets = np.searchsorted(found.request[order], np.arange(m + 1))
    return found.take(order[top_k_per_group(offsets, found.log_odds[order], found.item[order], n)])


def _rows(store: Store, moment: Moment, part: Candidates) -> list[_Row]:
    columns = (part.request, part.item, part.origin, part.row, *part.own, part.probability)
    due, as_of = _due(store, moment, part), moment.as_of[part.request].tolist()
    return [_Row(*row) for row in zip(*(c.tolist() for c in columns), due, as_of, strict=True)]


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


def _one(store: Store, moment: Moment, row: _Row) -> Suggestion:
    dated = row.due != dates.NEVER
    restock = dated and row.due - row.as_of <= RESTOCK_WITHIN_DAYS * DAY
    return Suggestion(
        "restock_due" if restock else "next_need",
        "customer",
        moment.ids[row.request],
        moment.words["items"].id(row.item),
        row.probability,
        to_datetime(row.due) if dated else None,
        _reason(store, moment, row),
        () if row.last_row < 0 else (event_evidence(moment, row.last_row),),
    )


def _reason(store: Store, moment: Moment, row: _Row) -> Reason:
    name = item_name(store, moment, row.item)
    if row.n_visits:
        return _own_reason(row, name)
    if row.origin == CART:
        because = item_name(store, moment, row.row)
        return Reason("goes_with_cart", {"item": name, "because": because})
    if row.origin == NEWCOMER:
        return Reason("newcomer", {"item": name})
    stored = store.group("candidates")
    code = store.manifest["sources"][stored["source"].item(row.row)]
    fact, because_ = stored["fact"].item(row.row), stored["because"].item(row.row)
    if code in ("goes_with", "follows"):
        return Reason(code, {"item": name, "because": item_name(store, moment, because_)})
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


def _own_reason(row: _Row, name: str) -> Reason:
    since = round((row.as_of - row.last) / DAY, 1)
    if row.n_visits == 1:
        return Reason("bought_before", {"item": name, "n_purchases": 1, "days_since_last": since})
    gap = round((row.last - row.first) / DAY / (row.n_visits - 1), 1)
    return Reason("repeat", {"item": name, "gap_days": gap, "days_since_last": since})
