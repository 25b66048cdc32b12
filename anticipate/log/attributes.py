"""Attributes of items and customers, as they were known before a moment.

Reads  a table keyed by item_id or customer_id, optionally with several rows per id and
       ``valid_from``.
Gives  one row per id: the last one valid strictly before the cutoff.
Never  a row that became valid later. Without ``valid_from`` the table is taken as constant,
       which is the caller's promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import NO_TIME, VALID_FROM
from ..exceptions import ColumnError
from .clock import read_times
from .frames import to_pandas
from .ids import encode_ids

Array = NDArray[Any]


@dataclass(frozen=True)
class Attributes:
    """Rows sorted by (id, valid_from); ``valid_from`` is NO_TIME for "always"."""

    ids: Array  # (n,) with repeats
    valid_from: Array  # int64 (n,) microseconds UTC
    table: pd.DataFrame  # (n, n_attributes)

    def as_of(self, cutoff: int | None) -> tuple[Array, pd.DataFrame]:
        """Ids and attributes valid before the cutoff (None: the last of all)."""
        valid = np.ones(len(self.ids), bool) if cutoff is None else self.valid_from < cutoff
        ids, table = self.ids[valid], self.table[valid]
        last = np.ones(len(ids), dtype=bool)
        last[:-1] = ids[1:] != ids[:-1]
        return ids[last], table[last]


def no_attributes(like: Array) -> Attributes:
    return Attributes(like[:0], np.empty(0, np.int64), pd.DataFrame(index=range(0)))


def read_attributes(frame: Any, key: str, timezone: str | None) -> Attributes:
    """Check a table of attributes; ``key`` is its id column or index."""
    table = to_pandas(frame)
    if key not in table.columns and table.index.name == key:
        table = table.reset_index()
    if key not in table.columns:
        raise ColumnError(f"{key[:-3]}s: no column {key!r}; found {sorted(map(str, table))}.")
    codes, vocabulary = encode_ids(table[key], f"{key[:-3]}s.{key}")
    if (codes < 0).any():
        raise ColumnError(f"{key[:-3]}s: {int((codes < 0).sum())} rows have no {key}; remove them.")
    valid_from = _valid_from(table, timezone)
    order = np.lexsort((valid_from, codes))
    codes, valid_from = codes[order], valid_from[order]
    twice = (codes[1:] == codes[:-1]) & (valid_from[1:] == valid_from[:-1])
    if twice.any():
        raise ColumnError(
            f"{key[:-3]}s: {int(twice.sum())} ids stand twice; keep one row each, or say from "
            "when each row holds in a column 'valid_from'."
        )
    rest = table.drop(columns=[key, VALID_FROM], errors="ignore").iloc[order]
    return Attributes(vocabulary[codes], valid_from, rest.reset_index(drop=True))


def _valid_from(table: pd.DataFrame, timezone: str | None) -> Array:
    if VALID_FROM not in table.columns:
        return np.full(len(table), NO_TIME, dtype=np.int64)
    return read_times(table[VALID_FROM], timezone, VALID_FROM).microseconds
