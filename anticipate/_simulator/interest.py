"""What customers look at, wish for, put aside and refuse; and what the shop sends them.

Reads  purchase lines, reading lists, People.
Gives  view, search, cart, wish, not_interested, warning_dismissed, contacted and club events.
Never  a purchase.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .catalogue import Catalogue
from .people import OBJECTIONS, People
from .purchases import ReadingLists
from .rows import (
    APP,
    EMAIL,
    SHOP,
    WANTED,
    WEB,
    Floats,
    Random,
    follow,
    make_rows,
    renewals,
    shop_hours,
)


def before_purchases(rng: Random, rows: pd.DataFrame) -> pd.DataFrame:
    """Looked at, searched, put into the cart: minutes to days before an order on line."""
    online = rows[rows["channel"].to_numpy() != SHOP]
    viewed, carted, searched = (online[rng.random(len(online)) < p] for p in (0.16, 0.16, 0.06))
    days_ahead = _minutes(rng, len(viewed), 3.0, 40.0) * np.where(
        rng.random(len(viewed)) < 0.5, 1.0, 120.0
    )
    search = follow("search", searched, -_minutes(rng, len(searched), 15.0, 60.0), item=-1)
    events = [
        follow("view", viewed, -days_ahead),
        follow("cart", carted, -_minutes(rng, len(carted), 0.5, 3.0)),
        search,
    ]
    return pd.concat(events).assign(order=-1)


def browsing(
    rng: Random, people: People, catalogue: Catalogue, lists: ReadingLists, books: pd.DataFrame
) -> pd.DataFrame:
    """Looks at books further down the own list: days before they are bought, if ever."""
    looked = books[rng.random(len(books)) < 0.32]
    customer, n = looked["customer"].to_numpy(), len(looked)
    item, _, _ = lists.at(customer, looked["place"].to_numpy() + rng.integers(0, 4, size=n))
    there = (item >= 0) & (looked["place"].to_numpy() >= 0)
    device = np.where(rng.random(n) < 0.6, WEB, APP)
    seen = looked.assign(item=item, order=-1, channel=device)[there]
    views = follow("view", seen, -1.0 - 16.0 * rng.random(len(seen)))
    draw = rng.random(len(views))
    shortly = _minutes(rng, len(views), 1.0, 4.0)
    wish, cart = draw < 0.16, (draw >= 0.16) & (draw < 0.28)
    later = [follow("wish", views[wish], shortly[wish]), follow("cart", views[cart], shortly[cart])]
    return pd.concat([views, *later, _refused(rng, people, catalogue, views)])


def _refused(
    rng: Random, people: People, catalogue: Catalogue, views: pd.DataFrame
) -> pd.DataFrame:
    # The shop shows something of the genre the customer likes least; the answer is no.
    shown = views[rng.random(len(views)) < 0.07]
    least = people.taste.argmin(axis=1)[shown["customer"].to_numpy()]
    order = np.argsort(catalogue.unit_genre[catalogue.work_unit], kind="stable")
    per_genre = len(order) // len(catalogue.genres)
    work = order[least * per_genre + rng.integers(0, per_genre, size=len(shown))]
    item = catalogue.print_item[work]
    return follow("not_interested", shown, _minutes(rng, len(shown), 5.0, 9.0), item=item)


def dismissed(rng: Random, rows: pd.DataFrame) -> pd.DataFrame:
    """The shop's simple duplicate check was waved away, mostly by those who meant it."""
    repeats = rows[rows["origin"].to_numpy() >= 0]
    chance = np.where(repeats["kind"].to_numpy() == WANTED, 0.4, 0.08)
    asked = repeats[(rng.random(len(repeats)) < chance) & (repeats["channel"] != SHOP).to_numpy()]
    return follow("warning_dismissed", asked, -_minutes(rng, len(asked), 0.3, 1.0)).assign(order=-1)


def letters(rng: Random, people: People, *, n_days: float) -> pd.DataFrame:
    """Mail from the shop, about one a year, to those who do not object."""
    allowed = np.isin(people.objection, [OBJECTIONS.index(None), OBJECTIONS.index("profiling")])
    customer = np.flatnonzero(allowed)
    stay = np.maximum(n_days - people.signup_day[customer], 0.0)
    letter = np.repeat(np.arange(len(customer)), rng.poisson(stay / 400.0))
    customer, stay = customer[letter], stay[letter]
    day: Floats = people.signup_day[customer] + rng.random(len(letter)) * stay
    return make_rows("contacted", customer, shop_hours(rng, day), channel=EMAIL)


def club(rng: Random, people: People, *, n_days: float) -> pd.DataFrame:
    """Half-year memberships: joined, renewed a few times, let go."""
    member = np.flatnonzero(rng.random(len(people)) < 0.16)
    first = people.signup_day[member] + 5.0 + 200.0 * rng.random(len(member))
    half_years = np.full(len(member), 182.5)
    row, day = renewals(rng, first, half_years, np.full(len(member), 1e6), until=n_days)
    term = np.arange(len(row)) - np.searchsorted(row, row)
    last = rng.geometric(0.25, size=len(member))[row]
    customer, second = member[row], shop_hours(rng, day)
    parts = [
        ("subscribe", term == 0),
        ("renew", (term > 0) & (term < last)),
        ("lapse", term == last),
    ]
    return pd.concat([make_rows(name, customer[on], second[on], channel=WEB) for name, on in parts])


def _minutes(rng: Random, n: int, low: float, high: float) -> Floats:
    return (low + (high - low) * rng.random(n)) / 1440.0
