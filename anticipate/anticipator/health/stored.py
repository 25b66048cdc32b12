"""What a bundle says of itself: whom it knows, what they bought, what it answered.

Reads  a bundle's arrays by their purposes.
Gives  ids, purchases as a history, stored candidates with their probabilities.
Never  customers who object to profiling.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...columns import CUSTOMER, ITEM, TIMESTAMP
from ...kernels import special
from ...kernels.events import PURCHASE_CODE
from ...kernels.ids import ids_at
from ...log import History, InteractionLog
from ...serving.store import PROFILING, Store

Array = NDArray[Any]
_COLUMNS = [CUSTOMER, ITEM, TIMESTAMP]


def judged_customers(store: Store, most: int) -> Array:
    """Codes of at most so many, drawn by a seed, who do not object to profiling; sorted."""
    codes = np.flatnonzero((store.flags & PROFILING) == 0)
    if len(codes) > most:
        codes = np.sort(np.random.default_rng(0).choice(codes, most, replace=False))
    return codes


def items_with_events(store: Store) -> Array:
    item = np.unique(store.columns["item"])
    return ids_at(store.items, item[item >= 0].astype(np.int64))


def purchases_of(store: Store, codes: Array) -> pd.DataFrame:
    """What these customers had bought by the cutoff: ``customer_id, item_id, timestamp``."""
    events = store.events_of(codes)
    rows = np.flatnonzero(events.event == PURCHASE_CODE)
    return pd.DataFrame({
        CUSTOMER: ids_at(store.customers, codes[events.customer[rows]]),
        ITEM: ids_at(store.items, events.item[rows].astype(np.int64)),
        TIMESTAMP: pd.to_datetime(np.asarray(events.timestamp[rows]), unit="us", utc=True),
    })  # fmt: skip


def history_of(bought: pd.DataFrame, ids: Array, at: int, timezone: str) -> History:
    """A history of purchases alone; a customer without any is there, too."""
    log = InteractionLog.from_frame(bought[_COLUMNS], timezone=timezone)
    return log.before(at).select(ids)


def stored_needs(store: Store, codes: Array, k: int) -> pd.DataFrame:
    """The k best candidates of each: ``customer_id, item_id, p``, as of the cutoff."""
    stored = store.group("candidates")
    starts = stored["offsets"][codes]
    counts = np.minimum(stored["offsets"][codes + 1] - starts, k)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = np.repeat(starts, counts) + within
    return pd.DataFrame({
        CUSTOMER: ids_at(store.customers, np.repeat(codes, counts)),
        ITEM: ids_at(store.items, stored["item"][rows].astype(np.int64)),
        "p": special.expit(stored["log_odds"][rows]),
    })  # fmt: skip
