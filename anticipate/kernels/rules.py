"""What a cart line may be by mistake: the rules that a notebook's review and the scorer share.

Reads  customers' events, what of them came back, cart lines, tables by item.
Gives  per line: kind of mistake, its probability, the row that speaks for it.
Never  a verdict by rule alone: rules can only clear a line, never accuse one.

A line that repeats what is owned is a mistake with P = r / (r + w): mistakes happen at a small
rate r, wishes at a rate w from the law of gaps. Bayes on two Poisson rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import PURCHASE_CODE, Events
from .next_gap import GapTable, gap_law, rate_per_day, survival
from .order import group_order

Array = NDArray[Any]
Floats = NDArray[np.float64]
DAY, MINUTE = 86_400_000_000, 60_000_000
KINDS = (None, "double_submit", "already_owned", "substitute_owned")
NONE, DOUBLE_SUBMIT, ALREADY_OWNED, SUBSTITUTE_OWNED = range(len(KINDS))

QUICK_MINUTES = 60.0  # a repeat within it is a double submit or meant; later, a forgotten one
UNDONE_SHARE = 0.7  # of the mistakes that are noticed and sent back; an assumption
MANY_TIMES_USUAL = 3.0  # so many times the item's usual pieces is a restock
NOT_DUE = 0.9  # a consumable is due once a tenth of its gaps would be over
WEAR = 4.0  # shape of the Weibull law by which things wear out around their lifetime
SURE_WISH = 0.1  # wishes are at least this share of the observed repeats


class Lines(NamedTuple):
    """Cart lines, (n,). Lines of a customer at the same instant are one cart."""

    customer: Array  # code in the events
    item: Array  # code; outside the table = unknown
    timestamp: Array  # int64 microseconds UTC
    quantity: Array  # float64 pieces
    gift: Array  # bool


class ItemRules(NamedTuple):
    """By item, (n_items + 1,); the last row speaks for items never seen."""

    mistakes_per_day: Floats  # forgotten ones, per day that the item is owned
    substitute_mistake: Floats  # P(mistake | bought while another edition is owned)
    consumable: Array  # bool
    lifetime_days: Floats  # NaN unknown
    usual_quantity: Floats  # median pieces of a line
    substitutes: Array  # int32 (n_items + 1, w): owning one of these covers the item; -1 none

    @classmethod
    def from_mapping(cls, arrays: Mapping[str, Array]) -> ItemRules:
        return cls(*(arrays[name] for name in cls._fields))


class QuickRates(NamedTuple):
    """Repeats within the hour: how many a purchase, and how soon (mean minutes)."""

    mistake_share: float
    mistake_minutes: float
    wanted_share: float
    wanted_minutes: float


class Findings(NamedTuple):
    """Per line (n,)."""

    kind: Array  # int8, position in KINDS
    probability: Floats  # that the line is this mistake; 0 where kind is NONE
    row: Array  # int64: the event that speaks for it, -1 none
    line: Array  # int64: or the earlier line of this review that does, -1 none


class Owned(NamedTuple):
    """What each line's customer has of an item before that line, (n,)."""

    has: Array  # bool
    row: Array  # int64: latest purchase's event row; -1 none
    n_visits: Array  # int64
    gap_sum_days: Floats
    open_days: Floats  # since the first line of the last visit
    minutes: Floats  # since the latest purchase
    in_batches: Array  # bool: bought more than once on one day before the last visit

    @property
    def is_quick(self) -> Array:
        return np.asarray(self.minutes <= QUICK_MINUTES)


