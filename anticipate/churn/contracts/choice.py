"""Which hazard to take: each is judged on past windows that its fit did not see.

Reads  open contracts at past cutoffs and what became of them.
Gives  the winner's fitted members, and a report of the comparison.
Never  a held-out window, or one that reaches into it, in a fit that it judges.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ...evaluation.probability_metrics import log_loss
from ...exceptions import MinimumDataWarning
from ...kernels.contract import ContractState, LifeTable
from ..choice import (
    MIN_OF_EACH_CLASS,
    OVER_CUSTOMERS,
    OVER_TIME,
    customer_folds,
    learnable,
    rolling_folds,
)
from .candidates import (
    CANDIDATES,
    LIFE,
    PLAIN,
    Members,
    Periods,
    Tables,
    fit_members,
    log_open,
)
from .rows import Windows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
MIN_WINDOWS = 200  # contracts times past cutoffs


def choose_hazard(
    data: Windows | None,
    state: ContractState,
    periods: Periods,
    *,
    random_state: int | None,
    n_jobs: int | None,
) -> tuple[Members, dict[str, Any]]:
    """Fit the best candidate on all windows.

    Returns
    -------
    Members
        What the winner needs.
    dict
        ``model, slices, n_contracts, n_windows, n_closed, log_loss, held_out,
        gain_over_life_table, gain_over_next, missing``; the comparison's entries only if there
        was one.

    Warns
    -----
    MinimumDataWarning
        Once, with one sentence, if there are too few data to compare all candidates on.
    """
    if data is None:
        return _without_windows(state, periods)
    missing = _missing(data)
    report: dict[str, Any] = {
        "model": LIFE,
        "slices": [at.isoformat() for at in data.cutoffs],
        "n_contracts": len(np.unique(data.person)),
        "n_windows": len(data.left),
        "n_closed": int(data.left.sum()),
        "log_loss": {},
        "missing": missing,
    }
    compete = PLAIN if missing else tuple(CANDIDATES)
    losses, how = _compare(data, periods, compete, random_state=random_state, n_jobs=n_jobs)
    if losses:
        report |= {"log_loss": losses, "held_out": how} | _ranking(losses)
    if missing:
        sentence = f"contracts: {missing[0]}. Only life tables were compared."
        warnings.warn(sentence, MinimumDataWarning, stacklevel=3)
    contracts, after = data.contracts, data.closed_after_days
    return fit_members([report["model"]], contracts, after, periods, random_state), report


def _without_windows(state: ContractState, periods: Periods) -> tuple[Members, dict[str, Any]]:
    # No labels: closings over person-periods, of everybody's latest contract since it began.
    missing = f"no window of {periods.days * periods.n:g} days with an open contract is closed yet"
    sentence = f"contracts: {missing}. One hazard for all was taken."
    warnings.warn(sentence, MinimumDataWarning, stacklevel=4)
    begun = np.isfinite(state.length_days)
    n_closed = int((begun & ~state.open).sum())
    n_periods = float(np.ceil(state.length_days[begun] / periods.days).sum())
    hazard = np.array([(n_closed + 0.5) / (n_periods + 1.0)])
    table = LifeTable(hazard, np.array([periods.days]))
    report = {"model": LIFE, "log_loss": {}, "slices": [], "missing": [missing]}
    counts = {"n_contracts": int(begun.sum()), "n_windows": 0, "n_closed": 0}
    return Members(Tables(table, table), None, None), report | counts


def _compare(
    data: Windows,
    periods: Periods,
    names: Sequence[str],
    *,
    random_state: int | None,
    n_jobs: int | None,
) -> tuple[dict[str, float], str]:
    """Held-out log-loss of "closed in the window" for each candidate, and how it was held out."""
    rolling = rolling_folds(data, periods.days * periods.n)
    folds, how = _usable(rolling, data, names), OVER_TIME
    if not folds:
        folds, how = _usable(customer_folds(data), data, names), OVER_CUSTOMERS
    jobs = (delayed(_judge)(data, *fold, periods, names, random_state) for fold in folds)
    with threadpool_limits(1):  # held here: a thread that is done must not free the others
        judged = Parallel(n_jobs=n_jobs)(jobs)
    if not judged:
        return {}, how
    truth = np.concatenate([data.left[test] for _, test in folds])
    return {
        name: log_loss(truth, np.concatenate([by_name[name] for by_name in judged]))
        for name in names
    }, how


def _usable(
    folds: list[tuple[Mask, Mask]], data: Windows, names: Sequence[str]
) -> list[tuple[Mask, Mask]]:
    plain = set(names) <= set(PLAIN)  # life tables can be learned of any contract
    return [
        (train, test)
        for train, test in folds
        if test.any() and (train.any() if plain else learnable(data.left[train]))
    ]


def _judge(
    data: Windows,
    train: Mask,
    test: Mask,
    periods: Periods,
    names: Sequence[str],
    random_state: int | None,
) -> dict[str, Floats]:
    contracts, after = data.contracts.take(train), data.closed_after_days[train]
    members = fit_members(names, contracts, after, periods, random_state)
    held_out = data.contracts.take(test)
    return {name: -np.expm1(log_open(name, members, held_out, periods)[:, -1]) for name in names}


def _missing(data: Windows) -> list[str]:
    """One sentence per thing that comparing candidates would need."""
    missing, n, n_left = [], len(data.left), int(data.left.sum())
    if n < MIN_WINDOWS:
        missing.append(f"{n} past windows of open contracts; {MIN_WINDOWS} are needed")
    if not learnable(data.left):
        missing.append(
            f"of {n} past windows of open contracts {n_left} saw one close; "
            f"{MIN_OF_EACH_CLASS} that did and that did not are needed"
        )
    return missing


def _ranking(losses: dict[str, float]) -> dict[str, Any]:
    """The winner, plain ones first on a tie, and its relative gains."""
    first, second, *_ = sorted(losses, key=lambda name: losses[name])
    best = losses[first]
    return {
        "model": first,
        "gain_over_life_table": 1 - best / losses[LIFE],
        "gain_over_next": 1 - best / losses[second],
    }
