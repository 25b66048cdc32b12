"""Of two sizes or editions bought together, which one was kept?

Reads  past lines with a known end, and which thing each item is.
Gives  counts by (kept, sent back).
Never  a pair of carts in which both or none came back: they tell nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.events import Events
from ..kernels.return_reasons import KeptPairs
from .return_rows import Closed

Array = NDArray[Any]
WIDEST = 8  # lines of one thing in a cart that are compared with each other


def kept_pairs(events: Events, closed: Closed, thing: Array) -> KeptPairs:
    """Counts over carts that held two items of one thing of which one came back."""
    item, customer = events.item[closed.row], events.customer[closed.row]
    time, family = events.timestamp[closed.row], thing[events.item[closed.row]]
    order = np.lexsort((closed.row, family, time, customer))
    found: list[Array] = []
    for step in range(1, WIDEST):
        a, b = order[:-step], order[step:]
        together = (customer[a] == customer[b]) & (time[a] == time[b]) & (family[a] == family[b])
        one = together & (closed.returned[a] != closed.returned[b]) & (item[a] != item[b])
        back = np.where(closed.returned[a], a, b)[one]
        kept = np.where(closed.returned[a], b, a)[one]
        found.append(np.column_stack([item[kept], item[back]]).astype(np.int64))
    pairs, n = np.unique(np.concatenate(found), axis=0, return_counts=True)
    return KeptPairs(pairs[:, 0], pairs[:, 1], n.astype(np.int64))


def align_pairs(pairs: KeptPairs, code: Array) -> KeptPairs:
    """The counts for another vocabulary: ``code`` of each item in it, -1 left out."""
    kept, back = (code[column] for column in (pairs.kept, pairs.back))
    there = np.flatnonzero((kept >= 0) & (back >= 0))
    order = there[np.lexsort((back[there], kept[there]))]
    return KeptPairs(kept[order].astype(np.int64), back[order].astype(np.int64), pairs.n[order])
