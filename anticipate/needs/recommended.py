"""The table of recommendations: whose, how many, through which filters.

Reads  a fitted ranker, a History as the ranker reads it, the caller's wishes.
Gives  one row per customer and rank.
Never  a silent empty table: filters that leave nothing are named.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from .._checks import check_count
from ..columns import CUSTOMER
from ..exceptions import FilteredOutWarning
from ..log import History
from ..log.ids import check_ids, lookup_codes
from .answers import to_frame
from .filters import Filters, Wanted, check_for_topics, filtered_answer
from .stored import Fitted
from .topics import with_topics


def recommended(
    fitted: Fitted, history: History, customers: Iterable[Any] | None, n: int, wanted: Wanted,
    *, topics: bool, n_jobs: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    """As ``NextNeedRanker.recommend`` says, called by it; ``topics`` stand for items."""
    if topics:
        check_for_topics(wanted)
    count = check_count("n", n)
    asked = None if customers is None else check_ids(customers, history.customer_ids, CUSTOMER)
    some = history if asked is None else history.select(asked)
    everyone = fitted.batch(some)
    filters = Filters.of(wanted, history, everyone)
    found = filtered_answer(everyone, fitted.learned, filters, count, n_jobs=n_jobs)
    if some.n_customers and not len(found.item) and filters.can_empty:
        warnings.warn(filters.told(everyone), FilteredOutWarning, stacklevel=3)
    order = np.arange(some.n_customers)
    if asked is not None:
        order = pd.unique(lookup_codes(asked, some.customer_ids))
    table = to_frame(found, everyone, order)
    return with_topics(table) if topics else table
