"""What happened since the bundle was made, as the caller tells it.

Reads  a log, a table or mappings with the contract's column names.
Gives  rows coded in the request's vocabularies, duplicates by ``event_id`` counted once.
Never  an event the bundle already holds, nor one at or after ``as_of`` or not yet known then.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import columns as c
from ..exceptions import BadRowsError, ColumnError, IdTypeError, ParameterError
from ..kernels.days import local_days
from .instants import to_datetime, to_microseconds
from .overlay import Overlay, Words
from .store import Store
from .values import checked_id, truth, without_missing

Array = NDArray[Any]
_LOG = logging.getLogger("anticipate")


@dataclass(frozen=True)
class Recent:
    """n rows of any customers, in a total order; ``rows_of`` gives those of one of them."""

    table: Array  # (n,) of records, a field per column of the events
    known_at: list[int]  # of each row, microseconds UTC
    positions: dict[Any, list[int]]  # customer id -> rows

    def rows_of(self, customer_id: Any) -> list[int]:
        return self.positions.get(customer_id, [])


NOTHING = Recent(np.empty(0), [], {})


def read_recent(recent: Any, store: Store, words: Words) -> Recent:
    """Check and code the rows; those known before the bundle's cutoff are its own already.

    Raises
    ------
    ColumnError, BadRowsError
        With the row's number, never its content.
    """
    if recent is None:
        return NOTHING
    rows = _mappings(recent, store)
    if not rows:
        return NOTHING
    if len(rows) > 1:
        _admit_in_order(rows, words)
    coded = [_code_row(row, number, store, words) for number, row in enumerate(rows)]
    once = _once_per_event_id(_in_order(coded))
    unique = [one for one in once if one[2] >= store.cutoff]
    if len(unique) < len(coded):
        _LOG.info("recent: %d of %d rows not used", len(coded) - len(unique), len(coded))
    positions: dict[Any, list[int]] = {}
    for number, one in enumerate(unique):
        positions.setdefault(one[0], []).append(number)
    if not unique:
        return NOTHING
    return Recent(_as_table(unique, store.timezone), [one[2] for one in unique], positions)


# One coded row: customer id, timestamp, known_at, item, event, quantity, price, value, order,
# gift, channel, reason, event_id.
_FIELDS = ("timestamp", "known_at", "item", "event", "quantity", "price", "value", "order",
           "gift", "channel", "reason")  # fmt: skip
_TYPES = ("i8", "i8", "i4", "i1", "f8", "f8", "f8", "i4", "?", "i2", "i4")
_ROW = np.dtype([*zip(_FIELDS, _TYPES, strict=True), ("day", "i4"), ("event_id", "i4")])


_WORDS = {"items": c.ITEM, "orders": c.ORDER, "channels": c.CHANNEL, "reasons": c.REASON}
_IDS = (c.CUSTOMER, c.EVENT_ID, *_WORDS.values())


def _mappings(recent: Any, store: Store) -> list[dict[str, Any]]:
    if type(recent) is list and all(type(row) is dict for row in recent):
        return [without_missing(row) for row in recent]
    if hasattr(recent, "to_pandas") and hasattr(recent, "n_events"):
        recent = _since(recent.to_pandas(), store.cutoff)
    if isinstance(recent, Mapping):
        return [without_missing(recent)]
    for method in ("to_dicts", "to_pylist"):  # polars, Arrow
        if hasattr(recent, method):
            return [without_missing(row) for row in getattr(recent, method)()]
    if hasattr(recent, "to_dict") and hasattr(recent, "columns"):  # a pandas table
        return [_whole(without_missing(row)) for row in recent.to_dict("records")]
    if isinstance(recent, Iterable) and not isinstance(recent, str):
        rows = list(recent)
        if all(isinstance(row, Mapping) for row in rows):
            return [without_missing(row) for row in rows]
    raise ParameterError(
        f"recent must be a log, a table or mappings such as {{'customer_id': ..., 'item_id': ..., "
        f"'timestamp': ...}}; got {type(recent).__name__}."
    )


def _since(table: Any, cutoff: int) -> Any:
    """Rows of a log that the bundle cannot know; a whole log may be given."""
    start = to_datetime(cutoff)
    late = table[c.TIMESTAMP] >= start
    return table[late | (table[c.KNOWN_AT] >= start) if c.KNOWN_AT in table else late]


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers that pandas made floats of, because some were missing."""
    for name in _IDS:
        value = row.get(name)
        if isinstance(value, float) and value.is_integer():
            row[name] = int(value)
    return row


def _admit_in_order(rows: list[dict[str, Any]], words: Words) -> None:
    """New ids get their codes in sorted order, so that the order of rows says nothing."""
    for name, column in _WORDS.items():
        if given := [row[column] for row in rows if column in row]:
            words[name].look_up(given)
            words[name].admit(given)


