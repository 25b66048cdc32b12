"""Why an item is offered.

Reads  one offered row.
Gives  the reason's code and its facts.
Never  a fact of another customer.
"""

from __future__ import annotations

from typing import NamedTuple

from ..suggestions.reason import Fact
from .candidates import CART, NEWCOMER
from .instants import to_datetime
from .moment import Moment
from .names import item_name
from .session import BOUGHT, WISHED
from .store import Store

DAY = 86_400_000_000


class NeedRow(NamedTuple):
    """One offered item; times in microseconds UTC."""

    request: int
    item: int
    probability: float
    origin: int
    row: int
    as_of: int
    source: int  # as stored: of the reason, its fact and its item
    fact: float
    because: int
    n_visits: int  # of the customer's own purchases; 0: never bought
    first: int
    last: int
    last_row: int
    due: int


def code_and_facts(store: Store, moment: Moment, row: NeedRow) -> tuple[str, dict[str, Fact]]:
    """What one knows of it: of the customer's own purchases first, else as it was found."""
    name = item_name(store, moment, row.item)
    if row.n_visits:
        return _of_own(row, name)
    if row.origin == CART:
        return "goes_with_cart", {"item": name, "because": item_name(store, moment, row.row)}
    if row.origin == WISHED:
        return "wished", {"item": name, "since": to_datetime(row.row)}
    if row.origin in (NEWCOMER, BOUGHT):  # bought, and undone since
        return "newcomer", {"item": name}
    code = store.manifest["sources"][row.source]
    return _of_source(store, moment, row, code, name)


def _of_own(row: NeedRow, name: str) -> tuple[str, dict[str, Fact]]:
    since = round((row.as_of - row.last) / DAY, 1)
    if row.n_visits == 1:
        return "bought_before", {"item": name, "n_purchases": 1, "days_since_last": since}
    gap = round((row.last - row.first) / DAY / (row.n_visits - 1), 1)
    return "repeat", {"item": name, "gap_days": gap, "days_since_last": since}


def _of_source(
    store: Store, moment: Moment, row: NeedRow, code: str, name: str
) -> tuple[str, dict[str, Fact]]:
    """As the bundle's source says."""
    if code in ("goes_with", "follows"):
        return code, {"item": name, "because": item_name(store, moment, row.because)}
    if code in ("people_like_you", "group"):
        return code, {"item": name, "share_percent": round(100 * row.fact, 1)}
    if code == "category":
        return code, {"item": name, "n_purchases": int(row.fact)}
    if code == "wished":
        return code, {"item": name, "since": to_datetime(store.cutoff - round(row.fact * DAY))}
    if code == "popular":
        window = float(store.manifest["popular_window_days"])
        return code, {"item": name, "n_buyers": int(row.fact), "window_days": window}
    return "viewed" if code == "viewed" else "newcomer", {"item": name}
