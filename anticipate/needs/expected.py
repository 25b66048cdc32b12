"""Expected ratings of pairs that a caller names.

Reads  a fitted ranker's ratings, a History, a table of pairs.
Gives  one expected rating per row.
Never  a pair left out: unknown customers and items have an answer too; the ratings of a
       customer who objects to profiling.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._checks import check_columns
from ..columns import CUSTOMER, ITEM
from ..log import History
from ..log.ids import check_ids, lookup_codes
from ..log.objections import objectors
from .ratings import Rated
from .stored import Fitted


def expected_rating(fitted: Fitted, history: History, pairs: pd.DataFrame) -> pd.Series[float]:
    """As ``NextNeedRanker.expected_rating`` says."""
    hint = "Name yours so: pairs.rename(columns=...)."
    check_columns("pairs", (CUSTOMER, ITEM), pairs.columns, hint=hint)
    ids = check_ids(pairs[CUSTOMER], history.customer_ids, CUSTOMER)
    some = history.select(np.unique(ids))
    everyone = fitted.batch(some)
    place = lookup_codes(
        check_ids(pairs[ITEM], everyone.codes.ids, ITEM), everyone.codes.sorted_ids
    )
    item = np.append(everyone.codes.of_rank, everyone.codes.n)[place]
    customer = lookup_codes(ids, some.customer_ids)
    rated = Rated.of(some, everyone.codes)
    rated = rated.keep(~objectors(some)[rated.customer])
    expected = fitted.ratings.expected(rated, customer, item)
    return pd.Series(expected, index=pairs.index, name="expected_rating")
