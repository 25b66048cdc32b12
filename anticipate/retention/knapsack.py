"""One level per customer, worth the most together, within every limit.

Reads  what each level is worth to each customer, its cost, the limits.
Gives  a level per customer, the price of each limit, a bound that no plan can pass.
Never  a broken limit, a level that is worth nothing, an id or a table.

A multiple-choice knapsack: ``prices`` finds the Lagrange multipliers and the bound, ``rounding``
the whole customers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exceptions import ParameterError
from .prices import find_prices
from .resources import make_resources
from .rounding import settle, worth_of

Array = NDArray[Any]


class Choice(NamedTuple):
    """Which level each customer gets, and what the limits cost.

    Attributes
    ----------
    level : int8 array of shape (n,)
        Position of the level, -1 for none.
    value : float
        What the chosen levels are worth together.
    bound : float
        What no plan can pass: the optimum of the linear programme, to about 1e-8.
    money_price : float
        Value that one currency unit more would add; 0 where the budget does not bind.
    contact_price : float
        Value that one contact more would add, of the total capacity.
    level_prices : float64 array of shape (K,)
        Value that one contact more of each level would add, of its own capacity.
    """

    level: Array
    value: float
    bound: float
    money_price: float
    contact_price: float
    level_prices: Array


def choose_levels(
    values: Array,
    costs: Array,
    *,
    budget: float | None = None,
    capacity: int | None = None,
    level_capacity: list[int | None] | None = None,
) -> Choice:
    """One level per customer.

    Parameters
    ----------
    values : float64 array of shape (n, K)
        What each level is worth to each customer, beyond its cost; -inf where it is not
        allowed. A level of value <= 0 is never chosen.
    costs : float64 array of shape (K,)
        Currency per contact (>= 0).
    budget : float or None
        Currency (>= 0); None is no limit.
    capacity : int or None
        Customers contacted in all.
    level_capacity : list of K ints or Nones, optional

    Raises
    ------
    ParameterError
        If a value is NaN or +inf.

    Notes
    -----
    O(n K) in a few dozen passes: .5 s for 1M customers and 3 levels. Rows may come in any order
    only in so far as ties go: of equal customers the first ones are taken.

    Examples
    --------
    Two units of money: both on the third customer's better level, or one each on the others.

    >>> worth = np.array([[3.0, 4.0], [2.0, 2.5], [1.0, 9.0]])
    >>> found = choose_levels(worth, np.array([1.0, 2.0]), budget=2.0)
    >>> found.level.tolist(), found.value
    ([-1, -1, 1], 9.0)
    """
    n, n_levels = values.shape
    if np.isnan(values).any() or (values == np.inf).any():
        raise ParameterError("values: some are NaN or infinite; give finite numbers or -inf.")
    worth = np.ascontiguousarray(np.where(values > 0, values, -np.inf).T)
    resources = make_resources(costs, budget, capacity, level_capacity or [None] * n_levels, n)
    prices = find_prices(worth, resources)
    level = settle(worth, prices, resources)
    found = dict(zip(resources.names, prices.per_unit.tolist(), strict=True))
    return Choice(
        level, worth_of(worth, level), prices.bound,
        found.get("budget", 0.0), found.get("capacity", 0.0),
        np.array([found.get(f"level:{k}", 0.0) for k in range(n_levels)]),
    )  # fmt: skip
