"""What a customer under contract pays a day.

Reads  contract payments and purchases of a History.
Gives  currency per day and customer.
Never  a price from elsewhere: an unpriced contract adds nothing; what an objector paid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...kernels.contract import CONTRACT_CODES, ContractState
from ...kernels.events import offsets_of
from ...kernels.segments import segment_last
from ...log import History
from ...log.objections import objectors
from ..summary import history_state

Floats = NDArray[np.float64]
PAYING_CODES = CONTRACT_CODES[:2]  # subscribe, renew
LEAST_DAYS = 30.0  # over which what was paid is spread where no term is known
LEAST_TERM_DAYS = 1.0  # an end stated for the moment of the payment is no term


def daily_payments(history: History, state: ContractState, usual_term_days: float) -> Floats:
    """Contract payments and purchases per day, shape (n_customers,), currency.

    The last payment of a contract is spread over its term (to its stated end, else the usual
    one), also after it closed: what a return would be worth. Purchases are spread over the days
    since the first one, a month at least. 0 for customers who object to profiling.
    """
    events = history.events
    paying = np.flatnonzero(np.isfinite(events.price) & np.isin(events.event, PAYING_CODES))
    paid = segment_last(
        events.price[paying] * events.quantity[paying],
        offsets_of(events.customer[paying], history.n_customers),
        0.0,
    )
    stated = state.days_since_renewal + state.days_to_end
    term = np.where(stated >= LEAST_TERM_DAYS, stated, usual_term_days)
    term = np.where(np.isfinite(term), term, np.fmax(state.tenure_days, LEAST_DAYS))
    purchases = history_state(history)
    bought = purchases.spend / np.maximum(purchases.age_days, LEAST_DAYS)
    return np.where(objectors(history), 0.0, paid / term + bought)
