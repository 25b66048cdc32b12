"""Which needs to offer now: stored candidates, moved by what happened since.

Reads  the bundle's candidates (at most 32 a customer), the moment's events, the cart.
Gives  one row per (request, item) with its log-odds now.
Never  trees: time, recent events and the cart move the scores by closed formulas, each term
       exactly 0 at the bundle's own cutoff.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import special
from ..kernels.offers import OwnState, latest_signal, own_state, own_states
from . import dates
from .moment import Moment
from .store import Store

Array = NDArray[Any]
DAY = 86_400_000_000
SIGNAL_LOG_ODDS = {-1: -3.0, 0: 0.0, 1: 1.5}  # disliked / nothing / wished, since the cutoff
SESSION_SHARE = 0.5  # what was just bought pulls half as much as what lies in the cart
_FLOOR = 1e-6
STORED, NEWCOMER, CART = 0, 1, 2  # where a row comes from


class Offers(NamedTuple):
    """c rows by request, then as stored: what might be offered."""

    request: Array  # int64 (c,)
    item: Array  # int64 (c,) codes of the request's vocabulary
    log_odds: Array  # float64 (c,)
    origin: Array  # int8 (c,): STORED, NEWCOMER or CART
    row: Array  # int64 (c,): into the stored candidates or the newcomers' needs; CART: the item

    def take(self, rows: Array) -> Offers:
        """The given positions, or those of a mask."""
        return Offers(*(column[rows] for column in self))


class Candidates(NamedTuple):
    """The same with what was done with each item so far; log-odds as of now."""

    request: Array
    item: Array
    log_odds: Array
    origin: Array
    row: Array
    own: OwnState

    @property
    def probability(self) -> Array:
        return np.asarray(special.expit(self.log_odds))

    def where(self, mask: Array) -> Candidates:
        """Those of a mask (c,); itself where that is all."""
        return self if mask.all() else self.take(np.flatnonzero(mask))

    def take(self, rows: Array) -> Candidates:
        return Candidates(
            self.request[rows], self.item[rows], self.log_odds[rows], self.origin[rows],
            self.row[rows], OwnState(*(column[rows] for column in self.own)),
        )  # fmt: skip


def find_candidates(store: Store, moment: Moment, carts: list[list[int]]) -> Candidates:
    """All candidates of all requests at their moments, cart lines themselves left out."""
    found = _stored(store, moment)
    if any(carts) or moment.has_new:
        found = _with_companions(store, moment, carts, found)
        keep = _not_in_cart(found, carts)
        found = found if keep.all() else found.take(keep)
    own, before = _own(moment, found)
    log_odds = found.log_odds + _shift(store, moment, found, own, before)
    return Candidates(*found._replace(log_odds=log_odds), own)


def _stored(store: Store, moment: Moment) -> Offers:
    """The bundle's candidates; what newcomers need for those it cannot or may not know."""
    stored, fresh = store.group("candidates"), store.group("newcomers")
    known = (moment.codes >= 0) & ~moment.profiling
    if moment.m == 1:
        return _stored_of_one(stored, fresh, int(moment.codes[0]), bool(known[0]))
    safe = np.where(known, moment.codes, 0)
    offsets = stored["offsets"]
    starts = np.where(known, offsets[safe], 0) if store.n_customers else np.zeros(moment.m, int)
    ends = np.where(known, offsets[safe + 1], 0) if store.n_customers else starts
    counts = np.where(known, ends - starts, len(fresh["item"]))
    request = np.repeat(np.arange(moment.m), counts)
    within = np.arange(len(request)) - np.repeat(np.cumsum(counts) - counts, counts)
    is_known = known[request]
    row = np.where(is_known, starts[request] + within, within)
    item, log_odds = np.empty(len(row), np.int64), np.empty(len(row))
    item[is_known] = stored["item"][row[is_known]]
    log_odds[is_known] = stored["log_odds"][row[is_known]]
    item[~is_known] = fresh["item"][row[~is_known]]
    log_odds[~is_known] = fresh["log_odds"][row[~is_known]]
    origin = np.where(is_known, STORED, NEWCOMER).astype(np.int8)
    return Offers(request, item, log_odds, origin, row)


def _stored_of_one(
    stored: dict[str, Array], fresh: dict[str, Array], code: int, known: bool
) -> Offers:
    start, end = stored["offsets"][code : code + 2].tolist() if known else (0, len(fresh["item"]))
    n, source = end - start, stored if known else fresh
    return Offers(
        np.zeros(n, dtype=np.int64),
        source["item"][start:end].astype(np.int64),
        source["log_odds"][start:end],
        np.full(n, STORED if known else NEWCOMER, dtype=np.int8),
        np.arange(start, end),
    )


def _with_companions(store: Store, moment: Moment, carts: list[list[int]], found: Offers) -> Offers:
    """Items that go with the cart or with what was just bought: raised, or added."""
    request, item, lift, because = _companions(store, moment, carts)
    if len(item) == 0:
        return found
    span = np.int64(store.n_items + 1)
    have = found.request * span + found.item
    order = np.argsort(have, kind="stable")
    key = request * span + item
    if len(have):
        ranked = have[order]
        position = np.minimum(ranked.searchsorted(key), len(have) - 1)
        hit = ranked[position] == key
    else:
        position, hit = np.zeros(len(key), np.int64), np.zeros(len(key), bool)
    prior, new = store.group("prior")["log_odds"], (~hit).nonzero()[0]
    more = Offers(
        request[new], item[new], prior[item[new]] + lift[new],
        np.full(len(new), CART, dtype=np.int8), because[new],
    )  # fmt: skip
    both = Offers(*(np.concatenate(columns) for columns in zip(found, more, strict=True)))
    if len(new) < len(hit):
        raised = order[position[hit]]
        both.log_odds[raised] += lift[hit]
        general = both.origin[raised] == NEWCOMER  # the cart says more of them than what all need
        both.origin[raised[general]], both.row[raised[general]] = CART, because[hit][general]
    return both


