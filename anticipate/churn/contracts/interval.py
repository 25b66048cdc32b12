"""How sure a contract's churn probability is: the same fit on half the customers, ten times.

Reads  a History and the hazard that was fitted on all of it.
Gives  hazards of halves; per customer the spread of their log-odds and of the level.
Never  a customer twice in one fit; the interval of an outcome.
Source the delete-d jackknife, d = n/2: Shao and Tu, The Jackknife and Bootstrap, 1995, sec. 2.3.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...exceptions import EmptyHistoryError, MinimumDataWarning
from ...log import History
from ...log.objections import objectors
from ..interval import DRIFT, variance
from .hazard import ContractHazard
from .rows import describe

Floats = NDArray[np.float64]
N_HALVES = 10


def fit_halves(
    history: History, whole: ContractHazard, settings: dict[str, Any], random_state: int | None
) -> tuple[ContractHazard, ...]:
    """Hazards fitted on half the customers each, drawn without replacement.

    Notes
    -----
    Why halves and no bootstrap: a history holds each customer once, so none can be drawn twice.
    And why just half: an estimate from m of n customers lies from that of all n with variance
    σ²/m − σ²/n, which at m = n/2 is σ²/n, the variance of the whole fit itself. No factor is
    needed.
    """
    seed, fitted = 0 if random_state is None else random_state, []
    for number in range(N_HALVES):
        rng = np.random.default_rng([seed, number])
        ids = rng.choice(history.customer_ids, (history.n_customers + 1) // 2, replace=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MinimumDataWarning)  # said once, by the whole fit
            try:
                fitted.append(ContractHazard(**settings).fit(history.select(ids)))
            except EmptyHistoryError:  # a half in which nobody has a contract says nothing
                continue
    return tuple(fitted) if len(fitted) > 1 else (whole, whole)


def log_odds_sd(halves: tuple[ContractHazard, ...], history: History) -> Floats:
    """Standard deviation of each customer's log-odds, (n_customers,); NaN without a contract."""
    state, contracts = describe(history, halves[0].features_, usual_term_days=np.nan)
    rows = state.open & ~objectors(history)
    described = contracts.take(rows)  # once: halves differ in the usual term alone
    terms = [np.full(int(rows.sum()), half.usual_term_days_) for half in halves]
    replicates = [
        half.log_odds_of(described._replace(usual_term_days=term))
        for half, term in zip(halves, terms, strict=True)
    ]
    sd = np.full(history.n_customers, np.nan)
    sd[rows] = np.sqrt(variance(replicates) + DRIFT**2)
    return sd
