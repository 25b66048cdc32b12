"""What was found, written beside the lines: verdict, reason, evidence, options.

Reads  a cart, what the rules found, the history it rests on.
Gives  a new table, row for row.
Never  a sentence for a line that passes: it would only raise doubts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..kernels.owned import MINUTE
from ..kernels.rules import KINDS, Findings, Tables, table_row
from ..log.clock import to_timestamp
from ..suggestions.duplicate_words import duplicate_reason, options_of
from .lines import ReadLines
from .names import name_of, plain

Array = NDArray[Any]


def with_words(
    cart: pd.DataFrame,
    read: ReadLines,
    found: Findings,
    warn: Array,
    *,
    tables: Tables,
    shares: Array,
    shadow: bool = False,
) -> pd.DataFrame:
    """The cart with the six columns of a review; in shadow reasons stand, and every line passes."""
    n = len(cart)
    reasons: list[str | None] = [None] * n
    evidence: list[list[dict[str, Any]]] = [[] for _ in range(n)]
    options: list[list[str]] = [[] for _ in range(n)]
    row = table_row(read.lines.item, len(shares) - 1)
    has_editions = np.asarray((tables.rules.substitutes[row] >= 0).any(axis=1))
    for i in np.flatnonzero(warn).tolist():  # sentences are made one by one, warnings are rare
        kind = str(KINDS[found.kind[i]])
        fact = _earlier(read, found, i)
        owned, order = fact["item_id"], fact["order_id"]
        reasons[i] = duplicate_reason(
            kind,
            item=name_of(read, read.item_ids[i]),
            owned=name_of(read, owned),
            bought_on=_local(read, fact["at"]),
            minutes=(int(read.lines.timestamp[i]) - fact["at"]) / MINUTE,
            order=order,
            repeat_share=float(shares[row[i]]),
            ids=(plain(read.item_ids[i]), owned),
            has_editions=bool(has_editions[i]),
        ).text()
        date = to_timestamp(fact["at"]).isoformat()
        evidence[i] = [{"date": date, "item_id": owned, "order_id": order}]
        options[i] = [] if shadow else list(options_of(kind, has_editions=bool(has_editions[i])))
    index = cart.index
    return cart.assign(
        verdict=np.where(warn & (not shadow), "warn", "pass"),
        kind=pd.Series([KINDS[k] for k in found.kind.tolist()], index=index, dtype=object),
        probability=found.probability,
        reason=pd.Series(reasons, index=index, dtype=object),
        evidence=pd.Series(evidence, index=index, dtype=object),
        options=pd.Series(options, index=index, dtype=object),
    )


def _earlier(read: ReadLines, found: Findings, i: int) -> dict[str, Any]:
    """The purchase, or the line of this review, that line i may repeat; plain values."""
    line = int(found.line[i])
    if line >= 0:
        at, item, order = int(read.lines.timestamp[line]), read.item_ids[line], None
    else:
        events, row = read.history.events, int(found.row[i])
        at, item = int(events.timestamp[row]), read.history.item_ids[events.item[row]]
        code = int(events.order[row])
        order = None if code < 0 else read.history.vocabulary.orders[code]
    return {"at": at, "item_id": plain(item), "order_id": plain(order)}


def _local(read: ReadLines, microseconds: int) -> datetime:
    return to_timestamp(microseconds).tz_convert(read.history.timezone).to_pydatetime()
