"""A shop of coats in two sizes, of which the large one comes back; small logs and carts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from anticipate.log import InteractionLog

END = "2025-12-31"
ITEMS = pd.DataFrame({
    "item_id": ["coat-l", "coat-s", "mug", "sock"],
    "work_id": ["coat", "coat", None, None],
    "category": ["coats", "coats", "home", "home"],
})  # fmt: skip
PEOPLE = pd.DataFrame({"customer_id": ["c007"], "objects_to": ["profiling"]})


def small_log(rows, **options):
    """Rows, or text with a row per line; dates without a year are of 2025."""
    if isinstance(rows, str):
        rows = [[f"2025-{w}" if w[:2].isdigit() else w for w in r.split()] for r in rows.split("|")]
    columns = ["customer_id", "item_id", "timestamp", "event", "quantity", "price", "known_at"]
    table = pd.DataFrame(rows, columns=columns[: len(rows[0])])
    numbers = {name: float for name in ("quantity", "price") if name in table}
    named = {name: name for name in columns[3:] if name in table}
    options = {"timezone": "UTC", "closed_until": END, **named, **options}
    return InteractionLog.from_frame(table.astype(numbers), **options).as_of(END)


def coat_shop(seed=0, n_carts=4200):
    """Coats come back from 4 of 100 carts; where both sizes are in it, the large one from 85."""
    rng = np.random.default_rng(seed)
    rows = []
    for cart in range(n_carts):
        who, both = f"c{rng.integers(0, 150):03d}", rng.random() < 0.08
        at = pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(minutes=120 * cart)
        one = rng.choice(["coat-l", "coat-s", "mug", "sock"])
        for item in ["coat-l", "coat-s"] if both else [one]:
            rows.append((who, item, at, "purchase"))
            if rng.random() < (0.85 if both and item == "coat-l" else 0.04):
                rows.append((who, item, at + pd.Timedelta(days=3), "return"))
    return small_log(rows, items=ITEMS, customers=PEOPLE)


def remade(table):
    """The shop again, of these events."""
    rows = table[["customer_id", "item_id", "timestamp", "event"]].itertuples(index=False)
    return small_log(list(rows), items=ITEMS, customers=PEOPLE)


def cart_of(*lines, **columns):
    return pd.DataFrame(lines, columns=["customer_id", "item_id"]).assign(**columns)


BOTH = cart_of(("c001", "coat-l"), ("c001", "coat-s"), ("c002", "mug"), ("c007", "coat-l"))
