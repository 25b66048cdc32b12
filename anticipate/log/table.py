"""Events as a pandas table with the contract's column names.

Reads  events and what their codes mean.
Gives  a new DataFrame; columns the log does not have are left out.
Never  codes: ids, times and names come out as they came in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import columns as c
from ..kernels.events import Events, is_constant
from .clock import to_timestamps
from .vocabulary import Vocabulary

Array = NDArray[Any]


def events_to_pandas(events: Events, vocabulary: Vocabulary) -> pd.DataFrame:
    """One row per event in total order."""
    names = np.asarray(vocabulary.event_names, dtype=object)
    table = {
        c.CUSTOMER: vocabulary.customer_ids[events.customer],
        c.ITEM: decode(events.item, vocabulary.item_ids),
        c.TIMESTAMP: to_timestamps(events.timestamp),
        c.EVENT: names[events.event],
        c.QUANTITY: np.array(events.quantity),
        c.PRICE: np.array(events.price),
    }
    optional = {
        c.VALUE: (events.value, None),
        c.ORDER: (events.order, vocabulary.orders),
        c.EVENT_ID: (events.event_id, vocabulary.event_ids),
        c.GIFT: (events.gift, None),
        c.CHANNEL: (events.channel, vocabulary.channels),
        c.REASON: (events.reason, vocabulary.reasons),
    }
    for name, (column, words) in optional.items():
        if not is_constant(column):
            table[name] = np.array(column) if words is None else decode(column, words)
    if events.known_at is not events.timestamp:
        table[c.KNOWN_AT] = to_timestamps(events.known_at)
    return pd.DataFrame(table)


def decode(codes: Array, vocabulary: Array) -> Array:
    """Ids of codes; missing ones as None (text) or a nullable integer."""
    missing = codes < 0
    if not len(vocabulary):
        return np.full(len(codes), None, dtype=object)
    values = vocabulary[np.where(missing, 0, codes)]
    if not missing.any():
        return np.asarray(values)
    if values.dtype == object:
        values[missing] = None
        return np.asarray(values)
    return pd.arrays.IntegerArray(values, missing)  # type: ignore[return-value]