def check_lines(
    events: Events,
    returned: Array,
    lines: Lines,
    *,
    gaps: GapTable,
    rules: ItemRules,
    quick: QuickRates,
    objects: Array,
) -> Findings:
    """Which lines may be mistakes.

    Parameters
    ----------
    events : Events
        Of customers 0..m-1; only what lies before a line counts for it.
    returned : array of shape (n_events,)
        Pieces of each purchase that came back (``ReturnMatch.returned``).
    lines : Lines
    gaps, rules : tables of n_items + 1 rows
    quick : QuickRates
    objects : bool array of shape (m,)
        Objects to profiling: only double submits are looked for.

    Returns
    -------
    Findings
        Independent of other customers and of the order of lines.
    """
    book = _Book(events, returned, lines, rules)
    own = book.find(lines.item)
    row = _table_row(lines.item, len(rules.consumable) - 1)
    p_double, line = _double_submit(events, lines, own, quick)
    p_owned = _already_owned(own, lines, row, gaps=gaps, rules=rules)
    other, p_other = _substitute_owned(book, lines, row, rules)
    allowed = ~objects[lines.customer] & ~own.is_quick & (line < 0)
    choice = np.select(
        [own.is_quick | (line >= 0), own.has & allowed, other.has & allowed],
        [DOUBLE_SUBMIT, ALREADY_OWNED, SUBSTITUTE_OWNED],
        NONE,
    )
    chances = np.stack([np.zeros(len(row)), p_double, p_owned, p_other])
    probability = np.where(lines.gift, 0.0, chances[choice, np.arange(len(row))])
    kind = np.where(probability > 0, choice, NONE).astype(np.int8)
    line = np.where(kind == DOUBLE_SUBMIT, line, -1)
    evidence = np.where(kind == SUBSTITUTE_OWNED, other.row, own.row)
    return Findings(kind, probability, np.where((kind != NONE) & (line < 0), evidence, -1), line)


def _double_submit(
    events: Events, lines: Lines, own: Owned, quick: QuickRates
) -> tuple[Floats, Array]:
    """P of a second click, and the earlier line of this review that it repeats (-1 none).

    Times after a first click are exponential: minutes for a mistake, longer for a wish. Another
    number of pieces is another order; who buys it in batches means it.
    """
    line, line_minutes = _earlier_lines(lines)
    from_line = line >= 0
    minutes = np.where(from_line, line_minutes, own.minutes)
    before = np.where(
        from_line, lines.quantity[line], events.quantity[own.row] if events.n else 1.0
    )
    slip = _density(minutes, quick.mistake_share, quick.mistake_minutes)
    wish = _density(minutes, quick.wanted_share, quick.wanted_minutes)
    same = (before == lines.quantity) & ~own.in_batches
    return np.where(same & (minutes <= QUICK_MINUTES), slip / (slip + wish), 0.0), line


def _density(minutes: Floats, share: float, mean: float) -> Floats:
    return share * np.exp(-np.minimum(minutes, QUICK_MINUTES) / mean) / mean


def _earlier_lines(lines: Lines) -> tuple[Array, Floats]:
    """The same customer's same item, no gift, in an earlier cart of this review; and minutes."""
    n = len(lines.item)
    found, minutes = np.full(n, -1), np.full(n, np.inf)
    if n < 2 or bool((lines.timestamp == lines.timestamp[0]).all()):
        return found, minutes
    order = np.lexsort((lines.quantity, lines.gift, lines.timestamp, lines.item, lines.customer))
    columns = [column[order] for column in lines]
    same = (columns[0][1:] == columns[0][:-1]) & (columns[1][1:] == columns[1][:-1])
    wait = np.diff(columns[2]) / MINUTE
    hit = np.flatnonzero(same & (wait > 0) & (wait <= QUICK_MINUTES) & ~columns[4][:-1])
    found[order[hit + 1]], minutes[order[hit + 1]] = order[hit], wait[hit]
    return found, minutes


def _already_owned(
    own: Owned, lines: Lines, row: Array, *, gaps: GapTable, rules: ItemRules
) -> Floats:
    """P = r / (r + w) at the age of what is owned; 0 where it may well be wanted again."""
    law = gap_law(gaps, lines.item, own.n_visits, own.gap_sum_days)
    mistakes = rules.mistakes_per_day[row]
    repeats = rate_per_day(law, own.open_days)
    # Mistakes that were kept are among the repeats that the law was learned from.
    wishes = np.maximum(repeats - (1.0 - UNDONE_SHARE) * mistakes, SURE_WISH * repeats)
    lifetime = rules.lifetime_days[row]
    wishes = wishes + np.nan_to_num(WEAR / lifetime * (own.open_days / lifetime) ** (WEAR - 1.0))
    due = rules.consumable[row] & (survival(law, own.open_days) < NOT_DUE)
    worn_out = own.open_days >= lifetime
    wanted = due | worn_out | own.in_batches | _is_restock(lines, row, rules)
    return np.where(wanted | ~own.has, 0.0, mistakes / (mistakes + wishes))


