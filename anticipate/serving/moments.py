"""Everybody of a bundle at one moment, part by part: what a contact plan asks.

Reads  the scorer's bundle, a moment, what is recent.
Gives  the churn table's numbers and the limits on contacts, one row per customer.
Never  a sentence; the events of more than one part.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..columns import CUSTOMER
from ..kernels.care import open_matters
from ..kernels.churn import SEGMENTS
from ..retention.limits import Limits, recent_contacts
from .asking import ask_in_parts
from .leaving import churn_at
from .moment import Moment
from .moment_pages import one_by_one
from .ranking import PART
from .scorer import Scorer

NUMBERS = ("p_churn", "p_alive", "expected_value", "value_at_risk")


def churn_and_limits(
    scorer: Scorer, *, as_of: Any, recent: Any = None, window_days: float = 90
) -> tuple[pd.DataFrame, Limits]:
    """What ``ContactPlan.assign`` needs of all customers of a bundle.

    Parameters
    ----------
    as_of, recent
        As of ``Scorer.churn``.
    window_days : float
        In which contacts are counted.

    Returns
    -------
    (DataFrame indexed by customer_id, Limits)
        ``p_churn, p_alive, expected_value, value_at_risk, segment``, sorted by id; limits in the
        same order. Memory is that of the answer and of one part's events.
    """
    ids = scorer.customer_ids()
    store = scorer._store  # the scorer's own room
    moments = ask_in_parts(store, ids.tolist(), as_of, recent, PART)
    tables, limits = [], []
    for moment in one_by_one(store, moments):
        table = churn_at(store, moment)
        tables.append([*(getattr(table, name) for name in NUMBERS), table.segment])
        limits.append(_limits(moment, window_days))
    *numbers, segment = map(np.concatenate, zip(*tables, strict=True))
    columns: dict[str, Any] = dict(zip(NUMBERS, numbers, strict=True))
    columns["segment"] = pd.Categorical.from_codes(segment, categories=pd.Index(SEGMENTS))
    index = pd.Index(ids, name=CUSTOMER)
    known = Limits(*map(np.concatenate, zip(*limits, strict=True)))
    return pd.DataFrame(columns, index=index), known


def _limits(moment: Moment, window_days: float) -> Limits:
    matters = open_matters(moment.events, moment.as_of)
    n_contacts, days_since = recent_contacts(moment.events, moment.as_of, window_days)
    return Limits(
        moment.profiling, moment.marketing,
        matters.complaint >= 0, matters.returned >= 0, n_contacts, days_since,
    )  # fmt: skip
