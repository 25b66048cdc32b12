"""Rows of a file, checked by the log's own rules, as an Arrow table of the contract's columns.

Reads  a pandas table and the caller's mapping.
Gives  the good rows, the number of bad ones by reason, the kinds of the ids.
Never  a rule of its own: ``log.rows`` reads and judges.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from .. import columns as c
from ..log.build import Mapping
from ..log.rows import RawRows, read_rows, reject
from ..readers import whole_ids

Array = NDArray[Any]
IDS = {"customer": c.CUSTOMER, "item": c.ITEM, "order": c.ORDER, "event_id": c.EVENT_ID,
       "channel": c.CHANNEL, "reason": c.REASON}  # fmt: skip
NUMBERS = (c.QUANTITY, c.PRICE, c.VALUE)
DIGITS = "digits"  # text of a CSV that may be whole numbers: all files decide together


class Judged(NamedTuple):
    table: pa.Table  # the good rows, in the order they came
    ids: dict[str, Array]  # vocabulary of customers and items, and ...
    codes: dict[str, Array]  # ... the code of each good row
    n_rows: int
    bad: dict[str, int]
    first_bad: int | None  # row of the table
    notes: dict[str, int]
    kinds: dict[str, str]


def judge(frame: pd.DataFrame, mapping: Mapping, *, csv: bool) -> Judged:
    """Check the rows; bad ones are counted and left out."""
    raw = read_rows(
        frame, mapping.names, timezone=mapping.timezone, default_event=mapping.default_event,
        extra_events=mapping.extra_events, negative_quantity=mapping.negative_quantity,
    )  # fmt: skip
    verdict = reject(raw, "quarantine")
    good = np.flatnonzero(verdict == 0)
    reasons = list(raw.bad)
    counts = np.bincount(verdict, minlength=len(reasons) + 1)[1:].tolist()
    bad = np.flatnonzero(verdict)
    codes = {name: raw.arrays[name][good] for name in ("customer", "item")}
    return Judged(
        _table(raw, good, mapping), raw.vocabularies, codes, len(verdict),
        {reason: n for reason, n in zip(reasons, counts, strict=True) if n},
        int(bad[0]) if len(bad) else None, raw.notes,
        {ours: _kind(raw.vocabularies[name], csv) for name, ours in IDS.items()},
    )  # fmt: skip


def has_event(mapping: Mapping) -> bool:
    """Whether rows say their event, or a rule for negative pieces may change it."""
    return mapping.names[c.EVENT] is not None or mapping.negative_quantity != "error"


def _table(raw: RawRows, good: Array, mapping: Mapping) -> pa.Table:
    given = {ours for ours, theirs in mapping.names.items() if theirs is not None}
    given |= {c.PRICE} if c.AMOUNT in given else set()
    columns: dict[str, Any] = {
        ours: _decoded(raw.arrays[name][good], raw.vocabularies[name])
        for name, ours in IDS.items()
        if ours in given
    }
    for name in (c.TIMESTAMP, c.KNOWN_AT, *NUMBERS, c.GIFT):
        if name in given:
            columns[name] = pa.array(raw.arrays[name][good])
    if has_event(mapping):
        columns[c.EVENT] = pa.array(raw.arrays["event"][good])
    return pa.table(columns)


def _decoded(codes: Array, vocabulary: Array) -> pa.Array:
    if not len(vocabulary):
        return pa.nulls(len(codes), pa.string())
    if vocabulary.dtype != object and codes.min(initial=0) >= 0:
        return pa.array(vocabulary[codes])
    words = pa.array(vocabulary, pa.string() if vocabulary.dtype == object else None)
    return words.take(pa.array(codes, mask=codes < 0))


def _kind(vocabulary: Array, csv: bool) -> str:
    if not len(vocabulary):
        return "none"
    if vocabulary.dtype != object:
        return str(vocabulary.dtype)
    if not csv:
        return "text"
    numbers = whole_ids(pd.DataFrame({"id": pd.Series(vocabulary, dtype="str")}), ["id"])["id"]
    return "text" if pd.api.types.is_string_dtype(numbers) else DIGITS
