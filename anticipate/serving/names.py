"""What is shown of an item and of an event.

Reads  codes and rows of a moment.
Gives  names, ids, dates.
Never  a name looked up twice in one request.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.ids import texts_at
from .instants import to_datetime
from .moment import Moment
from .store import Store

Array = NDArray[Any]


def item_name(store: Store, moment: Moment, code: int) -> str:
    """The item's name where the log has one, else its id."""
    known = moment.names.get(code)
    if known is None:
        known = moment.names[code] = _name(store, moment, code)
    return known


def find_names(store: Store, moment: Moment, codes: Array) -> None:
    """Look up the names of many items together, so that ``item_name`` need not one by one."""
    new = np.unique(codes[(codes >= 0) & (codes < store.n_items)])
    names = store.group("item_names")
    if not names or not len(new):
        return
    texts = texts_at(names["bytes"], names["offsets"], new)
    moment.names.update(
        (code, text) for code, text in zip(new.tolist(), texts, strict=True) if text
    )


def _name(store: Store, moment: Moment, code: int) -> str:
    names = store.group("item_names")
    if names and 0 <= code < store.n_items:
        start, end = names["offsets"].item(code), names["offsets"].item(code + 1)
        if end > start:
            return str(names["bytes"][start:end].tobytes(), "utf-8")
    return str(moment.words["items"].id(code))


def item_name_and_id(store: Store, moment: Moment, code: int) -> str:
    """The item's name with its id, which tells editions apart; without a name the id."""
    name, item_id = item_name(store, moment, code), str(moment.words["items"].id(code))
    return item_id if name == item_id else f"{name} ({item_id})"


def event_evidence(moment: Moment, row: int) -> dict[str, Any]:
    """Date, item and order of one event."""
    events = moment.events
    return {
        "date": to_datetime(events.timestamp.item(row)).isoformat(),
        "item_id": moment.words["items"].id(events.item.item(row)),
        "order_id": moment.words["orders"].id(events.order.item(row)),
    }
