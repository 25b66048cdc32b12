"""Which customers at risk to contact first.

Reads  the churn table at a moment.
Gives  the ranking, with what a contact is expected to save.
Never  departed customers (they are won back, not kept), nor those who object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..kernels.churn import DEPARTED, PROSPECTIVE, SEGMENTS, ChurnTable
from ..retention.ranking import rank_by_saving
from ..suggestions.churn_words import reason_sentences
from .moment import Moment

if TYPE_CHECKING:
    import pandas as pd


def rank_frame(
    moment: Moment,
    table: ChurnTable,
    top: int,
    budget: float | None,
    cost: float | None,
    save_probability: float | None,
) -> pd.DataFrame:
    """The ``top`` customers, most to save first, ties by customer id."""
    import pandas as pd

    stays = ~np.isin(table.segment, (DEPARTED, PROSPECTIVE))
    order, saved = rank_by_saving(
        table.value_at_risk, table.p_churn, stays & ~moment.profiling & ~moment.marketing,
        top=top, budget=budget, cost=cost, save_probability=save_probability,
    )  # fmt: skip
    return pd.DataFrame(
        {
            "customer_id": pd.Series([moment.ids[i] for i in order], dtype=None),
            "as_of": pd.DatetimeIndex(moment.as_of[order].astype("M8[us]")).tz_localize("UTC"),
            "rank": np.arange(1, len(order) + 1),
            "p_churn": table.p_churn[order],
            "value_at_risk": table.value_at_risk[order],
            "expected_saved_value": saved[order],
            "segment": np.array(SEGMENTS, dtype=object)[table.segment[order]],
            "reason": reason_sentences(table)[order],
        }
    )
