"""How sure a churn probability is: other customers drawn, and the level's swings.

Reads  training rows, the chosen candidate, and how to fit it.
Gives  fitted replicates, and per customer the spread of the log-odds.
Never  the interval of an outcome: a customer leaves or stays; this is about the probability.
Source bootstrap by customer: Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import expit, ndtri
from scipy.stats import t
from threadpoolctl import threadpool_limits

from ..kernels import btyd
from ..kernels.purchases import PurchaseState
from .btyd.estimator import BtydEstimator
from .candidates import BTYD, Members, candidate_log_odds, fit_members
from .choice import learnable, origin
from .describer import Rows
from .families import family_log_odds
from .rows import TrainingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
N_REPLICATES = 20
NINE_TENTHS = 0.9  # of the interval's distribution lie below its upper limit
WIDTH = float(ndtri(NINE_TENTHS))  # in standard deviations
DRIFT = 0.2  # sd of the level, log-odds, where past windows are too few to show it
MAX_ORIGINS, FEW_ORIGINS = 4, 2  # past windows held out for the swings; fewer show nothing
TENTHS = 10
LEAST = 0.5  # expected leavers or stayers; a tenth with fewer says nothing about its level


class Spread(NamedTuple):
    """What the intervals of a fitted model need."""

    members: tuple[Members, ...]  # replicates; none if a buy-till-you-die model was chosen
    btyd: Floats  # (n, 7) replicates of its parameters; none if another was chosen
    drift_sd: float  # sd of a past tenth's level about what was foreseen, log-odds
    newcomer_sd: float  # sd of the log-odds of customers without a purchase


def learn_spread(
    data: TrainingRows | None,
    summary: pd.DataFrame,
    fitted: BtydEstimator,
    chosen: str,
    members: Members | None,
    *,
    horizon_days: float,
    random_state: int | None,
    n_jobs: int | None,
) -> Spread:
    """Refit the chosen candidate on customers drawn anew, and measure the level's swings.

    Parameters
    ----------
    data : TrainingRows or None
    summary : DataFrame
        The purchase summary that ``fitted`` learned from.
    fitted : BtydEstimator
    chosen : str
        Key of ``CANDIDATES``.
    members : Members or None
        Fitted on ``data``; None where ``chosen`` needs none.
    """
    seed = 0 if random_state is None else random_state
    rngs = [np.random.default_rng([seed, number]) for number in range(N_REPLICATES)]
    n_newcomers, p = _newcomers(data)
    drift = _drift_sd(data, horizon_days, chosen, random_state)
    newcomer = float(np.sqrt(1 / (n_newcomers * p * (1 - p)) + drift**2))
    if members is None or data is None:
        vectors = [_btyd_again(fitted, summary, rng) for rng in rngs]
        return Spread((), np.stack(vectors), drift, newcomer)
    jobs = (delayed(_members_again)(data, chosen, rng, random_state) for rng in rngs)
    with threadpool_limits(1):  # held here: a thread that is done must not free the others
        fitted_again = Parallel(n_jobs=n_jobs)(jobs)
    found = [again for again in fitted_again if again is not None]
    if len(found) < 2:  # classes too small to be drawn again: the chosen members alone
        found = [members, members]
    return Spread(tuple(found), np.empty((0, btyd.VECTOR_LENGTH)), drift, newcomer)


def log_odds_sd(
    spread: Spread, chosen: str, rows: Rows, state: PurchaseState, horizon_days: float
) -> Floats:
    """Standard deviation of each customer's log-odds, shape (n,)."""
    if len(spread.members):
        replicates = [candidate_log_odds(chosen, members, rows) for members in spread.members]
    else:
        models = [btyd.from_vector(vector) for vector in spread.btyd]
        replicates = [family_log_odds(model, state, horizon_days) for model in models]
    own = np.sqrt(variance(replicates) + spread.drift_sd**2)
    return np.where(state.n_days > 0, own, spread.newcomer_sd)


