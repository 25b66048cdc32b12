"""Past lines with a known end: sent back within the window or kept, and what was known before.

Reads  a history, and earlier moments of it.
Gives  labels of lines whose window is closed, items' shares of returns, slices to learn from.
Never  a line whose window is still open; customers who object to profiling.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import CATEGORY, EVENT_CODES, PRICE, PURCHASE
from ..exceptions import BadRowsError
from ..kernels.gap_learning import GroupSums
from ..kernels.owned import DAY, Lines
from ..kernels.return_past import Kinds
from ..kernels.return_risk import ItemReturns, LineFacts, risk_columns
from ..kernels.returns import NEVER
from ..log import History
from ..log.frames import as_numbers
from ..log.ids import lookup_codes
from ..log.objections import objectors
from .items import category_codes, work_codes

Array = NDArray[Any]
Floats = NDArray[np.float64]
ITEM_WEIGHT = 50.0  # lines of the category that speak in each item's share
CATEGORY_WEIGHT = 50.0  # lines of the whole that speak in each category's
WHOLE_SHARE, WHOLE_WEIGHT = 0.02, 10.0  # where nothing was ever sent back
SHORTEST_DAYS, MOST_SLICES, FEWEST_SLICES, RETURNED_EACH = 14.0, 12, 3, 100
FEWEST_RETURNED = 30  # lines, in the older slices together; half of it in each of the newest two


class Closed(NamedTuple):
    """Purchases whose window is over, (n,)."""

    row: Array  # int64: position in the history's events
    returned: NDArray[np.bool_]  # any of it, within the window


class Slice(NamedTuple):
    """Lines of one span of time, and what was known of them when each was bought."""

    X: Floats  # (n, k): ``COLUMNS``
    returned: NDArray[np.bool_]  # (n,)
    base: Floats  # (n,): the item's share alone


def closed_lines(history: History, window_days: float) -> Closed:
    """Purchases of those who do not object, whose window ended before the customer's cutoff."""
    events, match = history.events, history.returns
    window = np.int64(window_days * DAY)
    bought = (events.event == EVENT_CODES[PURCHASE]) & ~objectors(history)[events.customer]
    over = events.timestamp + window <= history.cutoffs[events.customer]
    rows = np.flatnonzero(bought & over)
    first = match.returned_at.copy()  # a line may come back in parts: the first one decides
    parts = np.flatnonzero(match.purchase_row >= 0)
    np.minimum.at(first, match.purchase_row[parts], events.timestamp[parts])
    came = np.where(match.returned[rows] > 0, first[rows], NEVER)
    return Closed(rows, (came != NEVER) & (came < events.timestamp[rows] + window))


def item_returns(history: History, window_days: float) -> ItemReturns:
    """Shares of closed lines that came back, item shrunken to category to whole."""
    closed, n_items = closed_lines(history, window_days), history.n_items
    item, n_back = history.events.item[closed.row], float(closed.returned.sum())
    whole = (n_back + WHOLE_WEIGHT * WHOLE_SHARE) / (len(item) + WHOLE_WEIGHT)
    by_item = GroupSums(item, n_items)
    n, back = by_item.add(np.ones(len(item))), by_item.add(closed.returned.astype(np.float64))
    group = category_codes(history.items)
    parent = np.full(n_items, whole)
    if group is not None:
        by_group = GroupSums(group, int(group.max(initial=-1)) + 1)
        parent = (by_group.add(back) + CATEGORY_WEIGHT * whole) / (
            by_group.add(n) + CATEGORY_WEIGHT
        )
        parent = parent[group]
    share = (back + ITEM_WEIGHT * parent) / (n + ITEM_WEIGHT)
    bought = history.purchases
    price = np.asarray(bought.price)
    known = price > 0
    pieces = np.log(bought.quantity)
    return ItemReturns(
        share=np.append(share, whole),
        log_price=_means(bought.item[known], np.log(price[known]), n_items, np.nan),
        log_quantity=_means(bought.item, pieces, n_items, 0.0),
    )


