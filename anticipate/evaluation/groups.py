"""Whom a number is about: customers by history length, tenure and any attribute.

Reads  a History and its customers' attributes, as of the cutoff.
Gives  one column per grouping, one row per customer, levels in their natural order.
Never  what happened at or after the cutoff: a group that knows the outcome flatters.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .._checks import check_columns
from ..columns import CUSTOMER, MICROSECONDS_PER_DAY, NO_TIME
from ..kernels.events import Events
from ..kernels.segments import run_starts, segment_first
from ..log import History

HISTORY_LENGTH, TENURE = "history length", "tenure"
LENGTHS = ("0", "1", "2-5", "6+")  # purchase days
TENURES = ("< 30 d", "30-180 d", "180-365 d", "> 365 d")


def customer_groups(history: History, groups: Iterable[str] = ()) -> pd.DataFrame:
    """The groups that every section of a report is broken down by.

    Parameters
    ----------
    history : History
        As of the cutoff.
    groups : iterable of str
        Columns of ``history.customers``, one grouping each.

    Returns
    -------
    DataFrame of shape (n_customers, 2 + n_groups)
        Indexed by customer_id: ``history length`` (purchase days: 0, 1, 2-5, 6+), ``tenure``
        (days since the first event), then the named attributes; NaN where unknown.

    Raises
    ------
    ColumnError
        If the customers' table has no such column.

    Examples
    --------
    >>> from anticipate.log import InteractionLog
    >>> log = InteractionLog.from_frame(
    ...     {"customer_id": ["a", "a", "b"], "item_id": [1, 2, 1],
    ...      "timestamp": ["2025-01-01", "2025-02-01", "2025-02-20"]}, timezone="UTC",
    ...     closed_until="2025-03-01")
    >>> customer_groups(log.as_of("2025-03-01")).astype(str).to_numpy().tolist()
    [['2-5', '30-180 d'], ['1', '< 30 d']]
    """
    named = list(groups)
    hint = "groups= takes columns of the customers table."
    check_columns("customers", named, history.customers.columns, hint=hint)
    table = pd.DataFrame(
        {
            HISTORY_LENGTH: pd.cut(
                purchase_days(history.purchases), [-1, 0, 1, 5, np.inf], labels=list(LENGTHS)
            ),
            TENURE: pd.cut(
                _tenure_days(history), [-1, 30, 180, 365, np.inf], labels=list(TENURES), right=False
            ),
        },
        index=pd.Index(history.customer_ids, name=CUSTOMER),
    )
    return table.join(history.customers[named])


def purchase_days(purchases: Events) -> np.ndarray:
    """Distinct local days with a purchase, per customer (int64)."""
    starts = run_starts(purchases.customer, purchases.day)
    return np.bincount(purchases.customer[starts], minlength=purchases.n_customers)


def _tenure_days(history: History) -> np.ndarray:
    first = segment_first(history.events.timestamp, history.events.offsets, NO_TIME)
    days = (history.cutoffs - first) / MICROSECONDS_PER_DAY
    return np.where(first == NO_TIME, np.nan, days)
