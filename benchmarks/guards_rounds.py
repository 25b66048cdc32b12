"""Every line of a span, reviewed as it was bought, with exactly what was known just before it.

Reads  a log, a fitted guard, a span.
Gives  the span's purchase lines with the guard's verdict, kind and probability.
Never  what came later: not even a return, which would tell that a purchase was undone.

The k-th carts of all customers are one review: each customer's history ends at the own cart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from guards_data import local

from anticipate import InteractionLog
from anticipate.columns import EVENT_CODES, PURCHASE
from anticipate.log import History
from anticipate.log.clock import to_timestamps
from anticipate.log.history import _cut


def span_lines(log: InteractionLog, start: Any, end: Any) -> pd.DataFrame:
    """Purchases in ``[start, end)``: ``row`` in ``log.events``, the line, its ``round``."""
    events = log.events
    first, last = (int(local(log, at).tz_convert("UTC").value // 1000) for at in (start, end))
    bought = events.event == EVENT_CODES[PURCHASE]
    rows = np.flatnonzero(bought & (events.timestamp >= first) & (events.timestamp < last))
    lines = pd.DataFrame({
        "row": rows,
        "customer_id": log.vocabulary.customer_ids[events.customer[rows]],
        "item_id": log.vocabulary.item_ids[events.item[rows]],
        "timestamp": to_timestamps(events.timestamp[rows]),
        "quantity": events.quantity[rows], "price": events.price[rows], "gift": events.gift[rows],
    })  # fmt: skip
    rank = lines.groupby("customer_id", sort=False)["timestamp"].rank(method="dense")
    return lines.assign(round=rank.astype(np.int64).to_numpy())


def review_live(log: InteractionLog, guard: Any, start: Any, end: Any) -> pd.DataFrame:
    """``span_lines`` with ``verdict, kind, probability``, in the order of ``row``."""
    lines, live = span_lines(log, start, end), log.as_of(local(log, end))
    parts = []
    for _, cart in lines.groupby("round", sort=True):
        moments = cart.groupby("customer_id")["timestamp"].first()
        found = guard.review(cart, known_before(live, moments))
        parts.append(found[[*lines.columns, "verdict", "kind", "probability"]])
    return pd.concat(parts).sort_values("row", ignore_index=True)


def known_before(live: History, moments: pd.Series) -> History:
    """What was known of each customer (index) before the own moment."""
    own = live.select(moments.index.to_numpy())
    at = moments.reindex(own.customer_ids).dt.as_unit("us").astype(np.int64).to_numpy()
    return _cut(own, own.events, at, int(at.max()), None)
