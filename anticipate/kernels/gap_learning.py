"""Learning the law of gaps: how likely the pairs are, and item tables moved towards them.

Reads  what pairs did: visits, closed gaps, the open gap; a table to start from.
Gives  log-likelihoods; a table refined by groups of items, shrunk to where it came from.
Never  an open gap as if nothing would follow: it is censored, and counts as such.
Source EM for a mixture with a censored part: Dempster, Laird and Rubin, JRSS B 39, 1977.

Symbols as in ``next_gap``: gaps ~ Gamma(k, theta), theta ~ InvGamma(A, B), pi = P(a next one).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special
from .next_gap import SHORTEST_DAYS, VISIT_EDGES, GapTable, visit_bin
from .order import group_order
from .pairs import Pairs
from .segments import segment_sum

Floats = NDArray[np.float64]
Array = NDArray[Any]
DAY = 86_400_000_000
PLAIN_SHAPE, PLAIN_PRIOR_SHAPE = 1.5, 2.0  # where nobody has fitted them
STRENGTH = 5.0  # a group's own data weigh as much as where it came from at 5 pairs
STEPS = 4
MOST_SHIFT = 8.0  # bound of a group's log-odds
_EDGE = 1e-6


class GapData(NamedTuple):
    """p pairs; times in days."""

    item: Array  # int (p,)
    n_visits: Array  # int (p,)
    gap_sum: Floats
    log_gap_sum: Floats  # sum of the logs of the closed gaps
    open_days: Floats  # last visit to the cutoff, censored

    def take(self, rows: Array) -> GapData:
        return GapData(*(column[rows] for column in self))


def gap_data(pairs: Pairs, cutoffs: Array) -> GapData:
    """What each pair did until its customer's cutoff (int64 microseconds, (m,))."""
    gaps, offsets = pairs.gaps_days()
    return GapData(
        item=pairs.item,
        n_visits=pairs.n_visits,
        gap_sum=pairs.gap_sum_days,
        log_gap_sum=segment_sum(np.log(np.maximum(gaps, SHORTEST_DAYS)), offsets),
        open_days=np.maximum((cutoffs[pairs.customer] - pairs.last) / DAY, 0.0),
    )


def passes(n_visits: Array) -> Floats:
    """How many closed gaps began in each visit bin, (p, 5)."""
    high = np.append(VISIT_EDGES[1:] - 1, np.iinfo(np.int64).max)
    n = (n_visits - 1)[:, None]
    return np.clip(np.minimum(n, high) - (VISIT_EDGES - 1), 0, None).astype(np.float64)


def log_likelihood(data: GapData, k: float, A: float, *, B: Floats, log_odds: Floats) -> Floats:
    """Log density of all closed gaps and of the silence since, per pair (p,).

    Parameters
    ----------
    data : GapData
    k, A : float
    B : array of shape (p,)
        Prior scale, days.
    log_odds : array of shape (p, 5)
        Of pi, by visit bin.
    """
    # prod g^(k-1) / Gamma(k)^n . B^A Gamma(A+nk) / (Gamma(A) (B+G)^(A+nk)) . prod pi . open
    n = data.n_visits - 1
    A_n, B_n = A + n * k, B + data.gap_sum
    closed = (k - 1) * data.log_gap_sum - n * special.gammaln(k) + A * np.log(B) - A_n * np.log(B_n)
    closed += special.gammaln(A_n) - special.gammaln(A)
    came = (passes(data.n_visits) * -np.logaddexp(0.0, -log_odds)).sum(axis=1)
    pi = special.expit(log_odds[np.arange(len(n)), visit_bin(data.n_visits)])
    still = pi * special.betainc(A_n, k, B_n / (B_n + data.open_days)) + (1.0 - pi)
    return np.asarray(closed + came + np.log(np.maximum(still, 1e-300)))


def plain_table(data: GapData, n_items: int) -> GapTable:
    """A table without a fit: common shapes, the mean gap of all, counted shares."""
    n_gaps = float((data.n_visits - 1).sum())
    # The open gaps add time: with few closed ones the mean must not look short.
    days = float(data.gap_sum.sum() + data.open_days.sum())
    mean_gap = max(days / max(n_gaps, 1.0), 1.0) if len(data.item) else 30.0
    came = passes(data.n_visits).sum(axis=0)
    waiting = np.zeros(len(VISIT_EDGES))
    np.add.at(waiting, visit_bin(data.n_visits), 1.0)
    scale = mean_gap * (PLAIN_PRIOR_SHAPE - 1.0) / PLAIN_SHAPE
    share = (came + 1.0) / (came + waiting + 2.0)
    return whole_table(PLAIN_SHAPE, PLAIN_PRIOR_SHAPE, scale, share, n_items=n_items)


