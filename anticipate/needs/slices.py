"""Earlier moments of a history with what was bought after them.

Reads  a History; labels from closed windows, or each customer's last basket.
Gives  slices: a past, and the pairs bought next, as codes of that past.
Never  a past that holds a part of its own labels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..evaluation.backtest import training_slices
from ..log import History
from ..log.ids import lookup_codes
from .shoppers import NEXT_BASKET
from .source import Clock

Array = NDArray[Any]
N_SLICES = 4


class Slice(NamedTuple):
    past: History
    customer: Array  # int64: codes of ``past`` of the pairs bought next
    item: Array
    judged: Array  # bool (past.n_customers,): customers whose outcome is known
    name: str  # its cutoff, or how many baskets back


def slices_of(history: History, clock: Clock) -> list[Slice]:
    """Up to ``N_SLICES`` slices, oldest first."""
    if clock.target == NEXT_BASKET:
        return _basket_slices(history)
    found = []
    for past, outcomes in training_slices(history, clock.horizon, N_SLICES):
        customer, item = outcomes.bought_codes()
        everybody = np.ones(past.n_customers, dtype=bool)
        found.append(Slice(past, customer, item, everybody, f"{outcomes.cutoff:%Y-%m-%d}"))
    return found


def _basket_slices(history: History) -> list[Slice]:
    """Label: a customer's last basket; past: what came before it. Then one basket earlier."""
    found: list[Slice] = []
    later = history
    for back in range(1, N_SLICES):
        past = later.before_last_basket()
        if not past.n_purchases:
            break
        found.append(_basket_slice(past, later, f"{back} back"))
        later = past
    return found[::-1]


def _basket_slice(past: History, later: History, name: str) -> Slice:
    bought = later.purchases
    mine = lookup_codes(later.customer_ids, past.customer_ids)
    customer = mine[bought.customer]
    limit = np.where(mine >= 0, past.cutoffs[mine], later.cutoff_us)[bought.customer]
    item = lookup_codes(later.item_ids, past.item_ids)[bought.item]
    target = (bought.timestamp >= limit) & (customer >= 0)
    judged = np.zeros(past.n_customers, dtype=bool)
    judged[customer[target]] = True
    known = target & (item >= 0)
    pair = np.unique(customer[known] * max(past.n_items, 1) + item[known])
    return Slice(past, *np.divmod(pair, max(past.n_items, 1)), judged, name)
