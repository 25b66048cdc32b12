"""The risk that a line comes back: a few columns of item, cart and customer, and their sum.

Reads  events of whole customers, cart lines, what items usually are.
Gives  one row of columns per line, and log-odds from them.
Never  an event that was not known before the line's own instant; a float sum over a customer's
       past: logarithms are kept as whole millionths, so that their sums are exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import PURCHASE_CODE, Events
from .owned import Lines
from .returns import CANCEL_CODE, RETURN_CODE

Array = NDArray[Any]
Floats = NDArray[np.float64]
DAY, MILLIONTHS = 86_400_000_000, 1e6
FAR = 6.0  # standard deviations at which a column is cut off, so that no outlier decides alone
OWN_WEIGHT = 20.0  # lines of everybody that speak in a customer's own share of returns

OF_CART = (
    "item_odds", "log_price", "log_quantity", "quantity_over_item", "price_over_item",
    "log_cart_lines", "more_of_thing", "more_of_category", "gift",
)  # fmt: skip
OF_HABIT = (
    "first_purchase", "log_past_lines", "price_over_habit", "quantity_over_habit",
    "first_of_category", "log_thing_before",
)  # fmt: skip
OF_RETURNS = ("own_odds", "log_thing_sent_back")
COLUMNS = (*OF_CART, *OF_HABIT, *OF_RETURNS)


class ItemReturns(NamedTuple):
    """What is known of items, (n_items + 1,); the last row speaks for items never seen."""

    share: Floats  # of its lines that came back, shrunken; within (0, 1)
    log_price: Floats  # mean log price per piece; NaN unknown
    log_quantity: Floats  # mean log pieces of a line


class Kinds(NamedTuple):
    """Codes by item, (n_items,)."""

    thing: Array  # items of one work share one
    category: Array  # -1 none


class Before(NamedTuple):
    """Of each line's customer, known before that line, (n,)."""

    n_lines: Array
    n_back: Array  # returns and cancellations
    log_price: Floats  # mean; NaN unknown
    log_quantity: Floats  # mean; NaN without a purchase
    n_category: Array  # lines of the line's category
    n_thing: Array  # lines of the same thing
    n_thing_back: Array


class RiskModel(NamedTuple):
    """Log-odds = intercept + sum of coefficients times standardised columns, all (k,)."""

    fill: Floats  # for NaN
    centre: Floats
    scale: Floats
    coefficient: Floats
    intercept: Floats  # (1,)


def log_odds(p: Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-p))


def risk_log_odds(model: RiskModel, X: Floats) -> Floats:
    """Log-odds of each row, (n,); column by column, one order of addition for any batch."""
    total = np.full(len(X), model.intercept[0])
    for j, coefficient in enumerate(model.coefficient):
        total += coefficient * standardised(model, X, j)
    return total


def standardised(model: RiskModel, X: Floats, j: int) -> Floats:
    """Column j as the model sees it."""
    column = np.where(np.isnan(X[:, j]), model.fill[j], X[:, j])
    return np.clip((column - model.centre[j]) / model.scale[j], -FAR, FAR)


def risk_columns(
    events: Events,
    lines: Lines,
    price: Floats,
    *,
    items: ItemReturns,
    kinds: Kinds,
    with_past: bool = True,
) -> Floats:
    """``COLUMNS`` of each line, (n, 17); NaN unknown.

    ``price`` is per piece, NaN unknown. Item codes past the table are items never seen. Models
    of the cart alone need no past: without it, its columns are NaN.
    """
    thing, category = thing_and_category(kinds, lines)
    item = np.minimum(lines.item, len(items.share) - 1)
    log_price, log_quantity = _log(price), np.log(lines.quantity)
    n_cart, n_thing, n_category = cart_counts(lines, thing, category)
    X = np.full((len(item), len(COLUMNS)), np.nan)
    of_cart = (
        log_odds(items.share[item]), log_price, log_quantity,
        log_quantity - items.log_quantity[item], log_price - items.log_price[item],
        np.log(n_cart), np.minimum(n_thing - 1, 3), np.log(np.maximum(n_category, 1)), lines.gift,
    )  # fmt: skip
    for j, column in enumerate(of_cart):
        X[:, j] = column
    if with_past:
        past = known_before(events, lines, kinds, thing=thing, category=category)
        whole = float(items.share[-1])
        own = (past.n_back + OWN_WEIGHT * whole) / (past.n_lines + past.n_back + OWN_WEIGHT)
        of_past = (
            past.n_lines == 0, np.log1p(past.n_lines), log_price - past.log_price,
            log_quantity - past.log_quantity,
            np.where(category < 0, np.nan, is_first_of_category(past)),
            np.log1p(past.n_thing), log_odds(own), np.log1p(past.n_thing_back),
        )  # fmt: skip
        for j, column in enumerate(of_past, start=len(of_cart)):
            X[:, j] = column
    return X


def needs_past(model: RiskModel) -> bool:
    """Whether any column of a customer's past weighs in it."""
    return bool(model.coefficient[len(OF_CART) :].any())


def is_first_of_category(past: Before) -> NDArray[np.bool_]:
    """Known customers who never bought of the line's category."""
    return np.asarray((past.n_category == 0) & (past.n_lines > 0))


