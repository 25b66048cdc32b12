"""What was known of a cart's customer before each of its lines: counts and habits.

Reads  events of whole customers, cart lines, which thing and category each item is.
Gives  counts and means per line, each made when it is first asked for.
Never  an event that was not known before the line's own instant; a float sum over a customer's
       past: logarithms are kept as whole millionths, so that their sums are exact.

Two roads lead to the same whole numbers: the general one sorts events and questions by time; where
all was known before every line, as at a till, customers' events are counted as they stand.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .events import PURCHASE_CODE, Events
from .owned import Lines
from .returns import CANCEL_CODE, RETURN_CODE

Array = NDArray[Any]
Floats = NDArray[np.float64]
MILLIONTHS = 1e6
SPAN = 1 << 33  # more than there are codes of things or categories


class Kinds(NamedTuple):
    """Codes by item, (n_items,)."""

    thing: Array  # items of one work share one; below 2 n_items + 1
    category: Array  # -1 none

    def things(self, item: Array) -> Array:
        """Of each item; what the table lacks is a thing of its own."""
        if self._has(item):
            return np.asarray(self.thing[item])
        code = _at(self.thing, item)
        return np.where(code < 0, 2 * len(self.thing) + 1 + item, code)

    def categories(self, item: Array) -> Array:
        return _at(self.category, item)

    def _has(self, item: Array) -> bool:
        return int(item.max(initial=-1)) < len(self.thing)


class Past:
    """Of each line's customer, known before that line; every fact is (n_lines,)."""

    def __init__(
        self, events: Events, lines: Lines, kinds: Kinds, *, thing: Array, category: Array
    ) -> None:
        """``thing`` and ``category`` by line."""
        self._events, self._lines, self._kinds = events, lines, kinds
        self._thing, self._category = thing, category
        self._as_it_stands = _is_all_known(events, lines)

    @cached_property
    def n_lines(self) -> Array:
        """Lines bought."""
        return self._of_all.count()

    @cached_property
    def n_back(self) -> Array:
        """Returns and cancellations."""
        return self._by_customer(self._back_rows).count()

    @cached_property
    def log_price(self) -> Floats:
        """Mean of the lines with a price; NaN without one."""
        price = self._events.price[self._rows]
        priced = price > 0  # what is free has no usual price
        total = self._of_all.sum(_millionths(np.log(np.where(priced, price, 1.0))))
        return _mean(total, self._of_all.sum(priced.astype(np.int64)))

    @cached_property
    def log_quantity(self) -> Floats:
        """Mean log pieces of a line; NaN without a purchase."""
        pieces = np.log(np.maximum(self._events.quantity[self._rows], 1e-9))
        return _mean(self._of_all.sum(_millionths(pieces)), self.n_lines)

    @cached_property
    def n_category(self) -> Array:
        """Lines bought of the line's category."""
        code = self._kinds.categories(self._events.item[self._rows])
        return self._by_code(self._rows, code, self._category).count()

    @cached_property
    def n_thing(self) -> Array:
        """Lines bought of the same thing."""
        code = self._kinds.things(self._events.item[self._rows])
        return self._by_code(self._rows, code, self._thing).count()

    @cached_property
    def n_thing_back(self) -> Array:
        code = self._kinds.things(self._events.item[self._back_rows])
        return self._by_code(self._back_rows, code, self._thing).count()

    @property
    def is_first_of_category(self) -> NDArray[np.bool_]:
        """Known customers who never bought of the line's category."""
        return np.asarray((self.n_category == 0) & (self.n_lines > 0))

    @cached_property
    def _rows(self) -> Array:
        return _rows_of(self._events, PURCHASE_CODE)

    @cached_property
    def _back_rows(self) -> Array:
        return _rows_of(self._events, RETURN_CODE, CANCEL_CODE)

    @cached_property
    def _of_all(self) -> _Sums:
        return self._by_customer(self._rows)

    def _by_customer(self, rows: Array) -> _Sums:
        events, asked = self._events, self._lines.customer
        if self._as_it_stands:
            return _OfCustomers(rows, events.offsets, asked)
        return self._in_time(rows, events.customer[rows], asked)

    def _by_code(self, rows: Array, code: Array, asked: Array) -> _Counts:
        """Of the customer's events at ``rows`` those of the line's own code; -1 has no equal."""
        events, lines = self._events, self._lines
        wanted = np.where(asked < 0, -2, asked)
        if not self._as_it_stands:
            near = _among(code, asked)
            rows, code = rows[near], code[near]
        if events.n_customers > 1:
            code = events.customer[rows] * np.int64(SPAN) + code
            wanted = lines.customer * np.int64(SPAN) + wanted
        return _OfKeys(code, wanted) if self._as_it_stands else self._in_time(rows, code, wanted)

    def _in_time(self, rows: Array, key: Array, asked: Array) -> _InTime:
        time = np.maximum(self._events.known_at[rows], self._events.timestamp[rows])
        return _InTime(key, time, asked, self._lines.timestamp)


class _Counts(Protocol):
    """How many events answer each question."""

    def count(self) -> Array: ...


class _Sums(_Counts, Protocol):
    """And what their whole numbers add up to."""

    def sum(self, values: Array) -> Array: ...