def _code_row(row: dict[str, Any], number: int, store: Store, words: Words) -> tuple[Any, ...]:
    where = f"recent: row {number}"
    if c.CUSTOMER not in row or c.TIMESTAMP not in row:
        missing = c.TIMESTAMP if c.CUSTOMER in row else c.CUSTOMER
        raise ColumnError(f"{where} has no {missing}; give one.")
    timestamp = to_microseconds(row[c.TIMESTAMP], store.timezone, f"{where}: {c.TIMESTAMP}")
    known_at = timestamp
    if c.KNOWN_AT in row:
        known_at = to_microseconds(row[c.KNOWN_AT], store.timezone, f"{where}: {c.KNOWN_AT}")
    event = _event(row, where, store)
    item, order, channel, reason = (
        _code(words[name], row[column], column, where) if column in row else -1
        for name, column in _WORDS.items()
    )
    return (
        _customer(row, where, store), timestamp, max(known_at, timestamp), item, event,
        *_numbers(row, where, store.event_names[event] == c.PURCHASE), order,
        c.GIFT in row and truth(row[c.GIFT], f"{where}: {c.GIFT}"), channel, reason,
        _checked(row[c.EVENT_ID], c.EVENT_ID, where) if c.EVENT_ID in row else None,
    )  # fmt: skip


def _event(row: dict[str, Any], where: str, store: Store) -> int:
    name = row.get(c.EVENT, c.PURCHASE)
    event = store.event_codes.get(name) if isinstance(name, str) else None
    if event is None:
        raise BadRowsError(f"{where} has an unknown event; known are the log's.")
    if c.ITEM not in row and name in c.EVENTS and name not in c.ITEM_OPTIONAL:
        raise BadRowsError(f"{where} has no {c.ITEM}; its event needs one.")
    return event


def _customer(row: dict[str, Any], where: str, store: Store) -> Any:
    id_ = _checked(row[c.CUSTOMER], c.CUSTOMER, where)
    if store.n_customers and isinstance(id_, str) != store.has_text_ids:
        kind = "text" if store.has_text_ids else "whole numbers"
        raise IdTypeError(f"{where}: {c.CUSTOMER}: the bundle's ids are {kind}; give such.")
    return id_


def _checked(id_: Any, column: str, where: str) -> Any:
    try:
        return checked_id(id_)
    except IdTypeError as error:
        raise IdTypeError(f"{where}: {column}: {error}") from None


def _code(word: Overlay, id_: Any, column: str, where: str) -> int:
    try:
        return word.code(id_)
    except IdTypeError as error:
        raise IdTypeError(f"{where}: {column}: {error}") from None


def _numbers(row: dict[str, Any], where: str, bought: bool) -> tuple[float, float, float]:
    """Quantity, price and value, by the rules of a log."""
    quantity = _number(row, c.QUANTITY, where, missing=1.0)
    price, value = _number(row, c.PRICE, where), _number(row, c.VALUE, where)
    if quantity < 0 or (bought and quantity == 0):
        raise BadRowsError(f"{where}: {c.QUANTITY} must not be negative, nor 0 of a purchase.")
    if bought and price < 0:
        raise BadRowsError(f"{where}: {c.PRICE} of a purchase must not be negative.")
    return quantity, price, value


def _number(row: dict[str, Any], name: str, where: str, missing: float = np.nan) -> float:
    if name not in row:
        return missing
    try:
        number = float(row[name])
    except (TypeError, ValueError, OverflowError):
        raise BadRowsError(f"{where}: {name} is not a number.") from None
    if not math.isfinite(number):
        raise BadRowsError(f"{where}: {name} must be finite.")
    return number


def _in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """By customer and time, then by everything else; few rows need more than the first two."""
    brief = [(str(one[0]), one[1]) for one in rows]
    if len(set(brief)) < len(rows):
        return sorted(rows, key=_sort_key)
    return [rows[number] for number in sorted(range(len(rows)), key=brief.__getitem__)]


def _sort_key(one: tuple[Any, ...]) -> tuple[Any, ...]:
    numbers = [(-np.inf if x != x else x) for x in one[1:12]]  # NaN differs from itself
    return (str(one[0]), *numbers, str(one[12]))


def _once_per_event_id(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Of rows with one event_id, the one that was known first, as in a log."""
    if all(one[12] is None for one in rows):
        return rows
    first: dict[Any, int] = {}
    for number in sorted(range(len(rows)), key=lambda number: rows[number][2]):
        first.setdefault(rows[number][12], number)
    return [one for number, one in enumerate(rows) if one[12] is None or first[one[12]] == number]


def _as_table(rows: list[tuple[Any, ...]], timezone: str) -> Array:
    table = np.array([(*one[1:12], 0, -1) for one in rows], dtype=_ROW)
    table["day"] = local_days(table["timestamp"], timezone)
    return table
