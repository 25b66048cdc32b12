"""What follows a purchase: returns, cancellations, ratings, questions, complaints, leaving.

Reads  purchase lines with their truth (``liked``, ``kind``).
Gives  more events, and the day each customer leaves.
Never  an event that does not hang on a purchase.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .catalogue import Catalogue
from .people import People
from .rows import (
    DAY,
    DOUBLE_SUBMIT,
    KINDS,
    QUANTITY_SLIP,
    REASON,
    SHOP,
    WANTED,
    Floats,
    Ints,
    Random,
    follow,
)

KEPT, RETURNED, CANCELLED = range(3)
# Chance that a line is sent back, or taken back before it is sent, by kind of mistake.
_RETURNED = np.array([0.0, 0.28, 0.52, 0.52, 0.75])
_CANCELLED = np.array([0.0, 0.50, 0.15, 0.12, 0.00])


def fates(rng: Random, rows: pd.DataFrame, people: People, catalogue: Catalogue) -> Ints:
    """Kept, returned or cancelled, per purchase line."""
    customer, kind = rows["customer"].to_numpy(), rows["kind"].to_numpy()
    disliked = ~rows["liked"].to_numpy(bool) & ~rows["gift"].to_numpy(bool)
    durable = catalogue.items["lifetime_days"].notna().to_numpy()[rows["item"]]
    eaten = catalogue.items["consumable"].to_numpy(bool)[rows["item"]]
    by_taste = np.where(eaten, 0.003, 0.012 + 0.20 * disliked + 0.05 * durable)
    by_taste = np.minimum(by_taste * np.where(people.returns_often[customer], 4.0, 1.0), 0.7)
    meant = kind == WANTED
    returned = np.where(meant, by_taste, _RETURNED[kind])
    cancelled = np.where(meant, np.where(eaten, 0.0, 0.010), _CANCELLED[kind])
    draw = rng.random(len(rows))
    return np.select([draw < cancelled, draw < cancelled + returned], [CANCELLED, RETURNED], KEPT)


def undo(rng: Random, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns within 30 days and cancellations within hours; both name the order."""
    in_shop = rows["channel"].to_numpy() == SHOP
    fate = rows["fate"].to_numpy()
    called_off = rows[(fate == CANCELLED) & ~in_shop]
    sent_back = rows[(fate == RETURNED) | ((fate == CANCELLED) & in_shop)]
    hours = 0.1 + 9.0 * rng.random(len(called_off))
    wait = np.where(sent_back["kind"] == WANTED, 3.0 + 26.0 * rng.random(len(sent_back)), 1.0)
    wait = wait + 9.0 * rng.random(len(sent_back)) * (wait == 1.0)
    # What is brought back to the shop is booked a day later.
    late = DAY * (rng.random(len(sent_back)) < np.where(sent_back["channel"] == SHOP, 0.8, 0.1))
    return pd.concat(
        [
            _undo("cancel", called_off, hours / 24.0, _why(rng, called_off)),
            _undo("return", sent_back, wait, _why(rng, sent_back)).assign(known_after=late),
        ]
    )


def _undo(event: str, rows: pd.DataFrame, delay: Floats, reason: Ints) -> pd.DataFrame:
    quantity = rows["quantity"].to_numpy()
    slipped = rows["kind"].to_numpy() == QUANTITY_SLIP
    quantity = np.where(slipped, 0.9 * quantity, quantity)  # nine of ten go back
    return follow(
        event, rows, delay, quantity=quantity, price=rows["price"].to_numpy(), reason=reason
    )


def _why(rng: Random, rows: pd.DataFrame) -> Ints:
    other = np.where(rng.random(len(rows)) < 0.5, REASON["changed_mind"], REASON["damaged"])
    kind, liked = rows["kind"].to_numpy(), rows["liked"].to_numpy(bool)
    reason = np.where((kind == WANTED) & ~liked, REASON["disliked"], other)
    reason = np.where(kind >= DOUBLE_SUBMIT, REASON["duplicate"], reason)
    return np.where(kind == KINDS.index("quantity_slip"), REASON["wrong_quantity"], reason)


def ratings(rng: Random, rows: pd.DataFrame) -> pd.DataFrame:
    """One to five, days after the purchase; the low ones follow a disliked book."""
    own = ~rows["gift"].to_numpy(bool) & (rows["kind"].to_numpy() == WANTED)
    told = rng.random(len(rows)) < np.where(rows["work"].to_numpy() >= 0, 0.24, 0.03)
    rated = rows[own & told & (rows["fate"].to_numpy() != CANCELLED)]
    n = len(rated)
    good, bad = 3.0 + rng.binomial(2, 0.72, size=n), 1.0 + rng.binomial(2, 0.3, size=n)
    value = np.where(rated["liked"].to_numpy(bool), good, bad)
    return follow("rating", rated, 3.0 + 40.0 * rng.random(n), value=value)


def contacts(rng: Random, rows: pd.DataFrame) -> pd.DataFrame:
    """Questions within a week of a purchase."""
    asked = rows[rng.random(len(rows)) < 0.04]
    topics = np.array([REASON[name] for name in ("order_status", "advice", "invoice", "account")])
    topic = rng.choice(topics, size=len(asked), p=(0.5, 0.2, 0.15, 0.15))
    return follow("contact", asked, 0.2 + 6.0 * rng.random(len(asked)), reason=topic)


def complaints(rng: Random, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Complaints and their resolution, and the complaints that stayed open."""
    chance = np.where(rows["kind"].to_numpy() == WANTED, 0.030, 0.10)
    about = rows[rng.random(len(rows)) < chance]
    topics = np.array([REASON[name] for name in ("late_delivery", "damaged", "wrong_item")])
    topic = rng.choice(topics, size=len(about), p=(0.5, 0.3, 0.2))
    topic = np.where(about["kind"].to_numpy() == WANTED, topic, REASON["billing"])
    made = follow("complaint", about, 1.0 + 6.0 * rng.random(len(about)), reason=topic)
    answered = rng.random(len(made)) < 0.66
    wait = 0.5 + 11.0 * rng.random(int(answered.sum()))
    return pd.concat([made, follow("resolved", made[answered], wait)]), made[~answered]


def leaving(rng: Random, people: People, still_open: pd.DataFrame) -> tuple[Ints, Ints]:
    """The second each customer leaves, and the second a complaint alone would have made it."""
    # A second, competing hazard: seven in ten open complaints end the relation within weeks.
    goes = still_open[rng.random(len(still_open)) < 0.7]
    second = goes["second"].to_numpy() + np.rint(
        (2.0 + 25.0 * rng.standard_exponential(len(goes))) * DAY
    ).astype(np.int64)
    angry = np.full(len(people), np.iinfo(np.int64).max)
    np.minimum.at(angry, goes["customer"].to_numpy(), second)
    own = np.minimum(people.leave_day, 1e7) * DAY  # whole seconds need a finite day
    return np.minimum(own.astype(np.int64), angry), angry
