"""The session: what draws other items with it, and what is wanted itself.

Reads  the moment's new events, the carts.
Gives  seeds of companions; what was bought or wished for since the bundle was made.
Never  companions of what was looked at more than a day ago: a month of purchases is no session.
       Nothing that is wanted of those who object to profiling.
"""

from __future__ import annotations

import numpy as np

from ..kernels.events import PURCHASE_CODE
from ..kernels.offers import SIGNAL_CODES, WISH_CODE, is_dislike
from .moment import Moment
from .store import Store

BOUGHT, WISHED = 3, 4  # where a row comes from, beside those of ``candidates``
DAY = 86_400_000_000
VIEW_CODE, CART_CODE = 0, 2
SHARE = 0.5  # what was just bought or seen pulls half as much as what lies in the cart
_DRAWS = np.zeros(128, dtype=bool)  # by event code
_DRAWS[[VIEW_CODE, CART_CODE, PURCHASE_CODE, WISH_CODE]] = True
_WANTS = np.zeros(128, dtype=bool)
_WANTS[[PURCHASE_CODE, *SIGNAL_CODES]] = True
Pair = tuple[int, int]  # request, item


def seeds(store: Store, moment: Moment, carts: list[list[int]]) -> list[tuple[int, int, float]]:
    """(request, item, share of its pull): the carts' items, and those of the last day, unless
    refused or sent back after all.

    Sessions are short, so this is a loop.
    """
    found = {(i, item): 1.0 for i, cart in enumerate(carts) for item in cart}
    if moment.has_new:
        events = moment.events
        for request in moment.changed.nonzero()[0].tolist():
            rows = moment.rows(request)
            event, since = events.event[rows], max(store.cutoff, moment.as_of.item(request) - DAY)
            refuses = is_dislike(event, events.value[rows])
            speaks = (events.timestamp[rows] >= since) & (_DRAWS[event] | refuses)
            last = zip(events.item[rows][speaks].tolist(), refuses[speaks].tolist(), strict=True)
            for item, refused in dict(last).items():
                if not refused:
                    found.setdefault((request, item), SHARE)
    return [(*pair, share) for pair, share in found.items() if 0 <= pair[1] < store.n_items]


def wanted_since(store: Store, moment: Moment) -> dict[Pair, tuple[int, int]]:
    """BOUGHT or WISHED since the cutoff, the latter not refused again, and when at last."""
    if not moment.has_new:
        return {}
    events, rows = moment.events, moment.new.nonzero()[0]
    every = (events.customer, events.item, events.timestamp, events.event, events.value)
    who, item, time, event, value = (column[rows] for column in every)
    speaks = (time >= store.cutoff) & (item >= 0) & (item < store.n_items) & _WANTS[event]
    speaks &= ~moment.profiling[who]
    known = (
        column[speaks].tolist() for column in (who, item, time, event, is_dislike(event, value))
    )
    bought: dict[Pair, tuple[int, int]] = {}
    wished: dict[Pair, tuple[int, int]] = {}
    for request, code, at, kind, refused in zip(*known, strict=True):
        if kind == PURCHASE_CODE:
            bought[request, code] = BOUGHT, at
        elif kind == WISH_CODE:
            wished[request, code] = WISHED, at
        elif refused:
            wished.pop((request, code), None)
    return wished | bought
