"""The law that foretells best: fitted to one earlier moment, judged at a later one.

Reads  pairs (or customers) until the cutoff, the law that maximum likelihood found in their gaps.
Gives  that law, or one fitted to forecasts, whichever said more of a slice it was not fitted
       to; and notes for the report.
Never  anything at or after the cutoff; a choice where fewer than ``FEWEST_RETURNS`` came.

Two moments, one and two windows before the cutoff. Candidates are fitted at the earlier and
judged at the later one; the winner is fitted again at the later. The law found in all gaps has
seen both, which favours it: others must be better all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from ..kernels.gap_landmarks import Landmark, landmark, spread, wait_log_likelihood
from ..kernels.gap_learning import refine_by_item, whole_table
from ..kernels.log_gap import LogGapTable, log_gap_law, log_gaps
from ..kernels.next_gap import GapTable, NextLaw, gap_law
from ..kernels.pairs import Pairs

Floats = NDArray[np.float64]
Notes = dict[str, Any]
FEWEST_RETURNS = 100  # in either window
MOST_PAIRS = 5000
LONGEST_WINDOW_DAYS = 90.0
WINDOW_SHARE = 1.0 / 3.0  # of the history
PLAIN, TUNED = "gamma", "gamma, tuned"
# Log-normal gaps: the weight that a gap keeps with every later one.
KEPT = {"log-normal": 1.0, "log-normal, recent gaps first": 0.9}
PRIOR_SD = 2.5  # of a normal prior around the start, worth one pair
BOUND = 8.0
DAY = 86_400_000_000
_EDGE = 1e-6
LawOf = Callable[[Floats], NextLaw]  # parameters -> the law of each pair of a slice


def tune_items(
    pairs: Pairs, cutoffs: NDArray[np.int64], table: GapTable, category: NDArray[np.int64] | None
) -> tuple[GapTable, Notes]:
    """The table of item gaps with the whole's parameters fitted to forecasts, if that is better.

    Items keep what they differ by from the whole; at a slice it is learned from what came before
    the slice.
    """
    slices, notes = _slices(pairs, cutoffs)
    if not slices:
        return table, notes
    whole = whole_table(*(column[-1] for column in table), n_items=len(table.shape) - 1)
    tables = [refine_by_item(slice_.data, whole, category) for slice_ in slices]
    early, late = (_some(slice_) for slice_ in slices)
    law_early, law_late = (_gamma_law(*both) for both in zip(tables, (early, late), strict=True))
    start = _gamma_start(table)
    tuned = _fit(law_early, start, early)
    notes |= _judged({PLAIN: _score(law_late(start), late), TUNED: _score(law_late(tuned), late)})
    if notes["chosen"] == PLAIN:
        return table, notes
    return _moved(table, _fit(law_late, start, late, guess=tuned)), notes


def tune_orders(
    orders: Pairs, cutoffs: NDArray[np.int64], table: GapTable
) -> tuple[GapTable | LogGapTable, Notes]:
    """The law of customers' next orders: gamma as found or tuned, or log-normal gaps."""
    slices, notes = _slices(orders, cutoffs)
    if not slices:
        return table, notes
    early, late = (_some(slice_) for slice_ in slices)
    start, log_start = _gamma_start(table), _log_start(early, table)
    gamma = _gamma_law(table, late)
    found = {TUNED: _fit(_gamma_law(table, early), start, early)}
    scores = {PLAIN: _score(gamma(start), late), TUNED: _score(gamma(found[TUNED]), late)}
    for name, kept in KEPT.items():
        found[name] = _fit(_log_law(kept, early), log_start, early)
        scores[name] = _score(_log_law(kept, late)(found[name]), late)
    notes |= _judged(scores)
    chosen = notes["chosen"]
    if chosen == PLAIN:
        return table, notes
    if chosen == TUNED:
        return _moved(table, _fit(gamma, start, late, guess=found[chosen])), notes
    law = _log_law(KEPT[chosen], late)
    x = _fit(law, log_start, late, guess=found[chosen])
    return _log_table(x, KEPT[chosen]), notes


