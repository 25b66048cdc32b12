"""A contact plan's settings, checked: each wrong one is one clear error.

Reads  the constructor's arguments.
Gives  the same values, typed.
Never  a default of its own: those stand in the constructor.
"""

from __future__ import annotations

from typing import Any

from .._checks import check_count, check_option, check_positive, check_probability
from ..exceptions import ParameterError
from .levels import Level, check_amount

OBJECTIVES, RANKINGS = ("value", "customers"), ("value", "risk")


def check_levels(levels: Any) -> list[Level]:
    """One or more levels of different names."""
    found = [levels] if isinstance(levels, Level) else levels
    if not isinstance(found, (list, tuple)) or not found:
        raise ParameterError(
            "levels must be a list of Level(name, cost, save_probability); got "
            f"{'an empty list' if found in ([], ()) else type(levels).__name__}."
        )
    wrong = [type(one).__name__ for one in found if not isinstance(one, Level)]
    if wrong:
        raise ParameterError(f"levels must all be Level(...); got {wrong[:3]}.")
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise ParameterError(f"levels: two have the same name; got {names}.")
    if len(names) > 32:
        raise ParameterError(f"levels: at most 32 can be planned at once; got {len(names)}.")
    return list(found)


def check_settings(plan: Any) -> None:
    """Every argument of ``ContactPlan`` but the levels."""
    if plan.budget is not None:
        check_amount("budget (None is no limit)", plan.budget)
    for name, least in (("capacity", 0), ("max_contacts", 1)):
        if getattr(plan, name) is not None:
            check_count(f"{name} (None is no limit)", getattr(plan, name), least=least)
    if plan.cool_down_days is not None:
        check_positive("cool_down_days (None is no limit)", plan.cool_down_days)
    check_positive("contact_window_days", plan.contact_window_days)
    if check_probability("holdout", plan.holdout) == 1:
        raise ParameterError("holdout must be below 1: at 1 nobody is contacted.")
    check_option("objective", plan.objective, OBJECTIVES)
    check_option("rank_by", plan.rank_by, RANKINGS)
    check_count("random_state", plan.random_state, least=0, most=2**63 - 1)
    if not isinstance(plan.channel_column, str):
        raise ParameterError(
            f"channel_column must be text; got {type(plan.channel_column).__name__}."
        )
    if plan.objective == "customers" and plan.budget is None and plan.capacity is None:
        raise ParameterError(
            "objective='customers' weighs no cost against a value: give a budget or a capacity."
        )
