"""What stands near an item, and who went over from one to another.

Reads  purchases and returns of those who do not object, what kind of thing each item is.
Gives  pairs (from, to) of item codes with counts of customers, and how near they are.
Never  a pair across categories where there are categories; both items of one day's basket.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.events import PURCHASE_CODE, Events
from ..kernels.owned import DAY

Array = NDArray[Any]
Floats = NDArray[np.float64]
NEXT = 8  # lines of the kind after which a move is looked for
NEAREST = 24  # neighbours by item where there are no categories
MOST_POPULAR = 16  # candidates by category
FEWEST_BUYERS = 5  # of an item with neighbours
SURE_TOGETHER = 5.0  # common buyers at which half of a likeness counts
CHUNK = 4_000_000  # cells of a likeness table at a time


class Pairs(NamedTuple):
    """p distinct pairs, sorted by (start, end)."""

    start: Array  # int64
    end: Array  # int64
    n_back: Floats  # customers who sent ``start`` back and bought ``end`` within the days
    n_moved: Floats  # who bought ``end`` on a later day after ``start``
    near: Floats  # likeness, (0, 1]; 1 within a category


def switches(events: Events, group: Array, *, days: float) -> tuple[Array, Array, Array]:
    """(start, end, came back) of each customer once; ``group`` (n_items,), -1 none."""
    rows = np.flatnonzero(group[events.item] >= 0)
    who, item, time = (
        events.customer[rows],
        events.item[rows].astype(np.int64),
        events.timestamp[rows],
    )
    is_buy, family, day = events.event[rows] == PURCHASE_CODE, group[item], events.day[rows]
    order = np.lexsort((rows, time, family, who))
    found: list[Array] = []
    for step in range(1, NEXT + 1):
        a, b = order[:-step], order[step:]
        near = (who[a] == who[b]) & (family[a] == family[b]) & (item[a] != item[b]) & is_buy[b]
        near &= time[b] - time[a] <= np.int64(days * DAY)
        near &= ~is_buy[a] | (day[b] > day[a])
        a, b = a[near], b[near]
        found.append(np.column_stack([who[a], item[a], item[b], ~is_buy[a]]).astype(np.int64))
    whole = np.concatenate(found)
    n = np.int64(len(group))
    pair, code = np.unique(whole[:, 1] * n + whole[:, 2], return_inverse=True)
    once = np.unique((code * 2 + whole[:, 3]) * np.int64(events.n_customers + 1) + whole[:, 0])
    kind = once // np.int64(events.n_customers + 1)
    return pair[kind // 2] // n, pair[kind // 2] % n, (kind % 2).astype(bool)


def with_counts(
    starts: list[Array], ends: list[Array], counts: tuple[Array, Array, Array], n_items: int
) -> Pairs:
    """All pairs once: those given, and those somebody went over."""
    n = np.int64(n_items)
    start, end, back = counts
    moved_key = start * n + end
    given = [a.astype(np.int64) * n + b for a, b in zip(starts, ends, strict=True)]
    key = np.unique(np.concatenate([*given, moved_key]))
    key = key[key // n != key % n]
    place = key.searchsorted(moved_key)
    n_back = np.bincount(place[back], minlength=len(key)).astype(np.float64)
    n_moved = np.bincount(place[~back], minlength=len(key)).astype(np.float64)
    return Pairs(key // n, key % n, n_back, n_moved, np.ones(len(key)))


def popular_pairs(group: Array, recent: Floats) -> tuple[Array, Array]:
    """Each item with the most bought lately of its group."""
    member = np.flatnonzero(group >= 0)
    order = member[np.lexsort((member, -recent[member], group[member]))]
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    top = order[(rank < MOST_POPULAR) & (recent[order] > 0)]
    return _joined(member, top, group)


def same_group_pairs(group: Array) -> tuple[Array, Array]:
    """All pairs of one group: for small families such as editions of one work."""
    member = np.flatnonzero(group >= 0)
    return _joined(member, member, group)


def _joined(left: Array, right: Array, group: Array) -> tuple[Array, Array]:
    """Every pair of one group."""
    right = right[np.argsort(group[right], kind="stable")]
    low = group[right].searchsorted(group[left])
    n = group[right].searchsorted(group[left], side="right") - low
    begin = np.repeat(low - np.concatenate(([0], np.cumsum(n)[:-1])), n)
    return np.repeat(left, n), right[begin + np.arange(int(n.sum()))]


def neighbour_pairs(events: Events, n_items: int) -> tuple[Array, Array, Floats]:
    """Items of the same buyers: cosine of their buyers, lowered where few are common."""
    who, item = events.customer, events.item
    bought = csr_matrix((np.ones(len(who)), (who, item)), shape=(events.n_customers, n_items))
    bought.data[:] = 1.0
    buyers = np.asarray(bought.sum(axis=0)).ravel()
    able = np.flatnonzero(buyers >= FEWEST_BUYERS)
    table, n = bought[:, able].tocsr(), np.asarray(buyers[able], dtype=np.float64)
    starts, ends, likes = [], [], []
    width = min(NEAREST, max(len(able) - 1, 0))
    step = max(CHUNK // max(len(able), 1), 1)
    for first in range(0, len(able) if width else 0, step):  # rows of a table too large at once
        part = slice(first, first + step)
        both = np.asarray((table[:, part].T @ table).toarray(), dtype=np.float64)
        like = both / np.sqrt(np.outer(n[part], n)) * both / (both + SURE_TOGETHER)
        like[np.arange(len(like)), np.arange(first, first + len(like))] = 0.0
        best = np.argsort(-like, axis=1, kind="stable")[:, :width]
        starts.append(np.repeat(able[part], width))
        ends.append(able[best].ravel())
        likes.append(np.take_along_axis(like, best, axis=1).ravel())
    if not starts:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0)
    alike = np.concatenate(likes)
    real = alike > 0
    return np.concatenate(starts)[real], np.concatenate(ends)[real], alike[real]
