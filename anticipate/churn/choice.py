"""Which candidate to take: each is judged on past slices that its fit did not see.

Reads  training rows of past slices.
Gives  the winner's name, its fitted members, and a report of the comparison.
Never  a held-out row, or a window that reaches into a held-out slice, in a fit that it judges.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import expit

from ..evaluation.probability_metrics import log_loss
from ..exceptions import MinimumDataWarning
from .candidates import BASE, BLEND, CANDIDATES, Members, candidate_log_odds, fit_members
from .rows import TrainingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_ROWS = 1000  # past rows: customers times past cutoffs
MIN_OF_EACH_CLASS = 20
MARGIN = 0.01  # a mean is steadier than what it averages: others must beat it by this share
MAX_ORIGINS = 2
N_FOLDS = 3


def choose(
    data: TrainingRows | None,
    n_customers: int,
    horizon_days: float,
    *,
    random_state: int | None,
    n_jobs: int | None,
) -> tuple[Members | None, dict[str, Any]]:
    """Fit the best candidate on all rows.

    Returns
    -------
    Members or None
        None if MBG/NBD is taken: it needs no members.
    dict
        ``model, n_customers, slices, log_loss, held_out, gain_over_hiatus, gain_over_next,
        missing``; the comparison's entries only if there was one.

    Warns
    -----
    MinimumDataWarning
        Once, with one sentence, if there are too few data to compare on.
    """
    report: dict[str, Any] = {"model": BASE, "n_customers": n_customers, "log_loss": {}}
    report["slices"] = [] if data is None else [at.isoformat() for at in data.cutoffs]
    report["missing"] = _missing(data, horizon_days)
    if data is not None and not report["missing"]:
        report["log_loss"], report["held_out"] = compare(
            data, horizon_days, random_state=random_state, n_jobs=n_jobs
        )
    if data is None or not report["log_loss"]:
        why = report["missing"] or ["no division of the past leaves enough to compare on"]
        sentence = f"churn: {why[0]}. MBG/NBD was taken without comparison."
        warnings.warn(sentence, MinimumDataWarning, stacklevel=3)
        return None, report | {"missing": why}
    report |= _ranking(report["log_loss"])
    if report["model"] == BASE:
        return None, report
    return fit_members(data.rows, data.left, random_state), report


def compare(
    data: TrainingRows, horizon_days: float, *, random_state: int | None, n_jobs: int | None
) -> tuple[dict[str, float], str]:
    """Held-out log-loss of every candidate, and how rows were held out.

    Returns
    -------
    dict of str to float
        Mean log-loss (nats) over the held-out rows, by candidate; empty if no division of the
        rows leaves enough of both classes to learn from.
    str
        ``"rolling origins"``, or ``"customers"`` where too few windows are closed for that.
    """
    folds, how = rolling_folds(data, horizon_days), "rolling origins"
    if not folds:
        folds, how = _customer_folds(data), "customers"
    folds = [(train, test) for train, test in folds if learnable(data.left[train])]
    jobs = (delayed(_judge)(data, train, test, random_state) for train, test in folds)
    judged = Parallel(n_jobs=n_jobs)(jobs)
    if not judged:
        return {}, how
    truth = np.concatenate([data.left[test] for _, test in folds])
    return {
        name: log_loss(truth, np.concatenate([by_name[name] for by_name in judged]))
        for name in CANDIDATES
    }, how


def rank(losses: Mapping[str, float]) -> list[str]:
    """Candidates, the one to take first: by held-out log-loss, the blend favoured by MARGIN."""
    handicap = {name: loss * (1 - MARGIN * (name == BLEND)) for name, loss in losses.items()}
    return sorted(losses, key=lambda name: handicap[name])


def learnable(left: Mask) -> bool:
    """Enough of both classes to fit on."""
    return min(int(left.sum()), int((~left).sum())) >= MIN_OF_EACH_CLASS


def rolling_folds(data: TrainingRows, horizon_days: float) -> list[tuple[Mask, Mask]]:
    """(train, test) masks: newest slices held out, trained on windows closed by then."""
    horizon = pd.Timedelta(days=horizon_days)
    folds: list[tuple[Mask, Mask]] = []
    limit = data.cutoffs[-1] + horizon
    for number in reversed(range(len(data.cutoffs))):
        at = data.cutoffs[number]
        closed = [i for i, earlier in enumerate(data.cutoffs) if earlier + horizon <= at]
        if at + horizon > limit or not closed or len(folds) == MAX_ORIGINS:
            continue
        folds.append((np.isin(data.slice, closed), data.slice == number))
        limit = at  # the next older held-out window must end where this one begins
    return folds


def _customer_folds(data: TrainingRows) -> list[tuple[Mask, Mask]]:
    # One closed window only: hold out customers instead of time.
    newest = data.slice == data.slice.max()
    fold = data.person % N_FOLDS
    return [(fold != k, newest & (fold == k)) for k in range(N_FOLDS)]


def _judge(
    data: TrainingRows, train: Mask, test: Mask, random_state: int | None
) -> dict[str, Floats]:
    members = fit_members(data.rows.take(train), data.left[train], random_state)
    held_out = data.rows.take(test)
    return {name: expit(candidate_log_odds(name, members, held_out)) for name in CANDIDATES}


def _missing(data: TrainingRows | None, horizon_days: float) -> list[str]:
    """One sentence per thing that comparing candidates would need."""
    if data is None:
        return [
            f"no window of {horizon_days:g} days is closed before the cutoff with "
            f"{horizon_days / 2:g} days of history before it"
        ]
    missing, n_left = [], int(data.left.sum())
    if len(data.left) < MIN_ROWS:
        missing.append(
            f"{len(data.left)} past rows (customers with a purchase, times past cutoffs); "
            f"{MIN_ROWS} are needed"
        )
    if not learnable(data.left):
        missing.append(
            f"of {len(data.left)} past rows {n_left} made no purchase; "
            f"{MIN_OF_EACH_CLASS} of each kind are needed"
        )
    return missing


def _ranking(losses: dict[str, float]) -> dict[str, Any]:
    """The winner and its relative gains."""
    first, second, *_ = rank(losses)
    best = losses[first]
    return {
        "model": first,
        "gain_over_hiatus": 1 - best / losses["hiatus"],
        "gain_over_next": 1 - best / losses[second],
    }
