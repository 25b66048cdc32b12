"""Second clicks: the same pieces of the same item ordered twice within the hour.

Reads  lines, what is owned of their items, how often second clicks and wishes follow so soon.
Gives  the earlier line that a line may repeat, and the probability that it does by mistake.
Never  a gift as a repeat, or in the way of one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import Events
from .owned import MINUTE, Lines, Owned

Array = NDArray[Any]
Floats = NDArray[np.float64]
QUICK_MINUTES = 60.0  # a repeat within it is a double submit or meant; later, a forgotten one


class QuickRates(NamedTuple):
    """Repeats within the hour: how many a purchase, and how soon (mean minutes)."""

    mistake_share: float
    mistake_minutes: float
    wanted_share: float
    wanted_minutes: float


def p_second_click(
    events: Events,
    lines: Lines,
    what: Owned,
    is_own: Array,
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
    minutes = np.where(from_line, line_minutes, what.minutes)
    before = events.quantity[what.row] if events.n else np.ones(len(line))
    before = np.where(from_line, lines.quantity[line], before)
    slip = _density(minutes, quick.mistake_share, quick.mistake_minutes)
    wish = _density(minutes, quick.wanted_share, quick.wanted_minutes)
    same = (before == lines.quantity) & (minutes <= QUICK_MINUTES)
    return np.where(same & ~(is_own & what.in_batches), slip / (slip + wish), 0.0)


def _density(minutes: Floats, share: float, mean: float) -> Floats:
    return share * np.exp(-np.minimum(minutes, QUICK_MINUTES) / mean) / mean


def earlier_lines(lines: Lines) -> tuple[Array, Floats]:
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
