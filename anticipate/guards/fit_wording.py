"""Better fits and slips, written beside the lines: verdict, reason, evidence, options.

Reads  a cart, what the kernel found, the history and the table it rests on.
Gives  a new table, row for row.
Never  a sentence for a line that passes: it would only raise doubts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..kernels.fit import BETTER_FIT, KINDS, FitFindings, FitItems, offer_of
from ..log.clock import to_timestamp
from ..suggestions.fit_words import better_fit_facts, fit_options, quantity_facts
from ..suggestions.reason import Reason
from .lines import ReadLines
from .names import name_and_id, plain

Array = NDArray[Any]
Said = tuple[Reason, dict[str, Any], list[str]]


def with_words(
    cart: pd.DataFrame, read: ReadLines, found: FitFindings, price: Array, items: FitItems
) -> pd.DataFrame:
    """The cart with the six columns of a review."""
    n = len(cart)
    reasons: list[str | None] = [None] * n
    evidence: list[list[dict[str, Any]]] = [[] for _ in range(n)]
    options: list[list[str]] = [[] for _ in range(n)]
    for i in np.flatnonzero(found.warn).tolist():  # sentences are made one by one, words are rare
        is_fit = found.kind[i] == BETTER_FIT
        reason, fact, choices = (
            _better_fit(read, found, i, price=price, items=items)
            if is_fit
            else _quantity(read, found, i)
        )
        reasons[i], evidence[i], options[i] = reason.text(), [fact], choices
    index = cart.index
    return cart.assign(
        verdict=np.where(found.warn, "warn", "pass"),
        kind=pd.Series([KINDS[k] for k in found.kind.tolist()], index=index, dtype=object),
        probability=found.probability,
        reason=pd.Series(reasons, index=index, dtype=object),
        evidence=pd.Series(evidence, index=index, dtype=object),
        options=pd.Series(options, index=index, dtype=object),
    )


def _better_fit(
    read: ReadLines, found: FitFindings, i: int, *, price: Array, items: FitItems
) -> Said:
    item, other = int(read.lines.item[i]), int(found.alternative[i])
    other_id, offer = read.history.item_ids[other], offer_of(items, item, other, float(price[i]))
    name, other_name = name_and_id(read, read.item_ids[i]), name_and_id(read, other_id)
    fact = {"item_id": plain(other_id), **offer.evidence}
    facts = better_fit_facts(
        item=name, alternative=other_name, shares=offer.shares, prices=offer.prices
    )
    return Reason("better_fit", facts), fact, fit_options("better_fit", alternative=other_name)


def _quantity(read: ReadLines, found: FitFindings, i: int) -> Said:
    row, usual, events = int(found.row[i]), float(found.usual[i]), read.history.events
    pieces = float(read.lines.quantity[i])
    facts = quantity_facts(item=name_and_id(read, read.item_ids[i]), pieces=pieces, usual=usual)
    reason = Reason("quantity_of_customer" if row >= 0 else "quantity_of_item", facts)
    fact: dict[str, Any] = {"item_id": plain(read.item_ids[i]), "pieces": pieces, "usual": usual}
    if row >= 0:  # the customer's latest line of it
        order = int(events.order[row])
        fact["date"] = to_timestamp(int(events.timestamp[row])).isoformat()
        fact["order_id"] = plain(read.history.vocabulary.orders[order]) if order >= 0 else None
        fact["pieces_then"] = float(events.quantity[row])
    return reason, fact, fit_options("quantity_slip", **facts)
