"""Small logs of contracts, by hand and simulated, and a quiet fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from anticipate.churn.contracts.hazard import ContractHazard
from anticipate.exceptions import MinimumDataWarning
from anticipate.log import History, InteractionLog

START = pd.Timestamp("2025-01-01")
Row = tuple[Any, ...]


def log_of(rows: list[Row], ends: list[Row] | None = None, **options: Any) -> InteractionLog:
    """Rows (customer, day, event) and stated ends (customer, end day, valid-from day); UTC."""
    events = pd.DataFrame(rows, columns=["customer_id", "day", "event"])
    events["timestamp"] = START + pd.to_timedelta(events.pop("day"), unit="D")
    events["item_id"] = 1
    if ends:
        table = pd.DataFrame(ends, columns=["customer_id", "contract_end", "valid_from"])
        for name in ("contract_end", "valid_from"):
            table[name] = START + pd.to_timedelta(table[name], unit="D")
        options["customers"] = table
    options = {"timezone": "UTC", "closed_until": START + pd.Timedelta(days=1000)} | options
    return InteractionLog.from_frame(events, event="event", **options)


def day(number: float) -> pd.Timestamp:
    return (START + pd.Timedelta(days=number)).tz_localize("UTC")


def quick(history: History, **options: Any) -> ContractHazard:
    """A fit on few contracts, whose warning is expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        return ContractHazard(**{"horizon_days": 60, "random_state": 0, **options}).fit(history)


def gym(n: int = 400, seed: int = 0) -> InteractionLog:
    """Terms of 90 days, ends stated: who visits renews with .95, who does not with .4."""
    rng = np.random.default_rng(seed)
    rows, ends = [], []
    for customer in range(n):
        began, visits = rng.uniform(0, 650), rng.random() < 0.6
        rows.append((customer, began, "subscribe"))
        ends.append((customer, began + 90, began))
        while began < 730:
            if visits:
                rows += [(customer, began + at, "view") for at in rng.uniform(1, 89, 9)]
            began += 90
            if rng.random() > (0.95 if visits else 0.4):
                break
            rows.append((customer, began, "renew"))
            ends.append((customer, began + 90, began))
    rows = [row for row in rows if row[1] < 730]
    return log_of(rows, ends, closed_until=START + pd.Timedelta(days=730))
