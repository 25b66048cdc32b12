"""Seeded random logs with every kind of event, many ties and missing values, for law tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from anticipate import columns as c
from anticipate.log import History, InteractionLog

KINDS = (
    c.PURCHASE, c.VIEW, c.CART, c.RETURN, c.CANCEL, c.CONTACT, c.COMPLAINT, c.RESOLVED, c.RATING,
    c.WISH, c.WARNING_DISMISSED,
)  # fmt: skip
FIRST = pd.Timestamp("2024-01-01", tz="UTC")


def random_frame(seed: int, *, n: int = 400, n_customers: int = 12, n_items: int = 6):
    """Events within 400 days, a third of them at one of 40 instants that are often shared."""
    rng = np.random.default_rng(seed)
    minutes = rng.integers(0, 400 * 1440, n)
    minutes[::3] = rng.choice(minutes[:40], len(minutes[::3]))
    kind = rng.choice(KINDS, n, p=[0.5, *[0.05] * 10])
    item = rng.integers(0, n_items, n).astype(object)
    optional = np.isin(kind, list(c.ITEM_OPTIONAL)) & (rng.random(n) < 0.5)
    item[optional] = None
    order = rng.integers(0, 5, n).astype(object)
    order[rng.random(n) < 0.5] = None
    return pd.DataFrame(
        {
            c.CUSTOMER: rng.integers(0, n_customers, n),
            c.ITEM: pd.Series(item).astype("Int64"),
            c.TIMESTAMP: FIRST + pd.to_timedelta(minutes, unit="min"),
            c.EVENT: kind,
            c.QUANTITY: rng.integers(1, 4, n).astype(float),
            c.PRICE: np.where(rng.random(n) < 0.2, np.nan, rng.integers(1, 2000, n) / 100),
            c.VALUE: np.where(kind == c.RATING, rng.integers(1, 6, n), np.nan),
            c.ORDER: pd.Series(order).astype("Int64"),
        }
    )


def make_log(frame: pd.DataFrame, **options) -> InteractionLog:
    names = (c.EVENT, c.QUANTITY, c.PRICE, c.VALUE, "order_id")
    given = {name: name for name in names if name in frame}
    return InteractionLog.from_frame(
        frame, **given, **({"timezone": "UTC", "closed_until": "2026-01-01"} | options)
    )


def random_items(n_items: int = 6) -> pd.DataFrame:
    return pd.DataFrame({c.ITEM: range(n_items), c.CATEGORY: ["a", "b", None, "a", "b", "c"]})


def random_history(seed: int, cutoff: str = "2024-12-01T12:00", **options) -> History:
    log = make_log(random_frame(seed, **options), items=random_items())
    return log.as_of(cutoff)