def _slices(pairs: Pairs, cutoffs: NDArray[np.int64]) -> tuple[list[Landmark], Notes]:
    """The earlier and the later slice; none where too few came back."""
    span = float(((cutoffs[pairs.customer] - pairs.first) / DAY).max())
    w = min(span * WINDOW_SHARE, LONGEST_WINDOW_DAYS)
    notes: Notes = {"chosen": PLAIN, "window_days": w, "n_returns": [0, 0]}
    if w <= 0.0:
        return [], notes
    slices = [landmark(pairs, cutoffs, days_back=n * w, window_days=w) for n in (2, 1)]
    notes["n_returns"] = [slice_.n_returns for slice_ in slices]
    return (slices if min(notes["n_returns"]) >= FEWEST_RETURNS else []), notes


def _some(slice_: Landmark) -> Landmark:
    """At most ``MOST_PAIRS`` of its pairs."""
    return slice_.take(spread(slice_.data.n_visits, MOST_PAIRS))


def _fit(law: LawOf, start: Floats, slice_: Landmark, *, guess: Floats | None = None) -> Floats:
    """Parameters most likely to have foretold the slice; a wide prior around ``start`` keeps
    them finite. The search begins at ``guess``, by default at ``start``.
    """

    def loss(x: Floats) -> float:
        prior = float(np.square((x - start) / PRIOR_SD).sum()) / 2.0
        return prior / len(slice_.wait_days) - _score(law(x), slice_)

    with threadpool_limits(1, "blas"):  # threads only wait on a few parameters
        result = minimize(
            loss,
            start if guess is None else guess,
            method="L-BFGS-B",
            bounds=[(value - BOUND, value + BOUND) for value in start],
            options={"maxiter": 100, "ftol": 1e-8},
        )
    return np.asarray(result.x, dtype=np.float64)


def _score(law: NextLaw, slice_: Landmark) -> float:
    """Mean log-likelihood, nats per pair."""
    open_days, wait = slice_.data.open_days, slice_.wait_days
    return float(wait_log_likelihood(law, open_days, wait, slice_.window_days).mean())


def _judged(scores: dict[str, float]) -> Notes:
    best = max(scores, key=lambda name: scores[name])  # the first of equals: the plainest
    return {"chosen": best, "log_likelihood": scores, "gain": scores[best] - scores[PLAIN]}


# -- gamma gaps ------------------------------------------------------------------------


def _gamma_start(table: GapTable) -> Floats:
    k, A, B, share = (column[-1] for column in table)
    return np.concatenate((np.log([k, A, B]), _odds(share)))


def _gamma_law(table: GapTable, slice_: Landmark) -> LawOf:
    """Of the slice's pairs; ``x`` in place of the whole's parameters."""
    data = slice_.data
    rows = np.append(data.item, -1)  # a small table: one row a pair, and the whole's
    small = GapTable(*(column[rows] for column in table))
    place = np.arange(len(data.item))
    return lambda x: gap_law(_moved(small, x), place, data.n_visits, data.gap_sum)


def _moved(table: GapTable, x: Floats) -> GapTable:
    """The table with the whole's parameters ``x``; each item keeps its factor and its shift."""
    k, A, B = np.exp(x[:3]).tolist()
    odds = _odds(table.next_share)
    n = len(table.shape)
    return GapTable(
        shape=np.full(n, k),
        prior_shape=np.full(n, A),
        prior_scale_days=table.prior_scale_days / table.prior_scale_days[-1] * B,
        next_share=expit(odds - odds[-1] + x[3:]),
    )


def _odds(share: Floats) -> Floats:
    return np.asarray(logit(np.clip(share, _EDGE, 1.0 - _EDGE)))


# -- log-normal gaps -------------------------------------------------------------------


def _log_start(slice_: Landmark, table: GapTable) -> Floats:
    """Mean and spread of all logs, either worth a few gaps; shares as gamma gaps have them."""
    n = max(float((slice_.data.n_visits - 1).sum()), 1.0)
    mean = float(slice_.data.log_gap_sum.sum()) / n
    return np.concatenate(([mean, 0.0, 0.0, 1.5], _odds(table.next_share[-1])))


def _log_law(kept: float, slice_: Landmark) -> LawOf:
    gaps = log_gaps(*slice_.pairs.gaps_days(), kept)
    n_visits = slice_.data.n_visits
    return lambda x: log_gap_law(_log_table(x, kept), n_visits, gaps)


def _log_table(x: Floats, kept: float) -> LogGapTable:
    mean, *rest = (np.array([value]) for value in x[:4])
    K, sd, v = (np.exp(value) for value in rest)
    return LogGapTable(mean, K, sd, v, np.array([kept]), expit(x[4:])[None, :])
