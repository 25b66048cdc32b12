"""Which customers at risk to contact first.

Reads  the churn table at a moment.
Gives  the ranking, with what a contact is expected to save.
Never  departed customers (they are won back, not kept), nor those who object.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .._checks import check_count, check_positive, check_probability
from ..exceptions import ParameterError
from ..kernels.churn import DEPARTED, PROSPECTIVE, SEGMENTS, ChurnTable
from ..suggestions.churn_words import reason_sentences
from .moment import Moment

if TYPE_CHECKING:
    import pandas as pd


def check_ranking(
    top: int, budget: float | None, cost: float | None, save_probability: float | None
) -> None:
    """Refuse what cannot be ranked."""
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

    value = np.nan_to_num(table.value_at_risk, nan=0.0)
    known_price = bool(np.isfinite(table.value_at_risk).any())
    score = value if known_price else table.p_churn
    saved = np.full(len(value), np.nan)
    if save_probability is not None and not known_price:
        raise ParameterError(
            "save_probability: no price is known, so what a contact saves cannot be said. "
            "Leave it out to rank by p_churn, or make the log with prices."
        )
    if save_probability is not None:
        saved = score = save_probability * value - (cost or 0.0)
    stays = ~np.isin(table.segment, (DEPARTED, PROSPECTIVE))
    eligible = np.flatnonzero(stays & ~moment.profiling & ~moment.marketing)
    order = eligible[np.lexsort((eligible, -score[eligible]))]
    if save_probability is not None:
        order = order[saved[order] > 0]
    if budget is not None and cost:
        order = order[: math.floor(budget / cost * (1 + 1e-12))]  # 0.3 pays 3 contacts of 0.1
    order = order[:top]
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
