"""Has a distribution moved, and by more than chance moves it?

Reads  counts of the same bins at two times.
Gives  the population stability index, and what chance alone gives at these counts.
Never  a bin without a row on either side: neighbours are joined until both are told apart.
Source index and its customary limits .1 and .25: Siddiqi, Credit Risk Scorecards, 2006, ch. 12;
       its distribution under no change: Yurdakul, Statistical Properties of Population Stability
       Index, Western Michigan University, 2018, ch. 3.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

Counts = npt.NDArray[np.int64]
SOME_DRIFT, GREAT_DRIFT = 0.1, 0.25
LEAST = 20  # rows of both sides together that a bin needs: below, the tail is too thick


class Drift(NamedTuple):
    """How far the second distribution lies from the first.

    Examples
    --------
    >>> drift = Drift(psi=0.093, by_chance=0.013, n=1000)
    >>> drift.psi > drift.by_chance  # it moved
    True
    """

    psi: float  # NaN where a side has no row
    by_chance: float  # what chance stays below, see ``level``; NaN likewise
    n: int  # rows of the second


def population_stability(before: npt.ArrayLike, now: npt.ArrayLike, *, level: float) -> Drift:
    """The index, and its quantile ``level`` if nothing changed.

    Parameters
    ----------
    before, now : array-like of shape (n_bins,)
        Rows in each bin.
    level : float
        In (0, 1); the index stays below ``by_chance`` with this probability if both are samples
        of independent rows of one distribution.

    Returns
    -------
    Drift

    Notes
    -----
    With shares b and a of n_b and n_a rows in k bins, the index is sum (a - b) ln(a / b), and
    n_b n_a / (n_b + n_a) times it is nearly chi-squared with k - 1 degrees. Half a row is added
    to every bin, so that an empty one is no infinity.

    Examples
    --------
    >>> drift = population_stability([500, 500], [350, 650], level=0.99)
    >>> round(drift.psi, 3), round(drift.by_chance, 3), drift.n
    (0.093, 0.013, 1000)
    """
    first, second = _joined(np.asarray(before, np.int64), np.asarray(now, np.int64))
    n_before, n_now = int(first.sum()), int(second.sum())
    if not n_before or not n_now:
        return Drift(math.nan, math.nan, n_now)
    b, a = ((n + 0.5) / (n + 0.5).sum() for n in (first, second))
    psi = float(((a - b) * np.log(a / b)).sum())
    noise = 1.0 / n_before + 1.0 / n_now
    return Drift(psi, float(noise * chi2.ppf(level, max(len(first) - 1, 1))), n_now)


def _joined(first: Counts, second: Counts) -> tuple[Counts, Counts]:
    """Neighbouring bins together until each holds ``LEAST`` rows; the last takes what is left."""
    groups: list[list[int]] = [[]]
    for place in range(len(first)):
        if groups[-1] and sum(int(first[i] + second[i]) for i in groups[-1]) >= LEAST:
            groups.append([])
        groups[-1].append(place)
    if len(groups) > 1 and sum(int(first[i] + second[i]) for i in groups[-1]) < LEAST:
        rest = groups.pop()
        groups[-1] += rest
    parts: Any = [[side[group].sum() for group in groups] for side in (first, second)]
    return np.array(parts[0], dtype=np.int64), np.array(parts[1], dtype=np.int64)
