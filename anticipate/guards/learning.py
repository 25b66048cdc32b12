"""How often customers buy by mistake: rates learned from what was sent back.

Reads  purchases of those who do not object to profiling, and what of them came back.
Gives  repeats and whether they were undone; rates of second clicks, of unwanted editions; items'
       usual returns, pieces and repeat buyers.
Never  a kept repeat as a mistake: it only shows that wishes exist.

Nobody labels mistakes. A repeat that is sent back within 30 days, or whose original is, was one;
some returns have other causes, and some mistakes are kept. With b the item's usual share of
returns and u the share of mistakes that are undone, each repeat counts (undone - b) / (u - b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..kernels.clicks import QuickRates
from ..kernels.gap_learning import GroupSums
from ..kernels.owned import DAY, MINUTE
from ..kernels.pairs import find_pairs
from ..kernels.rules import UNDONE_SHARE
from ..kernels.segments import run_starts
from .bought import Bought

Floats = NDArray[np.float64]
UNDO_DAYS = 30.0
# Priors, each worth few observations: what is assumed where nothing was sent back.
SUBSTITUTE_SHARE, SUBSTITUTE_WEIGHT = 0.3, 10.0
QUICK_SHARE, QUICK_WEIGHT = 1e-3, 500.0  # of purchases, for mistakes and for wishes each
QUICK_MEAN_MINUTES, WANTED_MEAN_MINUTES, MINUTES_WEIGHT = 3.0, 20.0, 5.0
RETURN_WEIGHT = 10.0  # purchases of the whole that speak in each item's share of returns


@dataclass(frozen=True)
class Repeats:
    """Consecutive purchases of the same thing by the same customer; all (r,)."""

    row: NDArray[np.int64]  # the later one, in the purchases
    item: NDArray[np.int64]
    minutes: Floats
    undone: NDArray[np.bool_]  # the later within 30 days, or the earlier within 30 days after it
    other_item: NDArray[np.bool_]  # another edition, not the same item
    same_pieces: NDArray[np.bool_]
    apart: NDArray[np.bool_]  # in two orders

    def take(self, mask: NDArray[np.bool_]) -> Repeats:
        """Those of a mask."""
        return Repeats(*(getattr(self, name)[mask] for name in Repeats.__dataclass_fields__))

    def usual(self, usual: Floats) -> Floats:
        """How often each would be undone if it was wanted."""
        return usually_undone(usual[self.item], self.minutes)

    def mistakes(self, usual: Floats) -> Floats:
        """Expected mistakes that each repeat stands for; may be negative, sums are not meant to."""
        b = self.usual(usual)
        return (self.undone - b) / (UNDONE_SHARE - b)


def usually_undone(share: Floats, minutes: Floats) -> Floats:
    """Share of wanted repeats that come back: within 30 days either of the two lines may."""
    near = minutes < UNDO_DAYS * 1440.0
    return np.minimum(share * np.where(near, 2.0, 1.0), UNDONE_SHARE / 2.0)


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
    limit = since + np.int64(UNDO_DAYS * DAY)  # a sum: NEVER less a time before 1970 overflows
    soon = [undone_at[one] < limit for one in (after, before)]
    return Repeats(
        row=after,
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
    back = bought.undone_at[first] < events.timestamp[first] + np.int64(UNDO_DAYS * DAY)
    sums = GroupSums(events.item[first], n_items)
    n, undone = sums.add(np.ones(len(first))), sums.add(back.astype(np.float64))
    whole = float(back.mean()) if len(first) else 0.0
    return (undone + RETURN_WEIGHT * whole) / (n + RETURN_WEIGHT)


def substitute_shares(
    repeats: Repeats,
    usual: Floats,
    group: NDArray[np.int64],
    *,
    n_accepted: Floats,
    n_answered: Floats,
) -> Floats:
    """Beta-binomial by item, (n_items + 1,): whole shrunk to the prior, categories to it.

    Answered warnings count beside the repeats that were made, both by item (n_items,).
    """
    sums = GroupSums(group, int(group.max(initial=-1)) + 1)
    by_item = GroupSums(repeats.item, len(usual))
    n = sums.add(by_item.add(np.ones(len(repeats.item))))
    mistakes = np.clip(sums.add(by_item.add(repeats.mistakes(usual))), 0.0, n)
    n, mistakes = n + sums.add(n_answered), mistakes + sums.add(n_accepted)
    weight = SUBSTITUTE_WEIGHT
    whole = (float(mistakes.sum()) + weight * SUBSTITUTE_SHARE) / (float(n.sum()) + weight)
    shares = (mistakes + weight * whole) / (n + weight)
    return np.append(shares[group], whole)


def quick_rates(repeats: Repeats, usual: Floats, n_purchases: int, *, told: bool) -> QuickRates:
    """Shares of purchases followed within the hour by a second click, or by a wish."""
    n = len(repeats.item)
    clicks = repeats.take(repeats.same_pieces)
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
