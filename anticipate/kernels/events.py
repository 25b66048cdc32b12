"""The arrays of a history: one row per event, customers side by side.

Reads  nothing; a container.
Gives  ``Events``: sorted columns and an offset per customer, all kernels' common input.
Never  ids, names or attributes: codes only, so that a kernel cannot depend on them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
PURCHASE_CODE = 3  # position of "purchase" in columns.EVENTS; held equal by a test


@dataclass(frozen=True)
class Events:
    """n events of customers 0..m-1, sorted by (customer, timestamp, remaining columns).

    A column that the log does not have is a constant array of stride 0: it costs no memory
    and every kernel may read it. ``known_at`` *is* ``timestamp`` where the log has none.
    """

    offsets: Array  # int64 (m + 1,): rows of customer c are offsets[c]:offsets[c + 1]
    customer: Array  # int32 (n,)
    item: Array  # int32 (n,), -1 none
    timestamp: Array  # int64 (n,), microseconds UTC
    known_at: Array  # int64 (n,), microseconds UTC
    day: Array  # int32 (n,), local calendar days since 1970-01-01
    event: Array  # int8 (n,)
    quantity: Array  # float64 (n,), pieces
    price: Array  # float64 (n,), per piece; NaN unknown
    value: Array  # float64 (n,), a rating; NaN none
    order: Array  # int32 (n,), -1 none
    event_id: Array  # int32 (n,), -1 none
    gift: Array  # bool (n,)
    channel: Array  # int16 (n,), -1 none
    reason: Array  # int32 (n,), -1 none

    def __getstate__(self) -> dict[str, Any]:
        """For pickle, constant columns as one value: as arrays they would come back in full."""
        return {
            name: (column[0], column.dtype, len(column))
            if is_constant(column) and len(column)
            else column
            for name, column in vars(self).items()
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, column in state.items():
            whole = constant(*column) if isinstance(column, tuple) else column
            object.__setattr__(self, name, whole)

    @property
    def n(self) -> int:
        return len(self.customer)

    @property
    def n_customers(self) -> int:
        return len(self.offsets) - 1

    def take(self, rows: Array) -> Events:
        """The given rows (ascending positions or a mask), for the same customers."""
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        columns = {name: take_rows(getattr(self, name), rows) for name in ROW_COLUMNS}
        if self.known_at is self.timestamp:
            columns["known_at"] = columns["timestamp"]
        return Events(offsets=offsets_of(columns["customer"], self.n_customers), **columns)

    def of_kind(self, *codes: int) -> Events:
        """Only events of these kinds."""
        mask = self.event == codes[0]
        for code in codes[1:]:
            mask = mask | (self.event == code)
        return self if bool(mask.all()) else self.take(mask)

    def purchases(self) -> Events:
        return self.of_kind(PURCHASE_CODE)


ROW_COLUMNS = tuple(field.name for field in fields(Events) if field.name != "offsets")


def constant(value: object, dtype: Any, n: int) -> Array:
    """A read-only column of ``n`` equal values that takes no memory."""
    return np.broadcast_to(np.asarray(value, dtype=dtype), (n,))


def is_constant(column: Array) -> bool:
    return column.strides == (0,)


def take_rows(column: Array, rows: Array) -> Array:
    if is_constant(column):
        return constant(column[0], column.dtype, len(rows)) if len(column) else column
    return np.take(column, rows)


def offsets_of(codes: Array, n_groups: int) -> Array:
    """Offsets of sorted group codes 0..n_groups-1, empty groups included."""
    counts = np.bincount(codes, minlength=n_groups) if len(codes) else np.zeros(n_groups, np.int64)
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64)
