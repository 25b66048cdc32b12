"""Which kinds of warning may be said, and from which probability.

Reads  a history, costs, limits.
Gives  ``Speaking`` for the kernel, and per kind what past carts proved.
Never  a kind that has not paid on past carts, unless the user insists.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..kernels.answers import ACCEPTED_CODE
from ..kernels.verdicts import Speaking
from ..log import History
from .proof import SPOKEN, Costs, ceiling, judge, try_on_past, why_silent


def answered(history: History) -> bool:
    """Whether a warning was ever accepted."""
    return bool((history.events.event == ACCEPTED_CODE).any())


def choose_speaking(
    history: History,
    costs: Costs,
    *,
    told: bool,
    forced: frozenset[str],
    most_per_1000: float | None,
    most_per_quarter: float | None,
    random_state: int | None,
) -> tuple[Speaking, dict[str, dict[str, Any]]]:
    """Thresholds by kind; ``told``: the log knows returns or cancellations at all."""
    told = told or answered(history)
    trial = try_on_past(history, random_state) if told or most_per_1000 is not None else None
    threshold = costs.break_even
    if most_per_1000 is not None:
        threshold = max(threshold, ceiling(trial, float(most_per_1000)))
    kinds: dict[str, dict[str, Any]] = {}
    thresholds = [math.inf]
    for code, kind in enumerate(SPOKEN, start=1):
        judged = judge(trial, code, threshold, costs)
        because = None if kind in forced else why_silent(judged, trial, told)
        silent = {"speaks": because is None, "silent_because": because, "threshold": threshold}
        kinds[kind] = {**silent, **judged}
        thresholds.append(threshold if because is None else math.inf)
    most = math.inf if most_per_quarter is None else most_per_quarter
    return Speaking(np.array(thresholds), *costs, most), kinds
