"""Answers of many customers as columns: what ``suggest`` says without a cart, a row each.

Reads  the moment of many requests, the table of benefits.
Gives  the n best of each request in the order of ``order_suggestions``.
Never  an object per suggestion: that takes three times as long as finding it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.churn import DEPARTED, REASONS, ChurnTable
from ..suggestions import KINDS, sorts_needs_by_chance
from ..suggestions.churn_words import reason_facts
from ..suggestions.reason import sentence
from . import dates
from .candidates import find_candidates
from .care import find_open, follow_ups, has_follow_up, is_open
from .instants import to_microseconds
from .leaving import churn_at, is_leaving
from .moment import Moment
from .names import find_names
from .need_reasons import code_and_facts
from .offers import OfferRows, find_offers
from .store import Store

Array = NDArray[Any]
_PLACE = {kind: place for place, kind in enumerate(KINDS)}


class AnswerRows(NamedTuple):
    """r suggestions by request, best first."""

    request: Array  # int64 (r,)
    kind: Array  # int64 (r,): place in ``KINDS``
    item: Array  # object (r,): ids; None where it is about none
    probability: Array  # float64 (r,)
    due: Array  # int64 (r,), microseconds UTC; ``dates.NEVER``
    code: Array  # object (r,): of the reason
    text: Array  # object (r,): the sentence

    def take(self, rows: Array) -> AnswerRows:
        return AnswerRows(*(column[rows] for column in self))


def answer_rows(
    store: Store,
    moment: Moment,
    n: int,
    audience: str,
    benefits: Mapping[str, tuple[float, float]],
) -> AnswerRows:
    """At most n rows of each request; staff's own kinds for staff alone."""
    matters = find_open(moment)
    withheld = is_open(matters) | moment.marketing
    found = find_candidates(store, moment, [[]] * moment.m)
    parts = []
    most = n if sorts_needs_by_chance(benefits) else len(found.offers.item)
    offers = find_offers(store, moment, found, most, ~withheld)
    if offers is not None:
        parts.append(_of_offers(store, moment, offers))
    if audience == "staff":
        waits = np.flatnonzero(has_follow_up(matters)).tolist()
        tasks = [(i, one) for i in waits for one in follow_ups(store, moment, matters, i)]
        rows = [
            (i, _PLACE[one.kind], None, one.probability, to_microseconds(one.due, "UTC"),
             one.reason.code, one.reason.text())
            for i, one in tasks
        ]  # fmt: skip
        parts += [_of_tuples(rows), _of_leavers(moment, churn_at(store, moment))]
    return _first(_joined(parts), n, benefits)


def _of_offers(store: Store, moment: Moment, rows: OfferRows) -> AnswerRows:
    find_names(store, moment, rows.item)
    reasons = [code_and_facts(store, moment, row) for row in rows.by_row()]
    kind = np.where(rows.is_restock(), _PLACE["restock_due"], _PLACE["next_need"])
    items = moment.words["items"].ids(rows.item)
    return AnswerRows(
        rows.request, kind, _objects(items), rows.probability, rows.due,
        _objects([code for code, _ in reasons]),
        _objects([sentence(code, facts) for code, facts in reasons]),
    )  # fmt: skip


def _of_leavers(moment: Moment, table: ChurnTable) -> AnswerRows:
    """Who is to be kept, or won back."""
    who = np.flatnonzero(is_leaving(moment, table))
    kind = np.where(table.segment[who] == DEPARTED, _PLACE["win_back"], _PLACE["churn_risk"])
    codes = [REASONS[code] for code in table.reason[who].tolist()]
    facts = [reason_facts(table, i) for i in who.tolist()]
    texts = [sentence(code, known) for code, known in zip(codes, facts, strict=True)]
    return AnswerRows(
        who, kind, _objects([None] * len(who)), table.p_churn[who],
        np.full(len(who), dates.NEVER), _objects(codes), _objects(texts),
    )  # fmt: skip


def _of_tuples(rows: list[tuple[Any, ...]]) -> AnswerRows:
    request, kind, item, probability, due, code, text = (
        zip(*rows, strict=True) if rows else [()] * 7
    )
    return AnswerRows(
        np.array(request, np.int64), np.array(kind, np.int64), _objects(item),
        np.array(probability, np.float64), np.array(due, np.int64), _objects(code), _objects(text),
    )  # fmt: skip


def _first(rows: AnswerRows, n: int, benefits: Mapping[str, tuple[float, float]]) -> AnswerRows:
    """The n of highest expected benefit of each request, ties by kind and item."""
    gain, cost = np.array([benefits[kind] for kind in KINDS]).T
    benefit = rows.probability * gain[rows.kind] - cost[rows.kind]
    keys = rows.kind, -benefit, rows.request
    order = np.lexsort(keys)
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    if same.any():
        ids = _objects([str(id_) for id_ in rows.item.tolist()])
        order = np.lexsort((np.unique(ids, return_inverse=True)[1], *keys))
    request = rows.request[order]
    place = np.arange(len(order)) - request.searchsorted(request)
    return rows.take(order[place < n])


def _joined(parts: list[AnswerRows]) -> AnswerRows:
    if not parts:
        return _of_tuples([])
    return AnswerRows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _objects(values: Any) -> Array:
    """Whatever they are, shape (n,)."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