class _OfCustomers:
    """All events of the customers asked for, as they stand."""

    def __init__(self, rows: Array, offsets: Array, asked: Array) -> None:
        bounds = rows.searchsorted(offsets)
        self._start, self._end = bounds[asked], bounds[asked + 1]
        self._is_one = len(offsets) == 2

    def sum(self, values: Array) -> Array:
        if self._is_one:
            return np.full(len(self._end), values.sum())
        total = np.zeros(len(values) + 1, dtype=np.int64)
        np.cumsum(values, out=total[1:])
        return np.asarray(total[self._end] - total[self._start])

    def count(self) -> Array:
        return self._end - self._start


class _OfKeys:
    """How many events the keys asked for have, as they stand."""

    def __init__(self, key: Array, asked: Array) -> None:
        self._key, self._asked = key, asked

    def count(self) -> Array:
        return _places(np.sort(self._key), self._asked)


class _InTime:
    """Events and questions in one order by (key, time): what came strictly before each question.

    Differences of cumulated whole numbers are exact, alone and in any batch.
    """

    def __init__(self, key: Array, time: Array, asked: Array, at: Array) -> None:
        self._n, n = len(time), len(time) + len(at)
        column = np.concatenate([key, asked])
        is_event = np.arange(n) < self._n  # at the same instant a question comes first
        self._order = np.lexsort((is_event, np.concatenate([time, at]), column))
        new = np.ones(n, dtype=bool)
        ordered = column[self._order]
        new[1:] = ordered[1:] != ordered[:-1]
        self._start = np.maximum.accumulate(np.where(new, np.arange(n), 0)).astype(np.int64)

    def sum(self, values: Array) -> Array:
        """Sum of the events' values (int64) before each question."""
        n = len(self._order)
        whole = np.zeros(n, dtype=np.int64)
        whole[: self._n] = values
        total = np.concatenate(([0], np.cumsum(whole[self._order])))
        answers = np.empty_like(total[:-1])
        answers[self._order] = total[:-1] - total[self._start]
        return answers[self._n :]

    def count(self) -> Array:
        return self.sum(np.ones(self._n, dtype=np.int64))


def cart_counts(lines: Lines, thing: Array, category: Array) -> tuple[Array, Array, Array]:
    """Lines in the same cart: all, of the same thing, of the same category, (n,) each.

    Lines without a category count as none of theirs.
    """
    who, at = lines.customer, lines.timestamp
    if len(who) and (who == who[0]).all() and (at == at[0]).all():
        n_cart, family, kin = np.array([len(who)] * len(who)), thing, category
    else:
        cart = _carts(lines)
        n_cart, family, kin = _sizes(cart), cart * SPAN + thing, cart * SPAN + category
    return n_cart, _sizes(family), np.where(category < 0, 0, _sizes(kin))


def log_of_price(price: Floats) -> Floats:
    """Logarithm of what is above 0; NaN elsewhere: what is free has no usual price."""
    known = np.asarray(price) > 0
    return np.where(known, np.log(np.where(known, price, 1.0)), np.nan)


def _carts(lines: Lines) -> Array:
    """A number per line: lines of a customer at one instant are one cart."""
    who, at = lines.customer, lines.timestamp
    order = np.lexsort((at, who))
    new = np.zeros(len(who), dtype=np.int64)
    new[1:] = (np.diff(who[order]) != 0) | (np.diff(at[order]) != 0)
    cart = np.empty(len(who), dtype=np.int64)
    cart[order] = np.cumsum(new)
    return cart


def _sizes(key: Array) -> Array:
    """How many rows share each row's key, (n,)."""
    return _places(np.sort(key), key)


def _places(ordered: Array, asked: Array) -> Array:
    """How often each key asked for is there."""
    return ordered.searchsorted(asked, "right") - ordered.searchsorted(asked)


def _rows_of(events: Events, *codes: int) -> Array:
    mask = events.event == codes[0]
    for code in codes[1:]:
        mask = mask | (events.event == code)
    return (mask & (events.item >= 0)).nonzero()[0]


def _is_all_known(events: Events, lines: Lines) -> bool:
    """Whether every event of a line's customer was known before the line."""
    if events.known_at is not events.timestamp:
        known = np.maximum(events.known_at, events.timestamp).max(initial=0)
        return bool((known < lines.timestamp).all())
    start, end = events.offsets[lines.customer], events.offsets[lines.customer + 1]
    last = events.timestamp[np.maximum(end, 1) - 1] if events.n else lines.timestamp
    return bool(((start == end) | (last < lines.timestamp)).all())


def _among(codes: Array, asked: Array) -> NDArray[np.bool_]:
    """Which codes are asked for; those below 0 never are."""
    flags = np.zeros(max(int(codes.max(initial=-1)), int(asked.max(initial=-1))) + 2, dtype=bool)
    flags[asked[asked >= 0]] = True
    return np.asarray(flags[codes])


def _at(codes: Array, item: Array) -> Array:
    """The code of each item; -1 for items past the table."""
    if int(item.max(initial=-1)) < len(codes):
        return np.asarray(codes[item])
    if not len(codes):
        return np.full(len(item), -1)
    return np.where(item < len(codes), codes.take(item, mode="clip"), -1)


def _millionths(values: Floats) -> Array:
    return np.rint(values * MILLIONTHS).astype(np.int64)


def _mean(total: Array, n: Array) -> Floats:
    return np.where(n > 0, total / MILLIONTHS / np.maximum(n, 1), np.nan)