def whole_table(k: float, A: float, B: float, share: Floats, *, n_items: int) -> GapTable:
    """The same law for every item."""
    n = n_items + 1
    rows = np.broadcast_to(share, (n, len(share))).copy()
    return GapTable(np.full(n, k), np.full(n, A), np.full(n, B), rows)


def refine_by_item(data: GapData, table: GapTable, category: Array | None) -> GapTable:
    """The table moved towards each category, then towards each item, both shrunk.

    ``category`` is a code per item (n_items,), or None.
    """
    n_items = len(table.shape) - 1
    if category is not None and n_items:
        table = refine(data, table, category)
    return refine(data, table, np.arange(n_items))


def refine(data: GapData, table: GapTable, group: Array) -> GapTable:
    """Per group of items: a factor on B and a shift of the log-odds of pi, by EM.

    Parameters
    ----------
    data : GapData
    table : GapTable
        Where the groups start from and are shrunk to; its last row is kept.
    group : int array of shape (n_items,)
        Group of each item.

    Returns
    -------
    GapTable
    """
    n_groups = int(group.max(initial=-1)) + 1
    by_item = GroupSums(data.item, len(group))
    by_group = GroupSums(group, n_groups)
    start = special.logit(np.clip(table.next_share, _EDGE, 1 - _EDGE))
    tried = np.stack([by_item.add(column) for column in _tries(data.n_visits).T], axis=1)
    came = by_item.add((data.n_visits - 1).astype(np.float64))
    factor, shift = np.ones(n_groups), np.zeros(n_groups)
    for _ in range(STEPS):
        now = _moved(table, start, group, factor, shift)
        alive, weight, inverse_scale = _expected(data, now)
        seen = by_group.add(by_item.add(weight)) * table.prior_shape[-1]
        needed = by_group.add(by_item.add(table.prior_scale_days[data.item] * inverse_scale))
        prior = STRENGTH * table.prior_shape[-1]
        factor = (seen + prior) / (needed + prior)
        shift = _shifted(shift, start[:-1], group, tried, came + by_item.add(alive), by_group)
    return _moved(table, start, group, factor, shift)


def _expected(data: GapData, table: GapTable) -> tuple[Floats, Floats, Floats]:
    """Per pair: P(a next one is still to come), weight of its scale, E[1 / theta] so weighted.

    Among those still to come the open gap is at least c: E[1/theta | gap > c] =
    A/B . I_u(A + 1, k) / I_u(A, k). A pair that ended after its first visit tells nothing.
    """
    n = data.n_visits - 1
    k, A0, B0 = (table[column][data.item] for column in range(3))
    A, B = A0 + n * k, B0 + data.gap_sum
    u = B / (B + data.open_days)
    S = special.betainc(A, k, u)
    pi = table.next_share[data.item, visit_bin(data.n_visits)]
    alive = pi * S / (pi * S + (1.0 - pi))
    inverse = A / B
    waiting = inverse * special.betainc(A + 1.0, k, u) / np.maximum(S, 1e-300)
    ended = np.where(n > 0, (1.0 - alive) * inverse, 0.0)
    return alive, np.where(n > 0, 1.0, alive), alive * waiting + ended


def _shifted(
    shift: Floats, start: Floats, group: Array, tried: Floats, came: Floats, by_group: GroupSums
) -> Floats:
    """One Newton step of each group's shift; ``STRENGTH`` mean pairs speak for no shift."""
    p = special.expit(start + shift[group][:, None])
    expected = by_group.add((tried * p).sum(axis=1))
    spread = by_group.add((tried * p * (1.0 - p)).sum(axis=1))
    total = np.maximum(by_group.add(tried.sum(axis=1)), 1.0)
    slope = by_group.add(came) - expected - STRENGTH * shift * spread / total
    bend = spread + STRENGTH * spread / total + _EDGE
    return np.clip(shift + np.clip(slope / bend, -2.0, 2.0), -MOST_SHIFT, MOST_SHIFT)


def _tries(n_visits: Array) -> Floats:
    """Chances to come again by visit bin: those taken, and the one now open."""
    tried = passes(n_visits)
    tried[np.arange(len(n_visits)), visit_bin(n_visits)] += 1.0
    return tried


def _moved(table: GapTable, start: Floats, group: Array, factor: Floats, shift: Floats) -> GapTable:
    scale, share = table.prior_scale_days.copy(), table.next_share.copy()
    scale[:-1] *= factor[group]
    share[:-1] = special.expit(start[:-1] + shift[group][:, None])
    return table._replace(prior_scale_days=scale, next_share=share)


class GroupSums:
    """Sums of values by code, in one order of addition."""

    def __init__(self, codes: Array, n_groups: int) -> None:
        self._order = group_order(codes)
        self._offsets = np.searchsorted(codes[self._order], np.arange(n_groups + 1))

    def add(self, values: Floats) -> Floats:
        """Sum of the values of each code, (n_groups,)."""
        return segment_sum(values[self._order], self._offsets)
