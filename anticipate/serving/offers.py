"""Needs as suggestions: which kind, when due, and why.

Reads  candidates at a moment.
Gives  ``next_need`` and ``restock_due`` suggestions of each request, best first.
Never  more than asked for: sentences and dates are made for the few that are shown.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import special
from ..kernels.next_gap import GapLaw
from ..kernels.offers import OwnState
from ..kernels.ranking import top_k, top_k_per_group
from ..suggestions import Reason, Suggestion
from . import dates
from .candidates import BOUGHT, CART, NEWCOMER, WISHED, Candidates, Offers
from .instants import to_datetime
from .moment import Moment
from .names import event_evidence, item_name
from .own import Own
from .store import Store

Array = NDArray[Any]
DAY = 86_400_000_000
_NONE = np.empty(0, dtype=np.int64)
RESTOCK_WITHIN_DAYS = 7.0  # a repeat whose date is this near is called by its date


class _Row(NamedTuple):
    """One candidate as Python's own numbers, many times faster to read one by one."""

    request: int
    item: int
    probability: float
    origin: int
    row: int
    as_of: int
    n_visits: int = 0
    first: int = 0
    last: int = 0
    last_row: int = -1
    due: int = dates.NEVER


def make_offers(
    store: Store, moment: Moment, found: Candidates, n: int, wanted: Array
) -> list[list[Suggestion]]:
    """The n most probable candidates of each wanted request, ties by item.

    ``wanted`` is a mask (m,); the others get none.
    """
    offers: list[list[Suggestion]] = [[] for _ in range(moment.m)]
    best = _best(found.offers, moment.m, n, wanted)
    if len(best):
        for row in _rows(moment, found, best):
            offers[row.request].append(_one(store, moment, row))
    return offers


def _best(found: Offers, m: int, n: int, wanted: Array) -> Array:
    """Positions among the candidates."""
    if m == 1:
        return top_k(found.log_odds, found.item, n) if wanted[0] else _NONE
    rows = wanted[found.request].nonzero()[0]
    rows = rows[np.argsort(found.request[rows], kind="stable")]
    offsets = found.request[rows].searchsorted(np.arange(m + 1))
    return np.asarray(rows[top_k_per_group(offsets, found.log_odds[rows], found.item[rows], n)])


def _rows(moment: Moment, found: Candidates, best: Array) -> list[_Row]:
    part, own = found.offers.take(best), found.own
    probability = special.expit(part.log_odds)
    columns = part._replace(log_odds=probability), (moment.as_of[part.request],)
    rows = zip(*(c.tolist() for some in columns for c in some), strict=True)
    place = own.at.searchsorted(best)
    bought = (own.at[np.minimum(place, len(own.at) - 1)] == best) if len(own.at) else place < 0
    if not bought.any():
        return [_Row(*row) for row in rows]
    past = iter(_past(own, place[bought], moment.as_of[part.request[bought]]))
    return [
        _Row(*row, *next(past)) if has else _Row(*row)
        for row, has in zip(rows, bought.tolist(), strict=True)
    ]


def _past(own: Own, rows: Array, as_of: Array) -> list[tuple[int, ...]]:
    """Visits, and when the next one is due, of what was bought: Python's own numbers."""
    now = OwnState(*(column[rows] for column in own.now))
    due = np.full(len(rows), dates.NEVER)
    again = (now.n_visits > 1).nonzero()[0]  # one purchase tells no rhythm
    if len(again):
        law = GapLaw(*(column[rows[again]] for column in own.law))
        due[again] = dates.due(law, now.last[again], as_of[again])
    return list(zip(*(column.tolist() for column in (*now, due)), strict=True))


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
    if row.origin == WISHED:
        return Reason("wished", {"item": name, "since": to_datetime(row.row)})
    if row.origin in (NEWCOMER, BOUGHT):  # bought, and undone since
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
