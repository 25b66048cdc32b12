"""Who the customers are: when they come, what they like, how long they stay.

Reads  the number of customers and of days.
Gives  one entry per customer in every array.
Never  an event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .rows import Bools, Floats, Ints, Random

GROUPS = ("habit", "reader", "gifter", "occasional")
_SHARE = (0.36, 0.34, 0.12, 0.18)
# Per group: days between visits for books, gifts a year, appetite for goods, mean stay in days.
_VISIT_GAP_DAYS = np.array([75.0, 30.0, 110.0, 120.0])
_GIFTS_A_YEAR = np.array([0.4, 0.7, 4.5, 0.3])
_APPETITE = np.array([1.9, 0.7, 0.4, 0.5])
_STAY_DAYS = np.array([1700.0, 1300.0, 1000.0, 350.0])
COUNTRIES = ("DE", "FR", "IE", "NL", "KR")
OBJECTIONS = (None, "profiling", "marketing", "email")


@dataclass(frozen=True)
class People:
    """The truth about each customer; days count from the start of the simulation."""

    signup_day: Ints
    group: Ints
    hint: Ints  # the shop's own guess at the group: right for about three in four
    country: Ints
    objection: Ints
    taste: Floats  # (n_customers, n_genres), rows sum to 1
    ebook_share: Floats
    visit_gap_days: Floats
    gifts_a_year: Floats
    appetite: Floats
    returns_often: Bools
    channel_share: Floats  # (n_customers, 3)
    leave_day: Floats  # without any complaint; may lie past the end

    def __len__(self) -> int:
        return len(self.signup_day)

    def changed(self, row: int, **values: float) -> People:
        """The same people, but for some values of one of them."""
        arrays = {name: getattr(self, name).copy() for name in values}
        for name, value in values.items():
            arrays[name][row] = value
        return replace(self, **arrays)


def make_people(rng: Random, n_customers: int, n_days: float, n_genres: int) -> People:
    """Draw the customers: a third come in the first two months, the others later."""
    n = n_customers
    group = rng.choice(len(GROUPS), size=n, p=_SHARE)
    early = rng.random(n) < 0.34
    signup = np.floor(rng.random(n) * np.where(early, min(60.0, n_days), 0.97 * n_days))
    taste = rng.standard_gamma(0.28, size=(n, n_genres)) + 0.004
    shift = rng.lognormal(0.0, 0.35, size=n)
    stay = rng.standard_exponential(n) * _STAY_DAYS[group]
    guessed = rng.choice(len(GROUPS), size=n, p=_SHARE)
    return People(
        signup_day=signup.astype(np.int64),
        group=group,
        hint=np.where(rng.random(n) < 0.65, group, guessed),
        country=rng.choice(len(COUNTRIES), size=n, p=(0.4, 0.2, 0.12, 0.18, 0.1)),
        objection=rng.choice(len(OBJECTIONS), size=n, p=(0.91, 0.03, 0.03, 0.03)),
        taste=taste / taste.sum(axis=1, keepdims=True),
        ebook_share=rng.beta(0.4, 0.7, size=n),
        visit_gap_days=_VISIT_GAP_DAYS[group] * shift,
        gifts_a_year=_GIFTS_A_YEAR[group],
        appetite=_APPETITE[group],
        returns_often=rng.random(n) < 0.08,
        channel_share=rng.dirichlet((1.2, 0.8, 0.5), size=n),
        leave_day=signup + stay,
    )
