"""The candidates for P(no purchase in the horizon), and the choice between them.

Reads  training rows of past slices.
Gives  fitted members, each candidate's log-odds, and the held-out log-loss that decides.
Never  a held-out row, or a window that reaches into a held-out slice, in a fit that it judges.

Candidates: a rule on the open gap (logistic), MBG/NBD, boosted trees, a logistic regression on
features, and the mean log-odds of the last three.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray

from ..evaluation.probability_metrics import log_loss
from .boosted import ChurnClassifier
from .linear import Linear, fit_linear, linear_log_odds
from .rows import Rows, TrainingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MEMBERS = ("hiatus", "mbg_nbd", "boosted", "logistic")
CANDIDATES: dict[str, tuple[str, ...]] = {  # plain ones first: they win ties
    "hiatus": ("hiatus",),
    "mbg_nbd": ("mbg_nbd",),
    "logistic": ("logistic",),
    "boosted": ("boosted",),
    "blend": ("mbg_nbd", "boosted", "logistic"),
}
BLEND = "blend"
MARGIN = 0.01  # a mean is steadier than what it averages: others must beat it by this share
MIN_OF_EACH_CLASS = 20
MAX_ORIGINS = 2
N_FOLDS = 3


class Members(NamedTuple):
    """The learned members; MBG/NBD's log-odds come with the rows."""

    hiatus: Linear
    boosted: ChurnClassifier
    logistic: Linear


def fit_members(rows: Rows, left: Mask, random_state: int | None) -> Members:
    """Fit every member on the same rows."""
    boosted = ChurnClassifier(random_state=random_state)
    return Members(
        hiatus=fit_linear(rows.silence[:, None], left),
        boosted=boosted.fit(np.column_stack([rows.features, rows.base]), left),
        logistic=fit_linear(_linear_table(rows), left),
    )


def candidate_log_odds(name: str, members: Members, rows: Rows) -> Floats:
    """Log-odds of no purchase by one candidate, shape (n,), each row on its own."""
    total = np.zeros(len(rows.base))
    for member in CANDIDATES[name]:
        total += _member_log_odds(member, members, rows)
    return total / len(CANDIDATES[name])


def _member_log_odds(member: str, members: Members, rows: Rows) -> Floats:
    if member == "hiatus":
        return linear_log_odds(members.hiatus, rows.silence[:, None])
    if member == "boosted":
        return members.boosted.decision_function(np.column_stack([rows.features, rows.base]))
    if member == "logistic":
        return linear_log_odds(members.logistic, _linear_table(rows))
    return rows.base


def _linear_table(rows: Rows) -> Floats:
    # Counts, days and money are skewed: signed logarithms bring them to one scale.
    logs = np.sign(rows.features) * np.log1p(np.abs(rows.features))
    return np.column_stack([logs, rows.base, rows.silence])


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
        closed = [i for i, earlier in enumerate(data.cutoffs) if earlier < at]
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
    return {
        name: 1 / (1 + np.exp(-candidate_log_odds(name, members, held_out))) for name in CANDIDATES
    }