def _companions(
    store: Store, moment: Moment, carts: list[list[int]]
) -> tuple[Array, Array, Array, Array]:
    """(request, item, log-odds added, item that led there), one row per (request, item)."""
    neighbours, span = store.group("neighbours"), store.n_items + 1
    best: dict[int, tuple[float, int]] = {}  # request * span + item -> lift, because
    nothing = (-np.inf, -1)
    for request, seed, share in _seeds(store, moment, carts):
        start, end = neighbours["offsets"][seed : seed + 2].tolist()
        items, weights = neighbours["item"][start:end], neighbours["weight"][start:end]
        for item, weight in zip(items.tolist(), weights.tolist(), strict=True):
            key = request * span + item
            if share * weight > best.get(key, nothing)[0]:
                best[key] = (share * weight, seed)
    keys = sorted(best)
    request_, item_ = np.divmod(np.array(keys, dtype=np.int64), span)
    lift = np.array([best[key][0] for key in keys], dtype=np.float64)
    return request_, item_, lift, np.array([best[key][1] for key in keys], dtype=np.int64)


def _seeds(store: Store, moment: Moment, carts: list[list[int]]) -> list[tuple[int, int, float]]:
    """Items in the cart, and those bought, viewed or wished since the bundle's cutoff.

    Sessions are short, so this is a loop.
    """
    seeds = [(i, item, 1.0) for i, cart in enumerate(carts) for item in dict.fromkeys(cart)]
    if not store.group("neighbours"):
        return []
    for request in np.flatnonzero(moment.changed).tolist():
        rows = moment.rows(request)
        new = moment.events.timestamp[rows] >= store.cutoff
        items = moment.events.item[rows][new]
        seeds += [(request, item, SESSION_SHARE) for item in dict.fromkeys(items.tolist())]
    return [seed for seed in seeds if 0 <= seed[1] < store.n_items]


def _shift(store: Store, moment: Moment, found: Offers, own: OwnState, before: OwnState) -> Array:
    """How much the log-odds moved since the bundle's cutoff; exactly 0 where nothing did."""
    moved = (moment.as_of > store.cutoff) | moment.changed
    if not moved.any():
        return np.zeros(len(found.item))
    dated = (moved[found.request] & (own.n_visits > 0)).nonzero()[0]
    shift = np.zeros(len(found.item))
    shift[dated] = _time_shift(store, moment, found, own, before, dated)
    if moment.has_new:
        signal = latest_signal(moment.events, found.request, found.item, store.cutoff)
        said = np.array([SIGNAL_LOG_ODDS[-1], 0.0, SIGNAL_LOG_ODDS[1]])[signal + 1]
        shift += np.where(moment.profiling[found.request], 0.0, said)
    return shift


def _time_shift(
    store: Store, moment: Moment, found: Offers, own: OwnState, before: OwnState, rows: Array
) -> Array:
    """What the clock and new purchases did to the odds of those rows, bought by now (r,)."""
    states = (own,) if before is own else (own, before)
    both = OwnState(*(np.array([c[rows] for c in pair]) for pair in zip(*states, strict=False)))
    at = np.array((moment.as_of[found.request[rows]], np.full(len(rows), store.cutoff)))
    p = dates.within(store, found.item[rows], both, at, store.horizon_days)
    odds_now, odds_then = special.logit(np.minimum(np.maximum(p, _FLOOR), 1 - _FLOOR))
    # Bought for the first time since: from here on its own clock speaks.
    first_time = np.minimum(odds_now - found.log_odds[rows], 0.0)
    return np.where(both.n_visits[-1] > 0, odds_now - odds_then, first_time)


def _own(moment: Moment, found: Offers) -> tuple[OwnState, OwnState]:
    """What was done with each candidate, now and by the bundle's cutoff.

    Nothing of those who object to profiling.
    """
    if moment.has_new:
        now, before = own_states(moment.events, found.request, found.item, new=moment.new)
    else:
        now = before = own_state(moment.events, found.request, found.item)
    if not moment.profiling.any():
        return now, before
    hidden = moment.profiling[found.request]
    return _hidden(now, hidden), _hidden(before, hidden)


def _hidden(own: OwnState, hidden: Array) -> OwnState:
    nothing = _no_state(len(hidden))
    return OwnState(*(np.where(hidden, b, a) for a, b in zip(own, nothing, strict=True)))


def _not_in_cart(found: Offers, carts: list[list[int]]) -> Array:
    keep = np.ones(len(found.item), dtype=bool)
    for request, cart in enumerate(carts):
        if cart:
            mine = found.request == request
            for item in cart:
                keep &= ~(mine & (found.item == item))
    return keep


def _no_state(n: int) -> OwnState:
    zero = np.zeros(n, dtype=np.int64)
    return OwnState(zero, zero, zero, zero - 1)
