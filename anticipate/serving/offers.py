"""Needs as suggestions: which kind, when due.

Reads  candidates at a moment.
Gives  the best of each request as columns; ``next_need`` and ``restock_due`` suggestions of them.
Never  more than asked for: sentences and dates are made for the few that are shown.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import special
from ..kernels.next_gap import GapLaw
from ..kernels.ranking import top_k, top_k_per_group
from ..suggestions import Reason, Suggestion
from . import dates
from .candidates import STORED, Candidates, Offers
from .instants import to_datetime
from .moment import Moment
from .names import event_evidence
from .need_reasons import NeedRow, code_and_facts
from .own import Own
from .store import Store

Array = NDArray[Any]
DAY = 86_400_000_000
_NONE = np.empty(0, dtype=np.int64)
RESTOCK_WITHIN_DAYS = 7.0  # a repeat whose date is this near is called by its date


class OfferRows(NamedTuple):
    """The n best of each request, best first: the columns of ``NeedRow``, each of shape (r,)."""

    request: Array
    item: Array
    probability: Array
    origin: Array
    row: Array
    as_of: Array
    source: Array
    fact: Array
    because: Array
    n_visits: Array
    first: Array
    last: Array
    last_row: Array
    due: Array

    def by_row(self) -> list[NeedRow]:
        """Python's own numbers, many times faster to read one by one."""
        return [NeedRow(*row) for row in zip(*(c.tolist() for c in self), strict=True)]

    def is_restock(self) -> Array:
        """Whose date is near, bool (r,)."""
        near = self.as_of + int(RESTOCK_WITHIN_DAYS * DAY)
        return self.due <= near


def make_offers(
    store: Store, moment: Moment, found: Candidates, n: int, wanted: Array
) -> list[list[Suggestion]]:
    """The n most probable candidates of each wanted request, ties by item.

    ``wanted`` is a mask (m,); the others get none.
    """
    offers: list[list[Suggestion]] = [[] for _ in range(moment.m)]
    rows = find_offers(store, moment, found, n, wanted)
    if rows is not None:
        for row, restock in zip(rows.by_row(), rows.is_restock().tolist(), strict=True):
            offers[row.request].append(_one(store, moment, row, restock=restock))
    return offers


def find_offers(
    store: Store, moment: Moment, found: Candidates, n: int, wanted: Array
) -> OfferRows | None:
    """The same as columns; None where nobody gets any."""
    best = _best(found.offers, moment.m, n, wanted)
    if not len(best):
        return None
    part = found.offers.take(best)
    request, as_of = part.request, moment.as_of[part.request]
    probability = special.expit(part.log_odds)
    stored, own = _as_stored(store, part), _past(found.own, best, as_of)
    return OfferRows(request, part.item, probability, part.origin, part.row, as_of, *stored, *own)


def _best(found: Offers, m: int, n: int, wanted: Array) -> Array:
    """Positions among the candidates."""
    if m == 1:
        return top_k(found.log_odds, found.item, n) if wanted[0] else _NONE
    rows = wanted[found.request].nonzero()[0]
    rows = rows[np.argsort(found.request[rows], kind="stable")]
    offsets = found.request[rows].searchsorted(np.arange(m + 1))
    return np.asarray(rows[top_k_per_group(offsets, found.log_odds[rows], found.item[rows], n)])


def _as_stored(store: Store, part: Offers) -> tuple[Array, Array, Array]:
    """Source, fact and partner of what the bundle holds; anything for the rest."""
    stored = store.group("candidates")
    is_stored = part.origin == STORED
    row = part.row if is_stored.all() else np.where(is_stored, part.row, 0)
    if not len(stored["source"]):
        return row, row, row
    return stored["source"][row], stored["fact"][row], stored["because"][row]


def _past(own: Own, best: Array, as_of: Array) -> tuple[Array, ...]:
    """Visits, their dates and row, and when the next is due, of what was bought; 0, -1, NEVER."""
    n_visits, first, last = np.zeros((3, len(best)), dtype=np.int64)
    last_row, due = np.full(len(best), -1), np.full(len(best), dates.NEVER)
    if len(own.at):
        place = np.minimum(own.at.searchsorted(best), len(own.at) - 1)
        bought = (own.at[place] == best).nonzero()[0]
        place = place[bought]
        for column, known in zip((n_visits, first, last, last_row), own.now, strict=True):
            column[bought] = known[place]
        again = n_visits[bought] > 1  # one purchase tells no rhythm
        if again.any():
            rows, place = bought[again], place[again]
            law = GapLaw(*(column[place] for column in own.law))
            due[rows] = dates.due(law, last[rows], as_of[rows])
    return n_visits, first, last, last_row, due


def _one(store: Store, moment: Moment, row: NeedRow, *, restock: bool) -> Suggestion:
    return Suggestion(
        "restock_due" if restock else "next_need",
        "customer",
        moment.ids[row.request],
        moment.words["items"].id(row.item),
        row.probability,
        None if row.due == dates.NEVER else to_datetime(row.due),
        Reason(*code_and_facts(store, moment, row)),
        () if row.last_row < 0 else (event_evidence(moment, row.last_row),),
    )
