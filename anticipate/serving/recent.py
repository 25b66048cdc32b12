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
from ..exceptions import BadRowsError, ColumnError, ParameterError
from ..kernels.days import local_days
from .instants import to_microseconds
from .overlay import Overlay
from .store import Store

Array = NDArray[Any]
_LOG = logging.getLogger("anticipate")


@dataclass(frozen=True)
class Recent:
    """n rows of any customers, in a total order; ``rows_of`` gives those of one of them."""

    columns: dict[str, Array]
    positions: dict[Any, list[int]]  # customer id -> rows

    def rows_of(self, customer_id: Any) -> list[int]:
        return self.positions.get(customer_id, [])


NOTHING = Recent({}, {})


def read_recent(recent: Any, store: Store, words: dict[str, Overlay]) -> Recent:
    """Check and code the rows; those known before the bundle's cutoff are its own already.

    Raises
    ------
    ColumnError, BadRowsError
        With the row's number, never its content.
    """
    rows = _mappings(recent)
    if not rows:
        return NOTHING
    coded = [_code_row(row, number, store, words) for number, row in enumerate(rows)]
    later = [one for one in coded if max(one[1], one[2]) >= store.cutoff]
    unique = _once_per_event_id(sorted(later, key=_sort_key))
    if len(unique) < len(coded):
        _LOG.info("recent: %d of %d rows not used", len(coded) - len(unique), len(coded))
    positions: dict[Any, list[int]] = {}
    for number, one in enumerate(unique):
        positions.setdefault(one[0], []).append(number)
    return Recent(_as_columns(unique, store.timezone), positions) if unique else NOTHING


# One coded row: customer id, timestamp, known_at, item, event, quantity, price, value, order,
# gift, channel, reason, event_id.
_FIELDS = ("timestamp", "known_at", "item", "event", "quantity", "price", "value", "order",
           "gift", "channel", "reason")  # fmt: skip
_TYPES = (np.int64, np.int64, np.int32, np.int8, np.float64, np.float64, np.float64, np.int32,
          np.bool_, np.int16, np.int32)  # fmt: skip


def _mappings(recent: Any) -> list[Mapping[str, Any]]:
    if recent is None:
        return []
    if hasattr(recent, "to_pandas") and hasattr(recent, "n_events"):
        recent = recent.to_pandas()
    if hasattr(recent, "to_dict") and hasattr(recent, "columns"):  # a pandas table
        return [_without_missing(row) for row in recent.to_dict("records")]
    if isinstance(recent, Mapping):
        return [recent]
    if isinstance(recent, Iterable) and not isinstance(recent, str):
        rows = list(recent)
        if all(isinstance(row, Mapping) for row in rows):
            return rows
    raise ParameterError(
        f"recent must be a log, a table or mappings such as {{'customer_id': ..., 'item_id': ..., "
        f"'timestamp': ...}}; got {type(recent).__name__}."
    )


def _without_missing(row: dict[str, Any]) -> dict[str, Any]:
    """Missing values of a table (None, NaN, NaT, NA) are absent keys of a mapping."""
    return {str(name): value for name, value in row.items() if _is_there(value)}


def _is_there(value: Any) -> bool:
    if value is None:
        return False
    try:
        return bool(value == value)
    except TypeError:  # pandas.NA is neither equal nor different
        return False


def _code_row(
    row: Mapping[str, Any], number: int, store: Store, words: dict[str, Overlay]
) -> tuple[Any, ...]:
    for name in (c.CUSTOMER, c.TIMESTAMP):
        if row.get(name) is None:
            raise ColumnError(f"recent: row {number} has no {name}; give one.")
    timestamp = to_microseconds(row[c.TIMESTAMP], store.timezone, f"recent row {number}: timestamp")
    known = row.get(c.KNOWN_AT)
    known_at = timestamp if known is None else to_microseconds(known, store.timezone, c.KNOWN_AT)
    event = store.event_codes.get(row.get(c.EVENT, c.PURCHASE))
    if event is None:
        raise BadRowsError(f"recent: row {number} has an unknown event; known are the log's.")
    if row.get(c.ITEM) is None and store.event_names[event] not in c.ITEM_OPTIONAL:
        raise BadRowsError(f"recent: row {number} has no {c.ITEM}; its event needs one.")
    numbers = [_number(row, name, number) for name in (c.QUANTITY, c.PRICE, c.VALUE)]
    return (
        _plain(row[c.CUSTOMER]), timestamp, max(known_at, timestamp),
        words["items"].code(row.get(c.ITEM)), event, numbers[0], numbers[1], numbers[2],
        words["orders"].code(row.get(c.ORDER)), bool(row.get(c.GIFT, False)),
        words["channels"].code(row.get(c.CHANNEL)), words["reasons"].code(row.get(c.REASON)),
        row.get(c.EVENT_ID),
    )  # fmt: skip


def _number(row: Mapping[str, Any], name: str, number: int) -> float:
    missing = 1.0 if name == c.QUANTITY else np.nan
    given = row.get(name)
    try:
        value = missing if given is None else float(given)
    except (TypeError, ValueError):
        raise BadRowsError(f"recent: row {number}: {name} is not a number.") from None
    if math.isinf(value) or value < 0 or (name == c.QUANTITY and value == 0):
        raise BadRowsError(f"recent: row {number}: {name} must be finite and not negative or 0.")
    return value


def _plain(id_: Any) -> Any:
    return id_.item() if isinstance(id_, np.generic) else id_


def _sort_key(one: tuple[Any, ...]) -> tuple[Any, ...]:
    numbers = [(-np.inf if x != x else x) for x in one[1:12]]  # NaN differs from itself
    return (str(one[0]), *numbers, str(one[12]))


def _once_per_event_id(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    seen: set[Any] = set()
    kept = []
    for one in rows:
        if one[12] is None or one[12] not in seen:
            kept.append(one)
            seen.add(one[12])
    return kept


def _as_columns(rows: list[tuple[Any, ...]], timezone: str) -> dict[str, Array]:
    columns: dict[str, Array] = {
        name: np.array([one[i + 1] for one in rows], dtype=dtype)
        for i, (name, dtype) in enumerate(zip(_FIELDS, _TYPES, strict=True))
    }
    columns["day"] = local_days(columns["timestamp"], timezone)
    columns["event_id"] = np.full(len(rows), -1, dtype=np.int32)
    return columns