def thing_and_category(kinds: Kinds, lines: Lines) -> tuple[Array, Array]:
    """Of each line, (n,); what was never seen is a thing of its own, without a category."""
    thing, category = codes_of(kinds.thing, lines.item), codes_of(kinds.category, lines.item)
    own = int(kinds.thing.max(initial=-1)) + 1 + lines.item
    return np.where(thing < 0, own, thing), category


def cart_counts(lines: Lines, thing: Array, category: Array) -> tuple[Array, Array, Array]:
    """Lines in the same cart: all, of the same thing, of the same category, (n,) each.

    Lines without a category count as none of theirs.
    """
    same = [lines.customer, lines.timestamp]
    n_category = np.where(category < 0, 0, _sizes([*same, category]))
    return _sizes(same), _sizes([*same, thing]), n_category


def known_before(
    events: Events, lines: Lines, kinds: Kinds, *, thing: Array, category: Array
) -> Before:
    """What was known of each line's customer before the line; ``thing``, ``category`` by line."""
    back = (events.event == RETURN_CODE) | (events.event == CANCEL_CODE)
    rows = np.flatnonzero(((events.event == PURCHASE_CODE) | back) & (events.item >= 0))
    is_back, item = back[rows], events.item[rows]
    bought, time = (~is_back).astype(np.int64), np.maximum(events.known_at, events.timestamp)[rows]
    price = np.where(is_back, np.nan, _log(events.price[rows]))
    priced = ~np.isnan(price)
    pieces = np.where(is_back, 0.0, np.log(np.maximum(events.quantity[rows], 1e-9)))
    who, asker, at = events.customer[rows], lines.customer, lines.timestamp
    of_all = _Road([who], time, [asker], at)
    near = _among(kinds.thing[item], thing)
    of_thing = _Road([who[near], kinds.thing[item][near]], time[near], [asker, thing], at)
    kin = _among(kinds.category[item], category)
    of_kind = _Road([who[kin], kinds.category[item][kin]], time[kin], [asker, category], at)
    n_lines, n_priced = of_all.sum(bought), of_all.sum(priced.astype(np.int64))
    return Before(
        n_lines=n_lines,
        n_back=of_all.sum(1 - bought),
        log_price=_mean(of_all.sum(_millionths(np.where(priced, price, 0.0))), n_priced),
        log_quantity=_mean(of_all.sum(_millionths(pieces)), n_lines),
        n_category=of_kind.sum(bought[kin]),
        n_thing=of_thing.sum(bought[near]),
        n_thing_back=of_thing.sum(1 - bought[near]),
    )


def _among(codes: Array, asked: Array) -> NDArray[np.bool_]:
    """Which codes are asked for; those below 0 never are."""
    flags = np.zeros(max(int(codes.max(initial=-1)), int(asked.max(initial=-1))) + 2, dtype=bool)
    flags[asked] = True
    flags[-1] = False  # the place of -1
    return np.asarray(flags[codes])


class _Road:
    """Events and questions in one order by (keys, time): what came strictly before each question.

    Whole numbers only: differences of cumulated ones are exact, alone and in any batch.
    """

    def __init__(self, keys: list[Array], time: Array, asked: list[Array], at: Array) -> None:
        self._n, n = len(time), len(time) + len(at)
        self._time = np.concatenate([time, at])
        columns = [np.concatenate([a, b]) for a, b in zip(keys, asked, strict=True)]
        is_event = np.arange(n) < self._n  # at the same instant a question comes first
        self._order = np.lexsort((is_event, self._time, *reversed(columns)))
        new = np.zeros(n, dtype=bool)
        new[:1] = True
        for column in columns:
            ordered = column[self._order]
            new[1:] |= ordered[1:] != ordered[:-1]
        self._start = np.maximum.accumulate(np.where(new, np.arange(n), 0)).astype(np.int64)

    def sum(self, values: Array) -> Array:
        """Sum of the events' values (int64) before each question."""
        n = len(self._order)
        whole = np.zeros(n, dtype=np.int64)
        whole[: self._n] = values
        total = np.concatenate(([0], np.cumsum(whole[self._order])))
        return self._answers(total[:-1] - total[self._start])

    def _answers(self, ordered: Array) -> Array:
        found = np.empty_like(ordered)
        found[self._order] = ordered
        return found[self._n :]


def codes_of(codes: Array, item: Array) -> Array:
    """The code of each item; -1 for items past the table."""
    return np.append(codes, -1)[np.minimum(item, len(codes))]


def _sizes(keys: list[Array]) -> Array:
    """How many rows share each row's keys, (n,)."""
    order = np.lexsort(keys)
    new = np.ones(len(order), dtype=bool)
    new[1:] = False
    for key in keys:
        ordered = key[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    group = np.cumsum(new) - 1
    sizes = np.empty(len(order), dtype=np.int64)
    sizes[order] = np.bincount(group)[group] if len(order) else 0
    return sizes


def _log(price: Floats) -> Floats:
    """Logarithm of what is above 0; NaN elsewhere: what is free has no usual price."""
    known = np.asarray(price) > 0
    return np.where(known, np.log(np.where(known, price, 1.0)), np.nan)


def _millionths(values: Floats) -> Array:
    return np.rint(values * MILLIONTHS).astype(np.int64)


def _mean(total: Array, n: Array) -> Floats:
    return np.where(n > 0, total / MILLIONTHS / np.maximum(n, 1), np.nan)
