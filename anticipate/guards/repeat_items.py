"""Which items are bought again: shares, rates and how much they sell now.

Reads  purchases known at one moment.
Gives  ``RepeatItems``: tables by item, small items leaning on their category, it on the whole.
Never  a purchase after that moment, or one that had been undone by then.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.gap_learning import GroupSums
from ..kernels.owned import DAY
from ..kernels.pairs import find_pairs
from ..kernels.repeats import RepeatItems
from ..kernels.return_risk import log_odds
from .bought import Bought

Array = NDArray[Any]
Floats = NDArray[np.float64]
SHARE_BUYERS = 10.0  # buyers of the category that speak in each item's share of repeat buyers
RATE_VISITS = 3.0  # later visits of the category that speak in each item's rate
RECENT_DAYS = 60.0


def repeat_items(bought: Bought, n_items: int, category: Array | None, at: int) -> RepeatItems:
    """Tables as of ``at`` (microseconds UTC); ``category`` is a code per item, or None."""
    kept = bought.events.take((bought.events.timestamp < at) & (bought.undone_at > at))
    pairs = find_pairs(kept, n_items)
    sums = GroupSums(pairs.item, n_items)
    buyers = sums.add(np.ones(pairs.n))
    repeaters = sums.add((pairs.n_visits > 1).astype(np.float64))
    later = sums.add((pairs.n_visits - 1).astype(np.float64))
    days = sums.add(np.maximum((at - pairs.first) / DAY, 0.0))
    recent = np.bincount(kept.item[kept.timestamp >= at - RECENT_DAYS * DAY], minlength=n_items)
    share = _shrunk(repeaters, buyers, category, weight=SHARE_BUYERS, nothing=0.05)
    rate = _shrunk(later, days, category, seen=RATE_VISITS, nothing=1e-3)
    return RepeatItems(
        again_log_rate=np.log(rate),
        repeat_log_odds=log_odds(np.clip(share, 1e-4, 1 - 1e-4)),
        log_recent=np.log(np.append(recent, 0) + 0.5),
        log_buyers=np.log1p(np.append(buyers, 0.0)),
    )


def _shrunk(
    top: Floats,
    bottom: Floats,
    category: Array | None,
    *,
    nothing: float,
    weight: float = 0.0,
    seen: float = 0.0,
) -> Floats:
    """top / bottom, item to category to whole, (n_items + 1,).

    The parent speaks as ``weight`` of the bottom, or as ``seen`` of the top.
    """
    whole = (float(top.sum()) + nothing) / (float(bottom.sum()) + 1.0)

    def towards(parent: Any, a: Floats, b: Floats) -> Floats:
        prior = weight if weight else seen / parent
        return np.asarray((a + prior * parent) / (b + prior))

    parent = np.full(len(top), whole)
    if category is not None:
        groups = GroupSums(category, int(category.max(initial=-1)) + 1)
        parent = towards(whole, groups.add(top), groups.add(bottom))[category]
    return np.append(towards(parent, top, bottom), whole)
