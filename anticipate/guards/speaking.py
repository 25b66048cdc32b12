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
from .costs import Costs
from .proof import SPOKEN, Trial, ceiling, judge, try_on_past, why_silent


def has_accepted(history: History) -> bool:
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
    """Thresholds by kind; ``told``: the log knows returns or cancellations at all.

    The ceiling is shared by the kinds that speak: silent ones use none of it up.
    """
    told = told or has_accepted(history)
    trial = try_on_past(history, random_state) if told or most_per_1000 is not None else None
    threshold = costs.break_even
    kinds = {
        kind: _report(trial, code, threshold, costs, told=told, forced=kind in forced)
        for code, kind in enumerate(SPOKEN, start=1)
    }
    if most_per_1000 is not None:
        codes = [code for code, kind in enumerate(SPOKEN, start=1) if kinds[kind]["speaks"]]
        threshold = max(threshold, ceiling(trial, codes, float(most_per_1000)))
        for code in codes:  # what the ceiling leaves of a kind must pay, too
            kind = SPOKEN[code - 1]
            forces = kind in forced and math.isfinite(threshold)
            kinds[kind] = _report(trial, code, threshold, costs, told=told, forced=forces)
    thresholds = [one["threshold"] if one["speaks"] else math.inf for one in kinds.values()]
    most = math.inf if most_per_quarter is None else most_per_quarter
    return Speaking(np.array([math.inf, *thresholds]), costs.mistake, costs.doubt, most), kinds


def _report(
    trial: Trial | None, code: int, threshold: float, costs: Costs, *, told: bool, forced: bool
) -> dict[str, Any]:
    judged = judge(trial, code, threshold, costs)
    because = None if forced else why_silent(judged, trial, told)
    return {
        "speaks": because is None, "silent_because": because, "threshold": threshold, **judged
    }  # fmt: skip
