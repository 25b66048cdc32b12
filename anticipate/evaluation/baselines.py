"""The plain rules that every answer is compared with, family by family.

Reads  the same History as the models, up to the same cutoff.
Gives  tables of the same form as the models', by the rule's name.
Never  tuned on the window that is judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from ..log import History
from .plain_churn import churn_baselines
from .plain_dates import mean_gap_dates, mean_gap_pair_dates
from .plain_lists import frequent_lists, popular_lists
from .plain_warnings import warning_baselines

__all__ = [
    "churn_baselines",
    "frequent_lists",
    "mean_gap_dates",
    "mean_gap_pair_dates",
    "needs_baselines",
    "popular_lists",
    "timing_baselines",
    "warning_baselines",
]


def needs_baselines(
    history: History, *, customers: Iterable[Any] | None = None, n: int = 10
) -> dict[str, pd.DataFrame]:
    """Popularity, and own frequency with popularity tie-break.

    Parameters
    ----------
    history : History
        As of the cutoff.
    customers : iterable of ids or None
        Whose lists; None = all of the history.
    n : int, default=10
        Length of the lists.

    Returns
    -------
    dict of str to DataFrame
        ``customer_id, item_id, rank`` under ``"popularity"`` and ``"own frequency"``.
    """
    wanted = None if customers is None else list(customers)
    return {
        "popularity": popular_lists(history, customers=wanted, n=n),
        "own frequency": frequent_lists(history, customers=wanted, n=n),
    }


def timing_baselines(history: History, *, per_item: bool = False) -> dict[str, pd.DataFrame]:
    """Last purchase plus mean gap, per customer or per customer and item.

    Parameters
    ----------
    history : History
        As of the cutoff.
    per_item : bool, default=False
        One date per pair bought before.

    Returns
    -------
    dict of str to DataFrame
        ``due, due_low, due_high`` under ``"mean gap"``.
    """
    return {"mean gap": mean_gap_pair_dates(history) if per_item else mean_gap_dates(history)}
