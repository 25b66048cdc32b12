"""Logs from logs: two together, a window of one, one without somebody.

Reads  logs.
Gives  the fields of a new ``InteractionLog``, sorted and counted as if read anew.
Never  changes the logs it was given; a trace of an erased customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import columns as c
from ..exceptions import ParameterError
from .attributes import Attributes, read_attributes
from .build import BECAUSE, ROW, Mapping, build_log, report_of, without_unused
from .frames import as_text
from .ids import is_among

if TYPE_CHECKING:
    from .interaction_log import InteractionLog

Array = NDArray[Any]
_NOTES = ("ambiguous_local_times", "nonexistent_local_times", "negative_quantity_rows")
_CUSTOMER_PLACE = 1  # of the customer's column among those of rejected rows


def merge_logs(log: InteractionLog, more: InteractionLog) -> dict[str, Any]:
    """Fields of the log that holds both; attributes of ``more`` are added to the first's."""
    if not isinstance(more, type(log)):
        raise ParameterError(
            f"extend takes a log, got {type(more).__name__}; make one of it first: "
            "InteractionLog.from_frame(table)."
        )
    tables = _alike([log.to_pandas(), more.to_pandas()])
    table = pd.concat([part for part in tables if len(part)] or tables[:1], ignore_index=True)
    n_ours = len(c.EVENTS)
    extra = (*log.vocabulary.event_names[n_ours:], *more.vocabulary.event_names[n_ours:])
    fields = _build(table, log.timezone, tuple(dict.fromkeys(extra)))
    # Whatever row it stood in, it was a row of a table that is gone.
    again = fields["rejected"].assign(**{ROW: -1})
    rejected = _stack([log.rejected, more.rejected, again])
    notes = {name: log.report.get(name, 0) + more.report.get(name, 0) for name in _NOTES}
    given = log.closed_until_us is not None or more.closed_until_us is not None
    return fields | {
        "item_attributes": _join(log.item_attributes, more.item_attributes, c.ITEM),
        "customer_attributes": _join(log.customer_attributes, more.customer_attributes, c.CUSTOMER),
        "closed_until_us": max(log.end_us, more.end_us) if given else None,
        "rejected": rejected,
        "report": report_of(fields["events"], rejected, notes),
    }


def cut_log(log: InteractionLog, mask: Array, closed_until: int) -> dict[str, Any]:
    """Fields of the log of some rows only."""
    events, vocabulary = without_unused(log.events.take(mask), log.vocabulary)
    rejected = log.rejected.iloc[:0]
    return {
        "events": events,
        "vocabulary": vocabulary,
        "timezone": log.timezone,
        "item_attributes": log.item_attributes,
        "customer_attributes": log.customer_attributes,
        "closed_until_us": closed_until,
        "rejected": rejected,
        "report": report_of(events, rejected, dict.fromkeys(_NOTES, 0)),
    }


def erase_customers(log: InteractionLog, gone: Array) -> dict[str, Any]:
    """Fields of the log without some customers: no id, order or event id of theirs is left."""
    stay = ~np.repeat(is_among(log.vocabulary.customer_ids, gone), np.diff(log.events.offsets))
    fields = cut_log(log, stay, log.end_us)
    attributes, rejected = log.customer_attributes, _without(log.rejected, gone)
    return fields | {
        "customer_attributes": attributes.rows(~is_among(attributes.ids, gone)),
        "closed_until_us": log.closed_until_us,
        "rejected": rejected,
        "report": report_of(
            fields["events"], rejected, {name: log.report.get(name, 0) for name in _NOTES}
        ),
    }


def _build(table: pd.DataFrame, timezone: str, extra: tuple[str, ...]) -> dict[str, Any]:
    names = {name: name if name in table.columns else None for name in c.LOG_COLUMNS}
    return build_log(
        table, Mapping(names, timezone, c.PURCHASE, extra, "error", None, None, None, "raise")
    )


def _alike(tables: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Tables whose id columns pandas can put together without making floats of them."""
    for name in dict.fromkeys(str(name) for table in tables for name in table):
        kinds = {table[name].dtype.kind for table in tables if name in table and len(table)}
        if {"i", "u"} <= kinds:
            tables = [t.astype({name: object}) if name in t else t for t in tables]
    return tables


def _stack(rejected: list[pd.DataFrame]) -> pd.DataFrame:
    """Rejected rows of several tables; the customer's column keeps its place and first name."""
    name = rejected[0].columns[_CUSTOMER_PLACE]
    parts = [part.rename(columns={part.columns[_CUSTOMER_PLACE]: name}) for part in rejected]
    filled = [part for part in parts if len(part)]
    table = pd.concat(filled or parts[:1], ignore_index=True)
    return table[[*table.columns.drop(BECAUSE), BECAUSE]]


def _without(rejected: pd.DataFrame, gone: Array) -> pd.DataFrame:
    """Rejected rows of nobody erased, in whatever type the ids stood in the caller's table."""
    said = rejected.iloc[:, _CUSTOMER_PLACE]
    theirs = said.isin(gone.tolist()) | as_text(said).isin([str(one) for one in gone.tolist()])
    return rejected[~theirs.to_numpy(dtype=bool)].reset_index(drop=True)


def _join(first: Attributes, second: Attributes, key: str) -> Attributes:
    if len(second.ids) == 0:
        return first
    if len(first.ids) == 0:
        return second
    tables = [
        part.table.assign(**{key: part.ids, c.VALID_FROM: part.valid_from.astype("M8[us]")})
        for part in (first, second)
    ]
    both = pd.concat(_alike(tables), ignore_index=True).drop_duplicates(
        [key, c.VALID_FROM], keep="last"
    )
    return read_attributes(both, key, "UTC")
