"""Mistakes put into real carts, one kind at a time, so that a catch has a price.

Reads  a log and a cutoff: the first cart of each known customer in the 30 days after it.
Gives  every real line (legitimate, also those later sent back) and one seeded mistake a cart.
Never  a quantity or price that gives a mistake away: both are the customer's own last ones.

    low     an owned item of the third that is least bought again (share of its buyers who bought
            it on two days or more before the cutoff; items of 5 buyers or more)
    any     an owned item, evenly over what is owned
    double  a line of the cart again, 1-10 minutes later
    other   another edition (same ``work_id``) of an owned item

Owned: bought before the cutoff, kept, no gift, no consumable, not worn out when the cart is made,
and not in the cart. The mistake stands at the cart's own instant, a double submit later.

    before = Before.at(read_log("online_retail"), "2011-08-01")
    lines = before.inject("low", seed=0)        # or injection_case(log, cutoff, kind, seed)
    score = my_score(lines, before.history)     # any vector: higher is more suspicious
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from guards_data import local

from anticipate import InteractionLog
from anticipate.evaluation.injection import INJECTED, first_carts
from anticipate.kernels.pairs import find_pairs
from anticipate.log import History
from anticipate.log.clock import to_timestamps
from anticipate.outcomes import label_outcomes

KINDS = ("low", "any", "double", "other")
NAMES = {"low": "already_owned", "any": "already_owned", "double": "double_submit",
         "other": "substitute_owned"}  # fmt: skip
DAYS = 30.0
FEWEST_BUYERS = 5
MOST_MINUTES = 10
LINE = ["customer_id", "item_id", "timestamp", "quantity", "price", "gift"]


class Before(NamedTuple):
    """Real carts after a cutoff, and what was known before it; made once, injected often."""

    history: History
    carts: pd.DataFrame  # LINE, and days (since this customer last bought the item; NaN never)
    owned: pd.DataFrame  # customer_id, item_id, quantity, price, at (kept, still in use or not)
    low: np.ndarray  # item ids

    @classmethod
    def at(cls, log: InteractionLog, cutoff: Any) -> Before:
        outcomes = label_outcomes(log, local(log, cutoff), DAYS)
        carts = first_carts(outcomes, within_days=DAYS, keep_undone=True)
        owned = kept_purchases(outcomes.history)
        low = least_repeated(outcomes.history)
        return cls(outcomes.history, with_days(carts, bought(outcomes.history)), owned, low)

    def inject(self, kind: str, seed: int) -> pd.DataFrame:
        """``LINE``, ``days``, ``injected_kind`` (None = real), ``owned`` (a true repeat)."""
        rng = np.random.default_rng([seed, KINDS.index(kind)])
        mistakes = self._doubles(rng) if kind == "double" else self._added(kind, rng)
        real = self.carts.assign(**{INJECTED: None})
        lines = pd.concat([real, mistakes.assign(**{INJECTED: NAMES[kind]})], ignore_index=True)
        lines = lines.sort_values(["customer_id", "timestamp"], kind="stable", ignore_index=True)
        return with_owned(lines, self.owned)

    def _doubles(self, rng: np.random.Generator) -> pd.DataFrame:
        own = self.carts[~self.carts["gift"].astype(bool)]
        chosen = one_a_customer(own, rng)
        minutes = rng.integers(1, MOST_MINUTES + 1, len(chosen))
        later = chosen["timestamp"] + pd.to_timedelta(minutes, unit="min").to_numpy()
        return chosen.assign(timestamp=later, days=minutes / 1440.0)

    def _added(self, kind: str, rng: np.random.Generator) -> pd.DataFrame:
        ends = self.carts.groupby("customer_id", as_index=False)["timestamp"].max()
        usable = self.owned.merge(ends, on="customer_id")
        usable = usable[still_used(usable, self.history.items)]
        if kind == "low":
            usable = usable[usable["item_id"].isin(self.low)]
        if kind == "other":
            usable = other_editions(usable, self.owned, self.history.items)
        in_cart = self.carts[["customer_id", "item_id"]].drop_duplicates()
        free = usable.merge(in_cart, how="left", indicator="where")
        chosen = one_a_customer(free[free["where"] == "left_only"], rng).assign(gift=False)
        days = (chosen["timestamp"] - chosen["at"]).dt.total_seconds() / 86_400.0
        days = np.nan if kind == "other" else days
        return chosen.assign(days=days)[[*LINE, "days"]]


def injection_case(log: InteractionLog, cutoff: Any, kind: str, seed: int) -> pd.DataFrame:
    """Lines to review with ``log.as_of(cutoff)``; see ``Before.inject``."""
    return Before.at(log, cutoff).inject(kind, seed)


def one_a_customer(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One row of each customer, each with the same chance, whatever the order of rows."""
    ordered = table.sort_values(["customer_id", "item_id"], kind="stable", ignore_index=True)
    shuffled = ordered.iloc[np.argsort(rng.random(len(ordered)), kind="stable")]
    return shuffled.drop_duplicates("customer_id").sort_index().reset_index(drop=True)


