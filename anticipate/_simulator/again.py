"""Buying a thing again that one already has: on purpose, or by mistake.

Reads  purchase lines made on purpose, and what became of them.
Gives  more purchase lines; ``kind`` says which mistake, ``origin`` the order it repeats.
Never  a line for something that was sent back: that is no longer owned.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .catalogue import Catalogue
from .rows import (
    ALREADY_OWNED,
    DAY,
    DOUBLE_SUBMIT,
    QUANTITY_SLIP,
    SUBSTITUTE_OWNED,
    WANTED,
    Ints,
    Random,
    follow,
    join_next,
)


def on_purpose(rng: Random, books: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """A liked book again as a present, a lost copy replaced, the other edition as well."""
    liked = books[books["liked"].to_numpy()]
    present = _sample(rng, liked, 0.035, days=(20.0, 300.0)).assign(gift=True)
    replaced = _sample(rng, books, 0.006, days=(30.0, 500.0))
    both = _other_edition(_sample(rng, liked, 0.010, days=(1.0, 400.0)), catalogue)
    return pd.concat([present, replaced, both], ignore_index=True).assign(kind=WANTED, place=-1)


def slip_quantities(rng: Random, goods: pd.DataFrame) -> pd.DataFrame:
    """Goods lines of which a few say ten where one was meant."""
    slipped = (rng.random(len(goods)) < 0.006) & goods["place"].eq(-1).to_numpy()
    quantity = goods["quantity"].to_numpy()
    return goods.assign(
        quantity=np.where(slipped, 10.0 * quantity, quantity),
        kind=np.where(slipped, QUANTITY_SLIP, goods["kind"].to_numpy()),
    )


def mistakes(rng: Random, kept: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Purchases that nobody meant to make, each a repetition of a line in ``kept``."""
    owned = kept[kept["place"].to_numpy() >= 0]
    twice = _sample(rng, kept, 0.012, days=(15.0 / DAY, 420.0 / DAY))
    same = _sample(rng, owned, 0.032, days=(35.0, 420.0))
    other = _other_edition(_sample(rng, owned, 0.042, days=(35.0, 420.0)), catalogue)
    forgotten = pd.concat([same.assign(kind=ALREADY_OWNED), other.assign(kind=SUBSTITUTE_OWNED)])
    forgotten = _beside_another_order(rng, forgotten, kept)
    rows = pd.concat([twice.assign(kind=DOUBLE_SUBMIT), forgotten], ignore_index=True)
    return rows.assign(place=-1)


def prevented(rng: Random, rows: pd.DataFrame, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the mistakes: those made, and the events where a warning came in time."""
    late = rows["kind"].to_numpy() != DOUBLE_SUBMIT
    caught = late & (rng.random(len(rows)) < share)
    stopped = rows[caught].assign(order=-1)
    moment = 1.0 / 1440.0 + np.zeros(len(stopped))
    cart = follow("cart", stopped, -moment)
    return rows[~caught], pd.concat([cart, follow("warning_accepted", stopped, 0.0 * moment)])


def _sample(
    rng: Random, rows: pd.DataFrame, share: float, *, days: tuple[float, float]
) -> pd.DataFrame:
    chosen = rows[rng.random(len(rows)) < share]
    low, high = days
    later = np.rint((low + (high - low) * rng.random(len(chosen))) * DAY).astype(np.int64)
    second = chosen["second"].to_numpy()
    return chosen.assign(second=second + later, origin=order_key(chosen))


def _other_edition(rows: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    work, item = rows["work"].to_numpy(), rows["item"].to_numpy()
    printed, digital = catalogue.print_item[work], catalogue.ebook_item[work]
    other = np.where(item == printed, digital, printed)
    return rows.assign(item=other)[(other >= 0) & np.isin(item, [printed, digital])]


def _beside_another_order(rng: Random, rows: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    customer, second = rows["customer"].to_numpy(), rows["second"].to_numpy()
    joined, near = join_next(customer, second, orders, within_days=40.0)
    return rows.assign(second=np.where(near & (rng.random(len(rows)) < 0.6), joined, second))


def order_key(rows: pd.DataFrame) -> Ints:
    """One number per order: what a customer buys in the same second is one order."""
    return rows["customer"].to_numpy() * np.int64(2**34) + rows["second"].to_numpy()
