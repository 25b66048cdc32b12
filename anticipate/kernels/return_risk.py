"""The risk that a line comes back: a few columns of item, cart and customer, and their sum.

Reads  cart lines and what was known of their customers, what items usually are.
Gives  one row of columns per line, and log-odds from them.
Never  a column that no model asked for: columns that weigh nothing are not made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import Events
from .owned import Lines
from .return_past import Kinds, Past, cart_counts, log_of_price

Array = NDArray[Any]
Floats = NDArray[np.float64]
FAR = 6.0  # standard deviations at which a column is cut off, so that no outlier decides alone
OWN_WEIGHT = 20.0  # lines of everybody that speak in a customer's own share of returns


class ItemReturns(NamedTuple):
    """What is known of items, (n_items + 1,); the last row speaks for items never seen."""

    share: Floats  # of its lines that came back, shrunken; within (0, 1)
    log_price: Floats  # mean log price per piece; NaN unknown
    log_quantity: Floats  # mean log pieces of a line


class RiskModel(NamedTuple):
    """Log-odds = intercept + sum of coefficients times standardised columns, all (k,)."""

    fill: Floats  # for NaN
    centre: Floats
    scale: Floats
    coefficient: Floats
    intercept: Floats  # (1,)


class LineFacts:
    """What columns and reasons are made of; every fact is (n_lines,), made when asked for.

    ``price`` is per piece, NaN unknown. Item codes past the tables are items never seen.
    """

    def __init__(
        self, events: Events, lines: Lines, price: Floats, *, items: ItemReturns, kinds: Kinds
    ) -> None:
        self.lines, self.items, self._events, self._kinds = lines, items, events, kinds
        self.row = np.minimum(lines.item, len(items.share) - 1)
        self.thing, self.category = kinds.things(lines.item), kinds.categories(lines.item)
        self._price = price

    @property
    def share(self) -> Floats:
        """The item's own."""
        return self.items.share[self.row]

    @property
    def whole(self) -> float:
        """Of all lines."""
        return float(self.items.share[-1])

    @cached_property
    def log_price(self) -> Floats:
        return log_of_price(self._price)

    @cached_property
    def log_quantity(self) -> Floats:
        return np.log(self.lines.quantity)

    @cached_property
    def counts(self) -> tuple[Array, Array, Array]:
        """In the cart: all lines, of the same thing, of the same category."""
        return cart_counts(self.lines, self.thing, self.category)

    @cached_property
    def past(self) -> Past:
        return Past(self._events, self.lines, self._kinds, thing=self.thing, category=self.category)

    @property
    def own_share(self) -> Floats:
        """Of the customer's past lines that came back, shrunken to that of all."""
        n_back, n = self.past.n_back, self.past.n_lines
        return (n_back + OWN_WEIGHT * self.whole) / (n + n_back + OWN_WEIGHT)


def log_odds(p: Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-p))


_OF_CART: dict[str, Callable[[LineFacts], Array]] = {
    "item_odds": lambda f: log_odds(f.share),
    "log_price": lambda f: f.log_price,
    "log_quantity": lambda f: f.log_quantity,
    "quantity_over_item": lambda f: f.log_quantity - f.items.log_quantity[f.row],
    "price_over_item": lambda f: f.log_price - f.items.log_price[f.row],
    "log_cart_lines": lambda f: np.log(f.counts[0]),
    "more_of_thing": lambda f: np.minimum(f.counts[1] - 1, 3),
    "more_of_category": lambda f: np.log(np.maximum(f.counts[2], 1)),
    "gift": lambda f: f.lines.gift,
}
_OF_HABIT: dict[str, Callable[[LineFacts], Array]] = {
    "first_purchase": lambda f: f.past.n_lines == 0,
    "log_past_lines": lambda f: np.log1p(f.past.n_lines),
    "price_over_habit": lambda f: f.log_price - f.past.log_price,
    "quantity_over_habit": lambda f: f.log_quantity - f.past.log_quantity,
    "first_of_category": lambda f: np.where(f.category < 0, np.nan, f.past.is_first_of_category),
    "log_thing_before": lambda f: np.log1p(f.past.n_thing),
}
_OF_RETURNS: dict[str, Callable[[LineFacts], Array]] = {
    "own_odds": lambda f: log_odds(f.own_share),
    "log_thing_sent_back": lambda f: np.log1p(f.past.n_thing_back),
}
_FORMULAS = {**_OF_CART, **_OF_HABIT, **_OF_RETURNS}
OF_CART, OF_HABIT = tuple(_OF_CART), tuple(_OF_HABIT)
COLUMNS = tuple(_FORMULAS)
_IN_ORDER = tuple(_FORMULAS.values())


def risk_columns(facts: LineFacts, used: Array | None = None) -> Floats:
    """(n, k): one row per line, one column per name in ``COLUMNS``, NaN unknown.

    ``used`` holds positions of the columns to make (None: all); the others are NaN.
    """
    columns = np.arange(len(COLUMNS)) if used is None else used
    X = np.full((len(COLUMNS), len(facts.row)), np.nan)
    X[columns] = _rows(facts, columns)
    return X.T


def columns_used(*models: RiskModel) -> Array:
    """Positions of the columns that weigh in any of them, at least one model."""
    weighs = models[0].coefficient != 0
    for model in models[1:]:
        weighs = weighs | (model.coefficient != 0)
    return weighs.nonzero()[0]


def risk_log_odds(model: RiskModel, X: Floats) -> Floats:
    """Log-odds of each row, (n,)."""
    compact = compact_model(model)
    return _sum(compact, X.T[compact.columns])


class CompactModel(NamedTuple):
    """A ``RiskModel`` without the columns that weigh nothing: (c, 1) but for two."""

    columns: Array  # (c,): positions in ``COLUMNS``
    fill: Floats
    centre: Floats
    scale: Floats
    coefficient: Floats
    intercept: float


def compact_model(model: RiskModel) -> CompactModel:
    """Only what weighs."""
    used = columns_used(model)
    return CompactModel(
        used,
        fill=model.fill[used, None],
        centre=model.centre[used, None],
        scale=model.scale[used, None],
        coefficient=model.coefficient[used, None],
        intercept=float(model.intercept[0]),
    )


def lines_log_odds(model: CompactModel, facts: LineFacts) -> Floats:
    """``risk_log_odds`` of the lines, (n,), without a column that weighs nothing."""
    return _sum(model, _rows(facts, model.columns))


def _rows(facts: LineFacts, columns: Array) -> Floats:
    rows = np.empty((len(columns), len(facts.row)))
    for place, column in enumerate(columns.tolist()):
        rows[place] = _IN_ORDER[column](facts)
    return rows


def _sum(model: CompactModel, raw: Floats) -> Floats:
    """Cumulated column by column: one order of addition for any n."""
    terms = np.empty((len(raw) + 1, raw.shape[1]))
    terms[0] = model.intercept
    column = (np.where(np.isnan(raw), model.fill, raw) - model.centre) / model.scale
    np.multiply(model.coefficient, np.minimum(np.maximum(column, -FAR), FAR), out=terms[1:])
    return np.asarray(np.add.accumulate(terms, axis=0)[-1])


def is_worth_saying(
    probability: Floats, share: Floats, threshold: float, least_lift: float
) -> NDArray[np.bool_]:
    """Lines of a chance from the threshold up that is well above the item's own share."""
    return np.asarray((probability >= threshold) & (probability >= least_lift * share))
