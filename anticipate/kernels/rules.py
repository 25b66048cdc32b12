"""What a cart line may be by mistake: the rules that a notebook's review and the scorer share.

Reads  customers' events, what of them came back, cart lines, tables by item.
Gives  per line: kind of mistake, its probability, the row that speaks for it.
Never  a verdict by rule alone: rules can only clear a line, never accuse one.

A line that repeats what is owned is a mistake with odds r o: r mistakes are made per unit of
exposure, o tells how much sooner such a line is a mistake than a wish (``kernels.repeats``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special
from .answers import Answers, find_answers
from .events import Events
from .habits import Rest, find_habits, rest_of_cart
from .next_gap import GapLaw, GapTable, gap_law, rate_per_day, survival
from .owned import MINUTE, Lines, Owned, find_owned, owns_nothing
from .repeats import RepeatItems, RepeatModel, repeat_columns, repeat_log_odds

Array = NDArray[Any]
Floats = NDArray[np.float64]
KINDS = (None, "double_submit", "already_owned", "substitute_owned")
NONE, DOUBLE_SUBMIT, ALREADY_OWNED, SUBSTITUTE_OWNED = range(len(KINDS))

QUICK_MINUTES = 60.0  # a repeat within it is a double submit or meant; later, a forgotten one
UNDONE_SHARE = 0.7  # of the mistakes that are noticed and sent back; an assumption
MANY_TIMES_USUAL = 3.0  # so many times the item's usual pieces is a restock
NOT_DUE = 0.9  # a consumable is due once a tenth of its gaps would be over


class ItemRules(NamedTuple):
    """By item, (n_items + 1,); the last row speaks for items never seen."""

    mistake_rate: Floats  # forgotten repeats per unit of exposure: a cart, or a day owned
    substitute_rate: Floats  # the same of buying another edition of what is owned
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


class Tables(NamedTuple):
    """All that was learned, by item and as a whole."""

    gaps: GapTable
    rules: ItemRules
    items: RepeatItems
    own: RepeatModel  # of the same item again
    other: RepeatModel  # of another edition
    quick: QuickRates
    accepted_share: float  # of the warnings that were answered, in (0, 1)

    @classmethod
    def from_mapping(cls, arrays: Mapping[str, Array]) -> Tables:
        """Inverse of ``to_mapping``."""
        return cls(
            GapTable.from_mapping(arrays),
            ItemRules.from_mapping(arrays),
            RepeatItems.from_mapping(arrays),
            RepeatModel.from_mapping(arrays, "own"),
            RepeatModel.from_mapping(arrays, "other"),
            QuickRates(*(float(rate) for rate in arrays["quick"])),
            float(arrays["accepted_share"][0]),
        )

    def to_mapping(self) -> dict[str, Array]:
        """Plain arrays by name."""
        models = {**self.own.to_mapping("own"), **self.other.to_mapping("other")}
        whole = {"quick": np.array(self.quick), "accepted_share": np.array([self.accepted_share])}
        return {
            **self.gaps._asdict(), **self.rules._asdict(), **self.items._asdict(), **models, **whole
        }  # fmt: skip


class Findings(NamedTuple):
    """Per line (n,)."""

    kind: Array  # int8, position in KINDS
    probability: Floats  # that the line is this mistake; 0 where kind is NONE
    row: Array  # int64: the event that speaks for it, -1 none
    line: Array  # int64: or the earlier line of this review that does, -1 none
    n_lately: Array  # int64: warnings that its customer answered within the last quarter


def check_lines(
    events: Events, undone_at: Array, lines: Lines, *, tables: Tables, objects: Array
) -> Findings:
    """Which lines may be mistakes.

    Parameters
    ----------
    events : Events
        Of customers 0..m-1; only what lies before a line counts for it.
    undone_at : array of shape (n_events,)
        When each purchase was undone (``owned.undone_times``).
    lines : Lines
    tables : Tables
    objects : bool array of shape (m,)
        Objects to profiling: only double submits are looked for.

    Returns
    -------
    Findings
        Independent of other customers and of the order of lines.
    """
    n = len(lines.item)
    line, line_minutes = _earlier_lines(lines)
    looked = look_up(events, undone_at, lines, tables.rules)
    if looked is None and not (line >= 0).any():
        return _nothing(n)
    own, other = looked or (owns_nothing(n), owns_nothing(n))
    is_quick = (line >= 0) | (own.minutes <= QUICK_MINUTES)
    p_double = np.zeros(n)
    if is_quick.any():
        quick = tables.quick
        p_double = _double_submit(
            events, lines, own, line=line, line_minutes=line_minutes, quick=quick
        )
    answers = find_answers(events, lines, tables.accepted_share)
    late = np.where(own.has, ALREADY_OWNED, SUBSTITUTE_OWNED)
    p_late = _forgotten(events, lines, own, other, tables=tables, answers=answers)
    silent = objects[lines.customer]
    if answers is not None:
        silent = silent | answers.dismissed
    p_late = np.where(silent, 0.0, p_late)
    probability = np.where(lines.gift, 0.0, np.where(is_quick, p_double, p_late))
    kind = np.where(probability > 0, np.where(is_quick, DOUBLE_SUBMIT, late), NONE)
    line = np.where(kind == DOUBLE_SUBMIT, line, -1)
    evidence = np.where(kind == SUBSTITUTE_OWNED, other.row, own.row)
    evidence = np.where((kind == NONE) | (line >= 0), -1, evidence)
    lately = np.zeros(n, dtype=np.int64) if answers is None else answers.n_lately
    return Findings(kind.astype(np.int8), probability, evidence, line, lately)


def look_up(
    events: Events, undone_at: Array, lines: Lines, rules: ItemRules
) -> tuple[Owned, Owned] | None:
    """What is owned of each line's item, and of its latest substitute; None: of no line."""
    n, n_items = len(lines.item), len(rules.consumable) - 1
    row = table_row(lines.item, n_items)
    asked = np.vstack((lines.item[None, :], rules.substitutes[row].T))  # (1 + w, n)
    owned = find_owned(events, undone_at, lines, asked=asked, n_items=n_items)
    if owned is None:
        return None
    if len(asked) == 1:
        return owned, owns_nothing(n)
    return owned.take(np.arange(n)), _latest_substitute(owned, asked, rules)


