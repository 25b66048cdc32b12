"""How far stored scores moved from one bundle to another.

Reads  arrays of both, and which customers and items are in both.
Gives  shares and absolute differences over customers.
Never  an id; more than a part of the candidates in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.segments import within

Array = NDArray[Any]
Arrays = Mapping[str, Array]
TOP = 3
MOST_ASKED = 100_000  # customers whose candidates are compared, evenly spaced
PART = 10_000
_NONE, _GONE = -1, -2  # places of a list that nothing fills, that an item fills which is gone


class Common(NamedTuple):
    """Customers in both bundles, and where the old one's items are."""

    old: Array  # int64 (m,): codes in the old one
    new: Array  # int64 (m,)
    items: Array  # int64 (n_items,): code in the new one, -1 gone

    def take(self, rows: slice) -> Common:
        return Common(self.old[rows], self.new[rows], self.items)


class _Lists(NamedTuple):
    """Candidates of some customers, one after another."""

    who: Array
    item: Array  # code in the new bundle
    log_odds: Array
    top: Array  # (m, TOP) their first items


def scores_moved(old: Arrays, new: Arrays, common: Common) -> dict[str, Any]:
    """JSON-ready: ``candidates`` and ``churn_offset``; empty where nobody is in both."""
    if not len(common.old):
        return {}
    asked = common.take(slice(None, None, -(-len(common.old) // MOST_ASKED)))
    same, moved = 0, [np.empty(0)]
    for start in range(0, len(asked.old), PART):
        some = asked.take(slice(start, start + PART))
        before, after = _lists(old, some.old, some.items), _lists(new, some.new)
        same += int((before.top == after.top).all(axis=1).sum())
        moved.append(_of_pairs(before, after))
    offsets = np.abs(new["churn__offset"][common.new] - old["churn__offset"][common.old])
    change = np.concatenate(moved)
    return {
        "candidates": {
            "n_customers": len(asked.old),
            "same_first_three": same / len(asked.old),
            "n_pairs": len(change),
            "log_odds": _spread(change),
        },
        "churn_offset": {"n_customers": len(offsets), **_spread(offsets)},
    }


def _lists(arrays: Arrays, codes: Array, items: Array | None = None) -> _Lists:
    offsets = arrays["candidates__offsets"]
    counts = offsets[codes + 1] - offsets[codes]
    bounds = np.concatenate(([0], np.cumsum(counts)))
    place = within(bounds)
    rows = np.repeat(offsets[codes], counts) + place
    who, own = np.repeat(np.arange(len(codes)), counts), arrays["candidates__item"][rows]
    item = own.astype(np.int64) if items is None else items[own]
    top = np.full((len(codes), TOP), _NONE)
    first = place < TOP
    top[who[first], place[first]] = np.where(item[first] < 0, _GONE, item[first])
    return _Lists(who, item, arrays["candidates__log_odds"][rows], top)


def _of_pairs(before: _Lists, after: _Lists) -> Array:
    """Absolute differences of log-odds of pairs that stand in both lists."""
    span = int(max(before.item.max(initial=0), after.item.max(initial=0))) + 1
    here = np.flatnonzero(before.item >= 0)
    old, new = before.who[here] * span + before.item[here], after.who * span + after.item
    _, left, right = np.intersect1d(old, new, return_indices=True)
    return np.abs(after.log_odds[right] - before.log_odds[here[left]])


def _spread(change: Array) -> dict[str, float | None]:
    """Mean and 95 % point of absolute differences."""
    if not len(change):
        return {"mean": None, "p95": None}
    return {"mean": float(change.mean()), "p95": float(np.quantile(change, 0.95))}
