"""Logs that the guard of duplicates is measured on, and where they are cut.

Reads  Online Retail, Complete Journey (categories known, or hidden), a simulated bookshop.
Gives  one log per name; cutoffs to tune on, and a last one that is only reported.
Never  a download: Complete Journey lies in a package, Online Retail in ``$ANTICIPATE_DATA``.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from complete_journey import read_orders, read_products
from guards_returns import online_retail

from anticipate import InteractionLog
from anticipate.datasets import make_log
from anticipate.guards.duplicates import DuplicateGuard
from anticipate.log import History

BOOKSHOP = {"n_customers": 12000, "random_state": 11}
CUTOFFS = {
    "online_retail": {"earlier": ("2011-06-15", "2011-08-01", "2011-09-15"),
                      "last": ("2011-10-25",)},
    "complete_journey": {"earlier": ("2017-06-01", "2017-08-01", "2017-09-15"),
                         "last": ("2017-11-01",)},
    "bookshop": {"earlier": ("2024-06-01", "2024-09-01", "2024-12-01"), "last": ("2025-04-01",)},
}  # fmt: skip
CUTOFFS["complete_journey_hidden"] = CUTOFFS["complete_journey"]
DATA = ("online_retail", "complete_journey", "complete_journey_hidden", "bookshop")


@cache
def _bookshop() -> tuple[InteractionLog, dict[str, pd.DataFrame]]:
    return make_log(**BOOKSHOP, return_truth=True)


@cache
def bookshop_with(per_1000: float) -> InteractionLog:
    """The same bookshop with mistakes as rare as this: the others, drawn by lot, never were.

    Nor were the answers to warnings of their items.
    """
    log, truth = _bookshop()
    events, history = log.to_pandas(), log.as_of(log.end)
    key = ["customer_id", "item_id", "order_id"]
    made = truth["accidental"][key]
    n_bought = int((events["event"] == "purchase").sum()) - len(made)
    kept = np.random.default_rng(0).random(len(made)) < per_1000 * n_bought / 1000.0 / len(made)
    gone = pd.MultiIndex.from_frame(events[key]).isin(pd.MultiIndex.from_frame(made[~kept]))
    answered = events["event"].isin(["warning_accepted", "warning_dismissed"])
    pairs = pd.MultiIndex.from_frame(made.loc[~kept, key[:2]])
    gone |= answered & pd.MultiIndex.from_frame(events[key[:2]]).isin(pairs)
    columns = ("event", "quantity", "price", "value", "order_id", "gift", "channel", "reason",
               "known_at")  # fmt: skip
    tables = {"items": history.items.rename_axis("item_id").reset_index(),
              "customers": history.customers.rename_axis("customer_id").reset_index()}  # fmt: skip
    return InteractionLog.from_frame(
        events[~gone], **{name: name for name in columns}, **tables, timezone="UTC",
        closed_until=log.closed_until,
    )  # fmt: skip


def known_mistakes(name: str, lines: pd.DataFrame) -> np.ndarray:
    """Real lines that the simulator made by mistake, bool (n,); elsewhere nobody knows any."""
    if name != "bookshop":
        return np.zeros(len(lines), dtype=bool)
    key = ["customer_id", "item_id", "timestamp"]
    made = pd.MultiIndex.from_frame(_bookshop()[1]["accidental"][key])
    return np.asarray(pd.MultiIndex.from_frame(lines[key]).isin(made))


@cache
def read_log(name: str) -> InteractionLog:
    if name == "online_retail":
        return online_retail()
    if name == "bookshop":
        return _bookshop()[0]
    return InteractionLog.from_frame(
        read_orders(), customer_id="household_id", item_id="product_id",
        timestamp="transaction_timestamp", quantity="quantity", amount="sales_value",
        order_id="basket_id", timezone="America/New_York", on_bad_rows="quarantine",
        items=read_products() if name == "complete_journey" else None,
    )  # fmt: skip


def cutoffs_of(name: str, which: str) -> list[str]:
    """``which``: earlier, last or all."""
    parts = ("earlier", "last") if which == "all" else (which,)
    return [cutoff for part in parts for cutoff in CUTOFFS[name][part]]


def local(log: InteractionLog, cutoff: Any) -> pd.Timestamp:
    """A naive cutoff as midnight of the log's timezone."""
    at = pd.Timestamp(cutoff)
    return at.tz_localize(log.timezone) if at.tzinfo is None else at


def fitted(history: History, **options: Any) -> DuplicateGuard:
    """The guard, without the sentences about scarce data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return DuplicateGuard(**options).fit(history)
