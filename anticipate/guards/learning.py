"""How often customers buy by mistake: rates learned from what was sent back.

Reads  purchases of those who do not object to profiling, and what of them came back.
Gives  rates of forgotten repeats by category, of second clicks, of unwanted editions.
Never  a kept repeat as a mistake: it only shows that wishes exist.

Nobody labels mistakes. A repeat that is sent back within 30 days, or whose original is, was one;
some returns have other causes, and some mistakes are kept. With b the item's usual share of
returns and u the share of mistakes that are undone, each repeat counts (undone - b) / (u - b).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..kernels.gap_learning import GroupSums
from ..kernels.owned import MINUTE
from ..kernels.pairs import DAY, Pairs, find_pairs
from ..kernels.returns import NEVER
from ..kernels.rules import QUICK_MINUTES, UNDONE_SHARE, QuickRates
from ..kernels.segments import run_starts
from .bought import Bought
from .items import category_codes, is_consumable, work_codes

Floats = NDArray[np.float64]
UNDO_DAYS = 30.0
# Priors, each worth few observations: what is assumed where nothing was sent back.
FORGOTTEN_PER_DAY, FORGOTTEN_WEIGHT = 3e-6, 0.3  # mistakes a day owned; seen mistakes
CATEGORY_WEIGHT = 5.0  # mistakes of the whole that speak in each category
SUBSTITUTE_SHARE, SUBSTITUTE_WEIGHT = 0.3, 10.0
QUICK_SHARE, QUICK_WEIGHT = 1e-3, 500.0  # of purchases, for mistakes and for wishes each
QUICK_MEAN_MINUTES, WANTED_MEAN_MINUTES, MINUTES_WEIGHT = 3.0, 20.0, 5.0
RETURN_WEIGHT = 10.0  # purchases of the whole that speak in each item's share of returns


class Learned(NamedTuple):
    """Rates, and the counts they rest on."""

    mistakes_per_day: Floats  # (n_items + 1,)
    substitute_mistake: Floats  # (n_items + 1,): P(mistake | another edition is owned)
    quick: QuickRates
    n_undone: int  # repeats that were sent back, of any kind
    n_repeats: int


@dataclass(frozen=True)
class Repeats:
    """Consecutive purchases of the same thing by the same customer; all (r,)."""

    item: NDArray[np.int64]  # of the later one
    minutes: Floats
    undone: NDArray[np.bool_]  # the later within 30 days, or the earlier within 30 days after it
    other_item: NDArray[np.bool_]  # another edition, not the same item
    same_pieces: NDArray[np.bool_]
    apart: NDArray[np.bool_]  # in two orders

    def mistakes(self, usual: Floats) -> Floats:
        """Expected mistakes that each repeat stands for; may be negative, sums are not meant to.

        ``usual`` is the share of returns by item; within 30 days both lines may come back.
        """
        near = self.minutes < UNDO_DAYS * 1440.0
        b = np.minimum(usual[self.item] * np.where(near, 2.0, 1.0), UNDONE_SHARE / 2.0)
        return (self.undone - b) / (UNDONE_SHARE - b)


def learn(bought: Bought, items: pd.DataFrame) -> Learned:
    """All rates. Without any return in the log nothing is told, and the priors stand.

    ``items`` are the attributes (``history.items``). Consumables tell nothing of what is owned.
    """
    n_items, told = len(items), bought.any_undone
    work, category, used_up = work_codes(items), category_codes(items), is_consumable(items)
    usual = usual_returns(bought, n_items)
    same = find_repeats(bought, bought.events.item)
    late = (same.minutes > QUICK_MINUTES) & same.apart & ~used_up[same.item]
    days = np.where(used_up[:-1], 0.0, owned_days(bought, n_items))
    other = find_repeats(bought, np.where(work >= 0, work + n_items, -1)[bought.events.item])
    other = _kept(other, other.other_item)
    per_day = np.full(n_items + 1, FORGOTTEN_PER_DAY)
    substitute = np.full(n_items + 1, SUBSTITUTE_SHARE)
    if told:
        per_day = _per_day(_kept(same, late), usual, days, category)
        substitute = _substitute_shares(other, usual, category)
    quick = _kept(same, (same.minutes <= QUICK_MINUTES) & same.apart)
    return Learned(
        mistakes_per_day=per_day,
        substitute_mistake=substitute,
        quick=_quick(quick, usual, bought.events.n, told=told),
        n_undone=int(same.undone.sum() + other.undone.sum()),
        n_repeats=len(same.item) + len(other.item),
    )


def find_repeats(bought: Bought, thing: NDArray[np.int64]) -> Repeats:
    """Each purchase that follows another of the same ``thing`` (codes (n,); -1 = none).

    The earlier must still have been owned; gifts neither own nor repeat.
    """
    events, undone_at = bought.events, bought.undone_at
    rows = np.flatnonzero((thing >= 0) & ~events.gift)
    order = rows[np.lexsort((rows, thing[rows], events.customer[rows]))]
    before, after = order[:-1], order[1:]
    same = (thing[before] == thing[after]) & (events.customer[before] == events.customer[after])
    owned = undone_at[before] > events.timestamp[after]
    later = events.timestamp[before] < events.timestamp[after]
    before, after = before[same & owned & later], after[same & owned & later]
    since = events.timestamp[after]
    soon = [(undone_at[one] - since) < UNDO_DAYS * DAY for one in (after, before)]
    return Repeats(
        item=events.item[after].astype(np.int64),
        minutes=(since - events.timestamp[before]) / MINUTE,
        undone=soon[0] | soon[1],
        other_item=events.item[before] != events.item[after],
        same_pieces=events.quantity[before] == events.quantity[after],
        apart=(events.order[before] != events.order[after]) | (events.order[after] < 0),
    )


def usual_returns(bought: Bought, n_items: int) -> Floats:
    """Share of first purchases of an item sent back within 30 days, shrunk to all, (n_items,)."""
    events = bought.events
    order = np.lexsort((np.arange(events.n), events.item, events.customer))
    first = order[run_starts(events.customer[order], events.item[order])]
    back = (bought.undone_at[first] - events.timestamp[first]) < UNDO_DAYS * DAY
    sums = GroupSums(events.item[first], n_items)
    n, undone = sums.add(np.ones(len(first))), sums.add(back.astype(np.float64))
    whole = float(back.mean()) if len(first) else 0.0
    return (undone + RETURN_WEIGHT * whole) / (n + RETURN_WEIGHT)


def owned_days(bought: Bought, n_items: int) -> Floats:
    """Days that customers have owned each item, returned ones and gifts aside, (n_items,)."""
    kept = bought.events.take(~bought.events.gift & (bought.undone_at == NEVER))
    pairs: Pairs = find_pairs(kept, n_items)
    days = (bought.cutoffs[pairs.customer] - pairs.first) / DAY
    return GroupSums(pairs.item, n_items).add(np.maximum(days, 0.0))


def _kept(repeats: Repeats, mask: NDArray[np.bool_]) -> Repeats:
    return Repeats(*(getattr(repeats, name)[mask] for name in Repeats.__dataclass_fields__))


def _per_day(
    repeats: Repeats, usual: Floats, days: Floats, category: NDArray[np.int64] | None
) -> Floats:
    """Gamma-Poisson by item: the whole shrunk to the prior, categories to the whole.

    Fewer returns than usual are no negative mistakes: they count as none, category by category.
    """
    n_items = len(days)
    group = np.zeros(n_items, np.int64) if category is None else category
    sums = GroupSums(group, int(group.max(initial=-1)) + 1)
    counted = GroupSums(repeats.item, n_items).add(repeats.mistakes(usual))
    seen, exposed = np.maximum(sums.add(counted), 0.0), sums.add(days)
    prior_days = FORGOTTEN_WEIGHT / FORGOTTEN_PER_DAY
    whole = (FORGOTTEN_WEIGHT + float(seen.sum())) / (prior_days + float(days.sum()))
    rates = (CATEGORY_WEIGHT + seen) / (CATEGORY_WEIGHT / whole + exposed)
    return np.append(rates[group], whole)


def _substitute_shares(
    repeats: Repeats, usual: Floats, category: NDArray[np.int64] | None
) -> Floats:
    """Beta-binomial by item, (n_items + 1,): whole shrunk to the prior, categories to it."""
    group = np.zeros(len(usual), np.int64) if category is None else category
    sums = GroupSums(group, int(group.max(initial=-1)) + 1)
    by_item = GroupSums(repeats.item, len(usual))
    n = sums.add(by_item.add(np.ones(len(repeats.item))))
    mistakes = np.clip(sums.add(by_item.add(repeats.mistakes(usual))), 0.0, n)
    weight = SUBSTITUTE_WEIGHT
    whole = (float(mistakes.sum()) + weight * SUBSTITUTE_SHARE) / (float(n.sum()) + weight)
    shares = (mistakes + weight * whole) / (n + weight)
    return np.append(shares[group], whole)


def _quick(repeats: Repeats, usual: Floats, n_purchases: int, *, told: bool) -> QuickRates:
    """Shares of purchases followed within the hour by a second click, or by a wish."""
    n = len(repeats.item)
    clicks = _kept(repeats, repeats.same_pieces)
    mistakes = float(np.clip(clicks.mistakes(usual).sum(), 0.0, n)) if told else 0.0
    prior, total = QUICK_SHARE * QUICK_WEIGHT, n_purchases + QUICK_WEIGHT
    slips, wishes = clicks.minutes[clicks.undone], repeats.minutes[~repeats.undone]
    return QuickRates(
        mistake_share=(mistakes + prior) / total if told else QUICK_SHARE,
        mistake_minutes=_mean_minutes(slips, QUICK_MEAN_MINUTES),
        wanted_share=(n - mistakes + prior) / total,
        wanted_minutes=_mean_minutes(wishes, WANTED_MEAN_MINUTES),
    )


def _mean_minutes(minutes: Floats, prior: float) -> float:
    return (float(minutes.sum()) + MINUTES_WEIGHT * prior) / (len(minutes) + MINUTES_WEIGHT)


def repeat_shares(bought: Bought, n_items: int) -> Floats:
    """Share of an item's buyers who bought it on two days or more, (n_items + 1,)."""
    pairs = find_pairs(bought.events, n_items)
    again = (pairs.n_visits > 1).astype(np.float64)
    sums = GroupSums(pairs.item, n_items)
    n, repeated = sums.add(np.ones(pairs.n)), sums.add(again)
    whole = float(again.mean()) if pairs.n else 0.0
    shares = np.divide(repeated, n, out=np.full(n_items, whole), where=n > 0)
    return np.append(shares, whole)


def usual_quantities(bought: Bought, n_items: int) -> Floats:
    """Lower median of the pieces of an item's lines, (n_items + 1,)."""
    item, quantity = bought.events.item, bought.events.quantity
    order = np.lexsort((quantity, item))
    edges = np.searchsorted(item[order], np.arange(n_items + 1))
    middle = (edges[:-1] + edges[1:] - 1) // 2
    whole = float(np.sort(quantity)[(len(quantity) - 1) // 2])
    seen = edges[1:] > edges[:-1]
    pieces = np.full(n_items + 1, whole)
    pieces[:-1][seen] = quantity[order][middle[seen]]
    return pieces
