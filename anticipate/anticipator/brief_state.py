"""What only a brief reads: bands of value, the law of orders, levels of service.

Reads  the fitted churn model and timer, the history whose customers are to be served.
Gives  arrays of the groups value, next_order and levels; none where nothing is known.
Never  an attribute of a customer but the level of service they are entitled to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..bundle import pack_strings
from ..churn import ChurnModel
from ..columns import LEVEL
from ..kernels.churn import PROSPECTIVE, SEGMENTS
from ..log import History
from ..log.objections import objectors
from ..timing import PurchaseTimer

Array = NDArray[Any]
Arrays = dict[str, Array]
BAND_SHARES = (0.5, 0.8)  # below the first: low; from the second on: high
MOST_ASKED, FEWEST_BUYERS = 20_000, 20


def brief_arrays(churn: ChurnModel, timing: PurchaseTimer, history: History) -> Arrays:
    """By full name."""
    return {**_value_edges(churn, history), **_next_order(timing), **_levels(history)}


def _value_edges(churn: ChurnModel, history: History) -> Arrays:
    """Quantiles of expected value among buyers who do not object: evenly spaced ones."""
    ids = history.customer_ids[~objectors(history)]
    asked = ids[:: -(-max(len(ids), 1) // MOST_ASKED)]
    if not len(asked):
        return {}
    table = churn.predict(history, customers=asked)
    value = table["expected_value"].to_numpy(dtype=np.float64)
    value = value[np.isfinite(value) & (table["segment"] != SEGMENTS[PROSPECTIVE]).to_numpy()]
    if len(value) < FEWEST_BUYERS:
        return {}
    return {"value__edges": np.quantile(value, BAND_SHARES, method="inverted_cdf")}


def _next_order(timing: PurchaseTimer) -> Arrays:
    """The law of all customers' gaps, gamma or log-normal."""
    columns = timing.customer_table_._asdict()
    return {f"model_next_order__{name}": np.asarray(column) for name, column in columns.items()}


def _levels(history: History) -> Arrays:
    """A code per customer into the words of the attribute ``level``; -1 none."""
    if LEVEL not in history.customers.columns:
        return {}
    place, words = pd.factorize(history.customers[LEVEL].map(_word), sort=True)
    offsets, text = pack_strings(list(words))
    code = place.astype(np.int32)
    return {"levels__code": code, "levels__offsets": offsets, "levels__bytes": text}


def _word(value: Any) -> str | None:
    """Text as it is, several levels between commas, whole numbers without a point."""
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return ", ".join(sorted(map(str, value))) or None
    if pd.isna(value):
        return None
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if is_whole else str(value).strip() or None
