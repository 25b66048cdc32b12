"""Who gets which level: by what it saves, or by risk alone.

Reads  what each level is worth to each customer, who is held out, the limits.
Gives  a level per customer, the level that the held out would have got, the prices.
Never  a contact for the held out; money for them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .in_order import serve_in_order
from .knapsack import choose_levels
from .prices import best_at
from .resources import make_resources

Array = NDArray[Any]
CLOSE = 1e-6  # of the highest worth: as near to the price as this is neither above nor below it


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
    return Chosen(level, _would_be(worth, level, held_out, paid), *found[2:])


def _would_be(worth: Array, level: Array, held_out: Array, paid: Array) -> Array:
    """Levels of the held out at the prices; of those worth just the price, the share of the others
    who are and were contacted, the first ones as there.
    """
    held = np.flatnonzero(held_out)
    would_be = np.full(worth.shape[1], -1, dtype=np.int8)
    would_be[held] = best_at(worth[:, held], paid)[0]
    net = worth - paid[:, None]
    close = np.abs(net.max(axis=0, initial=-np.inf)) <= CLOSE * worth.max(initial=0.0)
    torn, others = np.flatnonzero(close & held_out), np.flatnonzero(close & ~held_out)
    if paid.any() and len(torn) and len(others):
        n_taken = round(len(torn) * float((level[others] >= 0).mean()))
        would_be[torn] = -1
        would_be[torn[:n_taken]] = net[:, torn[:n_taken]].argmax(axis=0)
    return would_be


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
    would_be = np.where(held_out & able & (risk >= last), liked.argmax(axis=0), -1)
    nothing = np.zeros(len(rules.costs))
    return Chosen(level, would_be.astype(np.int8), np.nan, np.nan, np.nan, nothing * np.nan)
