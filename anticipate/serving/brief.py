"""What staff should see before the customer arrives; nobody has to tell their story twice.

Reads  one customer's moment and suggestions.
Gives  a JSON-ready dictionary.
Never  anything for the customer's own eyes: value, segment and risk are in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels.churn import SEGMENTS
from ..kernels.events import PURCHASE_CODE
from ..kernels.offers import DISLIKED, latest_signal
from ..suggestions import SELLING_KINDS, Suggestion
from .instants import to_datetime
from .leaving import churn_at, reason_of
from .moment import Moment
from .offers import item_name
from .store import Store

OWNED_SHOWN, DISLIKED_DAYS = 12, 180
DAY = 86_400_000_000


def make_brief(store: Store, moment: Moment, suggestions: list[Suggestion]) -> dict[str, Any]:
    """Who they are to us, what they own, what is open, what lies ahead, what not to offer."""
    disliked = _disliked(store, moment)
    unwanted = {one["item_id"] for one in disliked}
    ahead = [one for one in suggestions if one.kind in SELLING_KINDS]
    return {
        "customer_id": moment.ids[0],
        "as_of": to_datetime(int(moment.as_of[0])).isoformat(),
        "known": bool(moment.events.n),
        "relation": _relation(store, moment),
        "owns": _owned(store, moment),
        "open": [one.to_dict() for one in suggestions if one.kind == "follow_up"],
        "ahead": [one.to_dict() for one in ahead if one.item_id not in unwanted][:5],
        "risk": [one.to_dict() for one in suggestions if one.kind in ("churn_risk", "win_back")],
        "do_not_offer": disliked,
    }


def _relation(store: Store, moment: Moment) -> dict[str, Any]:
    table = churn_at(store, moment)
    bought = moment.events.event == PURCHASE_CODE
    first = int(moment.events.timestamp[bought][0]) if bought.any() else None
    value = float(table.expected_value[0])
    return {
        "segment": SEGMENTS[int(table.segment[0])],
        "customer_since": None if first is None else _day(store, first),
        "n_purchase_days": len(np.unique(moment.events.day[bought])),
        "p_churn": round(float(table.p_churn[0]), 4),
        "expected_value": None if np.isnan(value) else round(value, 2),
        "reason": reason_of(table, 0).text(),
    }


def _owned(store: Store, moment: Moment) -> list[dict[str, Any]]:
    """The latest things bought for themselves, each once."""
    events = moment.events
    rows = np.flatnonzero((events.event == PURCHASE_CODE) & ~events.gift)[::-1]
    latest: dict[int, int] = {}
    for row in rows.tolist():
        latest.setdefault(int(events.item[row]), row)
        if len(latest) == OWNED_SHOWN:
            break
    return [
        {
            "item_id": moment.words["items"].id(item),
            "name": item_name(store, moment, item),
            "last_bought": _day(store, int(events.timestamp[row])),
        }
        for item, row in latest.items()
    ]


def _day(store: Store, instant: int) -> str:
    return to_datetime(instant, store.timezone).date().isoformat()


def _disliked(store: Store, moment: Moment) -> list[dict[str, Any]]:
    """Items returned, rated low or refused in the last half-year."""
    items = np.unique(moment.events.item)
    items = items[items >= 0].astype(np.int64)
    since = int(moment.as_of[0]) - DISLIKED_DAYS * DAY
    signal = latest_signal(moment.events, np.zeros(len(items), np.int64), items, since)
    return [
        {"item_id": moment.words["items"].id(int(item)), "name": item_name(store, moment, item)}
        for item in items[signal == DISLIKED].tolist()
    ]
