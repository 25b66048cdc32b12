"""Why an item is recommended, and on which of the customer's own events that rests.

Reads  a fitted ranker, a History, rows of its recommendations.
Gives  a reason code, a sentence and the events cited for each row.
Never  events whose absence would not lower the score: then another reason speaks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_columns, check_numbers
from ..columns import CUSTOMER, EVENTS, ITEM, PURCHASE
from ..exceptions import ParameterError
from ..kernels.needs import to_probability
from ..log import History, check_history
from ..log.clock import to_timestamp
from ..log.ids import check_ids, lookup_codes
from .candidates import Batch
from .evidence import Cited, cite, log_odds_without
from .facts_of_answers import Answers, describe
from .sources import CODE, SOURCES
from .stored import Fitted
from .wording import Words

Array = NDArray[Any]
BLOCK = 512  # rows explained together
OWN = np.array([CODE["repeat"], CODE["bought_before"]])
# Who speaks where a score would not be lower without the events that a reason cites.
_NEXT = np.full(len(SOURCES), CODE["popular"])
for _code in ("repeat", "bought_before", "wished", "viewed", "follows", "category"):
    _NEXT[CODE[_code]] = CODE["goes_with"]
_NEXT[CODE["goes_with"]] = CODE["people_like_you"]


class Rows(NamedTuple):
    """r recommendations."""

    customer: Array  # int64 (r,), position in the batch
    item: Array  # int64 (r,), extended code
    source: Array  # int8 (r,), index into SOURCES
    score: Array  # float64 (r,), probability

    def take(self, rows: Array) -> Rows:
        return Rows(*(column[rows] for column in self))


def explain(
    fitted: Fitted, history: History, recommended: pd.DataFrame, target: str, window_days: float
) -> pd.DataFrame:
    """As ``NextNeedRanker.explain`` says; ``target`` is the kind of event that is ranked.

    Every row that cites events is scored again without them: some milliseconds a row, of which
    ``BLOCK`` are held at a time.
    """
    check_history(history)
    if target != PURCHASE:
        raise ParameterError(f"explain words what is bought; this ranker ranks topics of {target}.")
    hint = "Give the table of recommend(), or rows of it."
    check_columns("recommended", (CUSTOMER, ITEM, "score", "source"), recommended, hint=hint)
    asked = check_ids(recommended[CUSTOMER], history.customer_ids, CUSTOMER)
    some = history.select(asked)
    everyone = fitted.batch(some)
    rows = _rows(recommended, asked, some, everyone)
    words = Words.of(history, everyone.codes, window_days)
    code, reason, evidence = (np.empty(len(rows.item), dtype=object) for _ in range(3))
    by_item = np.argsort(rows.item, kind="stable")  # few different items in a block
    for start in range(0, len(by_item), BLOCK):
        place = by_item[start : start + BLOCK]
        told, cited = _explained(fitted, some, everyone, rows.take(place))
        code[place] = np.array(SOURCES, dtype=object)[told.source]
        reason[place] = words.sentences(told)
        evidence[place] = _evidence(some, cited, len(place))
    return recommended.assign(reason_code=code, reason=reason, evidence=evidence)


def _explained(fitted: Fitted, some: History, everyone: Batch, rows: Rows) -> tuple[Answers, Cited]:
    """Facts and cited events of each row, by the first reason that holds."""
    batch, each = everyone.take(rows.customer), np.arange(len(rows.item))
    ends = np.append(each, len(each))  # every row is a customer of its own here

    def described(source: Array) -> tuple[Answers, Cited]:
        told = describe(batch, ends, each, rows.item, source, rows.score)
        return told, cite(some, batch, rows.customer, told)

    told, cited = described(rows.source)
    open_rows = cited.rows_cited
    while len(open_rows):
        part = cited.of(open_rows)
        odds = log_odds_without(
            fitted, some, batch.take(open_rows), rows.customer[open_rows], rows.item[open_rows],
            part,
        )  # fmt: skip
        failed = open_rows[to_probability(odds) >= rows.score[open_rows]]
        source = told.source.copy()
        source[failed] = _NEXT[source[failed]]
        told, cited = described(source)
        open_rows = np.intersect1d(failed, cited.rows_cited)
    return told, cited


def _rows(recommended: pd.DataFrame, asked: Array, some: History, everyone: Batch) -> Rows:
    """The rows by code, checked against what this history and model can say."""
    names = recommended["source"].to_numpy(dtype=object)
    source = np.array([CODE.get(name, -1) for name in names], dtype=np.int8)
    score = check_numbers("recommended: score", recommended["score"])
    codes = everyone.codes
    ids = check_ids(recommended[ITEM], codes.ids, ITEM)
    item = np.append(codes.of_rank, -1)[lookup_codes(ids, codes.sorted_ids)]
    customer = lookup_codes(asked, some.customer_ids)
    own = everyone.own_place(customer, item) >= 0
    said = everyone.signals.place(customer, item, codes.n)
    not_wished = np.isnan(np.append(everyone.signals.days, np.nan)[said])
    strange = (source < 0) | (item < 0) | (np.isin(source, OWN) != own)
    strange |= (source == CODE["wished"]) & not_wished
    if strange.any():
        first = np.flatnonzero(strange)[:3].tolist()
        raise ParameterError(
            f"recommended: {int(strange.sum())} rows (first: {first}) are no answer about this "
            "history: unknown item or source, or bought or wished for in one and not in the "
            "other. Give the history that was given to recommend()."
        )
    return Rows(customer, item, source, score)


def _evidence(some: History, cited: Cited, n: int) -> Array:
    """The cited events of each row, told (n,)."""
    events, out = some.events, np.empty(n, dtype=object)
    told = [
        {
            "date": to_timestamp(int(events.timestamp[row])).isoformat(),
            ITEM: some.item_ids[events.item[row]],
            "event": EVENTS[events.event[row]],
        }
        for row in cited.event.tolist()  # a dict per event: what the caller is to read
    ]
    ends = np.searchsorted(cited.row, np.arange(n + 1)).tolist()
    for i in range(n):
        out[i] = tuple(told[ends[i] : ends[i + 1]])
    return out
