"""Wanted again, or forgotten? Log-odds that a line of an owned item is a mistake.

Reads  what is owned, the customer's habits, the rest of the cart, tables by item.
Gives  one row of columns per line, and an additive score: one broken line per column.
Never  the line's own outcome; an interaction that one could not plot.
Source telling real repeats from draws of what was owned, by logistic regression, estimates the
       ratio of the two: Gutmann and Hyvarinen, Noise-contrastive estimation, AISTATS 2010.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .habits import Habits, Rest
from .owned import Owned

Array = NDArray[Any]
Floats = NDArray[np.float64]
COLUMNS = (
    "law_rate", "age_days", "n_visits", "age_over_lifetime",
    "item_again_rate", "item_repeat_share", "item_recent", "item_buyers",
    "own_repeats", "n_owned", "days_since_cart", "cart_repeats", "cart_lines",
)  # fmt: skip
RARELY = 1e-9  # purchases a day below which rates are not told apart
NO_LIFETIME = -5.0  # in the column of log(age / lifetime), where none is known


class RepeatItems(NamedTuple):
    """By item, (n_items + 1,); the last row speaks for items never seen."""

    again_log_rate: Floats  # of visits per day since the first, item to category to whole
    repeat_log_odds: Floats  # of the share of buyers who bought it on two days or more
    log_recent: Floats  # lines in the last weeks
    log_buyers: Floats  # of 1 + buyers

    @classmethod
    def from_mapping(cls, arrays: Mapping[str, Array]) -> RepeatItems:
        return cls(*(arrays[name] for name in cls._fields))


class RepeatModel(NamedTuple):
    """One broken line per column: values at knots, constant beyond them."""

    knots: Floats  # (k, p), ascending
    values: Floats  # (k, p), log-odds
    intercept: Floats  # (1,)

    @classmethod
    def from_mapping(cls, arrays: Mapping[str, Array], kind: str) -> RepeatModel:
        """Inverse of ``to_mapping``."""
        return cls(*(np.asarray(arrays[f"{kind}_{name}"]) for name in cls._fields))

    def to_mapping(self, kind: str) -> dict[str, Array]:
        """Plain arrays, their names begun with ``kind``."""
        return {f"{kind}_{name}": column for name, column in self._asdict().items()}


def repeat_columns(
    own: Owned,
    habits: Habits,
    rest: Rest,
    row: Array,
    *,
    items: RepeatItems,
    rate: Floats,
    lifetime: Floats,
) -> Floats:
    """``COLUMNS`` by line, (k, n); ``rate`` is the law's, ``row`` the item's."""
    age = np.maximum(own.open_days, 0.0) + 0.5
    days = habits.days_since_cart
    X = np.empty((len(COLUMNS), len(row)))
    raw = (
        np.maximum(rate, RARELY), age, own.n_visits, age / lifetime,
        (habits.n_repeats + 1.0) / (habits.n_later - habits.n_repeats + 2.0),
        habits.n_owned + 1.0, np.where(np.isnan(days), 1.0, days + 1.0),
        (rest.n_owned + 0.5) / (rest.n_lines - rest.n_owned + 1.0), rest.n_lines + 1.0,
    )  # fmt: skip
    for place, column in zip((0, 1, 2, 3, 8, 9, 10, 11, 12), raw, strict=True):
        X[place] = column
    for place, column in enumerate(items, start=4):
        X[place] = column[row]
    np.log(X[:4], out=X[:4])
    np.log(X[8:], out=X[8:])
    X[3] = np.where(np.isnan(X[3]), NO_LIFETIME, X[3])
    return X


def repeat_log_odds(model: RepeatModel, X: Floats) -> Floats:
    """Log-odds of mistake over wish at one mistake per unit of exposure, (n,)."""
    total = np.full(X.shape[1], model.intercept[0])
    for column, knots, values in zip(X, model.knots, model.values, strict=True):
        total += np.interp(column, knots, values)
    return total


def by_law_alone() -> RepeatModel:
    """Minus the log of the law's rate: with mistakes a day owned, P = r / (r + w)."""
    knots = np.tile([-25.0, 25.0], (len(COLUMNS), 1))
    values = np.zeros_like(knots)
    values[COLUMNS.index("law_rate")] = -knots[0]
    return RepeatModel(knots, values, np.zeros(1))
