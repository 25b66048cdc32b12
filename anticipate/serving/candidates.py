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

from ..kernels.offers import latest_signal
from . import dates, session
from .moment import Moment
from .own import Own, own_of
from .session import BOUGHT
from .store import Store, span, spans

Array = NDArray[Any]
SIGNAL_LOG_ODDS = {-1: -3.0, 0: 0.0, 1: 1.5}  # disliked / nothing / wished, since the cutoff
STORED, NEWCOMER, CART = 0, 1, 2  # where a row comes from, or as the session says
_ORIGINS = [np.full(64, origin, dtype=np.int8) for origin in (STORED, NEWCOMER)]


class Offers(NamedTuple):
    """c rows by request, then as stored: what might be offered."""

    request: Array  # int64 (c,)
    item: Array  # int64 (c,) codes of the request's vocabulary
    log_odds: Array  # float64 (c,)
    origin: Array  # int8 (c,): STORED, NEWCOMER, CART; BOUGHT or WISHED since the cutoff
    row: Array  # int64 (c,): into stored candidates or newcomers' needs; the item, if CART; when

    def take(self, rows: Array) -> Offers:
        """The given positions, or those of a mask."""
        return Offers(*(column[rows] for column in self))


class Candidates(NamedTuple):
    """The same with what was done with those bought so far."""

    offers: Offers  # log-odds as of now
    own: Own


def find_candidates(store: Store, moment: Moment, carts: list[list[int]]) -> Candidates:
    """All candidates of all requests at their moments, cart lines themselves left out."""
    found = _stored(store, moment)
    if any(carts) or moment.has_new:
        found = _without(_with_session(store, moment, carts, found), carts)
    own = own_of(store, moment, found.request, found.item)
    log_odds = found.log_odds + _shift(store, moment, found, own)
    return Candidates(found._replace(log_odds=log_odds), own)


def _stored(store: Store, moment: Moment) -> Offers:
    """The bundle's candidates; what newcomers need for those it cannot or may not know."""
    stored, fresh = store.group("candidates"), store.group("newcomers")
    known = moment.is_served
    if moment.m == 1:
        if not known[0]:
            return _of_one(fresh, 0, len(fresh["item"]), NEWCOMER)
        return _of_one(stored, *span(stored["offsets"], moment.codes.item(0)), STORED)
    if known.all():
        return _of_known(stored, moment.codes)
    own = _of_known(stored, np.where(known, moment.codes, -1))
    new = np.repeat((~known).nonzero()[0], len(fresh["item"]))
    row = np.tile(np.arange(len(fresh["item"])), int((~known).sum()))
    both = _joined(own, _offers(fresh, new, row, NEWCOMER))
    return both.take(np.argsort(both.request, kind="stable"))


def _of_known(stored: dict[str, Array], codes: Array) -> Offers:
    row, offsets = spans(stored["offsets"], codes)
    request = np.repeat(np.arange(len(codes)), np.diff(offsets))
    return _offers(stored, request, row, STORED)


def _of_one(source: dict[str, Array], start: int, end: int, origin: int) -> Offers:
    """Views of the rows of a single request."""
    request = np.zeros(end - start, dtype=np.int64)
    row = np.arange(start, end)
    item, log_odds = source["item"][start:end], source["log_odds"][start:end]
    return Offers(request, item.astype(np.int64), log_odds, _ORIGINS[origin][: len(row)], row)


def _offers(source: dict[str, Array], request: Array, row: Array, origin: int) -> Offers:
    return Offers(
        request,
        source["item"][row].astype(np.int64),
        source["log_odds"][row],
        np.full(len(row), origin, dtype=np.int8),
        row,
    )


def _joined(first: Offers, more: Offers) -> Offers:
    return Offers(*(np.concatenate(columns) for columns in zip(first, more, strict=True)))


def _with_session(store: Store, moment: Moment, carts: list[list[int]], found: Offers) -> Offers:
    """What goes with the cart or the last day, raised or added; what was wanted since, added.

    Few rows for each request, so this is a loop over Python's own numbers.
    """
    lifts, wanted = _companions(store, moment, carts), session.wanted_since(store, moment)
    if not lifts and not wanted:
        return found
    span = store.n_items + 1
    keys = found.item if moment.m == 1 else found.request * span + found.item
    place = {key: i for i, key in enumerate(keys.tolist())}
    raised = [(place[key], *lifts[key]) for key in lifts.keys() & place.keys()]
    if raised:
        found = _raised(found, *(np.array(column) for column in zip(*raised, strict=True)))
    added = [(key, CART, *lifts[key]) for key in lifts.keys() - place.keys()]
    for (request, item), (origin, when) in wanted.items():
        key = request * span + item
        if key not in place and key not in lifts:
            added.append((key, origin, 0.0, when))
    return _joined(found, _added(store, sorted(added))) if added else found


