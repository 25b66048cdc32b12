"""How a log is made: read, judge, sort, count; and made again from two, or without somebody.

Reads  a table and the caller's mapping, or existing logs.
Gives  the fields of an ``InteractionLog``.
Never  changes what it was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from .frames import column, n_rows
from .rows import RawRows, read_rows, reject
from .vocabulary import Vocabulary, used_ids

if TYPE_CHECKING:
    from .interaction_log import InteractionLog

Array = NDArray[Any]
TIE_COLUMNS = ("item", "event", "order", "quantity", "price", "value", "event_id", "gift",
               "channel", "reason", "known_at")  # fmt: skip


@dataclass(frozen=True)
class Mapping:
    """What the caller said about the table."""

    names: dict[str, str | None]
    timezone: str | None
    default_event: str
    extra_events: tuple[str, ...]
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
    good, reasons = reject(raw, mapping.on_bad_rows)
    timezone = timezone or "UTC"
    order, twice = _order(raw, good)
    if len(twice):
        reasons[twice] = "a duplicate event_id"
    vocabulary = _vocabulary(raw)
    events, vocabulary = _events(raw, order, vocabulary, timezone)
    closed = mapping.closed_until
    return {
        "events": events,
        "vocabulary": vocabulary,
        "timezone": timezone,
        "item_attributes": _attributes(mapping.items, c.ITEM, timezone, vocabulary.item_ids),
        "customer_attributes": _attributes(
            mapping.customers, c.CUSTOMER, timezone, vocabulary.customer_ids
        ),
        "closed_until_us": None if closed is None else to_microseconds(closed, timezone),
        "rejected": _rejected(frame, mapping.names, reasons),
        "report": _report(raw, events, reasons),
    }


def merge_logs(log: InteractionLog, more: InteractionLog) -> dict[str, Any]:
    """Fields of the log that holds both; attributes of ``more`` are added to the first's."""
    tables = [log.to_pandas(), more.to_pandas()]
    table = pd.concat([part for part in tables if len(part)] or tables[:1], ignore_index=True)
    names = {name: name if name in table.columns else None for name in c.LOG_COLUMNS}
    closed = max(log.end_us, more.end_us)
    given = log.closed_until_us is not None or more.closed_until_us is not None
    extra = dict.fromkeys(
        (
            *log.vocabulary.event_names[len(c.EVENTS) :],
            *more.vocabulary.event_names[len(c.EVENTS) :],
        )
    )
    fields = build_log(
        table,
        Mapping(names, log.timezone, c.PURCHASE, tuple(extra), "error", None, None, None, "raise"),
    )
    rejected = [part for part in (log.rejected, more.rejected, fields["rejected"]) if len(part)]
    return fields | {
        "item_attributes": _join(log.item_attributes, more.item_attributes, c.ITEM),
        "customer_attributes": _join(log.customer_attributes, more.customer_attributes, c.CUSTOMER),
        "closed_until_us": closed if given else None,
        "rejected": pd.concat(rejected, ignore_index=True) if rejected else log.rejected,
    }


def erase_customers(log: InteractionLog, gone: Array) -> dict[str, Any]:
    """Fields of the log without some customers, order and event ids of theirs included."""
    leaving = np.isin(log.vocabulary.customer_ids, gone)
    kept = log.events.take(~np.repeat(leaving, np.diff(log.events.offsets)))
    table = InteractionLogTable(kept, log.vocabulary).to_pandas()
    names = {name: name if name in table.columns else None for name in c.LOG_COLUMNS}
    extra = log.vocabulary.event_names[len(c.EVENTS) :]
    fields = build_log(
        table, Mapping(names, log.timezone, c.PURCHASE, extra, "error", None, None, None, "raise")
    )
    attributes = log.customer_attributes
    stay = ~np.isin(attributes.ids, gone)
    return fields | {
        "item_attributes": log.item_attributes,
        "customer_attributes": Attributes(
            attributes.ids[stay],
            attributes.valid_from[stay],
            attributes.table[stay].reset_index(drop=True),
        ),
        "closed_until_us": log.closed_until_us,
        "rejected": _without(log.rejected, gone),
    }


@dataclass(frozen=True)
class InteractionLogTable:
    """Events and their words, for the way out and in again."""

    events: Events
    vocabulary: Vocabulary

    def to_pandas(self) -> pd.DataFrame:
        from .table import events_to_pandas

        return events_to_pandas(self.events, self.vocabulary)


