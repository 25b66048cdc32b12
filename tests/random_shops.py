"""Small logs of purchases, by hand and simulated, and a quiet fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from anticipate.churn import ChurnModel
from anticipate.exceptions import MinimumDataWarning
from anticipate.log import History, InteractionLog


def log_of(rows: list[tuple[Any, ...]], **options: Any) -> InteractionLog:
    """A log of (customer, day of 2025, event, price) rows; UTC, at noon."""
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "event", "price"])
    frame["timestamp"] = pd.Timestamp("2025-01-01T12:00") + pd.to_timedelta(frame.day, unit="D")
    frame["item_id"] = 1
    return InteractionLog.from_frame(
        frame.drop(columns="day"),
        event="event",
        price="price",
        timezone="UTC",
        closed_until="2026-12-31",
        **options,
    )


def bought(customer: int, *days: int, price: float = 10.0) -> list[tuple[Any, ...]]:
    return [(customer, day, "purchase", price) for day in days]


def day(number: int) -> pd.Timestamp:
    return pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(days=number)


def shop(n_customers: int = 600, seed: int = 0, **options: Any) -> InteractionLog:
    """Two years of a simulated shop: gamma rates, geometric dropout, prices; UTC."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(n_customers):
        when, rate, leaves = rng.uniform(0, 500), rng.gamma(2, 1 / 60), rng.beta(1, 5)
        level = rng.gamma(4, 5)
        while when < 730:
            rows.append((customer, when, level * rng.gamma(4, 0.25)))
            if rng.random() < leaves:
                break
            when += 1 + rng.exponential(1 / rate)
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "price"])
    start = pd.Timestamp("2023-01-01")
    frame["timestamp"] = start + pd.to_timedelta(frame.pop("day").round(4), unit="D")
    frame["item_id"] = rng.integers(0, 30, len(frame))
    return InteractionLog.from_frame(
        frame, price="price", timezone="UTC", closed_until="2025-01-01", **options
    )


def quick(history: History, **options: Any) -> ChurnModel:
    """A fit on few customers, whose warning is expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        return ChurnModel(**options).fit(history)
