"""From codes and seconds to the tables that people read.

Reads  rows, People and Catalogue of a finished simulation.
Gives  events, customers and truth with names, and times in UTC.
Never  a random number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..columns import EVENT_CODES, EVENTS, PURCHASE
from .catalogue import Catalogue
from .people import COUNTRIES, GROUPS, OBJECTIONS, People
from .rows import CHANNELS, DAY, KINDS, REASONS, Ints, Objects


@dataclass(frozen=True)
class Names:
    """Turns codes into ids and seconds into times."""

    catalogue: Catalogue
    n_customers: int
    start: pd.Timestamp

    def customer(self, code: ArrayLike) -> Objects:
        return _numbered("C", np.asarray(code) + 1, max(3, len(str(self.n_customers))))

    def item(self, code: ArrayLike) -> Objects:
        return _looked_up(self.catalogue.items["item_id"].tolist(), code)

    def time(self, second: ArrayLike) -> pd.DatetimeIndex:
        return self.start + pd.to_timedelta(np.asarray(second), unit="s").as_unit("us")


def events(names: Names, rows: pd.DataFrame) -> pd.DataFrame:
    """The log's events, in the order of time."""
    rows = rows.assign(order_id=_order_ids(rows))
    rows = rows.sort_values(["second", "customer", "event", "item"], kind="stable")
    second = rows["second"].to_numpy()
    return pd.DataFrame(
        {
            "customer_id": names.customer(rows["customer"]),
            "item_id": names.item(rows["item"]),
            "timestamp": names.time(second),
            "event": _looked_up(EVENTS, rows["event"]),
            "quantity": rows["quantity"].to_numpy(),
            "price": rows["price"].to_numpy(),
            "value": rows["value"].to_numpy(),
            "order_id": rows["order_id"].to_numpy(),
            "gift": rows["gift"].to_numpy(dtype=bool),
            "channel": _looked_up(CHANNELS, rows["channel"]),
            "reason": _looked_up(REASONS, rows["reason"]),
            "known_at": names.time(second + rows["known_after"].to_numpy()),
        }
    )


def customers(names: Names, people: People) -> pd.DataFrame:
    """What the shop knows of its customers, from the day they signed up."""
    return pd.DataFrame(
        {
            "customer_id": names.customer(np.arange(len(people))),
            "valid_from": names.time(people.signup_day * DAY),
            "country": _looked_up(COUNTRIES, people.country),
            "segment_hint": _looked_up(GROUPS, people.hint),
            "objects_to": _looked_up(OBJECTIONS, people.objection),
        }
    )


def customer_truth(
    names: Names, people: People, leave: Ints, angry: Ints, *, end: int
) -> pd.DataFrame:
    """Who left when and why, and what kind of customer it was."""
    left = leave < end
    genre = _looked_up(names.catalogue.genres, people.taste.argmax(axis=1))
    because = _looked_up(("own", "complaint"), np.where(left, leave == angry, -1))
    return pd.DataFrame(
        {
            "customer_id": names.customer(np.arange(len(people))),
            "signed_up": names.time(people.signup_day * DAY),
            "left": names.time(np.where(left, leave, 0)).where(left),
            "because": because,
            "group": _looked_up(GROUPS, people.group),
            "favourite": genre,
            "visit_gap_days": people.visit_gap_days.round(1),
            "ebook_share": people.ebook_share.round(2),
        }
    )


def accidental_truth(names: Names, rows: pd.DataFrame) -> pd.DataFrame:
    """The purchase lines that nobody meant to make, and whether they were undone."""
    order_id = pd.Series(_order_ids(rows), index=rows.index)
    known = dict(zip(rows["order"], order_id, strict=True))
    undone = rows["event"].isin([EVENT_CODES["return"], EVENT_CODES["cancel"]])
    sent_back = pd.MultiIndex.from_frame(rows.loc[undone, ["order", "item"]])
    made = (rows["event"] == EVENT_CODES[PURCHASE]) & (rows["kind"] > 0)
    lines = rows[made].sort_values(["second", "customer", "item"])
    return pd.DataFrame(
        {
            "customer_id": names.customer(lines["customer"]),
            "item_id": names.item(lines["item"]),
            "order_id": order_id[lines.index].to_numpy(),
            "timestamp": names.time(lines["second"]),
            "kind": _looked_up(KINDS, lines["kind"].astype(np.int64)),
            "repeats_order_id": lines["origin"].map(known).to_numpy(),
            "undone": pd.MultiIndex.from_frame(lines[["order", "item"]]).isin(sent_back),
        }
    )


def gap_truth(names: Names, habits: pd.DataFrame, last: NDArray[np.float64]) -> pd.DataFrame:
    """The true rhythm of each customer and item that is bought again and again."""
    habits = habits[habits["first_day"] * DAY < last[habits["customer"]]]
    habits = habits.sort_values(["customer", "item"])
    stopped = habits["stop_day"].to_numpy() * DAY < last[habits["customer"]]
    stop = np.where(stopped, habits["stop_day"].to_numpy(), 0.0) * DAY
    return pd.DataFrame(
        {
            "customer_id": names.customer(habits["customer"]),
            "item_id": names.item(habits["item"]),
            "mean_gap_days": habits["mean_gap_days"].to_numpy(),
            "gap_shape": habits["shape"].to_numpy(),
            "stopped": names.time(np.floor(stop).astype(np.int64)).where(stopped),
        }
    )


def _order_ids(rows: pd.DataFrame) -> Objects:
    """Orders are numbered in the order of time: O000001, O000002, …"""
    key, row = np.unique(rows["order"].to_numpy(), return_inverse=True)
    number = np.empty(len(key), dtype=np.int64)
    by_time = np.lexsort((key, key % 2**34))
    number[by_time] = np.arange(len(key))
    # Key -1 is no order at all; modulo makes it the latest, so that numbers begin at 0.
    ids = _numbered("O", number + 1, max(6, len(str(len(key)))))
    ids[key < 0] = None
    return ids[row]


def _numbered(letter: str, number: Ints, width: int) -> Objects:
    distinct, row = np.unique(number, return_inverse=True)
    # One Python step per id, not per event: ids are text, and NumPy cannot pad an empty array.
    text = [f"{letter}{one:0{width}d}" for one in distinct.tolist()]
    return np.array(text, dtype=object)[row]


def _looked_up(names: Sequence[str | None], code: ArrayLike) -> Objects:
    return np.array([*names, None], dtype=object)[np.asarray(code)]
