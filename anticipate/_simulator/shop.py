"""The simulation from end to end: people, purchases, mistakes, what follows, who leaves.

Reads  its arguments only.
Gives  Frames: events, items and customers as a log takes them, and the truth.
Never  an event before a customer signed up, after the customer left, or at or past the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import aftermath, again, interest, purchases, tables
from .aftermath import KEPT
from .catalogue import Catalogue, make_catalogue
from .people import People, make_people
from .rows import APP, DAY, DOUBLE_SUBMIT, SHOP, Ints, Random
from .story import CUSTOMER, story_habit, story_people, story_rows

_PROMOTION = 0.85  # of the list price


@dataclass(frozen=True)
class Frames:
    """What a simulation gives, with the column names of an interaction log."""

    events: pd.DataFrame
    items: pd.DataFrame
    customers: pd.DataFrame
    truth: dict[str, pd.DataFrame]


def simulate(
    n_customers: int,
    *,
    start: pd.Timestamp,
    end: pd.Timestamp,
    random_state: int | np.random.Generator | None,
    story: bool,
) -> Frames:
    """Simulate the bookshop; arguments as in ``anticipate.datasets.make_log``."""
    n_days = (end - start) / pd.Timedelta(days=1)
    # One stream per stage: a change in one stage leaves the draws of the others alone.
    streams = np.random.default_rng(random_state).spawn(5)
    catalogue = make_catalogue()
    people = make_people(streams[0], n_customers, n_days, len(catalogue.genres))
    people = story_people(people, start=start) if story else people
    wanted, lists, habits = _wanted(streams[1], people, catalogue, start=start, n_days=n_days)
    bought, stopped = _with_mistakes(streams[2], wanted, people, catalogue)
    followed, still_open = _followed(streams[3], bought)
    looked = [
        interest.before_purchases(streams[4], bought),
        interest.browsing(streams[4], people, catalogue, lists, bought),
        interest.dismissed(streams[4], bought),
        interest.letters(streams[4], people, n_days=n_days),
        interest.club(streams[4], people, n_days=n_days),
    ]
    leave, angry = aftermath.leaving(streams[3], people, still_open)
    rows = pd.concat([bought, stopped, followed, *looked], ignore_index=True)
    rows = _cut(rows, people, leave, end=int(n_days * DAY))
    if story:
        rows = _without(rows, CUSTOMER, story_rows(catalogue, start=start))
        habits = _without(habits, CUSTOMER, story_habit(catalogue, start=start))
        leave[CUSTOMER] = angry[CUSTOMER] = np.iinfo(np.int64).max
    names = tables.Names(catalogue, n_customers, start)
    truth = {
        "customers": tables.customer_truth(names, people, leave, angry, end=int(n_days * DAY)),
        "accidental": tables.accidental_truth(names, rows),
        "gaps": tables.gap_truth(names, habits, np.minimum(leave, n_days * DAY)),
    }
    return Frames(
        tables.events(names, rows), catalogue.items, tables.customers(names, people), truth
    )


def _wanted(
    rng: Random, people: People, catalogue: Catalogue, *, start: pd.Timestamp, n_days: float
) -> tuple[pd.DataFrame, purchases.ReadingLists, pd.DataFrame]:
    # A few weeks more than asked for, so that the last days are like all others.
    longer = n_days + 40.0
    season = purchases.season_clock(start.day_of_year, int(longer) + 1)
    habits = purchases.goods_habits(rng, people, catalogue, n_days=longer)
    goods = again.slip_quantities(rng, purchases.goods_lines(rng, habits, n_days=longer))
    lists = purchases.reading_lists(rng, people, catalogue)
    books = purchases.book_lines(rng, people, lists, goods, season=season)
    gifts = purchases.gift_lines(
        rng, people, catalogue, first_day_of_year=start.day_of_year, n_days=longer
    )
    repeated = again.on_purpose(rng, books, catalogue)
    lines = pd.concat([goods, books, gifts, repeated], ignore_index=True)
    lines["origin"] = lines["origin"].fillna(-1).astype(np.int64)
    lines["quantity"] = lines["quantity"].fillna(1.0)
    return lines, lists, habits


def _with_mistakes(
    rng: Random, wanted: pd.DataFrame, people: People, catalogue: Catalogue
) -> tuple[pd.DataFrame, pd.DataFrame]:
    wanted = wanted.assign(fate=aftermath.fates(rng, wanted, people, catalogue))
    kept = wanted[(wanted["fate"] == KEPT) & ~wanted["gift"]]
    made, stopped = again.prevented(rng, again.mistakes(rng, kept, catalogue), 0.2)
    made = made.assign(fate=aftermath.fates(rng, made, people, catalogue))
    lines = pd.concat([wanted, made], ignore_index=True)
    lines = lines.drop_duplicates(["customer", "second", "item"], ignore_index=True)
    lines["order"] = again.order_key(lines)
    lines["channel"] = _channels(rng, people, catalogue, lines)
    promoted = np.where(rng.random(len(lines)) < 0.1, _PROMOTION, 1.0)
    lines["price"] = (catalogue.items["price"].to_numpy()[lines["item"]] * promoted).round(2)
    return lines, stopped


def _channels(rng: Random, people: People, catalogue: Catalogue, lines: pd.DataFrame) -> Ints:
    """Where each order is placed: e-books and double submits only happen on line."""
    order, first, row = np.unique(lines["order"], return_index=True, return_inverse=True)
    share = people.channel_share[lines["customer"].to_numpy()[first]].cumsum(axis=1)
    drawn = (rng.random(len(order))[:, None] > share[:, :2]).sum(axis=1)
    digital = np.isin(lines["item"], catalogue.ebook_item)
    twice = lines["kind"].to_numpy() == DOUBLE_SUBMIT
    origin = np.searchsorted(order, lines["origin"].to_numpy()[twice])
    drawn[np.isin(order, lines["order"][digital]) & (drawn == SHOP)] = APP
    drawn[origin] = np.where(drawn[origin] == SHOP, APP, drawn[origin])
    drawn[row[twice]] = drawn[origin]
    return drawn[row]


def _followed(rng: Random, bought: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    complaints, still_open = aftermath.complaints(rng, bought)
    parts = [
        aftermath.undo(rng, bought),
        aftermath.ratings(rng, bought),
        aftermath.contacts(rng, bought),
        complaints,
    ]
    return pd.concat(parts), still_open


def _cut(rows: pd.DataFrame, people: People, leave: Ints, *, end: int) -> pd.DataFrame:
    customer, second = rows["customer"].to_numpy(), rows["second"].to_numpy()
    here = (second > people.signup_day[customer] * DAY) & (second < leave[customer])
    return rows[here & (second < end)]


def _without(table: pd.DataFrame, customer: int, instead: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table[table["customer"] != customer], instead], ignore_index=True)