def _added(store: Store, rows: list[tuple[int, int, float, int]]) -> Offers:
    """Rows (key, origin, lift, row) beside those stored, at what all need and the lift."""
    key, origin, lift, row = (np.array(column) for column in zip(*rows, strict=True))
    request, item = np.divmod(key, store.n_items + 1)
    log_odds = store.group("prior")["log_odds"][item] + lift
    return Offers(request, item, log_odds, origin.astype(np.int8), row)


def _raised(found: Offers, at: Array, lift: Array, because: Array) -> Offers:
    """Log-odds of the rows ``at`` raised; what all need is now offered for the cart's sake."""
    log_odds = found.log_odds.copy()  # it may be the bundle's own
    log_odds[at] += lift
    general = found.origin[at] == NEWCOMER  # the cart says more of them than what all need
    if not general.any():
        return found._replace(log_odds=log_odds)
    origin, row = found.origin.copy(), found.row.copy()
    origin[at[general]], row[at[general]] = CART, because[general]
    return found._replace(log_odds=log_odds, origin=origin, row=row)


def _companions(
    store: Store, moment: Moment, carts: list[list[int]]
) -> dict[int, tuple[float, int]]:
    """request * (n_items + 1) + item -> (log-odds added, item that led there)."""
    neighbours, span = store.group("neighbours"), store.n_items + 1
    best: dict[int, tuple[float, int]] = {}
    if not neighbours:
        return best
    for request, seed, share in session.seeds(store, moment, carts):
        offsets = neighbours["offsets"]
        near, base = slice(offsets.item(seed), offsets.item(seed + 1)), request * span
        items, weights = neighbours["item"][near].tolist(), neighbours["weight"][near].tolist()
        for item, weight in zip(items, weights, strict=True):
            lift, known = share * weight, best.get(base + item)
            if known is None or lift > known[0]:
                best[base + item] = lift, seed
    return best


def _shift(store: Store, moment: Moment, found: Offers, own: Own) -> Array:
    """How much the log-odds moved since the bundle's cutoff; exactly 0 where nothing did."""
    moved = moment.as_of > store.cutoff
    if moment.has_new:
        moved = moved | moment.changed
    shift = np.zeros(len(found.item))
    if not moved.any():
        return shift
    if len(own.at):
        by_time = _time_shift(store, moment, found, own)
        shift[own.at] = by_time if moved.all() else by_time * moved[found.request[own.at]]
    if moment.has_new_signals:
        signal = latest_signal(moment.events, found.request, found.item, store.cutoff)
        said = np.array([SIGNAL_LOG_ODDS[-1], 0.0, SIGNAL_LOG_ODDS[1]])[signal + 1]
        shift += np.where(moment.profiling[found.request], 0.0, said)
    return shift


def _time_shift(store: Store, moment: Moment, found: Offers, own: Own) -> Array:
    """What the clock and new purchases did to the odds of what was bought by now (d,)."""
    at = moment.as_of if moment.m == 1 else moment.as_of[found.request[own.at]]
    odds = dates.log_odds_within(own.law, own.now.last, at, store.horizon_days)
    shift = odds - own.odds_before
    new = own.n_before == 0
    if new.any():  # bought for the first time since: from here on its own clock speaks
        clock = odds - found.log_odds[own.at]
        more = found.origin[own.at] == BOUGHT  # of the others it speaks only against
        shift = np.where(new, np.where(more, clock, np.minimum(clock, 0.0)), shift)
    return shift


def _without(found: Offers, carts: list[list[int]]) -> Offers:
    """All but the lines of the carts."""
    if len(carts) == 1:
        mine = set(carts[0])
        keep = [i for i, item in enumerate(found.item.tolist()) if item not in mine]
    else:
        lines = {(request, item) for request, cart in enumerate(carts) for item in cart}
        rows = zip(found.request.tolist(), found.item.tolist(), strict=True)
        keep = [i for i, row in enumerate(rows) if row not in lines]
    return found if len(keep) == len(found.item) else found.take(np.array(keep, dtype=np.int64))
