"""What a bundle says of some customers: the numbers whose drift is watched.

Reads  a scorer, ids, a moment, what is recent; the timing part and purchases.
Gives  p_churn, the best need's probability, days to the next purchase; each (n,).
Never  a customer who objects to profiling: the caller leaves them out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...log import History
from ...log.clock import to_timestamp
from ...serving import Scorer
from ...suggestions import SELLING_KINDS
from ...timing import PurchaseTimer

Array = NDArray[Any]
Floats = NDArray[np.float64]
P_CHURN, TOP_NEED, NEXT_PURCHASE = "p_churn", "top_need", "days_to_next_purchase"


def scores_of(
    scorer: Scorer, timer: PurchaseTimer, purchases: History, *, recent: Any = None
) -> dict[str, Floats]:
    """By name, customers as in ``purchases``, asked as of its cutoff; NaN where none is given."""
    ids, at = purchases.customer_ids, to_timestamp(purchases.cutoff_us)
    churn = scorer.churn(ids.tolist(), as_of=at, recent=recent)
    due = timer.predict(purchases)["due"]
    return {
        P_CHURN: churn["p_churn"].to_numpy(dtype=np.float64),
        TOP_NEED: _top_needs(scorer, ids, at, recent),
        NEXT_PURCHASE: ((due - at) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64),
    }


def _top_needs(scorer: Scorer, ids: Array, at: pd.Timestamp, recent: Any) -> Floats:
    """Nothing is offered while a complaint is open: NaN."""
    shown = scorer.suggest_many(ids.tolist(), as_of=at, recent=recent, n=1, audience="customer")
    shown = shown[shown["kind"].isin(SELLING_KINDS)]
    chance = shown.set_index("customer_id")["probability"]
    return chance.reindex(ids).to_numpy(dtype=np.float64)
