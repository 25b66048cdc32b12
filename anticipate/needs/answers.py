"""The best candidates of many customers, with their probabilities and reasons.

Reads  tables, learned weights and the customers' own events.
Gives  ``Answers``: candidates, best first, per customer, with the facts behind each.
Never  more than a batch of customers at a time; the order of customers does not count.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import CUSTOMER, ITEM
from ..kernels.needs import linear_log_odds, to_probability
from ..kernels.ranking import top_k_offsets, top_k_per_group
from ..kernels.segments import within
from .candidates import CODE, SOURCES, Batch, Rows
from .samples import batches
from .shoppers import Codes, take_segments
from .training import Learned

Array = NDArray[Any]


class Answers(NamedTuple):
    """Kept candidates of m customers, best first."""

    offsets: Array  # int64 (m + 1,)
    item: Array  # int64, extended code
    log_odds: Array  # float64
    source: Array  # int8, index into SOURCES
    n_purchases: Array  # int32: days on which the customer bought it
    gap_days: Array  # float64: mean days between them; NaN below two
    days_since_last: Array  # float64; NaN for new items
    because: Array  # int64: item that led here, extended code; -1 none
    alike_share: Array  # float64: share of customers alike who have it; NaN elsewhere
    n_buyers: Array  # int32: customers who bought it in the last window
    wished_days: Array  # float64: days since it was wished for; NaN

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        counts = np.concatenate([np.diff(part.offsets) for part in parts])
        rest = (np.concatenate(columns) for columns in list(zip(*parts, strict=True))[1:])
        return cls(np.concatenate(([0], np.cumsum(counts))), *rest)


def answer(
    everyone: Batch, learned: Learned, *, n: int, own: bool = True, allowed: Array | None = None
) -> Answers:
    """The n best candidates of each customer; ``own=False`` leaves out what was bought."""
    customers = np.arange(everyone.shoppers.n)
    found = [
        _answer_batch(batch, learned, n, own, allowed) for batch, _ in batches(everyone, customers)
    ]
    # No customer at all: the answer of an empty batch has the right columns.
    return Answers.joined(found or [_answer_batch(everyone, learned, n, own, allowed)])


def _answer_batch(
    batch: Batch, learned: Learned, n: int, own: bool, allowed: Array | None
) -> Answers:
    fresh = batch.new(allowed, n)
    groups = [(fresh, _new_log_odds(batch, learned, fresh))]
    if own:
        bought = batch.own()
        log_odds = learned.own.log_odds(bought.table(learned.own.names))
        groups.append((bought, log_odds + _said(batch, learned, bought)))
    customer, item, source = (
        np.concatenate([getattr(rows, name) for rows, _ in groups])
        for name in ("customer", "item", "source")
    )
    log_odds = np.concatenate([values for _, values in groups])
    inside = np.ones(len(item), dtype=bool) if allowed is None else allowed[item]
    if not own:
        inside &= ~batch.is_gone(customer, item)
    rows = np.flatnonzero(inside)
    customer, item, source, log_odds = customer[rows], item[rows], source[rows], log_odds[rows]
    order = np.argsort(customer, kind="stable")
    offsets = np.searchsorted(customer[order], np.arange(batch.shoppers.n + 1))
    ties = batch.codes.by_id[item[order]]
    kept = order[top_k_per_group(offsets, log_odds[order], ties, n)]
    facts = _facts(batch, customer[kept], item[kept], source[kept])
    return Answers(top_k_offsets(offsets, n), item[kept], log_odds[kept], source[kept], *facts)


def _new_log_odds(batch: Batch, learned: Learned, rows: Rows) -> Array:
    """The blend for customers who bought before, popularity for newcomers."""
    blended = learned.new.log_odds(rows.table(learned.new.names))
    code = np.minimum(rows.item, batch.codes.n_known)
    popular = batch.tables.popular.log_odds[code] + learned.newcomer_shift
    newcomer = batch.is_newcomer[rows.customer]
    return np.where(newcomer, popular, blended) + _said(batch, learned, rows)


def _said(batch: Batch, learned: Learned, rows: Rows) -> Array:
    return linear_log_odds(batch.flags(rows), learned.shifts, 0.0)


def _facts(batch: Batch, customer: Array, item: Array, source: Array) -> tuple[Array, ...]:
    """Columns of ``Answers`` from ``n_purchases`` on."""
    n = len(item)
    own = batch.own_place(customer, item)
    is_own = own >= 0
    n_purchases = np.zeros(n, dtype=np.int32)
    gap, since, alike = (np.full(n, np.nan) for _ in range(3))
    part, pair = batch.shoppers, own[is_own]
    first, last = part.visit_offsets[pair], part.visit_offsets[pair + 1] - 1
    n_purchases[is_own] = visits = last - first + 1
    since[is_own] = part.visit_days[last]
    span = part.visit_days[first] - part.visit_days[last]
    gap[is_own] = np.where(visits > 1, span / np.maximum(visits - 1, 1), np.nan)
    because = np.full(n, -1, dtype=np.int64)
    goes = source == CODE["goes_with"]
    because[goes] = batch.tables.collaborative.because(batch.profiles, customer[goes], item[goes])
    like = source == CODE["people_like_you"]
    alike[like] = batch.tables.neighbours.share(batch.alike, customer[like], item[like])
    recent = batch.tables.popular.recent[np.minimum(item, batch.codes.n_known)].astype(np.int32)
    said = batch.signals.place(customer, item, batch.codes.n)
    wished = np.full(n, np.nan)
    wished[said >= 0] = batch.signals.days[said[said >= 0]]
    return n_purchases, gap, since, because, alike, recent, wished


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
        "item_ids": codes.ids[np.argsort(codes.by_id)],
        "window_days": np.array([window_days]),
    }