def _substitute_owned(
    book: _Book, lines: Lines, row: Array, rules: ItemRules
) -> tuple[Owned, Floats]:
    """The latest substitute owned, and P that the other edition is not wanted beside it."""
    n = len(row)
    best = book.nothing()
    age = np.full(n, np.inf)
    for column in range(rules.substitutes.shape[1]):  # as many as the widest family of editions
        item = rules.substitutes[row, column].astype(np.int64)
        owned = book.find(item)
        lifetime = rules.lifetime_days[_table_row(item, len(rules.consumable) - 1)]
        use = owned.has & (owned.minutes < age) & ~(owned.open_days >= lifetime)
        best = Owned(*(np.where(use, a, b) for a, b in zip(owned, best, strict=True)))
        age = np.where(use, owned.minutes, age)
    unlikely = rules.consumable[row] | _is_restock(lines, row, rules)
    return best, np.where(unlikely | ~best.has, 0.0, rules.substitute_mistake[row])


def _is_restock(lines: Lines, row: Array, rules: ItemRules) -> Array:
    return np.asarray(lines.quantity >= MANY_TIMES_USUAL * rules.usual_quantity[row])


def _table_row(item: Array, n_items: int) -> Array:
    return np.where((item >= 0) & (item < n_items), item, n_items)


class _Book:
    """Purchases that matter for some lines, by (customer, item, time)."""

    def __init__(self, events: Events, returned: Array, lines: Lines, rules: ItemRules) -> None:
        top = max(events.item.max(initial=0), lines.item.max(initial=0), len(rules.consumable))
        self._span = np.int64(top) + 2
        self._lines = lines
        rows = self._matter(events, returned, rules, int(top) + 2)
        key = events.customer[rows] * self._span + events.item[rows]
        order = group_order(key)
        self._key, self._row = key[order], rows[order]
        self._time = events.timestamp[self._row]
        day = events.day[self._row]
        new = np.ones(len(rows), dtype=bool)
        new[1:] = (day[1:] != day[:-1]) | (self._key[1:] != self._key[:-1])
        self._visit = np.cumsum(new)
        self._visit_start = np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0))

    def _matter(self, events: Events, returned: Array, rules: ItemRules, size: int) -> Array:
        """Rows of kept purchases of any item in the lines, or of a substitute of one."""
        wanted = np.zeros(size, dtype=bool)
        row = _table_row(self._lines.item, len(rules.consumable) - 1)
        wanted[rules.substitutes[row]] = True
        wanted[self._lines.item] = True
        wanted[-1] = False  # the place of -1
        mine = wanted[events.item] & (events.event == PURCHASE_CODE) & ~events.gift
        return np.flatnonzero(mine & (returned < events.quantity))

    def nothing(self) -> Owned:
        """No line's customer owns it."""
        n = len(self._lines.item)
        zero, none = np.zeros(n), np.zeros(n, dtype=bool)
        return Owned(none, np.full(n, -1), np.ones(n, np.int64), zero, zero, zero + np.inf, none)

    def find(self, item: Array) -> Owned:
        """What each line's customer owned of ``item`` (one per line) before that line."""
        lines = self._lines
        if not len(self._row):
            return self.nothing()
        key = lines.customer * self._span + item
        low = np.searchsorted(self._key, key, side="left")
        high = np.searchsorted(self._key, key, side="right")
        last = high - 1
        while True:  # only in looking back do events lie at or after a line
            late = (last >= low) & (self._time[last] >= lines.timestamp)
            if not late.any():
                break
            last = last - late
        has = (last >= low) & (item >= 0)
        last, low = np.where(has, last, 0), np.where(has, low, 0)
        start = self._visit_start[last]
        n_visits = self._visit[last] - self._visit[low] + 1
        return Owned(
            has=has,
            row=np.where(has, self._row[last], -1),
            n_visits=np.where(has, n_visits, 1),
            gap_sum_days=np.where(has, self._time[start] - self._time[low], 0) / DAY,
            open_days=np.where(has, lines.timestamp - self._time[start], 0) / DAY,
            minutes=np.where(has, (lines.timestamp - self._time[last]) / MINUTE, np.inf),
            in_batches=has & (start - low > n_visits - 1),
        )


def is_warning(probability: Floats, cost_duplicate: float, cost_annoyance: float) -> Array:
    """Warn iff a mistake made costs more than a wish doubted: C P > A (1 - P)."""
    return np.asarray(cost_duplicate * probability > cost_annoyance * (1.0 - probability))
