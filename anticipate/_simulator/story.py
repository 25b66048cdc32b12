"""Customer C042, written by hand, so that the first example of the manual comes out true.

C042 reads science fiction on paper, buys coffee beans every 30 days, owns "Nineteen
Eighty-Four" on paper, and on 2025-03-01 puts the e-book of it into the cart. There was one
complaint, which was resolved. What happened next is known too: the e-book was bought and sent
back the day after, so a warning would have helped; the coffee followed on its day.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..columns import EVENT_CODES
from .again import order_key
from .catalogue import Catalogue
from .people import GROUPS, People
from .rows import CHANNELS, REASON, SUBSTITUTE_OWNED, WANTED, Ints, make_rows

CUSTOMER = 41  # C042
SIGNUP = "2023-09-10"
COFFEE = "K-coffee-beans"
COFFEE_GAP_DAYS = 30.0
# 30 days apart from 2023-09-10 on, but for these shifts; 2025-02-01 is the 18th, 2025-03-03 is due.
_SHIFT_DAYS = (0, 1, -1, 2, 0, -2, 1, 0, -1, 0, 2, -1, 0, 1, 0, -2, 0, 0, 0, 1, 0, -1)
# when, event, item, channel, then (where it matters) a rating's value or a topic; "gift" is one
_EVENTS = """
2023-09-10T10:41:00 purchase B-time-print shop
2023-11-12T16:20:10 view B-worlds-print web
2023-11-12T16:32:45 purchase B-worlds-print web
2023-12-08T19:05:00 rating B-worlds-print web 5
2024-01-27T11:15:30 purchase B-unseen-print web
2024-03-23T14:48:00 purchase B-franken-print shop
2024-05-25T12:08:20 purchase B-jekyll-print web
2024-06-01T18:30:00 complaint B-jekyll-print web damaged
2024-06-04T09:10:00 resolved B-jekyll-print web
2024-08-17T15:02:00 purchase B-moon-1-print shop
2024-09-20T20:11:00 rating B-moon-1-print web 3
2024-10-12T10:25:40 purchase B-mars-1-print web
2024-10-24T21:40:00 rating B-mars-1-print web 5
2024-11-13T20:02:10 view B-1984-print web
2024-11-14T18:30:00 cart B-1984-print web
2024-11-14T18:32:15 purchase B-1984-print web
2024-11-17T09:20:00 contact B-1984-print web order_status
2024-12-07T17:45:00 rating B-1984-print web 5
2024-12-12T13:10:30 purchase B-oz-1-print web gift
2025-01-18T11:55:20 purchase B-mars-2-print web
2025-02-09T20:30:00 rating B-mars-2-print web 5
2025-02-22T19:48:00 view B-mars-3-print web
2025-03-01T10:00:00 cart B-1984-ebook web
2025-03-01T10:04:30 purchase B-1984-ebook web
2025-03-02T08:15:00 return B-1984-ebook web duplicate
2025-03-15T11:20:00 purchase B-mars-3-print web
2025-05-17T16:05:00 purchase B-moon-2-print shop
"""


def story_people(people: People, *, start: pd.Timestamp) -> People:
    """The same people with C042 as the story wants: here from the start to the end."""
    signup = (pd.Timestamp(SIGNUP, tz="UTC") - start).days
    reader = GROUPS.index("reader")
    return people.changed(
        CUSTOMER, signup_day=signup, group=reader, hint=reader, objection=0, leave_day=np.inf
    )


def story_rows(catalogue: Catalogue, *, start: pd.Timestamp) -> pd.DataFrame:
    """Every event of C042."""
    lines = [line.split() for line in [*_coffee(), *_EVENTS.strip().splitlines()]]
    table = pd.DataFrame(
        [(*line, "")[:5] for line in lines], columns=["when", "event", "item", "channel", "more"]
    ).sort_values("when", kind="stable", ignore_index=True)
    since = pd.to_datetime(table["when"], utc=True) - start
    second = np.asarray(since // pd.Timedelta(seconds=1), dtype=np.int64)
    code = {name: number for number, name in enumerate(catalogue.items["item_id"])}
    item: Ints = table["item"].map(code).to_numpy(np.int64)
    rows = make_rows("purchase", np.full_like(item, CUSTOMER), second, item=item)
    bought = (table["event"] == "purchase").to_numpy()
    moved = bought | (table["event"] == "return").to_numpy()
    rows = rows.assign(
        event=table["event"].map(EVENT_CODES),
        channel=table["channel"].map(CHANNELS.index),
        quantity=np.where(moved, 1.0, np.nan),
        price=np.where(moved, catalogue.items["price"].to_numpy()[item], np.nan),
        gift=table["more"] == "gift",
        reason=table["more"].map(REASON).fillna(-1).astype(np.int64),
        value=pd.to_numeric(table["more"].where(table["event"] == "rating")),
        # What follows a purchase names its order; what comes before it names none.
        order=pd.Series(np.where(bought, order_key(rows), np.nan)).groupby(item).ffill(),
    )
    unmeant = bought & (table["item"] == "B-1984-ebook").to_numpy()
    origin = rows["order"][bought & (table["item"] == "B-1984-print").to_numpy()].iloc[0]
    return rows.assign(
        order=rows["order"].fillna(-1).astype(np.int64),
        kind=np.where(unmeant, SUBSTITUTE_OWNED, WANTED),
        origin=np.where(unmeant, origin, -1).astype(np.int64),
    )


def story_habit(catalogue: Catalogue, *, start: pd.Timestamp) -> pd.DataFrame:
    """The rhythm of C042's coffee, as the truth table wants it."""
    first = (pd.Timestamp(SIGNUP, tz="UTC") - start) / pd.Timedelta(days=1)
    habit = {"customer": CUSTOMER, "item": catalogue.code(COFFEE), "first_day": first}
    rhythm = {"mean_gap_days": COFFEE_GAP_DAYS, "shape": 200.0, "stop_day": np.inf, "pieces": 1.0}
    return pd.DataFrame([{**habit, **rhythm}])


def _coffee() -> list[str]:
    days = np.arange(len(_SHIFT_DAYS)) * int(COFFEE_GAP_DAYS) + np.array(_SHIFT_DAYS)
    dates = pd.Timestamp(SIGNUP) + pd.to_timedelta(days, unit="D")
    return [f"{date:%Y-%m-%d}T10:41:00 purchase {COFFEE} shop" for date in dates]
