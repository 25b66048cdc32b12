"""Which candidate to take: each is judged on past slices that its fit did not see.

Reads  training rows of past slices.
Gives  the winner's name, its fitted members, and a report of the comparison.
Never  a held-out row, or a window that reaches into a held-out slice, in a fit that it judges.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits

from ..evaluation.probability_metrics import log_loss
from ..exceptions import MinimumDataWarning
from .candidates import BLEND, BTYD, CANDIDATES, HIATUS, Members, candidate_log_odds, fit_members
from .families import DEFAULT, MIN_ROWS
from .rows import TrainingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_OF_EACH_CLASS = 20
MAX_ORIGINS = 2
# A mean drifts less than what it averages: over time others must beat it by this share. Customers
# held out of one window show no drift.
MARGIN = 0.005
OVER_TIME, OVER_CUSTOMERS = "rolling origins", "customers"
N_FOLDS = 3


class Slices(Protocol):
    """Rows of past slices, as far as holding some of them out asks."""

    @property
    def cutoffs(self) -> list[pd.Timestamp]: ...
    @property
    def slice(self) -> NDArray[np.int64]: ...
    @property
    def person(self) -> NDArray[np.int64]: ...


def choose(
    data: TrainingRows | None,
    n_customers: int,
    horizon_days: float,
    *,
    random_state: int | None,
    n_jobs: int | None,
) -> tuple[str, Members | None, dict[str, Any]]:
    """Fit the best candidate on all rows.

    Returns
    -------
    str
        The winner, a key of ``CANDIDATES``.
    Members or None
        None if the buy-till-you-die model is taken: it needs no members.
    dict
        ``model, btyd, n_customers, slices, log_loss, held_out, gain_over_hiatus,
        gain_over_next, missing``; the comparison's entries only if there was one.

    Warns
    -----
    MinimumDataWarning
        Once, with one sentence, if there are too few data to compare on.
    """
    family = DEFAULT if data is None else data.family
    report: dict[str, Any] = {"model": family, "btyd": family, "n_customers": n_customers}
    report["slices"] = [] if data is None else [at.isoformat() for at in data.cutoffs]
    report |= {"log_loss": {}, "missing": _missing(data, horizon_days)}
    if data is not None and not report["missing"]:
        report["log_loss"], report["held_out"] = compare(
            data, horizon_days, random_state=random_state, n_jobs=n_jobs
        )
    if data is None or not report["log_loss"]:
        why = report["missing"] or ["no division of the past leaves enough to compare on"]
        sentence = f"churn: {why[0]}. {_spoken(family)} was taken without comparison."
        warnings.warn(sentence, MinimumDataWarning, stacklevel=4)
        return BTYD, None, report | {"missing": why}
    winner, gains = _ranking(report["log_loss"], family, favour=report["held_out"] == OVER_TIME)
    report |= {"model": family if winner == BTYD else winner, **gains}
    members = None if winner == BTYD else fit_members(data.rows, data.left, random_state)
    return winner, members, report


def compare(
    data: TrainingRows, horizon_days: float, *, random_state: int | None, n_jobs: int | None
) -> tuple[dict[str, float], str]:
    """Held-out log-loss of every candidate, and how rows were held out.

    Returns
    -------
    dict of str to float
        Mean log-loss (nats) over the held-out rows, by candidate, every buy-till-you-die family
        under its own name; empty if no division of the rows leaves enough of both classes to
        learn from.
    str
        ``"rolling origins"``, or ``"customers"`` where too few windows are closed for that.
    """
    folds, how = rolling_folds(data, horizon_days), OVER_TIME
    if not folds:
        folds, how = customer_folds(data), OVER_CUSTOMERS
    folds = [(train, test) for train, test in folds if learnable(data.left[train])]
    jobs = (delayed(_judge)(data, train, test, random_state) for train, test in folds)
    with threadpool_limits(1):  # held here: a thread that is done must not free the others
        judged = Parallel(n_jobs=n_jobs)(jobs)
    if not judged:
        return {}, how
    truth = np.concatenate([data.left[test] for _, test in folds])
    return {
        name: log_loss(truth, np.concatenate([by_name[name] for by_name in judged]))
        for name in judged[0]
    }, how


def rank(losses: Mapping[str, float], family: str, *, favour: bool = False) -> list[str]:
    """Candidates, the one to take first: by held-out log-loss, plain ones first on a tie.

    With ``favour`` the blend may be worse by ``MARGIN``.
    """
    of_candidate = {name: losses[family if name == BTYD else name] for name in CANDIDATES}
    of_candidate[BLEND] *= 1 - MARGIN * favour
    return sorted(of_candidate, key=lambda name: of_candidate[name])


def learnable(left: Mask) -> bool:
    """Enough of both classes to fit on."""
    return min(int(left.sum()), int((~left).sum())) >= MIN_OF_EACH_CLASS


def rolling_folds(data: Slices, horizon_days: float) -> list[tuple[Mask, Mask]]:
    """(train, test) masks: newest slices held out, no two of whose windows overlap."""
    horizon = pd.Timedelta(days=horizon_days)
    folds: list[tuple[Mask, Mask]] = []
    limit = data.cutoffs[-1] + horizon
    for number in reversed(range(len(data.cutoffs))):
        at = data.cutoffs[number]
        fold = origin(data, number, horizon_days)
        if at + horizon > limit or fold is None or len(folds) == MAX_ORIGINS:
            continue
        folds.append(fold)
        limit = at  # the next older held-out window must end where this one begins
    return folds


def origin(data: Slices, number: int, horizon_days: float) -> tuple[Mask, Mask] | None:
    """Hold one slice out, train on windows closed by then; None if there is none."""
    horizon, at = pd.Timedelta(days=horizon_days), data.cutoffs[number]
    closed = [i for i, earlier in enumerate(data.cutoffs) if earlier + horizon <= at]
    return (np.isin(data.slice, closed), data.slice == number) if closed else None


def customer_folds(data: Slices) -> list[tuple[Mask, Mask]]:
    """(train, test) masks: customers held out, where too few windows are closed for time."""
    newest = data.slice == data.slice.max()
    fold = data.person % N_FOLDS
    return [(fold != k, newest & (fold == k)) for k in range(N_FOLDS)]


def _judge(
    data: TrainingRows, train: Mask, test: Mask, random_state: int | None
) -> dict[str, Floats]:
    members = fit_members(data.rows.take(train), data.left[train], random_state)
    held_out = data.rows.take(test)
    own = {name: candidate_log_odds(name, members, held_out) for name in CANDIDATES if name != BTYD}
    families = {name: z[test] for name, z in data.families.items()}
    return {name: expit(z) for name, z in (families | own).items()}


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


def _ranking(
    losses: dict[str, float], family: str, *, favour: bool
) -> tuple[str, dict[str, float]]:
    """The winner and its relative gains."""
    first, second, *_ = rank(losses, family, favour=favour)
    best, next_best = (losses[family if name == BTYD else name] for name in (first, second))
    gains = {"gain_over_hiatus": 1 - best / losses[HIATUS], "gain_over_next": 1 - best / next_best}
    return first, gains


def _spoken(family: str) -> str:
    """As the literature writes it: mbg_nbd is MBG/NBD."""
    name = family.upper().replace("PARETO", "Pareto")
    return name.replace("_NBD", "/NBD").replace("_CNBD_K", "/CNBD-k")
