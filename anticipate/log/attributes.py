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
from ..exceptions import ColumnError, TimeError
from ..kernels.segments import run_starts
from .clock import read_times
from .frames import to_pandas, whole_text
from .ids import encode_ids, lookup_codes

Array = NDArray[Any]


@dataclass(frozen=True)
class Attributes:
    """Rows sorted by (id, valid_from); ``valid_from`` is NO_TIME for "always"."""

    ids: Array  # (n,) with repeats
    valid_from: Array  # int64 (n,) microseconds UTC
    table: pd.DataFrame  # (n, n_attributes)

    @property
    def listed(self) -> Array:
        """The ids, sorted, each once."""
        return self.ids[run_starts(self.ids)]

    def before(self, cutoff: int) -> Attributes:
        """Only the rows that were valid before the cutoff."""
        return self.rows(self.valid_from < cutoff)

    def rows(self, keep: Array) -> Attributes:
        """Only some rows; itself where that is all."""
        if bool(keep.all()):
            return self
        table = self.table[keep].reset_index(drop=True)
        return Attributes(self.ids[keep], self.valid_from[keep], table)

    def as_of(self, cutoff: int | Array) -> tuple[Array, pd.DataFrame]:
        """Ids and attributes valid before the cutoff, one for all or one per row."""
        valid = self.valid_from < cutoff
        ids, table = self.ids[valid], self.table[valid]
        last = np.ones(len(ids), dtype=bool)
        last[:-1] = ids[1:] != ids[:-1]
        return ids[last], table[last]

    def as_of_each(self, ids: Array, cutoffs: Array) -> tuple[Array, pd.DataFrame]:
        """The same, where each of the sorted ids has a cutoff of its own."""
        codes = lookup_codes(self.ids, ids)
        return self.as_of(np.append(cutoffs, NO_TIME)[codes])  # an id not asked for: never


def no_attributes(like: Array) -> Attributes:
    return Attributes(like[:0], np.empty(0, np.int64), pd.DataFrame(index=range(0)))


def read_attributes(frame: Any, key: str, timezone: str | None) -> Attributes:
    """Check a table of attributes; ``key`` is its id column or index."""
    table = to_pandas(frame)
    if key not in table.columns and table.index.name == key:
        table = table.reset_index()
    names = list(map(str, table.columns))
    if key not in names:
        raise ColumnError(f"{key[:-3]}s: no column {key!r}; found {sorted(names)}.")
    if len(set(names)) < len(names):
        raise ColumnError(f"{key[:-3]}s: a column stands twice; found {sorted(names)}.")
    codes, vocabulary = encode_ids(table[key], f"{key[:-3]}s.{key}")
    if (codes < 0).any():
        raise ColumnError(f"{key[:-3]}s: {int((codes < 0).sum())} rows have no {key}; remove them.")
    valid_from = _valid_from(table, timezone, key)
    order = np.lexsort((valid_from, codes))
    codes, valid_from = codes[order], valid_from[order]
    twice = (codes[1:] == codes[:-1]) & (valid_from[1:] == valid_from[:-1])
    if twice.any():
        raise ColumnError(
            f"{key[:-3]}s: {int(twice.sum())} ids stand twice; keep one row each, or say from "
            "when each row holds in a column 'valid_from'."
        )
    rest = table.drop(columns=[key, VALID_FROM], errors="ignore").iloc[order]
    return Attributes(vocabulary[codes], valid_from, _steady(_valid(rest.reset_index(drop=True))))


def _valid_from(table: pd.DataFrame, timezone: str | None, key: str) -> Array:
    """Microseconds UTC; NO_TIME, always valid, where none is given."""
    if VALID_FROM not in table.columns:
        return np.full(len(table), NO_TIME, dtype=np.int64)
    found = read_times(table[VALID_FROM], timezone, VALID_FROM).microseconds
    lost = (found == NO_TIME) & table[VALID_FROM].notna().to_numpy(dtype=bool)
    if lost.any():
        rows = ", ".join(map(str, np.flatnonzero(lost)[:3].tolist()))
        raise TimeError(
            f"{key[:-3]}s: {int(lost.sum())} rows have an impossible valid_from (rows {rows}); "
            "give ISO 8601 text or datetimes."
        )
    return found


def _valid(table: pd.DataFrame) -> pd.DataFrame:
    """Texts as valid Unicode: a name with half a pair of surrogates could be written nowhere."""
    objects = [place for place, kind in enumerate(table.dtypes) if kind.kind == "O"]
    for place in objects:
        texts = table.iloc[:, place].tolist()
        told = [whole_text(one) if isinstance(one, str) else one for one in texts]
        if told != texts:
            table = table.copy()
            table.isetitem(place, told)
    return table


def _steady(table: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers as nullable ones: an id without attributes must not make floats of them."""
    whole = [name for name in table if isinstance(table[name].dtype, np.dtype)]
    whole = [name for name in whole if table[name].dtype.kind in "iu"]
    kinds = {name: "UInt64" if table[name].dtype.kind == "u" else "Int64" for name in whole}
    return table.astype(kinds)
