"""Past carts, and beside them what they might have repeated by mistake.

Reads  purchases of an earlier window and what their customers had owned.
Gives  lines that repeat what is owned (real), and draws from what was owned (as if by mistake).
Never  a draw that stood in the cart; a real line that was soon undone (it may be a mistake);
       tables that saw the window.

A forgotten purchase may be of anything that is owned, or of another edition of it: a draw, even
over what is owned, shows what such a line looks like. It stands beside what was meant, one a
cart: the unit of exposure is a cart.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.clicks import QUICK_MINUTES
from ..kernels.events import Events
from ..kernels.habits import Rest, find_habits, rest_of_cart
from ..kernels.next_gap import GapTable, gap_law, rate_per_day
from ..kernels.owned import DAY, Lines
from ..kernels.repeats import COLUMNS, repeat_columns
from ..kernels.rules import ItemRules, is_cleared, look_up
from .bought import Bought
from .repeat_items import repeat_items

Array = NDArray[Any]
Floats = NDArray[np.float64]
N_WINDOWS, WINDOW_SHARE, SHORTEST_DAYS, LONGEST_DAYS = 6, 1 / 8, 7.0, 60.0
MOST_CARTS = 5_000  # of a window; others are left out at random
DRAWS = 2  # a cart; each counts half


class Examples(NamedTuple):
    """Lines of what is owned, none cleared by a rule; (e,)."""

    X: Floats  # (k, e)
    is_draw: Array  # bool
    row: Array  # int64: purchase of a real line, -1 of a draw
    source: Array  # int64: purchase of what is owned
    item: Array
    is_other: Array  # bool: another edition is owned, not the item itself
    window: Array  # int64: 0 the oldest

    def take(self, mask: Array) -> Examples:
        """Those of a mask."""
        return Examples(*(column[..., mask] for column in self))


def examples(
    bought: Bought,
    *,
    gaps: GapTable,
    rules: ItemRules,
    category: Array | None,
    rng: np.random.Generator,
) -> Examples:
    """Of the newest windows of the history, oldest first."""
    parts = [
        one_window(bought, span, number, gaps=gaps, rules=rules, category=category, rng=rng)
        for number, span in enumerate(windows(bought))
    ]
    columns = zip(_nothing(), *parts, strict=True)
    return Examples(*(np.concatenate(column, axis=-1) for column in columns))


def windows(bought: Bought) -> list[tuple[int, int]]:
    """Six spans of time up to the cutoff, together at most three quarters of the history."""
    if not bought.events.n:
        return []
    first, last = int(bought.events.timestamp.min()), int(bought.cutoffs.max())
    days = np.clip((last - first) / DAY * WINDOW_SHARE, SHORTEST_DAYS, LONGEST_DAYS)
    edges = [last - round(k * float(days) * DAY) for k in range(N_WINDOWS, -1, -1)]
    return [(a, b) for a, b in pairwise(edges) if a > first]


def one_window(
    bought: Bought,
    span: tuple[int, int],
    number: int,
    *,
    gaps: GapTable,
    rules: ItemRules,
    category: Array | None,
    rng: np.random.Generator,
) -> Examples:
    """Of one span (start, end in microseconds); ``number`` stands in ``window``."""
    events, n_items = bought.events, len(rules.consumable) - 1
    real = _cart_rows(events, *span, rng)
    if not len(real):
        return _nothing()
    drawn, place = _draws(events, real, rng)
    others = _editions(events.item[drawn], rules, rng)
    has_other = (others >= 0) & ~_stands_in_cart(events, real, place, others)
    lines = _lines(events, real, drawn, place, others, has_other)
    place = np.concatenate([place, place[has_other]])
    looked = look_up(events, bought.undone_at, lines, rules)
    if looked is None:
        return _nothing()
    what, is_own = looked
    law = gap_law(gaps, lines.item, what.n_visits, what.gap_sum_days)
    X = repeat_columns(
        what,
        find_habits(events, lines),
        _rest(lines, is_own, place, len(real)),
        lines.item,
        items=repeat_items(bought, n_items, category, span[0]),
        rate=rate_per_day(law, what.open_days),
        lifetime=rules.lifetime_days[lines.item],
    )
    row = np.concatenate([real, np.full(len(place), -1)])
    asked_other = np.zeros(len(row), dtype=bool)
    asked_other[len(real) + len(drawn) :] = True
    kept = what.has & (what.minutes > QUICK_MINUTES)
    kept &= (row >= 0) | (asked_other != is_own)  # an edition owned as well is no draw of it
    kept &= ~is_cleared(what, is_own, lines, lines.item, law=law, rules=rules)
    window = np.full(len(row), number)
    return Examples(X, row < 0, row, what.row, lines.item, ~is_own, window).take(kept)


def _cart_rows(events: Events, start: int, end: int, rng: np.random.Generator) -> Array:
    """Purchases of the window, of customers who had bought before; once per item and cart."""
    first = events.timestamp[np.minimum(events.offsets[events.customer], events.n - 1)]
    inside = (events.timestamp >= start) & (events.timestamp < end) & ~events.gift
    rows = np.flatnonzero(inside & (events.timestamp > first))
    cart = _carts(events, rows)
    if len(rows) and cart[-1] >= MOST_CARTS:
        chosen = np.zeros(int(cart[-1]) + 1, dtype=bool)
        chosen[rng.choice(len(chosen), MOST_CARTS, replace=False)] = True
        rows = rows[chosen[cart]]
        cart = _carts(events, rows)
    order = np.lexsort((rows, events.item[rows], cart))
    same = np.zeros(len(rows), dtype=bool)
    same[1:] = (np.diff(cart[order]) == 0) & (np.diff(events.item[rows][order]) == 0)
    return np.sort(rows[order[~same]])


def _carts(events: Events, rows: Array) -> Array:
    """A running number per (customer, instant); rows are in that order."""
    new = np.ones(len(rows), dtype=bool)
    customer, time = events.customer[rows], events.timestamp[rows]
    new[1:] = (customer[1:] != customer[:-1]) | (time[1:] != time[:-1])
    return np.cumsum(new) - 1


def _draws(events: Events, real: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """First purchases before each cart, evenly drawn; and the first real line of the cart.

    What stands in the cart is no draw: such a cart has one less.
    """
    cart = _carts(events, real)
    begin = np.flatnonzero(np.diff(cart, prepend=-1))
    head = real[begin]  # first line of each cart
    is_first = np.zeros(events.n, dtype=bool)
    span = np.int64(int(events.item.max()) + 1)
    key = events.customer.astype(np.int64) * span + events.item
    is_first[np.unique(key, return_index=True)[1]] = True
    firsts = np.flatnonzero(is_first)
    low = firsts.searchsorted(events.offsets[events.customer[head]])
    n_before = firsts.searchsorted(_begin_of_cart(events, head)) - low
    picked = low + np.floor(rng.random((DRAWS, len(head))) * n_before).astype(np.int64)
    rows = firsts[np.minimum(picked, len(firsts) - 1)].ravel()
    numbers = np.tile(np.arange(len(head)), DRAWS)
    in_cart = np.isin(numbers * span + events.item[rows], cart * span + events.item[real])
    good = (np.tile(n_before, DRAWS) > 0) & ~in_cart
    return rows[good], begin[numbers[good]]


def _editions(item: Array, rules: ItemRules, rng: np.random.Generator) -> Array:
    """Of each owned item an item that it makes needless, evenly drawn; -1 none."""
    covered = rules.substitutes[:-1]
    row, column = np.nonzero(covered >= 0)
    owner, needless = covered[row, column].astype(np.int64), row  # owning ``owner`` covers it
    order = np.lexsort((needless, owner))
    owner, needless = owner[order], needless[order]
    low = owner.searchsorted(item)
    n = owner.searchsorted(item, side="right") - low
    if not len(needless):
        return np.full(len(item), -1)
    picked = np.minimum(low + np.floor(rng.random(len(item)) * n).astype(np.int64),
                        len(needless) - 1)  # fmt: skip
    return np.where(n > 0, needless[picked], -1)


def _stands_in_cart(events: Events, real: Array, place: Array, item: Array) -> Array:
    """Whether an item is a line of the cart whose real line ``place`` is."""
    cart, span = _carts(events, real), np.int64(max(events.item.max(), item.max(initial=0)) + 1)
    return np.isin(cart[place] * span + item, cart * span + events.item[real])


def _begin_of_cart(events: Events, rows: Array) -> Array:
    """Position of the first event of the customer at the instant of each row."""
    new = np.ones(events.n, dtype=bool)
    new[1:] = (np.diff(events.customer) != 0) | (np.diff(events.timestamp) != 0)
    begin = np.maximum.accumulate(np.where(new, np.arange(events.n), 0))
    return np.asarray(begin[rows])


def _lines(
    events: Events, real: Array, drawn: Array, place: Array, others: Array, has_other: Array
) -> Lines:
    """Real lines as they were; draws as their customer had bought them; then other editions."""
    rows = np.concatenate([real, drawn, drawn[has_other]])
    at = np.concatenate([real, real[place], real[place][has_other]])
    item = events.item[rows].astype(np.int64)
    item[len(real) + len(drawn) :] = others[has_other]
    return Lines(
        customer=events.customer[rows].astype(np.int64),
        item=item,
        timestamp=events.timestamp[at],
        quantity=events.quantity[rows],
        gift=np.zeros(len(rows), dtype=bool),
    )


def _rest(lines: Lines, owned: Array, place: Array, n_real: int) -> Rest:
    """The other lines of the cart; a draw stands beside all of them, ``place`` being one."""
    rest = rest_of_cart(Lines(*(column[:n_real] for column in lines)), owned[:n_real])
    return Rest(
        np.concatenate([rest.n_lines, rest.n_lines[place] + 1]),
        np.concatenate([rest.n_owned, rest.n_owned[place] + owned[:n_real][place]]),
    )


def _nothing() -> Examples:
    none = np.zeros(0, dtype=np.int64)
    flags = none.astype(bool)
    return Examples(np.zeros((len(COLUMNS), 0)), flags, none, none, none, flags, none)


__all__ = ["DRAWS", "Examples", "examples", "windows"]
