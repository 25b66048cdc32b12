"""Who they are to us: since when, how often, how much, and whether they may be leaving.

Reads  the events, the churn parameters, the bundle's bands of value.
Gives  one dictionary.
Never  segment, value or risk of somebody who objects to profiling; a price that is not known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...kernels.churn import SEGMENTS, ChurnTable
from ...kernels.events import PURCHASE_CODE
from ..leaving import churn_at, reason_of
from .known import DAY, Known

YEAR_DAYS = 365
BANDS = ("low", "middle", "high")
_OF_A_PROFILE = ("segment", "p_churn", "reason", "expected_value", "value_band")


def relation_of(known: Known) -> dict[str, Any]:
    """Keys as in docs/brief.md."""
    bought = known.rows_of(PURCHASE_CODE)
    first, last = (int(bought[0]), int(bought[-1])) if len(bought) else (-1, -1)
    return {
        "customer_since": None if first < 0 else known.day_of(first),
        "n_purchase_days": len(np.unique(known.events.day[bought])),
        "last_purchase": None if last < 0 else known.day_of(last),
        "days_since_last": None if last < 0 else known.days_since(last),
        **_spend(known, bought),
        "level": _level(known),
        **_profile(known),
    }


def _profile(known: Known) -> dict[str, Any]:
    """What is foreseen of the person; nothing of those who object."""
    horizon = round(float(known.store.manifest.get("churn_horizon_days", 90)))
    if known.profiling:
        return {"horizon_days": horizon, **dict.fromkeys(_OF_A_PROFILE)}
    table = churn_at(known.store, known.moment)
    value = float(table.expected_value[0])
    reason = reason_of(table, 0)
    return {
        "horizon_days": horizon,
        "segment": SEGMENTS[int(table.segment[0])],
        "p_churn": round(float(table.p_churn[0]), 4),
        "reason": known.say(reason.code, **reason.facts),
        "expected_value": round(value, 2) if np.isfinite(value) else None,
        "value_band": _band(known, table, value),
    }


def _band(known: Known, table: ChurnTable, value: float) -> str | None:
    """Of buyers only; None in bundles without bands."""
    edges = known.store.group("value").get("edges")
    if edges is None or not np.isfinite(value) or not table.facts.n_purchases[0]:
        return None
    return BANDS[int(np.searchsorted(edges, value, side="right"))]


def _spend(known: Known, bought: Any) -> dict[str, Any]:
    """Price times pieces kept, of the last twelve months' purchases with a known price."""
    events = known.events
    rows = bought[events.timestamp[bought] >= known.as_of - YEAR_DAYS * DAY]
    if not len(rows):
        return {"spend_12_months": 0.0 if len(bought) else None, "n_lines_without_price": 0}
    returned = known.moment.returns.returned[rows]
    spent = events.price[rows] * np.maximum(events.quantity[rows] - returned, 0.0)
    priced = np.isfinite(spent)
    total = float(np.add.reduce(spent[priced])) if priced.any() else None
    return {
        "spend_12_months": None if total is None else round(total, 2),
        "n_lines_without_price": int((~priced).sum()),
    }


def _level(known: Known) -> str | None:
    """The service level they are entitled to, where the customers' table has a ``level``."""
    code, words = int(known.moment.codes[0]), known.store.group("levels")
    if code < 0 or not words:
        return None
    place = int(words["code"][code])
    if place < 0:
        return None
    start, end = words["offsets"][place : place + 2].tolist()
    return str(words["bytes"][start:end].tobytes(), "utf-8", "replace")
