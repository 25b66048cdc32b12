"""What is answered: the scorer's answers as JSON-ready dictionaries.

Reads  a scorer and one checked question.
Gives  the answer of one customer, or of many in the order given.
Never  pandas, the clock, or anything kept from one question to the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np

from ...kernels.churn import SEGMENTS
from ...suggestions import Suggestion, order_suggestions
from ...suggestions.churn_words import reason_sentences
from ..asking import ask_in_parts
from ..cart import read_cart
from ..cart_check import check_carts
from ..leaving import churn_at
from ..moment import Moment
from ..scorer import Scorer
from .questions import (
    AskMany,
    AskOne,
    BriefMany,
    BriefOne,
    CheckMany,
    CheckOne,
    Row,
    SuggestMany,
    SuggestOne,
)

Answer = dict[str, Any]
PART = 64  # customers scored together: between two parts other threads have their turn
_NUMBERS = ("p_churn", "p_alive", "expected_purchases", "expected_value", "value_at_risk")


def suggest(scorer: Scorer, asked: SuggestOne | SuggestMany, as_of: datetime) -> Answer:
    """Suggestions, highest expected net benefit first."""
    if isinstance(asked, SuggestOne):
        found = scorer.suggest(
            asked.customer_id,
            as_of=as_of,
            cart=asked.cart or (),
            recent=asked.recent,
            n=asked.n,
            audience=asked.audience,
        )
        return {"customer_id": asked.customer_id, "suggestions": _dicts(found, asked.language)}
    results: list[Answer] = []
    for moment in _moments(scorer, asked.customer_ids, as_of, asked.recent):
        lists = scorer._answers(moment, [[]] * moment.m, asked.n, asked.audience)
        results += _results(moment, "suggestions", lists, asked.language)
    return {"results": results}


def check_cart(scorer: Scorer, asked: CheckOne | CheckMany, as_of: datetime) -> Answer:
    """Warnings of carts, at most one a line."""
    if isinstance(asked, CheckOne):
        found = scorer.check_cart(
            asked.customer_id,
            asked.cart,
            as_of=as_of,
            recent=asked.recent,
            audience=asked.audience,
        )
        return {"customer_id": asked.customer_id, "warnings": _dicts(found, asked.language)}
    results: list[Answer] = []
    ids = [one.customer_id for one in asked.carts]
    for moment in _moments(scorer, ids, as_of, asked.recent):
        here = asked.carts[len(results) : len(results) + moment.m]
        carts = [read_cart(one.cart, moment.words["items"]) for one in here]
        warned = check_carts(scorer._store, moment, carts, asked.audience)
        lists = [order_suggestions(one, scorer.benefits) for one in warned]
        results += _results(moment, "warnings", lists, asked.language)
    return {"results": results}


def churn(scorer: Scorer, asked: AskOne | AskMany, as_of: datetime) -> Answer:
    """``ChurnModel.predict``'s columns; NaN, where nothing is known, becomes null."""
    one = isinstance(asked, AskOne)
    ids = [asked.customer_id] if isinstance(asked, AskOne) else asked.customer_ids
    results: list[Answer] = []
    for moment in _moments(scorer, ids, as_of, asked.recent):
        table = churn_at(scorer._store, moment)
        columns = [getattr(table, name).tolist() for name in _NUMBERS]
        segments = [SEGMENTS[code] for code in np.asarray(table.segment).tolist()]
        for id_, *numbers, segment, reason in zip(
            moment.ids, *columns, segments, reason_sentences(table), strict=True
        ):
            row = dict(zip(_NUMBERS, numbers, strict=True))
            results.append({"customer_id": id_, **row, "segment": segment, "reason": reason})
    return results[0] if one else {"results": results}


def brief(scorer: Scorer, asked: BriefOne | BriefMany, as_of: datetime) -> Answer:
    """What staff should see before the customer arrives."""
    how: dict[str, Any] = {"as_of": as_of, "language": asked.language}
    if isinstance(asked, BriefOne):
        return scorer.brief(asked.customer_id, recent=asked.recent, **how)
    own: dict[Any, list[Row]] = {}
    for row in asked.recent or ():
        own.setdefault(row["customer_id"], []).append(row)
    # The first brief reads all rows, so that a bad one is told by its number; the others need
    # their own alone.
    first, *rest = dict.fromkeys(asked.customer_ids)
    briefs = {first: scorer.brief(first, recent=asked.recent, **how)}
    briefs |= {id_: scorer.brief(id_, recent=own.get(id_), **how) for id_ in rest}
    return {"results": [briefs[id_] for id_ in asked.customer_ids]}


def _moments(scorer: Scorer, ids: list[Any], as_of: datetime, recent: Any) -> Iterator[Moment]:
    return ask_in_parts(scorer._store, ids, as_of, recent, PART)


def _results(
    moment: Moment, name: str, lists: list[list[Suggestion]], language: str
) -> list[Answer]:
    return [
        {"customer_id": id_, name: _dicts(found, language)}
        for id_, found in zip(moment.ids, lists, strict=True)
    ]


def _dicts(found: list[Suggestion], language: str) -> list[Answer]:
    return [one.to_dict(language) for one in found]