def _nothing(n: int) -> Findings:
    none = np.full(n, -1, dtype=np.int64)
    return Findings(np.zeros(n, np.int8), np.zeros(n), none, none, np.zeros(n, np.int64))


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
    own = (~lines.gift).nonzero()[0]  # a gift repeats nothing, and hides no line beside it
    key = (lines.quantity, lines.timestamp, lines.item, lines.customer)
    order = own[np.lexsort([column[own] for column in key])]
    columns = [column[order] for column in lines]
    same = (columns[0][1:] == columns[0][:-1]) & (columns[1][1:] == columns[1][:-1])
    wait = np.diff(columns[2]) / MINUTE
    hit = np.flatnonzero(same & (wait > 0) & (wait <= QUICK_MINUTES))
    found[order[hit + 1]], minutes[order[hit + 1]] = order[hit], wait[hit]
    return found, minutes


def _forgotten(
    events: Events,
    lines: Lines,
    own: Owned,
    other: Owned,
    *,
    tables: Tables,
    answers: Answers | None,
) -> Floats:
    """P = expit(log r + log o) where the item, or else a substitute, is owned; 0 where cleared."""
    found = np.zeros(len(lines.item))
    at = (own.has | other.has).nonzero()[0]
    if not len(at):
        return found
    rest = rest_of_cart(lines, own.has)
    if len(at) < len(found):
        lines, own, other = Lines(*(c[at] for c in lines)), own.take(at), other.take(at)
        rest = Rest(rest.n_lines[at], rest.n_owned[at])
    rules = tables.rules
    row = table_row(lines.item, len(rules.consumable) - 1)
    what = either(own, other)
    law = gap_law(tables.gaps, lines.item, what.n_visits, what.gap_sum_days)
    X = repeat_columns(
        what, find_habits(events, lines), rest, row, items=tables.items,
        rate=rate_per_day(law, what.open_days), lifetime=rules.lifetime_days[row],
    )  # fmt: skip
    log_odds = repeat_log_odds(tables.own, X) + np.log(rules.mistake_rate[row])
    if not own.has.all():
        of_other = repeat_log_odds(tables.other, X) + np.log(rules.substitute_rate[row])
        log_odds = np.where(own.has, log_odds, of_other)
    if answers is not None:
        log_odds = log_odds + answers.log_odds[at]
    cleared = is_cleared(own, other, lines, row, law=law, rules=rules)
    found[at] = np.where(cleared, 0.0, special.expit(log_odds))
    return found


def either(own: Owned, other: Owned) -> Owned:
    """The line's own item where it is owned, else the substitute."""
    if own.has.all() or not other.has.any():
        return own
    columns = zip(own, other, strict=True)
    return Owned(*(np.where(own.has, mine, theirs) for mine, theirs in columns))


def is_cleared(
    own: Owned, other: Owned, lines: Lines, row: Array, *, law: GapLaw, rules: ItemRules
) -> Array:
    """Due, worn out, bought in batches, or a restock: no repeat of these is doubted.

    Of a substitute no consumable is doubted at all; worn out ones are none.
    """
    due = rules.consumable[row]
    if due.any():
        not_due = own.has & (survival(law, own.open_days) >= NOT_DUE)
        due = due & ~not_due
    worn_out = own.has & (own.open_days >= rules.lifetime_days[row])
    restock = lines.quantity >= MANY_TIMES_USUAL * rules.usual_quantity[row]
    return np.asarray(due | worn_out | (own.has & own.in_batches) | restock)


def _latest_substitute(owned: Owned, asked: Array, rules: ItemRules) -> Owned:
    """Each line's latest substitute that is not worn out.

    ``asked`` is (1 + w, n): the lines' own items first, as they stand in ``owned``.
    """
    width, n = asked.shape
    lifetime = rules.lifetime_days[table_row(asked, len(rules.consumable) - 1)]
    worn_out = owned.open_days.reshape(width, n) >= lifetime
    minutes = np.where(worn_out, np.inf, owned.minutes.reshape(width, n))[1:]
    best, line = minutes.argmin(axis=0), np.arange(n)
    latest = owned.take((best + 1) * n + line)
    return latest._replace(has=latest.has & np.isfinite(minutes[best, line]))


def table_row(item: Array, n_items: int) -> Array:
    """Codes past the table take its last row."""
    return np.where((item >= 0) & (item < n_items), item, n_items)
