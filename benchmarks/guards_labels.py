"""Nature's labels: a line bought again soon, of which one of the two was sent back.

Reads  a whole log: what came back after a line says what it was.
Gives  per purchase row: days since the same customer's same item, and whether it was undone.
Never  a line whose earlier one had come back before it: that is an order made anew.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from anticipate import InteractionLog
from anticipate.columns import EVENT_CODES, PURCHASE
from anticipate.kernels.returns import NEVER, match_returns

SOON_DAYS, UNDO_DAYS = 7.0, 30.0
DAY = 86_400_000_000
PAIR = ["customer", "item"]


def repeat_labels(log: InteractionLog) -> pd.DataFrame:
    """By ``row`` of ``log.events``: ``days`` (since the last, NaN none), ``repeats`` (that one was
    not undone before), ``undone`` (this line or that one, within 30 days after this line)."""
    events = log.events
    match = match_returns(events)
    rows = np.flatnonzero(events.event == EVENT_CODES[PURCHASE])
    whole = match.returned[rows] >= events.quantity[rows]
    return label_repeats(pd.DataFrame({
        "row": rows, "customer": events.customer[rows], "item": events.item[rows],
        "time": events.timestamp[rows],
        "back": np.where(whole, match.returned_at[rows], NEVER),
    }))  # fmt: skip


def label_repeats(lines: pd.DataFrame) -> pd.DataFrame:
    """As above, from ``row, customer, item, time`` and ``back`` (when all of it had come back, or
    NEVER), both in microseconds. Lines of an item at one instant are one purchase."""
    bought = lines.groupby([*PAIR, "time"], as_index=False, sort=True)["back"].min()
    earlier = bought.groupby(PAIR, sort=False)[["time", "back"]].shift(fill_value=-1)
    now, then = bought["time"].to_numpy(), earlier["time"].to_numpy()
    had = then >= 0
    then_back = np.where(had, earlier["back"].to_numpy(), NEVER)
    repeats = had & (then_back > now)
    until = now + np.int64(UNDO_DAYS * DAY)
    undone = (bought["back"].to_numpy() <= until) | (then_back <= until)
    days = np.where(had, (now - then) / DAY, np.nan)
    table = bought.assign(days=days, repeats=repeats, undone=repeats & undone)
    return lines[["row", *PAIR, "time"]].merge(
        table.drop(columns="back"), on=[*PAIR, "time"], how="left"
    )[["row", "days", "repeats", "undone"]]
