"""Small logs that hold a bit of everything, so that a law is tried on everything.

Reads  a seed and sizes.
Gives  an ``InteractionLog`` with every kind of event, ties, identical lines, returns, late
       news, attributes that change, customers who never bought.
Never  the global random state, the clock.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from .. import columns as c
from .._checks import check_count
from ..log import InteractionLog

Array = NDArray[Any]
N_FAVOURITES = 4  # items that a customer buys again and again
MOST_REPEATS = 40
MINUTES = 1440  # of a day
# Events beside purchases: how many per purchase, whether they name an item, days after it.
OTHERS: dict[str, tuple[float, bool, float]] = {
    c.VIEW: (0.6, True, -0.2),
    c.CART: (0.3, True, -0.1),
    c.SEARCH: (0.1, False, -0.3),
    c.RETURN: (0.06, True, 6.0),
    c.CANCEL: (0.02, True, 0.1),
    c.RATING: (0.08, True, 9.0),
    c.WISH: (0.03, True, -5.0),
    c.NOT_INTERESTED: (0.02, True, 3.0),
    c.CONTACT: (0.03, False, 2.0),
    c.COMPLAINT: (0.02, False, 3.0),
    c.RESOLVED: (0.015, False, 8.0),
    c.WARNING_ACCEPTED: (0.01, True, -0.1),
    c.WARNING_DISMISSED: (0.01, True, -0.1),
    c.CONTACTED: (0.02, False, 20.0),
    c.SUBSCRIBE: (0.01, False, 1.0),
    c.RENEW: (0.01, False, 30.0),
    c.LAPSE: (0.005, False, 60.0),
}


def random_log(
    random_state: int = 0,
    *,
    n_customers: int = 40,
    n_items: int = 25,
    n_days: int = 400,
    start: str = "2024-01-01",
    timezone: str = "UTC",
    text_ids: bool = True,
) -> InteractionLog:
    """A seeded log of regular and irregular buyers with all that may happen around a purchase.

    Parameters
    ----------
    random_state : int
        The same seed gives the same log (with the same version of NumPy).
    n_customers, n_items : int (>= 2)
        A tenth of the customers, at least one, is listed but has no events.
    n_days : int, days (>= 2)
    start : str
        First day, in ``timezone``.
    timezone : str
        IANA name.
    text_ids : bool, default=True
        Ids like ``"C003"``; else whole numbers, sparse.

    Returns
    -------
    InteractionLog
        About 60 events per customer in 400 days. One event in six became known only later;
        one line in fifty stands twice. Items carry ``category, price, work_id, lifetime_days,
        consumable``, some from a day on; customers ``segment`` and ``objects_to``.

    Examples
    --------
    >>> log = random_log(0, n_customers=10)
    >>> log.n_events == random_log(0, n_customers=10).n_events
    True
    """
    rng = np.random.default_rng(random_state)
    sizes = [
        check_count("n_customers", n_customers, least=2),
        check_count("n_items", n_items, least=2),
    ]
    length = check_count("n_days", n_days, least=2)
    bought = _purchases(rng, sizes[0], sizes[1], length)
    around = _around(rng, bought[bought[c.EVENT] == c.PURCHASE], sizes[1])
    rows = pd.concat([bought, *around], ignore_index=True)
    rows = rows[(rows["day"] >= 0) & (rows["day"] < length)]
    first = pd.Timestamp(start)
    events = _named(rng, rows, first, text_ids)
    twice = events.sample(frac=0.02, random_state=random_state)
    return InteractionLog.from_frame(
        pd.concat([events, twice], ignore_index=True),
        **{name: name for name in c.LOG_COLUMNS if name != c.EVENT_ID},
        timezone=timezone,
        closed_until=first + pd.Timedelta(days=length),
        items=_items(rng, sizes[1], first, length, text_ids),
        customers=_customers(rng, sizes[0], first, length, text_ids),
    )


def _purchases(rng: Generator, n_customers: int, n_items: int, n_days: int) -> pd.DataFrame:
    """Food in gamma gaps until the customer leaves; books and tools in passing, mostly once."""
    n_buyers = max(1, n_customers - max(1, n_customers // 10))
    parts = [_regular(rng, n_buyers, n_items, n_days), _in_passing(rng, n_buyers, n_items, n_days)]
    bought = pd.concat(parts, ignore_index=True).assign(**{c.EVENT: c.PURCHASE})
    # Times fall on full hours, so that there are ties; orders are of one customer and one day.
    bought["day"] = np.floor(bought["day"]) + np.floor(rng.uniform(8, 20, len(bought))) / 24
    twice = bought[rng.random(len(bought)) < 0.02]
    slips = twice.assign(day=twice["day"] + 2 / MINUTES)  # the button was pressed twice
    undone = slips.assign(**{c.EVENT: c.CANCEL}, day=slips["day"] + 15 / MINUTES)
    rows = pd.concat([bought, slips, undone.iloc[::2]], ignore_index=True)
    return rows.assign(**{c.ORDER: rows[c.CUSTOMER] * 10_000 + np.floor(rows["day"])})


def _regular(rng: Generator, n_buyers: int, n_items: int, n_days: int) -> pd.DataFrame:
    pairs = n_buyers * N_FAVOURITES
    customer = np.repeat(np.arange(n_buyers), N_FAVOURITES)
    mean_gap = rng.uniform(12, 90, pairs)
    gaps = rng.gamma(3.0, (mean_gap / 3.0)[:, None], (pairs, MOST_REPEATS))
    day = rng.uniform(0, n_days / 2, pairs)[:, None] + np.cumsum(gaps, axis=1) - gaps[:, :1]
    leaves = rng.uniform(n_days / 3, 1.5 * n_days, n_buyers)[customer]
    kept = day < np.minimum(leaves, n_days)[:, None]
    n_foods = (n_items + 2) // 3
    food = 3 * (np.minimum(rng.geometric(min(1.0, 3.0 / n_foods), pairs), n_foods) - 1)
    columns = {c.CUSTOMER: customer, c.ITEM: food}
    table = {name: np.repeat(codes, kept.sum(axis=1)) for name, codes in columns.items()}
    return pd.DataFrame(table | {"day": day[kept]})


def _in_passing(rng: Generator, n_buyers: int, n_items: int, n_days: int) -> pd.DataFrame:
    n = 8 * n_buyers
    table = pd.DataFrame(
        {
            c.CUSTOMER: rng.integers(0, n_buyers, n),
            c.ITEM: rng.integers(0, n_items, n),
            "day": rng.uniform(0, n_days, n),
        }
    )
    again = table.duplicated([c.CUSTOMER, c.ITEM]) & (table[c.ITEM] % 3 > 0)
    return table[~again | (rng.random(n) < 0.2)]


def _around(rng: Generator, bought: pd.DataFrame, n_items: int) -> list[pd.DataFrame]:
    """What happens before and after some purchases."""
    parts = []
    for event, (share, names_item, days_after) in OTHERS.items():
        chosen = np.flatnonzero(rng.random(len(bought)) < share)
        rows = bought.iloc[chosen].assign(**{c.EVENT: event})
        rows["day"] += np.round(days_after * rng.uniform(0.2, 2.0, len(rows)) * 24) / 24
        if not names_item:
            rows[c.ITEM] = -1
        elif days_after < 0:  # one looks at more than one buys
            other = rng.integers(0, n_items, len(rows))
            rows[c.ITEM] = np.where(rng.random(len(rows)) < 0.5, rows[c.ITEM], other)
        if event not in (c.RETURN, c.CANCEL, c.RESOLVED):
            rows[c.ORDER] = -1
        parts.append(rows)
    return parts


def _named(rng: Generator, rows: pd.DataFrame, first: pd.Timestamp, text: bool) -> pd.DataFrame:
    """Events in the contract's columns; details are drawn for every row, kept where they fit."""
    n, event = len(rows), rows[c.EVENT]
    when = first + pd.to_timedelta(np.round(rows["day"] * MINUTES), unit="min")
    pieces = event.isin((c.PURCHASE, c.RETURN, c.CANCEL))
    late = np.where(rng.random(n) < 1 / 6, rng.integers(1, 240, n), 0)
    spoken = event.isin((c.CONTACT, c.COMPLAINT, c.RETURN))
    topics = rng.choice(["delivery", "quality", "size"], n)
    order = rows[c.ORDER].astype(int)
    return pd.DataFrame(
        {
            c.CUSTOMER: _ids("C", rows[c.CUSTOMER], text),
            c.ITEM: _ids("I", rows[c.ITEM], text),
            c.TIMESTAMP: when,
            c.EVENT: event,
            c.QUANTITY: np.where(pieces, rng.choice([1.0, 1.0, 1.0, 2.0, 6.0], n), np.nan),
            c.PRICE: np.where(
                pieces & (rng.random(n) < 0.9), rng.integers(100, 5000, n) / 100, np.nan
            ),
            c.VALUE: np.where(event == c.RATING, rng.integers(1, 6, n), np.nan),
            c.ORDER: _ids("O", order.where((order >= 0) & (rng.random(n) < 0.9), -1), text),
            c.GIFT: (event == c.PURCHASE) & (rng.random(n) < 0.05),
            c.CHANNEL: rng.choice(["app", "shop", "web"], n),
            c.REASON: pd.Series(topics, index=rows.index).where(spoken),
            c.KNOWN_AT: when + pd.to_timedelta(late, unit="h"),
        }
    )


