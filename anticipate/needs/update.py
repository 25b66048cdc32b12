"""Whether the weights still hold: what was foreseen beside what came.

Reads  the fitted ranker and a later history.
Gives  expected and observed purchases among its lists of then, and whether a refit is due.
Never  a window that is not closed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..columns import MICROSECONDS_PER_DAY
from ..exceptions import CutoffError
from ..kernels.needs import to_probability
from ..log import History
from ..log.clock import to_timestamp
from ..outcomes import label_outcomes
from .answers import answer
from .shoppers import HORIZON
from .stored import Fitted

DRIFT = 1.25  # observed over expected purchases, either way, that calls for a refit
LEAST_EXPECTED = 50.0  # purchases below which a ratio says nothing
OLD = 6.0  # horizons after which weights are old whatever they did


def check_weights(
    fitted: Fitted, history: History, cutoff_us: int, fitted_us: int
) -> dict[str, Any]:
    """How the lists of ``cutoff_us`` fared in the window after it, as far as it is closed.

    Raises
    ------
    CutoffError
        If the history ends before that: the weights know what came after it.
    """
    if history.cutoff_us < cutoff_us:
        raise CutoffError(
            f"update: the history ends before {to_timestamp(history.cutoff_us)}, the model before "
            f"{to_timestamp(cutoff_us)}. Give a later history, or fit a new model."
        )
    clock = fitted.tables.clock
    days = (history.cutoff_us - fitted_us) / MICROSECONDS_PER_DAY
    found: dict[str, Any] = {"days_since_fit": round(days, 3), "refit_due": False, "why": ""}
    if clock.target != HORIZON:
        return found | {"why": "not judged: the next basket has no window"}
    found |= _hits(fitted, history, cutoff_us)
    if "expected" not in found:
        found["why"] = f"not judged: the window of {clock.horizon:g} days is still open"
    expected, observed = found.get("expected", 0.0), found.get("observed", 0)
    if expected >= LEAST_EXPECTED and not 1 / DRIFT <= observed / expected <= DRIFT:
        return found | {"refit_due": True, "why": "purchases among the lists drifted"}
    if days > OLD * clock.horizon:
        return found | {"refit_due": True, "why": f"fitted more than {OLD:g} horizons ago"}
    return found


def _hits(fitted: Fitted, history: History, cutoff_us: int) -> dict[str, Any]:
    try:
        at = to_timestamp(cutoff_us)
        outcomes = label_outcomes(history, at, fitted.tables.clock.horizon)
    except CutoffError:
        return {}  # the window is still open
    past = outcomes.history
    everyone = fitted.batch(past)
    found = answer(everyone, fitted.learned, n=10)
    customer, item = outcomes.bought_codes()
    n = everyone.codes.n
    bought = customer * n + everyone.codes.of_history[item]
    key = np.repeat(np.arange(past.n_customers), np.diff(found.offsets)) * n + found.item
    return {
        "expected": round(float(to_probability(found.log_odds).sum()), 3),
        "observed": int(np.isin(key, bought).sum()),
    }
