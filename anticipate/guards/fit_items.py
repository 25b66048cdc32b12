"""What is known of items for a better fit: shares of returns, prices, the best alternatives.

Reads  a history; nothing of those who object to profiling.
Gives  the kernel's table by item, its chances not yet learned.
Never  an alternative that costs more, comes back as often, is no longer sold, or that people
       leave for the item rather than the other way round.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..columns import CANCEL, EVENT_CODES, PURCHASE, RETURN
from ..kernels.events import Events
from ..kernels.fit import PRICE_SLACK, SAME_THING, WIDTH, FitItems
from ..kernels.fit_past import log_millionths
from ..kernels.gap_learning import GroupSums
from ..kernels.owned import DAY
from ..log import History
from ..log.ids import lookup_codes
from ..log.objections import objectors
from .fit_near import (
    Pairs,
    neighbour_pairs,
    popular_pairs,
    same_group_pairs,
    switches,
    with_counts,
)
from .items import category_codes, work_codes
from .return_rows import ITEM_WEIGHT, closed_lines, item_returns

Array = NDArray[Any]
Floats = NDArray[np.float64]
SWITCH_DAYS = 60.0  # so soon after an item somebody goes over to another
RECENT_DAYS = 60.0  # what is sold lately, and how popular it is
BACK_WEIGHT = 3.0  # moves that a customer counts for who sent the item back
PRIOR_MOVES = 100.0  # moves by popularity that speak in each item's
SURE = 0.8416212335729143  # one-sided 80 %: of a difference of two shares of returns
LARGEST_WORK = 64  # items of a work; a larger one is a category


class Fits(NamedTuple):
    """The table, and what its chances are learned from, (n_items + 1, 4)."""

    items: FitItems
    need: Floats  # P(this one | somebody leaves the item)
    knows_returns: bool


def fit_items(history: History, window_days: float) -> Fits:
    """Alternatives and usual pieces by item; ``chance`` is 0 until it is learned."""
    n, events = history.n_items, history.events
    seen = ~objectors(history)[events.customer] & (events.item >= 0)
    codes = [EVENT_CODES[name] for name in (PURCHASE, RETURN, CANCEL)]
    bought = events.take(seen & (events.event == codes[0]))
    moved = events.take(seen & np.isin(events.event, codes))
    closed = closed_lines(history, window_days)
    known = GroupSums(events.item[closed.row], n)
    lines = known.add(np.ones(len(closed.row)))
    back = known.add(closed.returned.astype(np.float64))
    returns = item_returns(history, window_days)
    price, share = np.exp(returns.log_price), returns.share
    price[:-1][np.bincount(bought.item[np.asarray(bought.price) > 0], minlength=n) == 0] = np.nan
    price[-1] = np.nan
    late = bought.timestamp >= history.cutoff_us - np.int64(RECENT_DAYS * DAY)
    recent = np.bincount(bought.item[late], minlength=n).astype(np.float64)
    knows_returns = bool(closed.returned.any())
    pairs, need, backward = _needs(history, bought, moved, recent)
    able = (need >= backward) & (recent[pairs.end] > 0)
    able &= price[pairs.end] <= price[pairs.start] * PRICE_SLACK
    able &= price[pairs.end] >= price[pairs.start] * SAME_THING
    if knows_returns:
        spread = np.sqrt(share[:-1] * (1.0 - share[:-1]) / (lines + ITEM_WEIGHT + 1.0))
        noise = np.hypot(spread[pairs.start], spread[pairs.end])
        able &= share[pairs.start] - share[pairs.end] >= SURE * noise
    else:
        able &= price[pairs.end] * PRICE_SLACK < price[pairs.start]
    table = FitItems(
        log_pieces=_mean_pieces(bought, n),
        price=price,
        share=share,
        n_lines=np.append(lines, 0.0),
        n_kept=np.append(lines - back, 0.0),
        alternatives=np.full((n + 1, WIDTH), -1, dtype=np.int32),
        chance=np.zeros((n + 1, WIDTH)),
        moved=np.zeros((n + 1, WIDTH)),
    )
    return _with_best(table, pairs, need, able, knows_returns)


def _needs(
    history: History, bought: Events, moved: Events, recent: Floats
) -> tuple[Pairs, Floats, Floats]:
    """Pairs, P(end | somebody leaves start), and the same the other way round."""
    n = history.n_items
    category, work = category_codes(history.items), work_codes(history.items)
    sizes = np.bincount(work + 1, minlength=1)
    sizes[0] = 0
    work = np.where(sizes[work + 1] <= LARGEST_WORK, work, -1)
    starts, ends = [list(one) for one in zip(same_group_pairs(work), strict=True)]
    if category is not None:
        category = _without_the_unnamed(history, category)
        a, b = popular_pairs(category, recent)
        pairs = with_counts(
            [*starts, a], [*ends, b], switches(moved, category, days=SWITCH_DAYS), n
        )
    else:
        a, b, like = neighbour_pairs(bought, n)
        start, end, back = switches(moved, np.zeros(n, dtype=np.int64), days=SWITCH_DAYS)
        near = np.isin(start * np.int64(n) + end, a * np.int64(n) + b) | back
        pairs = with_counts([*starts, a], [*ends, b], (start[near], end[near], back[near]), n)
        key, wanted = a * np.int64(n) + b, pairs.start * np.int64(n) + pairs.end
        order = np.argsort(key, kind="stable")
        place = np.minimum(key[order].searchsorted(wanted), max(len(key) - 1, 0))
        found = key[order][place] == wanted if len(key) else np.zeros(len(wanted), dtype=bool)
        least = float(like.min()) if len(like) else 1.0
        pairs = pairs._replace(near=np.where(found, like[order][place] if len(key) else 1.0, least))
    need = _need(pairs, recent, n)
    key = pairs.start * np.int64(n) + pairs.end
    other = pairs.end * np.int64(n) + pairs.start
    place = np.minimum(key.searchsorted(other), max(len(key) - 1, 0))
    there = key[place] == other if len(key) else np.zeros(0, dtype=bool)
    backward = np.where(there, need[place], 0.0) if len(key) else np.zeros(0)
    return pairs, need, backward


def _need(pairs: Pairs, recent: Floats, n_items: int) -> Floats:
    """(moves + w prior) / (all moves + w); the prior is popularity times the root of likeness."""
    moves = pairs.n_moved + BACK_WEIGHT * pairs.n_back
    weight = np.sqrt(pairs.near) * recent[pairs.end]
    by_item = GroupSums(pairs.start, n_items)
    whole = by_item.add(weight)[pairs.start]
    prior = weight / np.where(whole > 0, whole, 1.0)
    return np.asarray(
        (moves + PRIOR_MOVES * prior) / (by_item.add(moves)[pairs.start] + PRIOR_MOVES)
    )


def _without_the_unnamed(history: History, category: Array) -> Array:
    named = history.items["category"].notna().to_numpy()
    return np.where(named, category, -1)


def _mean_pieces(bought: Events, n_items: int) -> Floats:
    """Mean log pieces in millionths; items without a purchase: that of all."""
    pieces = log_millionths(np.asarray(bought.quantity))
    n = np.bincount(bought.item, minlength=n_items)
    total = np.bincount(bought.item, pieces, minlength=n_items)
    whole = np.rint(pieces.sum() / max(len(pieces), 1))
    return np.append(np.where(n > 0, np.rint(total / np.maximum(n, 1)), whole), whole)


def _with_best(
    table: FitItems, pairs: Pairs, need: Floats, able: Array, knows_returns: bool
) -> Fits:
    """The four most needed of those that may be named, ties by item."""
    rows = np.flatnonzero(able)
    order = rows[np.lexsort((pairs.end[rows], -need[rows], pairs.start[rows]))]
    start = pairs.start[order]
    first = np.flatnonzero(np.diff(start, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    kept, rank = order[rank < WIDTH], rank[rank < WIDTH]
    needs = np.zeros_like(table.chance)
    table.alternatives[pairs.start[kept], rank] = pairs.end[kept]
    table.moved[pairs.start[kept], rank] = (pairs.n_moved + pairs.n_back)[kept]
    needs[pairs.start[kept], rank] = need[kept]
    return Fits(table, needs, knows_returns)


def align_items(items: FitItems, known: Array, wanted: Array) -> FitItems:
    """The table for another vocabulary; its last row for items it lacks."""
    rows = np.append(lookup_codes(wanted, known), -1)
    place = np.append(lookup_codes(known, wanted), -1)
    table = FitItems(*(column[rows] for column in items))
    return table._replace(alternatives=place[table.alternatives].astype(np.int32))
