"""The candidates for the hazard of a contract: P(it closes in a period | it is open before it).

Reads  open contracts and when they closed.
Gives  fitted members; log-odds of each candidate's hazard per period, each row on its own.
Never  which candidate is best: see :mod:`anticipate.churn.contracts.choice`.

Candidates: the plain life table by tenure, a life table by days since the last renewal, a
logistic regression and boosted trees on person-periods, and the mean log-odds of the last three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...kernels.contract import LifeTable, fit_life_table, life_log_odds, log_survival
from ...kernels.trees import predict_trees
from ..boosted import ChurnClassifier
from ..linear import Linear, fit_linear, linear_log_odds
from .rows import Contracts, period_table, person_periods

Floats = NDArray[np.float64]

LIFE, BLEND = "life_table", "blend"
CANDIDATES: dict[str, tuple[str, ...]] = {  # plain ones first: they win ties
    LIFE: (LIFE,),
    "renewal_table": ("renewal_table",),
    "logistic": ("logistic",),
    "boosted": ("boosted",),
    BLEND: ("renewal_table", "logistic", "boosted"),
}
# Closings are few: this drew nearer to the base rate than scikit-learn's 1 does. Of 1, .1, .02
# and .005 it was best on 2,000 simulated members, and second best on 42.
LOGISTIC_C = 0.02
PLAIN = (LIFE, "renewal_table")


class Tables(NamedTuple):
    """Life tables: all that is learned where data are few."""

    by_tenure: LifeTable
    by_renewal: LifeTable


class Members(NamedTuple):
    """The learned members and the periods they speak of."""

    tables: Tables
    logistic: Linear | None  # both None where only life tables could be learned
    boosted: ChurnClassifier | None


class Periods(NamedTuple):
    """The horizon in whole periods."""

    days: float
    n: int


def fit_tables(contracts: Contracts, after: Floats, periods: Periods) -> Tables:
    """Both life tables, bands as wide as a period."""
    at_risk, closes = person_periods(after, periods.days, periods.n)
    ages = [
        np.concatenate([age[mask] + j * periods.days for j, mask in enumerate(at_risk)])
        for age in (contracts.tenure_days, contracts.days_since_renewal)
    ]
    return Tables(*(fit_life_table(age, closes, periods.days) for age in ages))


def fit_members(
    names: Sequence[str], contracts: Contracts, after: Floats, periods: Periods, seed: int | None
) -> Members:
    """Fit what the named candidates need, on the same person-periods.

    For others than life tables some contracts must close and some not.
    """
    tables = fit_tables(contracts, after, periods)
    if set(names) <= set(PLAIN):
        return Members(tables, None, None)
    at_risk, closes = person_periods(after, periods.days, periods.n)
    table = np.concatenate(
        [_table(contracts.take(mask), j, periods, tables) for j, mask in enumerate(at_risk)]
    )
    boosted = ChurnClassifier(random_state=seed)
    return Members(
        tables, fit_linear(_logs(table), closes, C=LOGISTIC_C), boosted.fit(table, closes)
    )


def hazard_log_odds(name: str, members: Members, contracts: Contracts, periods: Periods) -> Floats:
    """Log-odds of one candidate's hazard, (n, n_periods)."""
    z = np.empty((len(contracts.tenure_days), periods.n))
    for j in range(periods.n):
        table = _table(contracts, j, periods, members.tables)
        total = np.zeros(len(z))
        for member in CANDIDATES[name]:
            total += _member_log_odds(member, members, table)
        z[:, j] = total / len(CANDIDATES[name])
    return z


def log_open(name: str, members: Members, contracts: Contracts, periods: Periods) -> Floats:
    """Log of P(still open at the end of each period), (n, n_periods)."""
    return log_survival(hazard_log_odds(name, members, contracts, periods))


def _member_log_odds(member: str, members: Members, table: Floats) -> Floats:
    if member in PLAIN:
        return np.asarray(table[:, -2 + PLAIN.index(member)])
    if member == "logistic" and members.logistic is not None:
        return linear_log_odds(members.logistic, _logs(table))
    # Not decision_function: scikit-learn refuses a table of no rows.
    return predict_trees({} if members.boosted is None else members.boosted.trees_, table)


def _table(contracts: Contracts, number: int, periods: Periods, tables: Tables) -> Floats:
    """Features, moving columns, and last the log-odds of both life tables."""
    moving = period_table(contracts, number, periods.days)
    tenure, since = moving[:, 0], moving[:, 1]
    plain = [life_log_odds(tables.by_tenure, tenure), life_log_odds(tables.by_renewal, since)]
    return np.column_stack([contracts.features, moving, *plain])


def _logs(table: Floats) -> Floats:
    # Counts, days and money are skewed: signed logarithms bring them to one scale.
    return np.column_stack(
        [np.sign(table[:, :-2]) * np.log1p(np.abs(table[:, :-2])), table[:, -2:]]
    )
