"""What the customer did with each candidate: as stored, and what came with the request.

Reads  the moment, candidates.
Gives  visits and dates now, visits by the bundle's cutoff, and the odds they gave then.
Never  anything of those who object to profiling.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.holdings import own_from
from ..kernels.offers import OwnState, own_state, own_states
from . import dates
from .moment import Moment
from .store import Store

Array = NDArray[Any]


class Own(NamedTuple):
    """Of c candidates."""

    now: OwnState
    n_before: Array  # int64 (c,): visits by the bundle's cutoff
    odds_before: Array  # float64 (c,): log-odds of a purchase within the horizon, as of then


def own_of(store: Store, moment: Moment, request: Array, item: Array) -> Own:
    """What is known of each request's item, (c,) each."""
    own = _of_stored(store, moment, request, item)
    if own is None:
        own = _of_events(store, moment, request, item)
    if not moment.profiling.any():
        return own
    seen = ~moment.profiling[request]
    now = own.now
    last_row = np.where(seen, now.last_row, -1)
    hidden = OwnState(now.n_visits * seen, now.first * seen, now.last * seen, last_row)
    return Own(hidden, own.n_before * seen, own.odds_before)


def _of_stored(store: Store, moment: Moment, request: Array, item: Array) -> Own | None:
    """From the bundle's pairs; of what was bought since, from the events."""
    held = moment.held
    if held is None:
        return None
    place, hit = held.find(request, item)
    events = moment.events
    if hit.any():
        start = 0 if moment.m == 1 else events.offsets[request]
        before = own_from(held.holdings, place, hit, start, events.timestamp)
        odds = np.where(hit, store.holdings_log_odds[np.where(hit, place, 0)], 0.0)
    else:
        before, odds = no_state(len(item)), np.zeros(len(item))
    again = moment.bought_since(request, item)
    if not len(again):
        return Own(before, before.n_visits, odds)
    now = OwnState(*(column.copy() for column in before))
    for column, fresh in zip(now, own_state(events, request[again], item[again]), strict=True):
        column[again] = fresh
    return Own(now, before.n_visits, odds)


def _of_events(store: Store, moment: Moment, request: Array, item: Array) -> Own:
    """The same from all events: where late ones stand between those stored."""
    now, before = own_states(moment.events, request, item, new=moment.new)
    at = np.full(len(item), store.cutoff)
    odds = dates.log_odds_within(store.gaps, item, before, at, store.horizon_days)
    return Own(now, before.n_visits, np.where(before.n_visits > 0, odds, 0.0))


def no_state(n: int) -> OwnState:
    """Of items that were never bought."""
    zero = np.zeros(n, dtype=np.int64)
    return OwnState(zero, zero, zero, zero - 1)
