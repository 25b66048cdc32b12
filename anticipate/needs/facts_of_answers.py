"""The facts behind each recommended item, from which its reason is worded.

Reads  kept candidates of a batch.
Gives  ``Answers``: the candidates with what was bought when, what led there, who else has it.
Never  a source named without its fact: then the next one that has a fact speaks.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..kernels.segments import segment_sum
from .candidates import Batch
from .shoppers import take_segments
from .sources import CODE
from .up_cf import AlikeLately

Array = NDArray[Any]
SIMILAR = ("cosine", "bm25", "ease")  # who can say what an item goes with


class Answers(NamedTuple):
    """Kept candidates of m customers, best first."""

    offsets: Array  # int64 (m + 1,)
    item: Array  # int64, extended code
    log_odds: Array  # float64
    source: Array  # int8, index into SOURCES
    n_purchases: Array  # int32: days the customer bought it; of its category for "category"
    gap_days: Array  # float64: mean days between them; NaN below two
    days_since_last: Array  # float64; NaN for new items
    because: Array  # int64: item that led here, extended code; -1 none
    alike_share: Array  # float64: share of customers alike, or of the group; NaN elsewhere
    n_buyers: Array  # int32: customers who bought it in the last window
    wished_days: Array  # float64: days since it was wished for; NaN

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        counts = np.concatenate([np.diff(part.offsets) for part in parts])
        rest = (np.concatenate(columns) for columns in list(zip(*parts, strict=True))[1:])
        return cls(np.concatenate(([0], np.cumsum(counts))), *rest)


def describe(
    batch: Batch, offsets: Array, customer: Array, item: Array, source: Array, log_odds: Array
) -> Answers:
    """The answers of a batch; a new item's source gives way where it has no fact."""
    because, share, source = _new_facts(batch, customer, item, source)
    n_purchases, gap, since = _own_facts(batch, customer, item)
    of_category = source == CODE["category"]
    n_purchases[of_category] = _category_visits(batch, customer[of_category], item[of_category])
    recent = batch.tables.popular.recent[np.minimum(item, batch.codes.n_known)].astype(np.int32)
    said = batch.signals.place(customer, item, batch.codes.n)
    wished = np.full(len(item), np.nan)
    wished[said >= 0] = batch.signals.days[said[said >= 0]]
    return Answers(
        offsets, item, log_odds, source, n_purchases, gap, since, because, share, recent, wished
    )


def _own_facts(batch: Batch, customer: Array, item: Array) -> tuple[Array, Array, Array]:
    """Days bought, mean gap, days since the last; 0 and NaN for new items."""
    own = batch.own_place(customer, item)
    is_own = own >= 0
    n_purchases = np.zeros(len(item), dtype=np.int32)
    gap, since = np.full(len(item), np.nan), np.full(len(item), np.nan)
    part, pair = batch.shoppers, own[is_own]
    first, last = part.visit_offsets[pair], part.visit_offsets[pair + 1] - 1
    n_purchases[is_own] = visits = last - first + 1
    since[is_own] = part.visit_days[last]
    span = part.visit_days[first] - part.visit_days[last]
    gap[is_own] = np.where(visits > 1, span / np.maximum(visits - 1, 1), np.nan)
    return n_purchases, gap, since


def _new_facts(
    batch: Batch, customer: Array, item: Array, source: Array
) -> tuple[Array, Array, Array]:
    """What led to each item, the share of those alike, and the source that has its fact."""
    because, share = np.full(len(item), -1), np.full(len(item), np.nan)
    source = source.copy()
    for name, find, column in (
        ("follows", _followed, because),
        ("goes_with", _gone_with, because),
        ("people_like_you", _alike, share),
        ("group", _group, share),
    ):
        mine = np.flatnonzero(source == CODE[name])
        if len(mine):
            column[mine] = fact = find(batch, customer[mine], item[mine])
            without = ~(fact > 0) if column is share else fact < 0
            column[mine[without]] = np.nan if column is share else -1
            source[mine[without]] = _NEXT[CODE[name]]
    return because, share, source


# Who speaks where a source has no fact to state.
_NEXT = {
    CODE["follows"]: CODE["goes_with"],
    CODE["goes_with"]: CODE["people_like_you"],
    CODE["people_like_you"]: CODE["popular"],
    CODE["group"]: CODE["popular"],
}


def _followed(batch: Batch, customer: Array, item: Array) -> Array:
    source: Any = batch.tables.sources.get("follows")
    if source is None:
        return np.full(len(item), -1)
    return np.asarray(source.because(batch.view, customer, item))


def _gone_with(batch: Batch, customer: Array, item: Array) -> Array:
    for name in SIMILAR:
        source: Any = batch.tables.sources.get(name)
        if source is not None:
            return np.asarray(source.because(batch.view, customer, item))
    return np.full(len(item), -1)


def _alike(batch: Batch, customer: Array, item: Array) -> Array:
    source = batch.tables.sources.get("up_cf")
    if not isinstance(source, AlikeLately):
        return np.zeros(len(item))
    return source.share(source.alike(batch.view), customer, item)


def _group(batch: Batch, customer: Array, item: Array) -> Array:
    scores = batch.scores.get("traits")
    return np.zeros(len(item)) if scores is None else scores.at(customer, item)


def _category_visits(batch: Batch, customer: Array, item: Array) -> Array:
    """Item-days on which each customer bought something of the item's category."""
    code = batch.tables.categories.code
    wanted = code[np.minimum(item, len(code) - 1)]
    pairs, offsets = take_segments(batch.shoppers.offsets, customer)
    mine = code[np.minimum(batch.shoppers.item[pairs], len(code) - 1)]
    same = mine == np.repeat(wanted, np.diff(offsets))
    return segment_sum(np.where(same, batch.shoppers.n_visits[pairs], 0), offsets).astype(np.int32)
