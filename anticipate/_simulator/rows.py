"""Rows of events while they are being made: whole seconds, codes instead of names.

Reads  arrays of equal length.
Gives  a table with one row per event; ``second`` counts from the start of the simulation.
Never  a name: items, channels and reasons are codes until the tables are written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import EVENT_CODES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]  # of str; None where there is none
Random = np.random.Generator

DAY = 86_400  # seconds
CHANNELS = ("web", "app", "shop", "email")
WEB, APP, SHOP, EMAIL = range(4)
REASONS = (
    *("changed_mind", "disliked", "damaged", "duplicate", "wrong_quantity"),
    *("late_delivery", "wrong_item", "billing"),
    *("order_status", "advice", "invoice", "account"),
)
REASON = {name: code for code, name in enumerate(REASONS)}
# How a purchase came about; the mistakes bear the names that the guards use.
WANTED, DOUBLE_SUBMIT, ALREADY_OWNED, SUBSTITUTE_OWNED, QUANTITY_SLIP = range(5)
KINDS = ("", "double_submit", "already_owned", "substitute_owned", "quantity_slip")

_DEFAULTS: dict[str, Any] = {
    "item": -1,
    "quantity": np.nan,
    "price": np.nan,
    "value": np.nan,
    "order": -1,
    "gift": False,
    "channel": -1,
    "reason": -1,
    "known_after": 0,  # seconds between the event and its becoming known
}


def make_rows(event: str, customer: Ints, second: Ints, **columns: Any) -> pd.DataFrame:
    """One row per event of one kind; columns not given hold their default."""
    known = {"customer": customer, "second": second, "event": EVENT_CODES[event]}
    return pd.DataFrame({**known, **_DEFAULTS, **columns})


def follow(event: str, rows: pd.DataFrame, delay_days: Floats, **columns: Any) -> pd.DataFrame:
    """Events of one kind about the same customer, item and order, some days later (or before)."""
    second = rows["second"].to_numpy() + np.rint(delay_days * DAY).astype(np.int64)
    kept = {name: rows[name].to_numpy() for name in ("item", "order", "channel")}
    return make_rows(event, rows["customer"].to_numpy(), second, **{**kept, **columns})


def shop_hours(rng: Random, day: Floats) -> Ints:
    """The second of an event on each day, between 7 and 22 o'clock."""
    hour = 7.0 + 15.0 * rng.beta(2.0, 2.0, size=len(day))
    return np.floor(day).astype(np.int64) * DAY + np.floor(hour * 3600).astype(np.int64)


def renewals(
    rng: Random, first: Floats, gap: Floats, shape: Floats, *, until: float
) -> tuple[Ints, Floats]:
    """Times first, first + g1, first + g1 + g2 … before ``until``, with gamma gaps.

    Gives the row of ``first`` that each time belongs to, and the time, in days.
    """
    # Twice the expected number and eight more: falling short is rarer than one in 10^4.
    counts = (2.0 * np.maximum(until - first, 0.0) / gap + 8.0).astype(np.int64)
    row = np.repeat(np.arange(len(first)), counts)
    steps = rng.standard_gamma(shape[row]) * (gap / shape)[row]
    begins = np.cumsum(counts) - counts
    steps[begins] = 0.0
    passed = np.cumsum(steps)
    time = first[row] + passed - passed[begins][row]
    kept = time < until
    return row[kept], time[kept]


def join_next(
    customer: Ints, second: Ints, orders: pd.DataFrame, *, within_days: float
) -> tuple[Ints, Bools]:
    """The second of the same customer's next order, where one follows soon enough."""
    if orders.empty:
        return second, np.zeros(len(second), dtype=bool)
    keys = np.sort(_key(orders["customer"].to_numpy(), orders["second"].to_numpy()))
    wanted = _key(customer, second)
    found = keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)]
    near = (found >= wanted) & (found - wanted <= within_days * DAY)
    return np.where(near, second + found - wanted, second), near


def _key(customer: Ints, second: Ints) -> Ints:
    return customer * np.int64(2**34) + second
