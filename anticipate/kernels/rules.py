"""What a cart line may be by mistake: the rules that a notebook's review and the scorer share.

Reads  customers' events, what of them came back, cart lines, tables by item.
Gives  per line: kind of mistake, its probability, the row that speaks for it.
Never  a verdict by rule alone: rules can only clear a line, never accuse one.

A line that repeats what is owned is a mistake with odds r o: r mistakes are made per unit of
exposure, o tells how much sooner such a line is a mistake than a wish (``kernels.repeats``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special
from .answers import Answers, find_answers
from .clicks import QUICK_MINUTES, QuickRates, earlier_lines, p_second_click
from .events import Events
from .habits import Habits, Rest, find_habits, rest_of_cart
from .next_gap import GapLaw, GapTable, gap_law, rate_per_day, survival
from .owned import Kept, Lines, Owned, asked_at, find_kept, owned_at, owns_nothing
from .repeats import RepeatItems, RepeatModel, repeat_columns, repeat_log_odds

Array = NDArray[Any]
Floats = NDArray[np.float64]
FindKept = Callable[[Lines, Array, int], Kept | None]
KINDS = (None, "double_submit", "already_owned", "substitute_owned")
NONE, DOUBLE_SUBMIT, ALREADY_OWNED, SUBSTITUTE_OWNED = range(len(KINDS))

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
    events: Events,
    undone_at: Array | None,
    lines: Lines,
    *,
    tables: Tables,
    objects: Array,
    habits: Habits | None = None,
    looked: tuple[Owned, Array] | None = None,
    late: bool = True,
) -> Findings:
    """Which lines may be mistakes.

    Parameters
    ----------
    events : Events
        Of customers 0..m-1; only what lies before a line counts for it.
    undone_at : array of shape (n_events,), or None with ``looked``
        When each purchase was undone (``owned.undone_times``).
    lines : Lines
    tables : Tables
    objects : bool array of shape (m,)
        Objects to profiling: only double submits are looked for.
    habits : Habits, optional
        Of each line's customer, where they are known already (``habits.find_habits``).
    looked : optional
        What ``look_up`` found, where it was asked already.
    late : bool, default=True
        False: second clicks only, where nothing else may be said.

    Returns
    -------
    Findings
        Independent of other customers and of the order of lines.
    """
    n = len(lines.item)
    line, line_minutes = earlier_lines(lines)
    if undone_at is not None:
        looked = look_up(events, undone_at, lines, tables.rules)
    if looked is None and not (line >= 0).any():
        return _nothing(n)
    what, is_own = looked or (owns_nothing(n), np.zeros(n, dtype=bool))
    is_quick = (line >= 0) | (is_own & (what.minutes <= QUICK_MINUTES))
    answers = find_answers(events, lines, tables.accepted_share)
    probability = np.zeros(n)
    if late:
        probability = _forgotten(
            events, lines, what, is_own, tables=tables, answers=answers, habits=habits
        )
    silent = objects[lines.customer]
    if answers is not None:
        silent = silent | answers.dismissed
    probability[silent] = 0.0
    if is_quick.any():
        p_double = p_second_click(
            events, lines, what, is_own, line=line, line_minutes=line_minutes, quick=tables.quick
        )
        probability = np.where(is_quick, p_double, probability)
    probability[lines.gift] = 0.0
    forgotten = np.where(is_own, ALREADY_OWNED, SUBSTITUTE_OWNED)
    kind = np.where(probability > 0, np.where(is_quick, DOUBLE_SUBMIT, forgotten), NONE)
    line = np.where(kind == DOUBLE_SUBMIT, line, -1)
    evidence = np.where((kind == NONE) | (line >= 0), -1, what.row)
    lately = np.zeros(n, dtype=np.int64) if answers is None else answers.n_lately
    return Findings(kind.astype(np.int8), probability, evidence, line, lately)


def look_up(
    events: Events, undone_at: Array, lines: Lines, rules: ItemRules
) -> tuple[Owned, Array] | None:
    """What is owned of each line's item, else of its latest substitute; whether it is the item.

    None: nothing of any line.
    """

    def find(lines: Lines, asked: Array, n_items: int) -> Kept | None:
        return find_kept(events, undone_at, lines, asked=asked, n_items=n_items)

    return look_up_by(find, events.timestamp, lines, rules)


def look_up_by(
    find: FindKept, timestamp: Array, lines: Lines, rules: ItemRules
) -> tuple[Owned, Array] | None:
    """The same by another road to ``Kept``: rows of events that happened at ``timestamp``."""
    n, n_items = len(lines.item), len(rules.consumable) - 1
    row = table_row(lines.item, n_items)
    asked = np.vstack((lines.item[None, :], rules.substitutes[row].T))  # (1 + w, n)
    kept = find(lines, asked, n_items)
    if kept is None:
        return None
    owned = owned_at(kept, timestamp, asked_at(lines, asked))
    is_own = owned.has[:n]
    if is_own.all() or not owned.has[n:].any():
        return Owned(*(column[:n] for column in owned)), is_own
    place, useful = _latest_substitute(owned, asked, rules)
    what = owned.take(np.where(is_own, np.arange(n), place))
    return what._replace(has=is_own | useful), is_own


def _nothing(n: int) -> Findings:
    none = np.full(n, -1, dtype=np.int64)
    return Findings(np.zeros(n, np.int8), np.zeros(n), none, none, np.zeros(n, np.int64))


def _forgotten(
    events: Events,
    lines: Lines,
    what: Owned,
    is_own: Array,
    *,
    tables: Tables,
    answers: Answers | None,
    habits: Habits | None,
) -> Floats:
    """P = expit(log r + log o) where the item, or else a substitute, is owned; 0 where cleared."""
    found = np.zeros(len(lines.item))
    at = what.has.nonzero()[0]
    if not len(at):
        return found
    rest = rest_of_cart(lines, is_own)
    habits = find_habits(events, lines) if habits is None else habits
    if len(at) < len(found):
        lines, what = Lines(*(column[at] for column in lines)), what.take(at)
        rest, habits = Rest(*(c[at] for c in rest)), Habits(*(c[at] for c in habits))
        is_own = is_own[at]
    rules = tables.rules
    row = table_row(lines.item, len(rules.consumable) - 1)
    law = gap_law(tables.gaps, lines.item, what.n_visits, what.gap_sum_days)
    X = repeat_columns(
        what, habits, rest, row, items=tables.items, rate=rate_per_day(law, what.open_days),
        lifetime=rules.lifetime_days[row],
    )  # fmt: skip
    rate = np.where(is_own, rules.mistake_rate[row], rules.substitute_rate[row])
    log_odds = np.log(rate)
    for model, mine in ((tables.own, is_own), (tables.other, ~is_own)):
        if mine.any():
            log_odds[mine] += repeat_log_odds(model, X[:, mine])
    if answers is not None:
        log_odds += answers.log_odds[at]
    cleared = is_cleared(what, is_own, lines, row, law=law, rules=rules)
    found[at] = np.where(cleared, 0.0, special.expit(log_odds))
    return found


def is_cleared(
    what: Owned, is_own: Array, lines: Lines, row: Array, *, law: GapLaw, rules: ItemRules
) -> Array:
    """Due, worn out, bought in batches, or a restock: no repeat of these is doubted.

    Of a substitute no consumable is doubted at all; worn out ones are none.
    """
    cleared = is_own & (what.in_batches | (what.open_days >= rules.lifetime_days[row]))
    cleared |= lines.quantity >= MANY_TIMES_USUAL * rules.usual_quantity[row]
    consumable = rules.consumable[row]
    if consumable.any():
        cleared |= consumable & ~(is_own & (survival(law, what.open_days) >= NOT_DUE))
    return np.asarray(cleared)


def _latest_substitute(owned: Owned, asked: Array, rules: ItemRules) -> tuple[Array, Array]:
    """Place in ``owned`` of each line's latest substitute, and whether it is not worn out.

    ``asked`` is (1 + w, n): the lines' own items first, as they stand in ``owned``.
    """
    width, n = asked.shape
    lifetime = rules.lifetime_days[table_row(asked, len(rules.consumable) - 1)]
    worn_out = owned.open_days.reshape(width, n) >= lifetime
    minutes = np.where(worn_out, np.inf, owned.minutes.reshape(width, n))[1:]
    best, line = minutes.argmin(axis=0), np.arange(n)
    return (best + 1) * n + line, np.isfinite(minutes[best, line])


def table_row(item: Array, n_items: int) -> Array:
    """Codes past the table take its last row."""
    return np.where((item >= 0) & (item < n_items), item, n_items)