def bought(history: History, keep: np.ndarray | None = None) -> pd.DataFrame:
    """The last purchase of each customer and item: ``quantity, price, at``."""
    events = history.events if keep is None else history.events.take(keep)
    events = events.purchases()
    table = pd.DataFrame({
        "customer_id": history.customer_ids[events.customer],
        "item_id": history.item_ids[events.item],
        "quantity": events.quantity, "price": events.price,
        "at": to_timestamps(events.timestamp),
    })  # fmt: skip
    latest = table.sort_values("at", kind="stable")
    return latest.drop_duplicates(["customer_id", "item_id"], keep="last").reset_index(drop=True)


def kept_purchases(history: History) -> pd.DataFrame:
    """As ``bought``, without gifts and what was sent back."""
    events = history.events
    return bought(history, ~events.gift & (events.quantity > history.returns.returned))


def least_repeated(history: History, *, fewest: int = FEWEST_BUYERS) -> np.ndarray:
    """Items of the lowest third by share of repeat buyers; ties at the border are in."""
    pairs = find_pairs(history.purchases, history.n_items)
    buyers = np.bincount(pairs.item, minlength=history.n_items)
    again = np.bincount(pairs.item, weights=pairs.n_visits > 1, minlength=history.n_items)
    enough = np.flatnonzero(buyers >= fewest)
    share = again[enough] / buyers[enough]
    border = np.sort(share)[max(int(np.ceil(len(share) / 3)) - 1, 0)] if len(share) else 0.0
    return history.item_ids[enough[share <= border]]


def still_used(owned: pd.DataFrame, items: pd.DataFrame) -> np.ndarray:
    """No consumable, and not older than its lifetime at ``timestamp``."""
    known = items.reindex(owned["item_id"])
    used = np.ones(len(owned), dtype=bool)
    if "consumable" in known:
        used &= ~known["consumable"].fillna(False).astype(bool).to_numpy()
    if "lifetime_days" in known:
        age = (owned["timestamp"] - owned["at"]).dt.total_seconds().to_numpy() / 86_400.0
        lifetime = pd.to_numeric(known["lifetime_days"]).to_numpy(np.float64, na_value=np.nan)
        used &= ~(age >= lifetime)
    return used


def other_editions(usable: pd.DataFrame, owned: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Items of the same work that are not owned; pieces of the owned one, the item's price."""
    if "work_id" not in items:
        return usable.iloc[:0]
    works = items[["work_id", "price"]].dropna(subset="work_id").rename_axis("item_id")
    mine = usable.merge(works["work_id"].reset_index(), on="item_id")
    mine = mine.drop_duplicates(["customer_id", "work_id"]).drop(columns=["item_id", "price"])
    others = mine.merge(works.reset_index(), on="work_id")
    has = owned[["customer_id", "item_id"]]
    others = others.merge(has, how="left", indicator="where")
    return others[others["where"] == "left_only"].drop(columns=["where", "work_id"])


def with_days(carts: pd.DataFrame, last: pd.DataFrame) -> pd.DataFrame:
    """``days`` since this customer last bought the item before the cutoff."""
    seen = carts.merge(last[["customer_id", "item_id", "at"]], how="left")
    return carts.assign(days=(seen["timestamp"] - seen["at"]).dt.total_seconds() / 86_400.0)


def with_owned(lines: pd.DataFrame, owned: pd.DataFrame) -> pd.DataFrame:
    """``owned``: the customer had bought and kept the item before the cutoff."""
    pairs = owned[["customer_id", "item_id"]].assign(owned=True)
    found = lines.merge(pairs, on=["customer_id", "item_id"], how="left")["owned"]
    return lines.assign(owned=found.notna().to_numpy())
