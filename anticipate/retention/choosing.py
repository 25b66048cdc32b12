"""Who gets which level: by what it saves, or by risk alone.

Reads  what each level is worth to each customer, who is held out, the limits.
Gives  a level per customer, the level that the held out would have got, the prices.
Never  a contact for the held out; money for them.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exceptions import NoHoldoutWarning, RiskRankingWarning
from .held_out import share_first, would_be_at
from .in_order import serve_in_order
from .knapsack import choose_levels
from .offers import Offers
from .resources import make_resources

Array = NDArray[Any]


class Rules(NamedTuple):
    """What all contacts share."""

    costs: Array  # float64 (K,)
    budget: float | None
    capacity: int | None
    level_capacity: list[int | None]


class Chosen(NamedTuple):
    """Levels are positions, -1 for none."""

    level: Array  # int8 (n,)
    would_be: Array  # int8 (n,): of the held out
    bound: float
    money_price: float
    contact_price: float
    level_prices: Array  # (K,)


def choose(plan: Any, offers: Offers, risk: Array, held_out: Array) -> Chosen:
    """What a ``ContactPlan`` of these settings gives whom; warns as its ``assign`` says."""
    caps = [one.capacity for one in offers.levels]
    rules = Rules(offers.costs, plan.budget, plan.capacity, caps)
    best = found = choose_by_value(offers.worth, held_out, rules)
    if plan.rank_by == "risk":
        liked = np.where(offers.worth > -np.inf, offers.gain, -np.inf)
        found = choose_by_risk(liked, risk, held_out, rules)._replace(bound=best.bound)
        here, there = (offers.worth_of(one.level) for one in (found, best))
        unit = "customers" if plan.objective == "customers" else "net value"
        warnings.warn(
            f"rank_by='risk' is expected to save {here:.6g} {unit}, rank_by='value' {there:.6g} "
            "within the same limits: who is most likely to leave is seldom who can be kept.",
            RiskRankingWarning, stacklevel=3,
        )  # fmt: skip
    n_contacted = int((found.level >= 0).sum())
    if plan.holdout == 0 or (n_contacted and not (found.would_be >= 0).any()):
        warnings.warn(
            f"holdout={plan.holdout:g}: of {n_contacted} customers to contact nobody is left alone "
            "at random, so what the contacts change cannot be measured afterwards. Hold out a "
            "share that is some customers, such as holdout=0.05 of a thousand.",
            NoHoldoutWarning, stacklevel=3,
        )  # fmt: skip
    return found


def choose_by_value(worth: Array, held_out: Array, rules: Rules) -> Chosen:
    """The most worth under the limits.

    Parameters
    ----------
    worth : float64 array of shape (K, n)
        -inf where a level is not allowed.
    held_out : bool array of shape (n,)

    Notes
    -----
    The held out are asked at the prices the others pay: that is the rule by which the others
    were chosen, so both groups are alike but for the contact.
    """
    pool = np.flatnonzero(~held_out & (worth.max(axis=0) > 0))
    found = choose_levels(
        worth[:, pool].T, rules.costs, budget=rules.budget, capacity=rules.capacity,
        level_capacity=rules.level_capacity,
    )  # fmt: skip
    level = np.full(worth.shape[1], -1, dtype=np.int8)
    level[pool] = found.level
    paid = found.money_price * rules.costs + found.contact_price + found.level_prices
    return Chosen(level, would_be_at(worth, level, held_out, paid), *found[2:])


def choose_by_risk(liked: Array, risk: Array, held_out: Array, rules: Rules) -> Chosen:
    """The riskiest first, each the level that keeps most, until the limits are reached.

    The held out would have been contacted if they are no less at risk than the last of those
    who are; of the levels, they would have got the one that keeps most.
    """
    able = np.isfinite(liked).any(axis=0)
    order = np.argsort(-risk, kind="stable")
    order = order[(able & ~held_out)[order]]
    resources = make_resources(
        rules.costs, rules.budget, rules.capacity, rules.level_capacity, len(order)
    )
    level = serve_in_order(liked, order, resources)
    served = level >= 0
    everybody = served.sum() == len(order)
    last = -np.inf if everybody else risk[served].min(initial=np.inf)
    asked = held_out & able
    served_too = risk > last
    torn = np.flatnonzero(asked & (risk == last))
    peers = ~held_out & able & (risk == last)
    served_too[torn] = share_first(len(torn), served[peers])
    would_be = np.where(asked & served_too, liked.argmax(axis=0), -1)
    nothing = np.zeros(len(rules.costs))
    return Chosen(level, would_be.astype(np.int8), np.nan, np.nan, np.nan, nothing * np.nan)