def _ids(letter: str, codes: Any, text: bool) -> pd.Series[Any]:
    """Names of codes; none for -1."""
    codes = pd.Series(codes)
    if text:
        return (letter + codes.astype("string").str.zfill(3)).where(codes >= 0, None)
    return (codes * 7 + 1000).where(codes >= 0).astype("Int64")


def _items(rng: Generator, n: int, first: pd.Timestamp, n_days: int, text: bool) -> pd.DataFrame:
    """Every item from the start; a third of the prices change on a day in the second half."""
    code = np.arange(n)
    table = pd.DataFrame(
        {
            c.ITEM: _ids("I", code, text),
            c.CATEGORY: np.array(["food", "book", "tool"])[code % 3],
            c.PRICE: rng.integers(100, 5000, n) / 100,
            c.WORK: pd.Series([f"W{number // 6}" for number in code]).where(code % 3 == 1),
            c.LIFETIME_DAYS: np.where(code % 3 == 2, 365.0, np.nan),
            c.CONSUMABLE: code % 3 == 0,
            c.VALID_FROM: pd.NaT,
        }
    )
    return pd.concat([table, _later(rng, table.iloc[::3], first, n_days)], ignore_index=True)


def _customers(
    rng: Generator, n: int, first: pd.Timestamp, n_days: int, text: bool
) -> pd.DataFrame:
    """Everyone but every fifth is listed; one in ten objects to something; some change."""
    code = np.arange(n)
    objection = rng.choice([c.PROFILING, c.MARKETING, "app"], n)
    table = pd.DataFrame(
        {
            c.CUSTOMER: _ids("C", code, text),
            "segment": np.array(["new", "regular", "club"])[code % 3],
            c.OBJECTS_TO: pd.Series(objection).where(rng.random(n) < 0.1),
            c.VALID_FROM: pd.NaT,
        }
    )
    table = table[(code % 5 != 2) | (code == n - 1)]
    later = _later(rng, table.iloc[::4].assign(segment="club"), first, n_days)
    return pd.concat([table, later], ignore_index=True)


def _later(rng: Generator, rows: pd.DataFrame, first: pd.Timestamp, n_days: int) -> pd.DataFrame:
    day = np.floor(rng.uniform(n_days / 2, n_days, len(rows)))
    later = rows.assign(**{c.VALID_FROM: first + pd.to_timedelta(day, unit="D")})
    return later.assign(price=later[c.PRICE] * 1.1) if c.PRICE in later else later
