"""What customers paid in a campaign's window, and what nobody knows the price of.

Reads  the outcomes of a closed window.
Gives  per customer the money of known prices, the payments, those without a price.
Never  an unknown price as a price of 0 that nobody hears of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import columns as c
from ..kernels.segments import segment_count, segment_sum
from ..log.ids import lookup_codes
from ..outcomes import Outcomes

Array = NDArray[Any]
SPEND, N_PAID, N_UNPRICED = "spend", "n_paid", "n_unpriced"
_PURCHASES = (c.PURCHASE,)
_PAYMENTS = (c.PURCHASE, c.SUBSCRIBE, c.RENEW)


def payments_of(outcomes: Outcomes, ids: pd.Index[Any], *, under_contract: bool) -> pd.DataFrame:
    """``spend`` (known prices), ``n_paid`` and ``n_unpriced`` (lines) of these customers.

    Lines are purchases; under contract ``subscribe`` and ``renew`` too. Row i = ``ids[i]``.
    """
    kinds = _PAYMENTS if under_contract else _PURCHASES
    paid = outcomes.window.of_kind(*(c.EVENTS.index(kind) for kind in kinds))
    known = ~np.isnan(paid.price)
    money = np.where(known, paid.price, 0.0) * paid.quantity
    # A customer who is only listed has no events in the source: code -1, the last place.
    codes = lookup_codes(ids.to_numpy(), outcomes.vocabulary.customer_ids)
    columns = {
        SPEND: segment_sum(money, paid.offsets),
        N_PAID: np.diff(paid.offsets),
        N_UNPRICED: segment_count(~known, paid.offsets),
    }
    return pd.DataFrame({name: np.append(it, 0)[codes] for name, it in columns.items()}, index=ids)


def is_priced(arms: pd.DataFrame) -> bool:
    """Whether their money is known: prices exist, and nobody paid or some payment has one."""
    if arms[SPEND].isna().any():
        return False
    n_paid = int(arms[N_PAID].sum())
    return n_paid == 0 or int(arms[N_UNPRICED].sum()) < n_paid


__all__ = ["N_PAID", "N_UNPRICED", "SPEND", "is_priced", "payments_of"]
