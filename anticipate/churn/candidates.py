"""The candidates for P(no purchase in the horizon).

Reads  rows of customers: features, the log-odds of a buy-till-you-die model, the open gap.
Gives  fitted members, and each candidate's log-odds, each row on its own.
Never  which candidate is best: see :mod:`anticipate.churn.choice`.

Candidates: a rule on the open gap (logistic), the buy-till-you-die model itself, boosted trees and
a logistic regression on features and that model's log-odds, and the mean log-odds of these two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.trees import predict_trees
from .boosted import ChurnClassifier
from .describer import Rows
from .linear import Linear, fit_linear, linear_log_odds

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

HIATUS, BTYD, BLEND = "hiatus", "btyd", "blend"
CANDIDATES: dict[str, tuple[str, ...]] = {  # plain ones first: they win ties
    HIATUS: (HIATUS,),
    BTYD: (BTYD,),
    "logistic": ("logistic",),
    "boosted": ("boosted",),
    BLEND: ("boosted", "logistic"),
}
PENALTY = 1 / 30  # C of the logistic regression: rows of one customer in many slices are alike


class Members(NamedTuple):
    """The learned members, None where not asked for; the buy-till-you-die model's log-odds come
    with the rows.
    """

    hiatus: Linear | None
    boosted: ChurnClassifier | None
    logistic: Linear | None


def fit_members(
    rows: Rows, left: Mask, random_state: int | None, *, names: Iterable[str] = CANDIDATES
) -> Members:
    """Fit what the named candidates need, on the same rows."""
    needed = {member for name in names for member in CANDIDATES[name]}
    hiatus = boosted = logistic = None
    if HIATUS in needed:
        hiatus = fit_linear(rows.silence[:, None], left)
    if "boosted" in needed:
        table = np.column_stack([rows.features, rows.base])
        boosted = ChurnClassifier(random_state=random_state).fit(table, left)
    if "logistic" in needed:
        logistic = fit_linear(_linear_table(rows), left, C=PENALTY)
    return Members(hiatus, boosted, logistic)


def candidate_log_odds(name: str, members: Members, rows: Rows) -> Floats:
    """Log-odds of no purchase by one candidate, shape (n,), each row on its own."""
    total = np.zeros(len(rows.base))
    for member in CANDIDATES[name]:
        total += _member_log_odds(member, members, rows)
    return total / len(CANDIDATES[name])


def _member_log_odds(member: str, members: Members, rows: Rows) -> Floats:
    if member == HIATUS and members.hiatus is not None:
        return linear_log_odds(members.hiatus, rows.silence[:, None])
    if member == "logistic" and members.logistic is not None:
        return linear_log_odds(members.logistic, _linear_table(rows))
    if member == "boosted" and members.boosted is not None:
        # Not decision_function: scikit-learn refuses a table of no rows.
        table = np.column_stack([rows.features, rows.base])
        return predict_trees(members.boosted.trees_, table)
    if member == BTYD:
        return rows.base
    raise KeyError(member)  # not fitted


def _linear_table(rows: Rows) -> Floats:
    # Counts, days and money are skewed: signed logarithms bring them to one scale.
    logs = np.sign(rows.features) * np.log1p(np.abs(rows.features))
    return np.column_stack([logs, rows.base, rows.silence])
