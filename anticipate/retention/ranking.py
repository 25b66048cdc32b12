"""The simplest plan: one kind of contact, the most to save first.

Reads  what is at risk, per customer, and what one contact costs.
Gives  the order of the customers to contact.
Never  pandas, SciPy or a table: a service that ranks loads NumPy alone.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._checks import check_count, check_positive, check_probability
from ..exceptions import ParameterError

Array = NDArray[Any]


class Ranking(NamedTuple):
    """Whom to contact first."""

    order: Array  # int (m,): customers, first one first
    saved: Array  # float64 (n,): of every customer, less the cost; NaN if nothing was assumed
    score: Array  # float64 (n,): what the order is by, highest first


def check_ranking(
    top: int, budget: float | None, cost: float | None, save_probability: float | None
) -> None:
    """Refuse what cannot be ranked.

    Raises
    ------
    ParameterError
        If a number is out of its range, or a budget comes without a cost.
    """
    check_count("top", top)
    if save_probability is not None:
        check_probability("save_probability", save_probability)
    if cost is not None and cost != 0:
        check_positive("cost", cost)
    if budget is not None:
        if cost is None:
            raise ParameterError("budget: say what one contact costs, too: cost=...")
        if budget != 0:
            check_positive("budget", budget)


def rank_by_saving(
    value_at_risk: Array,
    p_churn: Array,
    eligible: Array,
    *,
    top: int,
    budget: float | None = None,
    cost: float | None = None,
    save_probability: float | None = None,
    known_price: bool | None = None,
) -> Ranking:
    """The ``top`` eligible customers, most to save first; ties go by position.

    Parameters
    ----------
    value_at_risk : float64 array of shape (n,), currency
        NaN counts as nothing; if all are NaN, no price is known and ``p_churn`` ranks.
    p_churn : float64 array of shape (n,)
    eligible : bool array of shape (n,)
    top, budget, cost, save_probability
        As :func:`check_ranking` accepts them. With ``save_probability`` the order is by
        save_probability · value_at_risk − cost, and only what is above 0.
    known_price : bool, optional
        Whether any price is known: say it where these customers are a part of all. None: if
        ``value_at_risk`` is a number for one of them.

    Raises
    ------
    ParameterError
        If ``save_probability`` is given and no price is known.

    Examples
    --------
    >>> at_risk = np.array([10.0, 40.0, 30.0])
    >>> everybody = np.ones(3, dtype=bool)
    >>> rank_by_saving(at_risk, at_risk / 100, everybody, top=2).order.tolist()
    [1, 2]
    """
    value = np.nan_to_num(value_at_risk, nan=0.0)
    if known_price is None:
        known_price = bool(np.isfinite(value_at_risk).any())
    score = value if known_price else p_churn
    saved = np.full(len(value), np.nan)
    if save_probability is not None and not known_price:
        raise ParameterError(
            "save_probability: no price is known, so what a contact saves cannot be said. "
            "Leave it out to rank by p_churn, or make the log with prices."
        )
    if save_probability is not None:
        saved = score = save_probability * value - (cost or 0.0)
    rows = np.flatnonzero(eligible)
    order = rows[best_first(score[rows], len(rows))]
    if save_probability is not None:
        order = order[saved[order] > 0]
    return Ranking(order[: most_contacts(top, budget, cost)], saved, score)


def most_contacts(top: int, budget: float | None, cost: float | None) -> int:
    """How many contacts are wanted and paid for."""
    if budget is None or not cost:
        return top
    affordable = budget / cost * (1 + 1e-12)  # 0.3 pays 3 contacts of 0.1
    return top if affordable >= top else math.floor(affordable)


def best_first(score: Array, n: int) -> Array:
    """Positions of the ``n`` highest scores, highest first; ties go by position."""
    return np.argsort(-score, kind="stable")[:n]
