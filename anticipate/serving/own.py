"""What the customer did with the candidates they have bought: as stored, and since.

Reads  the moment, candidates.
Gives  visits and dates now, visits by the bundle's cutoff, and the odds they gave then.
Never  anything of those who object to profiling.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.holdings import own_from
from ..kernels.next_gap import GapLaw
from ..kernels.offers import OwnState, own_state, own_states
from . import dates
from .moment import Moment
from .store import Store

Array = NDArray[Any]


class Own(NamedTuple):
    """Of the d candidates that were bought by now."""

    at: Array  # int64 (d,): which candidates, ascending
    now: OwnState
    law: GapLaw  # of the next gap
    n_before: Array  # int64 (d,): visits by the bundle's cutoff
    odds_before: Array  # float64 (d,): log-odds of a purchase within the horizon, as of then


class _Bought(NamedTuple):
    at: Array
    now: OwnState
    n_before: Array
    odds_before: Array


def own_of(store: Store, moment: Moment, request: Array, item: Array) -> Own:
    """What is known of each request's item, for those bought of c of them."""
    if moment.held is None:
        found = _of_events(store, moment, request, item)
    else:
        found = _of_stored(store, moment, request, item)
    if moment.profiling.any():
        seen = (~moment.profiling[request[found.at]]).nonzero()[0]
        now = OwnState(*(column[seen] for column in found.now))
        found = _Bought(found.at[seen], now, found.n_before[seen], found.odds_before[seen])
    law = dates.law_of(store.gaps, item[found.at], found.now)
    return Own(found.at, found.now, law, found.n_before, found.odds_before)


def _of_stored(store: Store, moment: Moment, request: Array, item: Array) -> _Bought:
    """From the bundle's pairs; of what was bought since, from the events."""
    held = moment.held
    assert held is not None
    place, hit = held.find(request, item)
    at = hit.nonzero()[0]
    place = place[at]
    start = 0 if moment.m == 1 else moment.events.offsets[request[at]]
    now = own_from(held.holdings, place, start, moment.events.timestamp)
    found = _Bought(at, now, now.n_visits, store.holdings_log_odds[place])
    again = moment.bought_since(request, item)
    if not len(again):
        return found
    fresh = own_state(moment.events, request[again], item[again])
    return _replaced(found, again, fresh, len(item))


def _replaced(found: _Bought, again: Array, fresh: OwnState, n: int) -> _Bought:
    """The same where the n candidates ``again`` are now as in ``fresh``."""
    every = np.zeros((4, n), dtype=np.int64)
    n_before, odds_before = np.zeros(n, dtype=np.int64), np.zeros(n)
    every[:, found.at], every[:, again] = np.array(found.now), np.array(fresh)
    n_before[found.at], odds_before[found.at] = found.n_before, found.odds_before
    at = every[0].nonzero()[0]
    return _Bought(at, OwnState(*every[:, at]), n_before[at], odds_before[at])


def _of_events(store: Store, moment: Moment, request: Array, item: Array) -> _Bought:
    """The same from all events: where late ones stand between those stored."""
    now, before = own_states(moment.events, request, item, new=moment.new)
    at = now.n_visits.nonzero()[0]
    now, before = (OwnState(*(column[at] for column in state)) for state in (now, before))
    law = dates.law_of(store.gaps, item[at], before)
    then = np.full(len(at), store.cutoff)
    odds = dates.log_odds_within(law, before.last, then, store.horizon_days)
    return _Bought(at, now, before.n_visits, odds)
