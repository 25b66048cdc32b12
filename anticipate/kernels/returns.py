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
    rows, pair = _rows_of_pairs_with_returns(events, is_return)
    left, back = events.quantity[rows], is_return[rows]
    simple = _one_purchase_then_one_return(pair, back)
    purchase, place = simple, simple + 1
    pieces = np.minimum(left[purchase], left[place])
    _write(match, events.timestamp, rows, place=place, purchase=purchase, pieces=pieces)
    left[place] -= pieces
    rest = np.ones(len(rows), dtype=bool)
    rest[purchase] = rest[place] = False
    others = np.flatnonzero(rest)
    if len(others):
        order = events.order[rows[others]]
        place, purchase, pieces = _match_one_by_one(left, others, pair[others], order, back[others])
        _write(match, events.timestamp, rows, place=place, purchase=purchase, pieces=pieces)
    match.unmatched[rows[back]] = left[back]
    return match


def _one_purchase_then_one_return(pair: Array, back: Array) -> Array:
    """Places of the purchase of such pairs: most of all, so they are not left to the loop."""
    end = np.ones(len(pair) + 1, dtype=bool)  # a pair ends before each place
    end[1:-1] = pair[1:] != pair[:-1]
    return np.flatnonzero(end[:-2] & ~end[1:-1] & end[2:] & ~back[:-1] & back[1:])


def _match_one_by_one(
    left: Array, places: Array, pair: Array, order: Array, back: Array
) -> tuple[Array, Array, Array]:
    """Returns, purchases and pieces closed, in order; ``left`` of returns is what is unmatched.

    A stack of open purchases is sequential by nature, so this is a loop over Python's own numbers.
    """
    open_ = left.tolist()
    closed: list[tuple[int, int, float]] = []
    current, stack = -1, [0]
    by_order: dict[int, list[int]] = {}
    columns = (places.tolist(), pair.tolist(), order.tolist(), back.tolist())
    for place, of_pair, of_order, comes in zip(*columns, strict=True):
        if of_pair != current:
            current, stack, by_order = of_pair, [], {}
        if comes:
            if of_order >= 0:
                _close(place, by_order.get(of_order, []), open_, closed)
            _close(place, stack, open_, closed)
        else:
            stack.append(place)
            if of_order >= 0:
                by_order.setdefault(of_order, []).append(place)
    left[places] = np.array(open_)[places]
    found = np.array(closed).reshape(-1, 3).T
    return found[0].astype(np.int64), found[1].astype(np.int64), found[2]


def _write(
    match: ReturnMatch,
    timestamp: Array,
    rows: Array,
    *,
    place: Array,
    purchase: Array,
    pieces: Array,
) -> None:
    """The pieces that came back, in order: of several returns or purchases the last one stays."""
    used = pieces > 0
    row, bought = rows[place[used]], rows[purchase[used]]
    np.add.at(match.returned, bought, pieces[used])
    match.returned_at[bought] = timestamp[row]
    match.purchase_row[row] = bought


def _rows_of_pairs_with_returns(events: Events, is_return: Array) -> tuple[Array, Array]:
    """Purchase and return rows of those pairs, by (customer, item, time); and each row's pair."""
    came_back = _flags(events.item[is_return], int(events.item.max(initial=0)))  # by anybody
    rows = np.flatnonzero(((events.event == PURCHASE_CODE) | is_return) & came_back[events.item])
    key = events.customer[rows] * np.int64(len(came_back)) + events.item[rows]
    if events.n_customers > 1:
        keep = np.isin(key, key[is_return[rows]])
        rows, key = rows[keep], key[keep]
    order = np.argsort(key, kind="stable")
    return rows[order], key[order]


def _flags(items: Array, most: int) -> Array:
    """By item code up to ``most``, whether it is among these; False in the place of -1."""
    flags = np.zeros(most + 2, dtype=bool)
    flags[items] = True
    flags[-1] = False
    return flags


def _close(
    place: int, purchases: list[int], left: list[float], closed: list[tuple[int, int, float]]
) -> None:
    """Use up what the return brings back, latest open purchase first."""
    while purchases and left[place] > 0:
        purchase = purchases[-1]
        used = min(left[place], left[purchase])
        if used > 0:
            left[place] -= used
            left[purchase] -= used
            closed.append((place, purchase, used))
        if left[purchase] <= 0:
            purchases.pop()
