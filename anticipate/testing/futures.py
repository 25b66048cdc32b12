"""Logs that agree with a given one on everything known before a cutoff, and on nothing else.

Reads  a log and a cutoff.
Gives  new logs: rows in another order; the future deleted, changed, added to; news that were
       not out yet; attributes that were not valid yet.
Never  the given log changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from .. import columns as c
from ..log import InteractionLog
from ..log.attributes import Attributes, read_attributes

Array = NDArray[Any]
Change = Callable[[pd.DataFrame, pd.Timestamp, Generator], pd.DataFrame]
TOPICS = (c.CHANNEL, c.REASON)


def other_futures(
    log: InteractionLog, cutoff: pd.Timestamp, random_state: int = 0
) -> dict[str, InteractionLog]:
    """Logs with the same past, by what was done to the rest."""
    rng = np.random.default_rng(random_state)
    changes: dict[str, Change] = {
        "deleting all that came later": _deleted,
        "changing what came later": _changed,
        "appending events at and after the cutoff": _appended,
        "appending events that were not known yet": _not_known_yet,
    }
    table = full_table(log)
    futures = {name: remade(log, change(table, cutoff, rng)) for name, change in changes.items()}
    futures["appending attributes valid from the cutoff on"] = _other_attributes(log, cutoff)
    return futures


def shuffled(log: InteractionLog, random_state: int = 0) -> InteractionLog:
    """The same rows, given in another order."""
    return remade(log, full_table(log).sample(frac=1.0, random_state=random_state))


def everything_else(
    log: InteractionLog, cutoff: pd.Timestamp, random_state: int = 0
) -> InteractionLog:
    """All changes of the future at once, rows shuffled."""
    rng = np.random.default_rng(random_state)
    table = full_table(log)
    for change in (_changed, _appended, _not_known_yet):
        table = change(table, cutoff, rng)
    table = table.sample(frac=1.0, random_state=random_state)
    return _other_attributes(remade(log, table), cutoff)


def full_table(log: InteractionLog) -> pd.DataFrame:
    """The events with a ``known_at``, whether the log was given one or not."""
    table = log.to_pandas()
    if c.KNOWN_AT not in table:
        table[c.KNOWN_AT] = table[c.TIMESTAMP]
    # Beside missing ones, pandas would make floats of whole numbers.
    signed = dict.fromkeys(table.select_dtypes("int64"), "Int64")
    large = dict.fromkeys(table.select_dtypes("uint64"), "UInt64")
    return table.astype(signed | large)


def remade(log: InteractionLog, table: pd.DataFrame) -> InteractionLog:
    """A log of other events, with the attributes and the closing time of the given one."""
    made = InteractionLog.from_frame(
        table.reset_index(drop=True),
        **{name: name for name in c.LOG_COLUMNS if name in table},
        timezone=log.timezone,
        extra_events=log.vocabulary.event_names[len(c.EVENTS) :],
    )
    return replace(
        made,
        closed_until_us=log.end_us,
        item_attributes=log.item_attributes,
        customer_attributes=log.customer_attributes,
    )


def _later(table: pd.DataFrame, cutoff: pd.Timestamp) -> Any:
    return (table[c.TIMESTAMP] >= cutoff) | (table[c.KNOWN_AT] >= cutoff)


def _deleted(table: pd.DataFrame, cutoff: pd.Timestamp, rng: Generator) -> pd.DataFrame:
    return table[~_later(table, cutoff)]


def _changed(table: pd.DataFrame, cutoff: pd.Timestamp, rng: Generator) -> pd.DataFrame:
    """Later rows change customers, items, kinds and numbers among each other."""
    later = _later(table, cutoff)
    rows = table[later].copy()
    for name in rows.columns.drop([c.TIMESTAMP, c.KNOWN_AT]):
        rows[name] = rows[name].take(rng.permutation(len(rows))).array
    rows[[c.QUANTITY, c.PRICE]] *= 7.0
    rows = rows[rows[c.ITEM].notna()].assign(**{c.EVENT: c.PURCHASE})
    return pd.concat([table[~later], rows], ignore_index=True)


def _appended(table: pd.DataFrame, cutoff: pd.Timestamp, rng: Generator) -> pd.DataFrame:
    """Purchases at and after the cutoff: by known customers, and by ids never seen."""
    rows = _purchases_of(table, rng)
    day = np.arange(len(rows)) % 30  # some at the cutoff itself
    rows[c.TIMESTAMP] = rows[c.KNOWN_AT] = cutoff + pd.to_timedelta(day, unit="D")
    return pd.concat([table, rows, _strangers(rows, table)], ignore_index=True)


def _not_known_yet(table: pd.DataFrame, cutoff: pd.Timestamp, rng: Generator) -> pd.DataFrame:
    """Purchases of the past that became known at the cutoff or later."""
    rows = _purchases_of(table, rng)
    rows[c.TIMESTAMP] = cutoff - pd.to_timedelta(1 + np.arange(len(rows)) % 50, unit="D")
    rows[c.KNOWN_AT] = cutoff + pd.to_timedelta(np.arange(len(rows)) % 3, unit="D")
    return pd.concat([table, rows, _strangers(rows, table)], ignore_index=True)


def _purchases_of(table: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    bought = table[table[c.EVENT] == c.PURCHASE]
    rows = bought.iloc[rng.integers(0, max(len(bought), 1), min(len(bought), 100))].copy()
    rows[c.QUANTITY], rows[c.PRICE] = 11.0, 999.0
    return rows.drop(columns=c.EVENT_ID, errors="ignore")


def _strangers(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The same rows by ids that sort before and after all others of the table."""
    few = rows.iloc[:6].copy()
    for name in (c.CUSTOMER, c.ITEM, c.ORDER, *TOPICS):
        if name in few:
            few[name] = _strange_ids(table[name], len(few))
    return few


def _strange_ids(ids: pd.Series[Any], n: int) -> Any:
    known = ids.dropna()
    if len(known) and pd.api.types.is_numeric_dtype(ids.dtype):
        low, high = int(known.min()), int(known.max())
        new = [low - 1 - row if low > n and row % 2 else high + 1 + row for row in range(n)]
        return pd.Series(new, dtype=ids.dtype).array
    return [f"{'!~'[row % 2]}stranger {row}" for row in range(n)]


def _other_attributes(log: InteractionLog, cutoff: pd.Timestamp) -> InteractionLog:
    """Attributes as they were, and other ones for everybody from the cutoff on."""
    items = _changed_facts(log.item_attributes, log.vocabulary.item_ids, c.ITEM, cutoff)
    customers = _changed_facts(
        log.customer_attributes, log.vocabulary.customer_ids, c.CUSTOMER, cutoff
    )
    return replace(log, item_attributes=items, customer_attributes=customers)


def _changed_facts(facts: Attributes, known: Array, key: str, cutoff: pd.Timestamp) -> Attributes:
    if len(facts.ids) == 0:
        return facts
    times = pd.Series(facts.valid_from.astype("M8[us]")).dt.tz_localize("UTC")
    now: dict[str, Any] = {key: facts.ids, c.VALID_FROM: times}
    table = facts.table.assign(**now)
    held = (facts.valid_from < 0) | (times < cutoff).to_numpy()  # later rows are the future too
    ids = np.unique(np.concatenate((facts.listed, known)))
    donors = np.arange(1, len(ids) + 1) % len(table)  # what holds for somebody else
    then: dict[str, Any] = {key: ids, c.VALID_FROM: cutoff}
    later = facts.table.iloc[donors].assign(**then)
    return read_attributes(pd.concat([table[held], later], ignore_index=True), key, "UTC")
