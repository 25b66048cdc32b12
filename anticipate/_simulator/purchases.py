"""What customers buy on purpose: books along their taste, goods in their rhythm, gifts.

Reads  People and Catalogue.
Gives  one row per purchase line, with the truth columns ``work``, ``liked`` and ``kind``.
Never  a mistake, a return, or the end of a customer: those come later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .catalogue import Catalogue
from .people import People
from .rows import (
    DAY,
    WANTED,
    Bools,
    Floats,
    Ints,
    Random,
    join_next,
    make_rows,
    renewals,
    shop_hours,
)

_CONTINUES = 0.85  # goes on to the next volume after one that was liked
_TAKES_BOX = 0.06


@dataclass(frozen=True)
class ReadingLists:
    """The books each customer will buy, in their order; -1 after the last."""

    item: Ints  # (n_customers, n_works)
    work: Ints  # (n_customers, n_works)
    liked: Bools  # (n_customers, n_works)

    def at(self, customer: Ints, place: Ints) -> tuple[Ints, Ints, Bools]:
        """Item, work and liking at a place of a customer's list; -1 past its end."""
        inside = np.minimum(place, self.item.shape[1] - 1)
        item = np.where(place < self.item.shape[1], self.item[customer, inside], -1)
        return item, self.work[customer, inside], self.liked[customer, inside]


def reading_lists(rng: Random, people: People, catalogue: Catalogue) -> ReadingLists:
    """Draw the reading lists: units by taste and popularity, volumes in their order."""
    n, unit = len(people), catalogue.work_unit
    weight = people.taste[:, catalogue.unit_genre] * catalogue.unit_weight
    # Sampling without replacement by Gumbel keys: Yellott, J. Math. Psychology 15, 1977.
    order = np.argsort(-(np.log(weight) + rng.gumbel(size=weight.shape)), axis=1)
    place = np.argsort(order, axis=1) + 1.5 * rng.random(order.shape)
    favour = people.taste / people.taste.max(axis=1, keepdims=True)
    liked = rng.random((n, len(unit))) < 0.6 + 0.32 * favour[:, catalogue.unit_genre[unit]]
    box = (rng.random(place.shape) < _TAKES_BOX) & (catalogue.unit_box >= 0)
    key = place[:, unit] + 0.8 * catalogue.work_volume
    key[~_is_read(rng, liked, box, catalogue)] = np.inf
    item = np.where(box[:, unit], catalogue.unit_box[unit], _editions(rng, people, catalogue))
    ranks = np.argsort(key, axis=1, kind="stable")
    item[np.isinf(key)] = -1
    return ReadingLists(
        *(np.take_along_axis(a, ranks, axis=1) for a in (item, _works(n, unit), liked))
    )


def _works(n_customers: int, unit: Ints) -> Ints:
    return np.broadcast_to(np.arange(len(unit)), (n_customers, len(unit)))


def _is_read(rng: Random, liked: Bools, box: Bools, catalogue: Catalogue) -> Bools:
    goes_on = liked & (rng.random(liked.shape) < _CONTINUES)
    read = np.ones_like(liked)
    for volume in (1, 2):
        works = np.flatnonzero(catalogue.work_volume == volume)
        alone = ~box[:, catalogue.work_unit[works]]
        read[:, works] = read[:, works - 1] & goes_on[:, works - 1] & alone
    return read


def _editions(rng: Random, people: People, catalogue: Catalogue) -> Ints:
    digital = rng.random((len(people), len(catalogue.print_item))) < people.ebook_share[:, None]
    digital &= catalogue.ebook_item >= 0
    return np.where(digital, catalogue.ebook_item, catalogue.print_item)


def book_lines(
    rng: Random, people: People, lists: ReadingLists, goods: pd.DataFrame, *, season: Floats
) -> pd.DataFrame:
    """Visits for books, one to three at a time; some join a purchase of goods."""
    customer, second = _visits(rng, people, season)
    joined, near = join_next(customer, second, goods, within_days=6.0)
    second = np.where(near & (rng.random(len(second)) < 0.6), joined, second)
    visit = np.repeat(np.arange(len(second)), 1 + rng.binomial(2, 0.18, size=len(second)))
    visit = visit[np.lexsort((second[visit], customer[visit]))]
    customer, second = customer[visit], second[visit]
    begins = np.searchsorted(customer, np.arange(len(people)))
    place = np.arange(len(customer)) - begins[customer]
    item, work, liked = lists.at(customer, place)
    rows = make_rows("purchase", customer, second, item=item)
    return rows.assign(work=work, liked=liked, kind=WANTED, place=place)[item >= 0]


