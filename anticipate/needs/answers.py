"""The best candidates of many customers, with their probabilities.

Reads  tables, learned weights and the customers' own events.
Gives  ``Answers``: candidates, best first, per customer.
Never  more than a batch of customers at a time; the order of customers does not count.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import NDArray

from ..columns import CUSTOMER, ITEM
from ..kernels.needs import linear_log_odds, to_probability
from ..kernels.ranking import top_k_offsets, top_k_per_group
from ..kernels.segments import within
from .candidates import Batch, Rows, batches, newcomer_columns
from .facts_of_answers import Answers, describe
from .learned import Learned
from .proposals import propose
from .shoppers import Codes, take_segments
from .sources import CODE, SOURCES

Array = NDArray[Any]
FEW = 4_000  # customers that are not worth a process


def answer(
    everyone: Batch, learned: Learned, *, n: int, own: bool = True,
    allowed: Array | None = None, n_jobs: int | None = None,
) -> Answers:  # fmt: skip
    """The n best candidates of each customer; ``own=False`` leaves out what was bought.

    ``n_jobs`` processes answer a part of the customers each, with the same bits.
    """
    n_parts = min(effective_n_jobs(n_jobs), max(everyone.shoppers.n // FEW, 1))
    parts = np.array_split(np.arange(everyone.shoppers.n), n_parts)
    if n_parts == 1:
        return _answer_part(everyone, learned, n, own, allowed)
    work = (delayed(_answer_part)(everyone.take(part), learned, n, own, allowed) for part in parts)
    return Answers.joined(Parallel(n_jobs=n_parts)(work))


def _answer_part(
    everyone: Batch, learned: Learned, n: int, own: bool, allowed: Array | None
) -> Answers:
    found = [
        _answer_batch(batch, learned, n, own, allowed)
        for batch, _ in batches(everyone, np.arange(everyone.shoppers.n))
    ]
    # No customer at all: the answer of an empty batch has the right columns.
    return Answers.joined(found or [_answer_batch(everyone, learned, n, own, allowed)])


class Scored(NamedTuple):
    """r candidates in any order."""

    customer: Array
    item: Array
    source: Array  # int8, index into SOURCES
    log_odds: Array


def _answer_batch(
    batch: Batch, learned: Learned, n: int, own: bool, allowed: Array | None
) -> Answers:
    groups = [_new(batch, learned, n, allowed)]
    if own:
        groups.append(_own(batch, learned))
    scored = Scored(*(np.concatenate(columns) for columns in zip(*groups, strict=True)))
    inside = np.ones(len(scored.item), dtype=bool) if allowed is None else allowed[scored.item]
    if not own:
        inside &= ~batch.is_gone(scored.customer, scored.item)
    scored = Scored(*(column[inside] for column in scored))
    order = np.argsort(scored.customer, kind="stable")
    offsets = np.searchsorted(scored.customer[order], np.arange(batch.shoppers.n + 1))
    ties = batch.codes.by_id[scored.item[order]]
    kept = order[top_k_per_group(offsets, scored.log_odds[order], ties, n)]
    best = Scored(*(column[kept] for column in scored))
    return describe(batch, top_k_offsets(offsets, n), *best)


def _own(batch: Batch, learned: Learned) -> Scored:
    """All own pairs: the best by plain rate are looked at with every column."""
    rows = batch.own()
    log_odds = learned.tail.log_odds(rows.table(learned.tail.names))
    head = batch.head(rows)
    best = batch.with_scores(rows.take(head))
    log_odds[head] = learned.own.log_odds(best.table(learned.own.names))
    log_odds = log_odds + _said(batch, learned, rows)
    again = batch.shoppers.n_visits > 1
    source = np.where(again, CODE["repeat"], CODE["bought_before"]).astype(np.int8)
    return Scored(rows.customer, rows.item, source, log_odds)


def _new(batch: Batch, learned: Learned, n: int, allowed: Array | None) -> Scored:
    """The blend for customers who bought before, popularity for newcomers."""
    customer, item, source = propose(batch, allowed, n)
    rows = batch.with_scores(batch.new(customer, item))
    blended = learned.new.log_odds(rows.table(learned.new.names))
    columns = newcomer_columns(batch, customer, item)
    shift, weight = learned.newcomer.tolist()
    popular = columns["newcomer"] + shift + weight * columns["group_lift"]
    log_odds = np.where(batch.is_newcomer[customer], popular, blended)
    return Scored(customer, item, source, log_odds + _said(batch, learned, rows))


def _said(batch: Batch, learned: Learned, rows: Rows) -> Array:
    return linear_log_odds(batch.said(rows), learned.shifts, 0.0)


def to_frame(found: Answers, everyone: Batch, order: Array) -> pd.DataFrame:
    """The contract's table: rows of the customers in the given order."""
    rows, offsets = take_segments(found.offsets, order)
    names = np.array(SOURCES, dtype=object)
    return pd.DataFrame(
        {
            CUSTOMER: np.repeat(everyone.ids[order], np.diff(offsets)),
            ITEM: everyone.codes.ids[found.item[rows]],
            "score": to_probability(found.log_odds[rows]),
            "rank": within(offsets) + 1,
            "source": names[found.source[rows]],
        }
    )


def to_codes(found: Answers, codes: Codes, window_days: float) -> dict[str, Array]:
    """The arrays that a bundle stores; codes point into ``item_ids``, sorted."""
    because = np.append(codes.by_id, -1)[found.because]  # -1 stays -1
    return found._asdict() | {
        "item": codes.by_id[found.item],
        "because": because,
        "item_ids": codes.sorted_ids,
        "window_days": np.array([window_days]),
    }