def _means(item: Array, values: Floats, n_items: int, nothing: float) -> Floats:
    """Mean by item, (n_items + 1,); items without a value and the last row: that of all."""
    sums = GroupSums(item, n_items)
    n, total = sums.add(np.ones(len(item))), sums.add(values)
    whole = float(values.mean()) if len(values) else nothing
    return np.append(np.where(n > 0, total / np.maximum(n, 1.0), whole), whole)


def kinds_of(items: pd.DataFrame) -> Kinds:
    """Things and categories of a history's items; without a work an item is its own thing."""
    n, work, category = len(items), work_codes(items), category_codes(items)
    thing = np.where(work >= 0, n + 1 + work, np.arange(n))
    if category is None:
        return Kinds(thing, np.full(n, -1))
    return Kinds(thing, np.where(items[CATEGORY].notna(), category, -1))


def align(items: ItemReturns, known: Array, wanted: Array) -> ItemReturns:
    """The table for another vocabulary, its last row for items it lacks."""
    rows = np.append(lookup_codes(wanted, known), -1)
    return ItemReturns(*(column[rows] for column in items))


def slices(history: History, window_days: float) -> list[Slice]:
    """Rolling origins, oldest first: items as known when the slice began, labels from today.

    The newest ends where windows close; the oldest begins when shares rest on lines of half a
    window. Two weeks long, doubled while too few lines came back in each. Where all that came
    back are too few to learn from, columns are not made: ``X`` is (n, 0).
    """
    closed, events = closed_lines(history, window_days), history.events
    if not len(closed.row):
        return []
    time = events.timestamp[closed.row]
    begin = int(events.timestamp.min()) + int(1.5 * window_days * DAY)
    end = int(history.cutoff_us - window_days * DAY)
    back = np.count_nonzero(closed.returned & (time >= begin))
    length = _slice_length(end - begin, int(back))
    spans: list[tuple[int, Array]] = []
    while end - length >= begin and len(spans) < MOST_SLICES:
        inside = (time >= end - length) & (time < end)
        if inside.any():
            spans.append((end - length, inside))
        end -= length
    spans.reverse()
    n_back = [int(closed.returned[inside].sum()) for _, inside in spans]
    if are_too_few(n_back):
        none = [closed.returned[inside] for _, inside in spans]
        return [Slice(np.zeros((len(one), 0)), one, np.zeros(len(one))) for one in none]
    return [_slice(history, start, closed, inside, window_days) for start, inside in spans]


def are_too_few(n_back: list[int]) -> bool:
    """Whether returned lines by slice, oldest first, leave too little to learn and to judge on."""
    few = len(n_back) < FEWEST_SLICES or sum(n_back[:-2]) < FEWEST_RETURNED
    return few or min(n_back[-2:]) < FEWEST_RETURNED // 2


def _slice_length(span: int, n_returned: int) -> int:
    """Microseconds."""
    length = int(SHORTEST_DAYS * DAY)
    while n_returned * length < RETURNED_EACH * span and 2 * length * FEWEST_SLICES <= span:
        length *= 2
    return length


def _slice(
    history: History, start: int, closed: Closed, inside: Array, window_days: float
) -> Slice:
    events, rows = history.events, closed.row[inside]
    earlier = history.before(start)
    table = align(item_returns(earlier, window_days), earlier.item_ids, history.item_ids)
    lines = Lines(events.customer[rows], events.item[rows], events.timestamp[rows],
                  events.quantity[rows], events.gift[rows])  # fmt: skip
    kinds = kinds_of(history.items)
    facts = LineFacts(events, lines, events.price[rows], items=table, kinds=kinds)
    return Slice(risk_columns(facts), closed.returned[inside], facts.share)


def prices(cart: pd.DataFrame) -> Floats:
    """Prices per piece of cart lines, NaN unknown."""
    if PRICE not in cart.columns:
        return np.full(len(cart), np.nan)
    given = as_numbers(cart[PRICE])
    lost = np.isnan(given) & cart[PRICE].notna().to_numpy(dtype=bool)
    bad = lost | np.isinf(given) | (given < 0)
    if bad.any():
        raise BadRowsError(
            f"cart: {int(bad.sum())} lines have a price that is no number from 0 up "
            f"(rows {np.flatnonzero(bad)[:3].tolist()}); mend them."
        )
    return given
