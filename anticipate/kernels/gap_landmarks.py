"""Landmarks: what was known some days before the cutoff, and what followed until then.

Reads  visits of pairs (or customers) until the cutoff.
Gives  the same pairs as of an earlier moment, the wait until their next visit, and how well a
       law foretold it.
Never  a visit at or after the landmark among what was known; a wait past the window, which is
       censored.
Source landmarking: van Houwelingen, Scandinavian Journal of Statistics 34, 2007. A law that is
       fitted gap by gap speaks for gaps; moments fall into long gaps more often than into short
       ones, and a forecast is asked for at a moment.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .gap_learning import GapData, gap_data
from .next_gap import NextLaw
from .pairs import Pairs
from .segments import segment_count

Floats = NDArray[np.float64]
Array = NDArray[Any]
DAY = 86_400_000_000
_LEAST = 1e-300


class Landmark(NamedTuple):
    """q pairs that had been bought before the landmark."""

    pairs: Pairs  # visits before the landmark only; no lines
    data: GapData
    wait_days: Floats  # from the landmark to the next visit; inf = none in the window
    window_days: float

    @property
    def n_returns(self) -> int:
        """How many came in the window."""
        return int(np.isfinite(self.wait_days).sum())

    def take(self, rows: Array) -> Landmark:
        """The pairs at these positions."""
        pairs, counts = self.pairs, self.pairs.n_visits[rows]
        ends = np.cumsum(counts)
        places = np.repeat(pairs.visit_offsets[rows] - ends + counts, counts)
        some = _visits_only(
            pairs, rows, pairs.visit[places + np.arange(len(places))], np.append(0, ends)
        )
        return Landmark(some, self.data.take(rows), self.wait_days[rows], self.window_days)


def landmark(pairs: Pairs, cutoffs: Array, *, days_back: float, window_days: float) -> Landmark:
    """The state ``days_back`` days before each customer's cutoff and the window after it.

    Parameters
    ----------
    pairs : Pairs
    cutoffs : int64 array of shape (m,)
        Microseconds, by customer.
    days_back, window_days : float
        ``window_days`` <= ``days_back``: the window is closed at the cutoff.
    """
    moments = cutoffs - np.int64(round(days_back * DAY))
    at = moments[pairs.customer]
    seen = pairs.visit < np.repeat(at, pairs.n_visits)
    n_seen = segment_count(seen, pairs.visit_offsets)
    rows = np.flatnonzero(n_seen)
    following = pairs.visit_offsets[rows] + n_seen[rows]
    more = n_seen[rows] < pairs.n_visits[rows]
    wait = np.full(len(rows), np.inf)
    wait[more] = (pairs.visit[following[more]] - at[rows][more]) / DAY
    offsets = np.concatenate(([0], np.cumsum(n_seen[rows])))
    early = _visits_only(pairs, rows, pairs.visit[seen], offsets)
    wait[wait >= window_days] = np.inf
    return Landmark(early, gap_data(early, moments), wait, window_days)


def _visits_only(pairs: Pairs, rows: Array, visit: Array, visit_offsets: Array) -> Pairs:
    return Pairs(
        customer=pairs.customer[rows],
        item=pairs.item[rows],
        rows=np.empty(0, dtype=np.int64),
        offsets=np.zeros(len(rows) + 1, dtype=np.int64),
        visit=visit,
        visit_offsets=visit_offsets,
    )


def wait_log_likelihood(
    law: NextLaw, open_days: Array, wait_days: Array, window_days: float
) -> Floats:
    """Log of what the law gave to each wait (q,), given the silence before the landmark.

    pi f(c + t) / (pi S(c) + 1 - pi) for those who came after t days; for the others
    (pi S(c + w) + 1 - pi) / (pi S(c) + 1 - pi).
    """
    came = np.isfinite(wait_days)
    gap = open_days + np.where(came, wait_days, window_days)
    waiting = np.log(np.maximum(law.pi * law.survival(open_days) + 1.0 - law.pi, _LEAST))
    left = np.log(np.maximum(law.pi * law.survival(gap) + 1.0 - law.pi, _LEAST))
    return np.where(came, np.log(law.pi) + law.log_density(gap), left) - waiting


def spread(n_visits: Array, most: int) -> NDArray[np.int64]:
    """At most ``most`` positions, evenly spaced by the square root of visits.

    Pairs bought once are most of all pairs and least of what is asked about.
    """
    if len(n_visits) <= most:
        return np.arange(len(n_visits))
    reached = np.cumsum(np.sqrt(n_visits))
    steps = (np.arange(most) + 0.5) * (reached[-1] / most)
    return np.unique(np.searchsorted(reached, steps))
