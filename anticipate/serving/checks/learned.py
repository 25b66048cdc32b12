"""What must hold of learned numbers beside each other.

Reads  the tables of guards and of churn, each value already known to be a number of its kind.
Gives  faults by the arrays' short names.
Never  a judgement of what was learned: only what a formula could fail on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels.btyd import BETA_GEO, PARETO, VECTOR_LENGTH
from ...kernels.clicks import QUICK_MINUTES
from .parts import ascends
from .rules import FINITE, POSITIVE

Array = NDArray[Any]
Fault = tuple[str, str]
Table = Mapping[str, Array]
_COSTS = slice(-3, -1)
_SPEND = slice(VECTOR_LENGTH, VECTOR_LENGTH + 3)
_LONGEST_HORIZON = 1e6  # days


def guard_faults(guard: Table) -> Iterator[Fault]:
    """Of the duplicate guard."""
    for kind in ("own", "other"):
        knots = guard[f"{kind}_knots"]
        if knots.shape[1] < 1 or (np.diff(knots, axis=1) < 0).any():
            yield f"{kind}_knots", "its knots do not ascend"
    if not np.isfinite(guard["speaking"][_COSTS]).all():
        yield "speaking", "its costs are not finite"
    shares, minutes = guard["quick"][0::2], guard["quick"][1::2]
    if (shares > 1).any() or not (shares * np.exp(-QUICK_MINUTES / minutes)).sum() > 0:
        yield "quick", "its rates leave no chance of a repeat within the hour"


def return_faults(returns: Table) -> Iterator[Fault]:
    """Of the return guard."""
    for level in ("cart", "customer"):
        used = returns[f"{level}.coefficient"] != 0
        for name in ("coefficient", "fill", "centre", "scale"):  # columns of no weight are not read
            values, rule = returns[f"{level}.{name}"][used], POSITIVE if name == "scale" else FINITE
            problem = rule.problem(values, {})
            if problem is not None:
                yield f"{level}.{name}", problem
    if not np.isfinite(returns["settings"][:-1]).all():  # the last is the threshold
        yield "settings", "its costs are not finite"
    if not ascends(returns["pairs.kept"]):
        yield "pairs.kept", "its pairs are not sorted"


def fit_faults(fit: Table) -> Iterator[Fault]:
    """Of the fit guard."""
    if not np.isnan(fit["price"][-1]):
        yield "price", "its last row, of no item, has a price"


def churn_faults(vector: Array) -> Iterator[Fault]:
    """Of the churn model's parameters, as ``kernels.churn.parameters_to_array`` orders them."""
    if not _is_btyd(vector[:VECTOR_LENGTH].tolist()):
        yield "parameters", "its buy-till-you-die model is none"
    spend = vector[_SPEND]
    if not (np.isnan(spend).all() or ((spend > 0) & np.isfinite(spend)).all()):
        yield "parameters", "its spend model is neither positive nor NaN"
    horizon, newcomer, typical, usual, at_risk, departed = vector[_SPEND.stop :].tolist()
    if not (0 < horizon <= _LONGEST_HORIZON and np.isfinite(newcomer)):
        yield "parameters", "its horizon or its newcomers' log-odds are not finite"
    if any(days <= 0 or np.isinf(days) for days in (typical, usual)):
        yield "parameters", "its usual gaps are not above 0"
    if not (0 <= at_risk <= 1 and 0 <= departed <= 1):
        yield "parameters", "its thresholds are not from 0 to 1"


def _is_btyd(vector: list[float]) -> bool:
    family, *numbers = vector
    fits = all(0 < number < np.inf for number in numbers[:4])
    if family == BETA_GEO:
        m, k = numbers[4:]
        return fits and m in (0, 1) and 1 <= k <= 100 and k == int(k)
    return fits and family == PARETO
