"""A duplicate guard's settings, checked.

Reads  the guard's constructor arguments.
Gives  costs per line, and the kinds that the user insists on.
Never  a setting that is silently mended: what is wrong raises.
"""

from __future__ import annotations

from typing import Any

from .._checks import check_count, check_option, check_positive, check_probability
from ..exceptions import ParameterError
from .costs import Costs
from .proof import SPOKEN

MODES = ("warn", "shadow")


def read_costs(guard: Any) -> Costs:
    """What a mistake costs, and what doubting a wish does: annoyance, and sales lost by it."""
    mistake = check_positive("cost_duplicate", guard.cost_duplicate)
    annoyance = check_positive("cost_annoyance", guard.cost_annoyance)
    margin = 0.0 if guard.margin == 0 else check_positive("margin", guard.margin)
    lost = check_probability("lost_sale_share", guard.lost_sale_share)
    return Costs(mistake, annoyance + lost * margin)


def read_kinds(guard: Any) -> frozenset[str]:
    """Kinds that may warn without a proof; all other settings are checked on the way."""
    check_option("mode", guard.mode, MODES)
    if guard.random_state is not None:
        check_count("random_state", guard.random_state, least=0, most=2**32 - 1)
    if guard.max_warnings_per_1000 is not None:
        check_positive("max_warnings_per_1000", guard.max_warnings_per_1000)
    if guard.max_warnings_per_quarter is not None:
        check_count("max_warnings_per_quarter", guard.max_warnings_per_quarter)
    given = () if guard.kinds is None else guard.kinds
    if not isinstance(given, (str, list, tuple, set, frozenset)):
        raise ParameterError(f"kinds must be a list of kinds; got {type(given).__name__}.")
    given = (given,) if isinstance(given, str) else tuple(given)
    for kind in given:
        check_option("kinds", kind, SPOKEN)
    return frozenset(given)
