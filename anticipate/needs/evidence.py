"""The customer's own events that a reason rests on, and the score without them.

Reads  reasons with their facts, the customers' events, a fitted ranker.
Gives  ``cite``: events by recommendation; ``log_odds_without``: the score had they not been.
Never  another customer's event.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..columns import (
    CART,
    EVENT_CODES,
    MICROSECONDS_PER_DAY,
    NO_TIME,
    PURCHASE,
    VIEW,
    WISH,
)
from ..kernels.events import ROW_COLUMNS, take_rows
from ..kernels.segments import segment_max
from ..log import History
from ..log.attributes import no_attributes
from ..log.vocabulary import with_ids
from .answers import answer
from .candidates import Batch
from .facts_of_answers import Answers
from .shoppers import shoppers_of, take_segments
from .signals import LOOK_DAYS
from .source import View
from .sources import CODE
from .stored import Fitted

Array = NDArray[Any]
BY_ITEM = np.array([CODE[name] for name in ("repeat", "bought_before", "goes_with", "follows")])
BY_BECAUSE = np.array([CODE["goes_with"], CODE["follows"]])


class Cited(NamedTuple):
    """Events cited by r recommendations, sorted by both."""

    row: Array  # int64 (e,): which recommendation
    event: Array  # int64 (e,): position among the history's events

    @property
    def rows_cited(self) -> Array:
        """Recommendations that cite an event, ascending."""
        return np.unique(self.row)

    def of(self, rows: Array) -> Cited:
        """Those of some recommendations (ascending), numbered anew."""
        keep = np.isin(self.row, rows)
        return Cited(np.searchsorted(rows, self.row[keep]), self.event[keep])


def cite(history: History, batch: Batch, customer: Array, told: Answers) -> Cited:
    """The events behind the reasons of r recommendations.

    Kept purchases of the item (repeat, bought before), of the item that led to it (goes with,
    follows), of its category; wishes, or views and carts of ``LOOK_DAYS``, since it was last
    bought; none for what rests on others. ``customer`` (r,) are codes of the history.
    """
    events = history.events
    place, offsets = take_segments(events.offsets, customer)
    row = np.repeat(np.arange(len(customer)), np.diff(offsets))
    item, kind = batch.codes.of_history[events.item[place]], events.event[place]
    bought = _kept(history)[place]
    source, same = told.source[row], item == told.item[row]
    led = np.where(np.isin(told.source, BY_BECAUSE), told.because, told.item)
    category = np.append(batch.tables.categories.code, -1)  # codes past the model's: its last row
    known = np.minimum(np.stack((item, told.item[row])), len(category) - 2)
    alike = (category[known[0]] == category[known[1]]) & (item >= 0)
    time = events.timestamp[place]
    last = segment_max(np.where(bought & same, time, NO_TIME), offsets, NO_TIME)
    since = same & (time > last[row])
    lately = history.cutoffs[customer][row] - time <= LOOK_DAYS * MICROSECONDS_PER_DAY
    looked = np.isin(kind, [EVENT_CODES[VIEW], EVENT_CODES[CART]])
    chosen = bought & np.isin(source, BY_ITEM) & (item == led[row])
    chosen |= bought & (source == CODE["category"]) & alike
    chosen |= since & (source == CODE["wished"]) & (kind == EVENT_CODES[WISH])
    chosen |= since & (source == CODE["viewed"]) & looked & lately
    return Cited(row[chosen], place[chosen])


def log_odds_without(
    fitted: Fitted, history: History, batch: Batch, customer: Array, item: Array, cited: Cited
) -> Array:
    """Log-odds of r pairs had the cited events not happened (r,); -inf where not a candidate.

    Every pair becomes a customer of its own, with the events that are left.
    """
    left = _without(history, customer, cited)
    shoppers = shoppers_of(left, batch.codes, batch.tables.clock.target)
    view = View(shoppers, batch.view.clock, batch.ids, batch.view.traits)
    changed = Batch.of(left, batch.tables, batch.codes, view)
    mask = np.zeros(batch.codes.n, dtype=bool)
    mask[item] = True
    found = answer(changed, fitted.learned, n=int(mask.sum()), allowed=mask)
    row = np.repeat(np.arange(len(item)), np.diff(found.offsets))
    log_odds = np.full(len(item), -np.inf)
    mine = found.item == item[row]
    log_odds[row[mine]] = found.log_odds[mine]
    return log_odds


def _without(history: History, customer: Array, cited: Cited) -> History:
    """Customer i has the events of ``customer[i]`` but those cited by recommendation i."""
    events, n = history.events, len(customer)
    place, offsets = take_segments(events.offsets, customer)
    row = np.repeat(np.arange(n), np.diff(offsets))
    gone = np.isin(row * np.int64(events.n) + place, cited.row * np.int64(events.n) + cited.event)
    place, row = place[~gone], row[~gone]
    columns = {name: take_rows(getattr(events, name), place) for name in ROW_COLUMNS}
    if events.known_at is events.timestamp:
        columns["known_at"] = columns["timestamp"]
    columns["customer"] = row.astype(np.int32)
    offsets = np.searchsorted(row, np.arange(n + 1))
    ids = np.arange(n)
    return replace(
        history,
        events=replace(events, offsets=offsets, **columns),
        vocabulary=with_ids(history.vocabulary, ids, history.item_ids),
        cutoffs=history.cutoffs[customer],
        customer_attributes=no_attributes(ids),
    )


def _kept(history: History) -> Array:
    """Purchases of which at least a part did not come back (n_events,)."""
    events = history.events
    left = events.quantity - history.returns.returned > 0
    return left & (events.event == EVENT_CODES[PURCHASE])
