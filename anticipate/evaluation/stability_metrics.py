"""Does the list of those at risk stay what it is when nothing happened?

Reads  two risk scores per customer: today's, and tomorrow's without new events.
Gives  the share of the top n that both lists hold.
Never  the order inside the list: whom one calls, not in which order.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from .._checks import check_count, check_numbers


def top_overlap(before: pd.Series, after: pd.Series, n: int = 500) -> float:
    """Share of the n highest of ``before`` that are among the n highest of ``after``.

    Parameters
    ----------
    before, after : Series
        A score per customer, indexed by customer_id; missing scores are never in the list.
    n : int, default=500
        Length of the list (>= 1); the shorter of both tables when they have fewer.

    Returns
    -------
    float
        In [0, 1]; ties break by customer id; NaN when a table is empty.

    Examples
    --------
    >>> today = pd.Series({"a": 0.9, "b": 0.8, "c": 0.1})
    >>> tomorrow = pd.Series({"a": 0.9, "b": 0.2, "c": 0.3})
    >>> top_overlap(today, tomorrow, n=2)
    0.5
    """
    lists = [_ranked(before.dropna()), _ranked(after.dropna())]
    size = min(check_count("n", n), *(len(ids) for ids in lists))
    if not size:
        return math.nan
    return len(lists[0][:size].intersection(lists[1][:size])) / size


def _ranked(scores: pd.Series) -> pd.Index:
    by_id = scores.sort_index()
    return by_id.index[np.argsort(-check_numbers("scores", by_id), kind="stable")]
