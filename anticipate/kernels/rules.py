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

from .events import Events
from .next_gap import GapTable, gap_law, rate_per_day, survival
from .owned import DAY, MINUTE, Lines, Owned, find_owned, owns_nothing

Array = NDArray[Any]
Floats = NDArray[np.float64]
KINDS = (None, "double_submit", "already_owned", "substitute_owned")
NONE, DOUBLE_SUBMIT, ALREADY_OWNED, SUBSTITUTE_OWNED = range(len(KINDS))

DISMISSED_CODE = 13  # position of warning_dismissed in columns.EVENTS; held by a test
DISMISSED_DAYS = 180.0  # so long a dismissed warning of an item is not repeated
QUICK_MINUTES = 60.0  # a repeat within it is a double submit or meant; later, a forgotten one
UNDONE_SHARE = 0.7  # of the mistakes that are noticed and sent back; an assumption
MANY_TIMES_USUAL = 3.0  # so many times the item's usual pieces is a restock
NOT_DUE = 0.9  # a consumable is due once a tenth of its gaps would be over
WEAR = 4.0  # shape of the Weibull law by which things wear out around their lifetime
SURE_WISH = 0.1  # wishes are at least this share of the observed repeats


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
    n_items = len(rules.consumable) - 1
    row = _table_row(lines.item, n_items)
    line, line_minutes = _earlier_lines(lines)
    asked = np.vstack((lines.item[None, :], rules.substitutes[row].T))  # (1 + w, n)
    owned = find_owned(events, returned, lines, asked=asked, n_items=n_items)
    if owned is None and not (line >= 0).any():
        return _nothing(len(row))
    owned = owns_nothing(asked.size) if owned is None else owned
    own = other = owned
    if len(asked) > 1:
        own = owned.take(np.arange(len(row)))
        other = owned.take(_latest_substitute(owned, asked, rules))
    is_quick = (line >= 0) | (own.minutes <= QUICK_MINUTES)
    p_double = np.zeros(len(row))
    if is_quick.any():
        p_double = _double_submit(
            events, lines, own, line=line, line_minutes=line_minutes, quick=quick
        )
    p_owned = _already_owned(own, lines, row, gaps=gaps, rules=rules)
    p_other = _substitute_owned(other, lines, row, rules)
    silent = objects[lines.customer] | _was_dismissed(events, lines)
    p_late = np.where(silent, 0.0, np.where(own.has, p_owned, p_other))
    probability = np.where(lines.gift, 0.0, np.where(is_quick, p_double, p_late))
    late = np.where(own.has, ALREADY_OWNED, SUBSTITUTE_OWNED)
    kind = np.where(probability > 0, np.where(is_quick, DOUBLE_SUBMIT, late), NONE)
    line = np.where(kind == DOUBLE_SUBMIT, line, -1)
    evidence = np.where(kind == SUBSTITUTE_OWNED, other.row, own.row)
    evidence = np.where((kind == NONE) | (line >= 0), -1, evidence)
    return Findings(kind.astype(np.int8), probability, evidence, line)


def _was_dismissed(events: Events, lines: Lines) -> Array:
    """The customer's latest answer to a warning of this item: it was wanted."""
    rows = (events.event == DISMISSED_CODE).nonzero()[0]
    if not len(rows):
        return np.zeros(len(lines.item), dtype=bool)
    span = np.int64(max(events.item.max(), lines.item.max())) + 2
    key = events.customer[rows] * span + events.item[rows] + 1
    order = np.argsort(key, kind="stable")  # rows are in time order within a customer
    asked = lines.customer * span + lines.item + 1
    place = np.maximum(np.searchsorted(key[order], asked, side="right") - 1, 0)
    latest = rows[order[place]]
    wait = lines.timestamp - events.timestamp[latest]
    return (key[order[place]] == asked) & (wait > 0) & (wait <= DISMISSED_DAYS * DAY)


def _nothing(n: int) -> Findings:
    none = np.full(n, -1, dtype=np.int64)
    return Findings(np.zeros(n, np.int8), np.zeros(n), none, none)


def _double_submit(
    events: Events,
    lines: Lines,
    own: Owned,
    *,
    line: Array,
    line_minutes: Floats,
    quick: QuickRates,
) -> Floats:
    """P of a second click, after an earlier line of this review (-1 none) or a purchase.

    Times after a first click are exponential: minutes for a mistake, longer for a wish. Another
    number of pieces is another order; who buys it in batches means it.
    """
    from_line = line >= 0
    minutes = np.where(from_line, line_minutes, own.minutes)
    before = events.quantity[own.row] if events.n else np.ones(len(line))
    before = np.where(from_line, lines.quantity[line], before)
    slip = _density(minutes, quick.mistake_share, quick.mistake_minutes)
    wish = _density(minutes, quick.wanted_share, quick.wanted_minutes)
    same = (before == lines.quantity) & (minutes <= QUICK_MINUTES) & ~own.in_batches
    return np.where(same, slip / (slip + wish), 0.0)


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
    wear = WEAR / lifetime * (own.open_days / lifetime) ** (WEAR - 1.0)
    wishes = wishes + np.where(np.isnan(wear), 0.0, wear)
    due = rules.consumable[row]
    if due.any():
        due = due & (survival(law, own.open_days) < NOT_DUE)
    worn_out = own.open_days >= lifetime
    wanted = due | worn_out | own.in_batches | _is_restock(lines, row, rules)
    return np.where(wanted | ~own.has, 0.0, mistakes / (mistakes + wishes))


def _latest_substitute(owned: Owned, asked: Array, rules: ItemRules) -> Array:
    """Position in ``owned`` of each line's latest substitute that is not worn out.

    ``asked`` is (1 + w, n): the lines' own items first. Without a substitute, the line's own.
    """
    width, n = asked.shape
    if width == 1:
        return np.arange(n)
    lifetime = rules.lifetime_days[_table_row(asked, len(rules.consumable) - 1)]
    worn_out = owned.open_days.reshape(width, n) >= lifetime
    minutes = np.where(worn_out, np.inf, owned.minutes.reshape(width, n))[1:]
    best, line = minutes.argmin(axis=0), np.arange(n)
    return np.where(np.isfinite(minutes[best, line]), (best + 1) * n + line, line)


def _substitute_owned(other: Owned, lines: Lines, row: Array, rules: ItemRules) -> Floats:
    """P that the line's edition is not wanted beside the one owned."""
    wanted = rules.consumable[row] | _is_restock(lines, row, rules)
    return np.where(wanted | ~other.has, 0.0, rules.substitute_mistake[row])


def _is_restock(lines: Lines, row: Array, rules: ItemRules) -> Array:
    return np.asarray(lines.quantity >= MANY_TIMES_USUAL * rules.usual_quantity[row])


def _table_row(item: Array, n_items: int) -> Array:
    return np.where((item >= 0) & (item < n_items), item, n_items)


def is_warning(probability: Floats, cost_duplicate: float, cost_annoyance: float) -> Array:
    """Warn iff a mistake made costs more than a wish doubted: C P > A (1 - P)."""
    return np.asarray(cost_duplicate * probability > cost_annoyance * (1.0 - probability))


__all__ = [
    "KINDS",
    "Findings",
    "ItemRules",
    "Lines",
    "QuickRates",
    "check_lines",
    "is_warning",
]