def _order(raw: RawRows, good: Array) -> tuple[Array, Array]:
    """Positions of the rows to keep in total order, and those whose event_id came before."""
    rows = np.arange(len(good)) if bool(good.all()) else np.flatnonzero(good)
    arrays = (
        {name: take_rows(a, rows) for name, a in raw.arrays.items()}
        if len(rows) < len(good)
        else raw.arrays
    )
    rest = [arrays[name] for name in TIE_COLUMNS if not is_constant(arrays[name])]
    order = rows[total_order(arrays["customer"], arrays["timestamp"], rest)]
    ids = raw.arrays["event_id"][order]
    if is_constant(raw.arrays["event_id"]) or len(ids) == 0:
        return order, order[:0]
    first = np.zeros(len(ids), dtype=bool)
    first[np.unique(ids, return_index=True)[1]] = True
    first |= ids < 0
    return order[first], order[~first]


def _vocabulary(raw: RawRows) -> Vocabulary:
    words = raw.vocabularies
    return Vocabulary(
        words["customer"], words["item"], words["order"], words["event_id"], words["channel"],
        words["reason"], raw.event_names,
    )  # fmt: skip


def _events(
    raw: RawRows, order: Array, vocabulary: Vocabulary, timezone: str
) -> tuple[Events, Vocabulary]:
    from .vocabulary import recode, with_ids

    arrays = {name: take_rows(array, order) for name, array in raw.arrays.items()}
    if raw.arrays["known_at"] is raw.arrays["timestamp"]:
        arrays["known_at"] = arrays["timestamp"]
    arrays["day"] = local_days(arrays["timestamp"], timezone)
    offsets = offsets_of(arrays["customer"], len(vocabulary.customer_ids))
    events = Events(offsets=offsets, **{name: arrays[name] for name in ROW_COLUMNS})
    customers = used_ids(events.customer, vocabulary.customer_ids)
    items = used_ids(events.item, vocabulary.item_ids)
    return recode(events, vocabulary, customers, items), with_ids(vocabulary, customers, items)


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


def _rejected(frame: Any, names: dict[str, str | None], reasons: Array) -> pd.DataFrame:
    rows = np.flatnonzero(reasons != None)  # noqa: E711  elementwise
    used = {theirs: column(frame, theirs).iloc[rows] for theirs in names.values() if theirs}
    table = pd.DataFrame(used)
    table.insert(0, "row", rows)
    table["rejected_because"] = reasons[rows]
    return table.reset_index(drop=True)


def _report(raw: RawRows, events: Events, reasons: Array) -> dict[str, Any]:
    because, counts = np.unique(reasons[reasons != None].astype(str), return_counts=True)  # noqa: E711
    varying = [getattr(events, n) for n in ROW_COLUMNS if not is_constant(getattr(events, n))]
    bought = events.event == c.EVENT_CODES[c.PURCHASE]
    return {
        "rows_read": len(reasons),
        "rows_kept": events.n,
        "rejected": dict(zip(because.tolist(), counts.tolist(), strict=True)),
        "identical_rows": events.n - len(_distinct(varying)),
        "purchases_without_price": int(np.count_nonzero(bought & np.isnan(events.price))),
        **raw.notes,
    }


def _distinct(varying: list[Array]) -> Array:
    """Starts of runs of identical rows; NaN equals NaN."""
    keys = [np.nan_to_num(a, nan=-np.inf) if a.dtype.kind == "f" else a for a in varying]
    return run_starts(*keys)


def _join(first: Attributes, second: Attributes, key: str) -> Attributes:
    if len(second.ids) == 0:
        return first
    if len(first.ids) == 0:
        return second
    tables = [
        part.table.assign(**{key: part.ids, c.VALID_FROM: part.valid_from.astype("M8[us]")})
        for part in (first, second)
    ]
    both = pd.concat(tables, ignore_index=True).drop_duplicates([key, c.VALID_FROM], keep="last")
    return read_attributes(both, key, "UTC")


def _without(rejected: pd.DataFrame, gone: Array) -> pd.DataFrame:
    """Rejected rows that name none of the customers, in whatever column."""
    if not len(rejected):
        return rejected
    names = {str(one) for one in gone.tolist()}
    mentions = rejected.astype(str).isin(names).any(axis=1)
    return rejected[~mentions].reset_index(drop=True)


__all__ = ["Mapping", "build_log", "erase_customers", "merge_logs", "n_rows"]