def variance(replicates: list[Floats]) -> Floats:
    """Sample variance of each element over at least two replicates."""
    # One by one: .var(axis=0) adds in another order for one customer than for two.
    total = np.zeros_like(replicates[0])
    for one in replicates:
        total += one
    mean, squares = total / len(replicates), np.zeros_like(total)
    for one in replicates:
        squares += (one - mean) ** 2
    return squares / (len(replicates) - 1)


def limits(z: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """80 % interval of the probability around log-odds z: tenth and ninetieth percentile."""
    return expit(z - WIDTH * sd), expit(z + WIDTH * sd)


def _members_again(
    data: TrainingRows, chosen: str, rng: np.random.Generator, random_state: int | None
) -> Members | None:
    # A customer is drawn with all their slices: rows of one customer are not independent.
    people, person = np.unique(data.person, return_inverse=True)
    times = np.bincount(rng.integers(len(people), size=len(people)), minlength=len(people))
    rows = np.repeat(np.arange(len(person)), times[person])
    if not learnable(data.left[rows]):
        return None
    return fit_members(data.rows.take(rows), data.left[rows], random_state, names=[chosen])


def _btyd_again(fitted: BtydEstimator, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
    times = np.bincount(rng.integers(len(summary), size=len(summary)), minlength=len(summary))
    again = type(fitted)().fit(summary.assign(weight=times.astype(np.float64)))
    return btyd.to_vector(again.kernel_)


def _newcomers(data: TrainingRows | None) -> tuple[int, float]:
    """Past customers without a purchase, and the share of them who still made none."""
    if data is None or not data.n_prospects:
        return 1, 0.5
    n = data.n_prospects
    return n, (data.n_prospects_left + 0.5) / (n + 1)


def _drift_sd(
    data: TrainingRows | None, horizon_days: float, chosen: str, random_state: int | None
) -> float:
    """How far tenths of held-out windows lay from what was foreseen, beyond chance; log-odds."""
    if data is None:
        return DRIFT * _few_windows(1)
    newest = range(len(data.cutoffs))[-MAX_ORIGINS:]
    folds = [origin(data, number, horizon_days) for number in newest]
    kept = [fold for fold in folds if fold is not None and learnable(data.left[fold[0]])]
    if len(kept) < FEW_ORIGINS:
        return DRIFT * _few_windows(len(kept))
    misses = [
        _misses(_foreseen(data, *fold, chosen, random_state), data.left[fold[1]]) for fold in kept
    ]
    miss, chance = np.concatenate(misses, axis=1)
    # A tenth tells the more the less chance there is in it.
    weight = 1 / (chance + DRIFT**2)
    variance = max((weight * (miss**2 - chance)).sum() / weight.sum(), 0.0)
    return float(np.sqrt(variance) * _few_windows(len(kept)))


def _few_windows(n: int) -> float:
    """Student's t for a spread known from few windows; those half a horizon apart count half."""
    return float(t.ppf(NINE_TENTHS, max((n + 1) // 2, 1)) / WIDTH)


def _foreseen(
    data: TrainingRows, train: Mask, test: Mask, chosen: str, random_state: int | None
) -> Floats:
    """Log-odds of the held-out rows."""
    rows = data.rows.take(test)
    if chosen == BTYD:
        return rows.base
    members = fit_members(data.rows.take(train), data.left[train], random_state, names=[chosen])
    return candidate_log_odds(chosen, members, rows)


def _misses(z: Floats, left: Mask) -> Floats:
    """Per tenth of the rows, by z: miss of the level and its variance by chance, shape (2, 10)."""
    order = np.argsort(z, kind="stable")
    found = []
    for tenth in np.array_split(order, TENTHS):
        p = expit(z[tenth])
        variance = max(float((p * expit(-z[tenth])).sum()), LEAST)
        found.append(((left[tenth] - p).sum() / variance, 1 / variance))  # one Newton step
    return np.array(found).T
