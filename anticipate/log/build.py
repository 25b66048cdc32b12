"""How a log is made: read, judge, sort, count.

Reads  a table and the caller's mapping.
Gives  the fields of an ``InteractionLog``.
Never  changes what it was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import columns as c
from ..exceptions import IdTypeError
from ..kernels.days import local_days
from ..kernels.events import ROW_COLUMNS, Events, is_constant, offsets_of, take_rows
from ..kernels.order import total_order
from ..kernels.segments import run_starts
from .attributes import Attributes, no_attributes, read_attributes
from .clock import Instant, check_timezone, to_microseconds
from .frames import column
from .rows import RawRows, read_rows, reject
from .vocabulary import Vocabulary, recode, trim_words, used_ids, with_ids

Array = NDArray[Any]
ROW, BECAUSE = "row", "rejected_because"  # columns of rejected rows
TIE_COLUMNS = ("item", "event", "order", "quantity", "price", "value", "event_id", "gift",
               "channel", "reason", "known_at")  # fmt: skip


@dataclass(frozen=True)
class Mapping:
    """What the caller said about the table."""

    names: dict[str, str | None]
    timezone: str | None
    default_event: str
    extra_events: Any
    negative_quantity: str
    closed_until: Instant | None
    items: Any
    customers: Any
    on_bad_rows: str


def build_log(frame: Any, mapping: Mapping) -> dict[str, Any]:
    """Fields of the log of one table."""
    timezone = check_timezone(mapping.timezone)
    raw = read_rows(
        frame, mapping.names, timezone=timezone, default_event=mapping.default_event,
        extra_events=mapping.extra_events, negative_quantity=mapping.negative_quantity,
    )  # fmt: skip
    verdict = reject(raw, mapping.on_bad_rows)
    timezone = timezone or "UTC"
    order, twice = _order(raw, verdict == 0)
    verdict[twice] = len(raw.bad) + 1
    events, vocabulary = _events(raw, order, _vocabulary(raw), timezone)
    rejected = _rejected(frame, mapping.names, verdict, [*raw.bad, "a duplicate event_id"])
    closed = mapping.closed_until
    return {
        "events": events,
        "vocabulary": vocabulary,
        "timezone": timezone,
        "item_attributes": _attributes(mapping.items, c.ITEM, timezone, vocabulary.item_ids),
        "customer_attributes": _attributes(
            mapping.customers, c.CUSTOMER, timezone, vocabulary.customer_ids
        ),
        "closed_until_us": None
        if closed is None
        else to_microseconds(closed, timezone, "closed_until"),
        "rejected": rejected,
        "report": report_of(events, rejected, raw.notes),
    }


def _order(raw: RawRows, good: Array) -> tuple[Array, Array]:
    """Positions of the rows to keep in total order, and those whose event_id came before."""
    rows = None if bool(good.all()) else np.flatnonzero(good)
    arrays = raw.arrays
    if rows is not None:
        arrays = {name: take_rows(array, rows) for name, array in raw.arrays.items()}
    rest = [arrays[name] for name in TIE_COLUMNS if not is_constant(arrays[name])]
    order = total_order(arrays["customer"], arrays["timestamp"], rest)
    order = order if rows is None else rows[order]
    if is_constant(raw.arrays["event_id"]) or len(order) == 0:
        return order, order[:0]
    first = _first_known(raw.arrays["event_id"][order], raw.arrays["known_at"][order])
    return order[first], order[~first]


def _first_known(event_id: Array, known_at: Array) -> Array:
    """Mask of the row of each event_id that was known first; of rows without one, all.

    First by any other rule, a row that came later could take the place of one known before.
    """
    by_time = np.lexsort((known_at, event_id))
    first = np.zeros(len(event_id), dtype=bool)
    first[by_time[run_starts(event_id[by_time])]] = True
    return first | (event_id < 0)


def _vocabulary(raw: RawRows) -> Vocabulary:
    words = raw.vocabularies
    return Vocabulary(
        words["customer"], words["item"], words["order"], words["event_id"], words["channel"],
        words["reason"], raw.event_names,
    )  # fmt: skip


def _events(
    raw: RawRows, order: Array, vocabulary: Vocabulary, timezone: str
) -> tuple[Events, Vocabulary]:
    arrays = {name: take_rows(array, order) for name, array in raw.arrays.items()}
    if raw.arrays["known_at"] is raw.arrays["timestamp"]:
        arrays["known_at"] = arrays["timestamp"]
    arrays["day"] = local_days(arrays["timestamp"], timezone)
    offsets = offsets_of(arrays["customer"], len(vocabulary.customer_ids))
    events = Events(offsets=offsets, **{name: arrays[name] for name in ROW_COLUMNS})
    return without_unused(events, vocabulary)


def without_unused(events: Events, vocabulary: Vocabulary) -> tuple[Events, Vocabulary]:
    """Events of a log and the words that they use, read-only: histories share them."""
    customers = used_ids(events.customer, vocabulary.customer_ids)
    items = used_ids(events.item, vocabulary.item_ids)
    events = recode(events, vocabulary, customers, items)
    events, words = trim_words(events, with_ids(vocabulary, customers, items))
    for array in (*vars(events).values(), *vars(words).values()):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return events, words


def _attributes(frame: Any, key: str, timezone: str, like: Array) -> Attributes:
    if frame is None:
        return no_attributes(like)
    found = read_attributes(frame, key, timezone)
    if len(found.ids) and len(like) and (found.ids.dtype == object) != (like.dtype == object):
        raise IdTypeError(
            f"{key}: text in one of events and attributes, whole numbers in the other. "
            "Convert one of them."
        )
    return found


def _rejected(
    frame: Any, names: dict[str, str | None], verdict: Array, reasons: list[str]
) -> pd.DataFrame:
    """The caller's columns of the bad rows, the customer's first, between ours."""
    rows = np.flatnonzero(verdict)
    used = [theirs for theirs in names.values() if theirs]
    table = pd.DataFrame({_not_ours(name): column(frame, name).iloc[rows] for name in used})
    table.insert(0, ROW, rows)
    table[BECAUSE] = np.array(reasons, dtype=object)[verdict[rows] - 1]
    return table.reset_index(drop=True)


def _not_ours(name: str) -> str:
    return f"your_{name}" if name in (ROW, BECAUSE) else name


def report_of(events: Events, rejected: pd.DataFrame, notes: dict[str, int]) -> dict[str, Any]:
    because, counts = np.unique(rejected[BECAUSE].to_numpy(dtype=str), return_counts=True)
    bought = events.event == c.EVENT_CODES[c.PURCHASE]
    return {
        "rows_read": events.n + len(rejected),
        "rows_kept": events.n,
        "rejected": dict(zip(because.tolist(), counts.tolist(), strict=True)),
        "identical_rows": _n_identical(events),
        "purchases_without_price": int(np.count_nonzero(bought & np.isnan(events.price))),
        **notes,
    }


def _n_identical(events: Events) -> int:
    """Rows that equal the one before in every column; NaN equals NaN."""
    instant = events.timestamp
    again = (events.customer[1:] == events.customer[:-1]) & (instant[1:] == instant[:-1])
    rows = np.flatnonzero(again) + 1
    for name in TIE_COLUMNS:
        column_ = getattr(events, name)
        if not is_constant(column_):
            here, before = column_[rows], column_[rows - 1]
            rows = rows[(here == before) | ((here != here) & (before != before))]
    return len(rows)
