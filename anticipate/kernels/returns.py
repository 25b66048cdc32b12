"""Which purchase a return or cancellation belongs to.

Reads  the events of whole customers, in their total order.
Gives  per row: how much of a purchase came back and when; how much of a return found none.
Never  later purchases: a return can only undo what was bought before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .events import PURCHASE_CODE, Events

Array = NDArray[Any]
RETURN_CODE, CANCEL_CODE = 4, 5


@dataclass(frozen=True)
class ReturnMatch:
    """Row-aligned with the events it was made from."""

    returned: Array  # float64 (n,): pieces of this purchase that came back; 0 elsewhere
    returned_at: Array  # int64 (n,): when they last did, microseconds UTC; max int64 = never
    purchase_row: Array  # int64 (n,): for a return, the (last) purchase it undid; -1 none
    unmatched: Array  # float64 (n,): pieces of this return that no open purchase explains

    @property
    def n_unmatched(self) -> int:
        return int(np.count_nonzero(self.unmatched > 0))


NEVER = np.iinfo(np.int64).max


def match_returns(events: Events) -> ReturnMatch:
    """Match by the same order if it holds the item, else by the latest open purchases.

    Partial quantities are allowed; one return may close several purchases.
    """
    n = events.n
    match = ReturnMatch(
        returned=np.zeros(n),
        returned_at=np.full(n, NEVER),
        purchase_row=np.full(n, -1, dtype=np.int64),
        unmatched=np.zeros(n),
    )
    is_return = (events.event == RETURN_CODE) | (events.event == CANCEL_CODE)
    if not is_return.any():
        return match
    rows = _rows_of_pairs_with_returns(events, is_return)
    # A stack of open purchases is sequential by nature, so this is a loop; it runs only over
    # the (customer, item) pairs that have a return at all, and each row enters it once.
    left = {int(row): float(events.quantity[row]) for row in rows}
    pair = (-1, -1)
    stack: list[int] = []
    by_order: dict[int, list[int]] = {}
    for row in rows.tolist():
        order = int(events.order[row])
        if (events.customer[row], events.item[row]) != pair:
            pair = (events.customer[row], events.item[row])
            stack, by_order = [], {}
        if is_return[row]:
            if order >= 0:
                _close(row, by_order.get(order, []), left, events.timestamp, match)
            _close(row, stack, left, events.timestamp, match)
            match.unmatched[row] = left[row]
        else:
            stack.append(row)
            by_order.setdefault(order, []).append(row)
    return match


def _rows_of_pairs_with_returns(events: Events, is_return: Array) -> Array:
    """Purchase and return rows of those pairs, by (customer, item, time)."""
    relevant = np.flatnonzero(((events.event == PURCHASE_CODE) | is_return) & (events.item >= 0))
    span = np.int64(events.item.max(initial=0)) + 1
    key = events.customer[relevant].astype(np.int64) * span + events.item[relevant]
    returning = np.unique(key[is_return[relevant]])
    keep = np.isin(key, returning)
    rows, key = relevant[keep], key[keep]
    return np.asarray(rows[np.argsort(key, kind="stable")])


def _close(
    row: int, purchases: list[int], left: dict[int, float], timestamp: Array, match: ReturnMatch
) -> None:
    """Use up what the return at ``row`` brings back, latest open purchase first."""
    while purchases and left[row] > 0:
        purchase = purchases[-1]
        used = min(left[row], left[purchase])
        if used > 0:
            left[row] -= used
            left[purchase] -= used
            match.returned[purchase] += used
            match.returned_at[purchase] = timestamp[row]
            match.purchase_row[row] = purchase
        if left[purchase] <= 0:
            purchases.pop()