def _visits(rng: Random, people: People, season: Floats) -> tuple[Ints, Ints]:
    # Renewals run on a clock that goes faster in December; ``season`` is that clock by day.
    day = np.arange(len(season), dtype=float)
    first = np.interp(people.signup_day + rng.random(len(people)), day, season)
    shape = np.full(len(people), 1.3)
    customer, time = renewals(rng, first, people.visit_gap_days, shape, until=season[-1])
    second = shop_hours(rng, np.interp(time, season, day))
    return customer, np.maximum(second, people.signup_day[customer] * DAY + 60)


def season_clock(first_day_of_year: int, n_days: int) -> Floats:
    """Days passed on the season's clock: up to a fifth faster around mid-December."""
    angle = 2.0 * np.pi * (first_day_of_year + np.arange(n_days) - 350.0) / 365.25
    return np.concatenate([[0.0], np.cumsum(1.0 + 0.2 * np.cos(angle))])


def goods_habits(
    rng: Random, people: People, catalogue: Catalogue, *, n_days: float
) -> pd.DataFrame:
    """Who buys which goods in what rhythm: the true mean gap per customer and item."""
    is_durable = catalogue.items["lifetime_days"].notna().to_numpy()[catalogue.goods_item]
    appetite = np.where(is_durable, 1.0, people.appetite[:, None])
    chance = np.minimum(catalogue.goods_share * appetite, 0.9)
    customer, good = np.nonzero(rng.random(chance.shape) < chance)
    n, durable = len(customer), is_durable[good]
    gap = catalogue.goods_gap_days[good] * rng.lognormal(0.0, np.where(durable, 0.1, 0.35))
    wait = rng.random(n) * np.where(durable, 500.0, 1.2 * gap)
    first = people.signup_day[customer] + wait
    stop = first + np.where(durable, np.inf, 900.0 * rng.standard_exponential(n))
    return pd.DataFrame(
        {
            "customer": customer,
            "item": catalogue.goods_item[good],
            "mean_gap_days": gap.round(2),
            "shape": np.where(durable, 14.0, 5.0 + 20.0 * rng.random(n)).round(2),
            "first_day": first,
            "stop_day": np.where(stop < n_days, stop, np.inf),
            "pieces": np.where(~durable & (rng.random(n) < 0.14), 2.0, 1.0),
        }
    )


def goods_lines(rng: Random, habits: pd.DataFrame, *, n_days: float) -> pd.DataFrame:
    """Purchases of consumables and durables."""
    first, gap, shape, stop = (
        habits[name].to_numpy() for name in ("first_day", "mean_gap_days", "shape", "stop_day")
    )
    habit, day = renewals(rng, first, gap, shape, until=n_days)
    habit, day = habit[day < stop[habit]], day[day < stop[habit]]
    pieces = habits["pieces"].to_numpy()[habit]
    customer, item = habits["customer"].to_numpy()[habit], habits["item"].to_numpy()[habit]
    rows = make_rows("purchase", customer, shop_hours(rng, day), item=item, quantity=pieces)
    return rows.assign(work=-1, liked=True, kind=WANTED, place=-1)


def gift_lines(
    rng: Random, people: People, catalogue: Catalogue, *, first_day_of_year: int, n_days: float
) -> pd.DataFrame:
    """Presents: a popular first volume, a third of them in December."""
    left = np.maximum(n_days - people.signup_day, 0.0)
    customer = np.repeat(np.arange(len(people)), rng.poisson(people.gifts_a_year / 365.25 * left))
    day = people.signup_day[customer] + rng.random(len(customer)) * left[customer]
    to_december = 338.0 + 18.0 * rng.random(len(day)) - (first_day_of_year + day) % 365.25
    day = day + np.where(rng.random(len(day)) < 0.35, to_december, 0.0)
    weight = catalogue.unit_weight[catalogue.work_unit] * (catalogue.work_volume == 0)
    work = rng.choice(len(weight), size=len(day), p=weight / weight.sum())
    item = catalogue.print_item[work]
    rows = make_rows("purchase", customer, shop_hours(rng, day), item=item, gift=True)
    return rows.assign(work=work, liked=True, kind=WANTED, place=-1)[
        day > people.signup_day[customer]
    ]
