"""Of two sizes or editions bought together, which one was kept?

Reads  past lines with a known end, and which thing each item is.
Gives  counts by (kept, sent back), and the one that most buyers of both kept.
Never  an advice that the log does not show: too few or too even counts give none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.events import Events
from .return_rows import Closed

Array = NDArray[Any]
WIDEST = 8  # lines of one thing in a cart that are compared with each other
LEAST_PAIRS, LEAST_SHARE = 5, 0.6


class KeptPairs(NamedTuple):
    """Distinct (kept, back) pairs of item codes and how often, (p,), sorted."""

    kept: Array  # int64
    back: Array  # int64
    n: Array  # int64


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


def mostly_kept(pairs: KeptPairs, first: int, second: int) -> tuple[int, int, int] | None:
    """(the one kept, how often, of how many); None where the log does not tell."""
    forward, backward = _count(pairs, first, second), _count(pairs, second, first)
    total, most = forward + backward, max(forward, backward)
    if total < LEAST_PAIRS or most < LEAST_SHARE * total:
        return None
    return (first if forward > backward else second), most, total


def _count(pairs: KeptPairs, kept: int, back: int) -> int:
    return int(pairs.n[(pairs.kept == kept) & (pairs.back == back)].sum())
