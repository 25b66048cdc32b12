"""A history: what was known of some customers before a moment.

Reads  sorted events and attributes, cut by the log.
Gives  arrays for the kernels; attributes as of the cutoff; smaller histories.
Never  an event at or after the cutoff, nor one not yet known then: it does not hold them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import CUSTOMER, EVENT_CODES, ITEM, PURCHASE
from ..exceptions import CutoffError, ParameterError
from ..kernels.days import day_starts
from ..kernels.events import Events
from ..kernels.returns import ReturnMatch, match_returns
from ..kernels.segments import segment_last
from .attributes import Attributes
from .clock import Instant, to_microseconds, to_timestamp, to_timestamps
from .ids import check_ids, is_among, lookup_codes
from .table import events_to_pandas
from .vocabulary import Vocabulary, recode, trim_words, union_ids, used_ids, with_ids

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class History:
    """Events with ``timestamp < cutoff`` and ``known_at < cutoff``; made by ``log.as_of``.

    Attributes
    ----------
    events : Events
        Arrays sorted by (customer, timestamp, remaining columns); codes are ranks in
        ``customer_ids`` and ``item_ids``.
    cutoffs : ndarray of shape (n_customers,), int64
        The cutoff in microseconds UTC, one per customer (all equal but for
        ``before_last_basket``).
    timezone : str
        Of calendar days and naive times.
    """

    events: Events
    vocabulary: Vocabulary
    cutoffs: Array
    cutoff_us: int  # of the whole; the latest of ``cutoffs``
    timezone: str
    item_attributes: Attributes
    customer_attributes: Attributes
    closed_until_us: int | None = None  # only where the caller of the log gave it

    def __repr__(self) -> str:
        return (
            f"History({self.n_events} events, {self.n_customers} customers, {self.n_items} items, "
            f"before {to_timestamp(self.cutoff_us).isoformat()})"
        )

    @property
    def customer_ids(self) -> Array:
        """Sorted ids (n_customers,): those seen before the cutoff, or listed."""
        return self.vocabulary.customer_ids

    @property
    def item_ids(self) -> Array:
        return self.vocabulary.item_ids

    @property
    def n_events(self) -> int:
        return self.events.n

    @property
    def n_customers(self) -> int:
        return len(self.customer_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    @property
    def cutoff(self) -> pd.Timestamp | pd.DatetimeIndex:
        """The cutoff (UTC); one per customer after ``before_last_basket``."""
        if bool((self.cutoffs == self.cutoff_us).all()):
            return to_timestamp(self.cutoff_us)
        return to_timestamps(self.cutoffs)

    @cached_property
    def customers(self) -> pd.DataFrame:
        """Attributes as of the customer's cutoff, row i = customer code i."""
        found = self.customer_attributes.as_of_each(self.customer_ids, self.cutoffs)
        return _attribute_table(*found, self.customer_ids, CUSTOMER)

    @cached_property
    def items(self) -> pd.DataFrame:
        """Attributes as of the (latest) cutoff, row i = item code i."""
        return _attribute_table(*self.item_attributes.as_of(self.cutoff_us), self.item_ids, ITEM)

    @cached_property
    def purchases(self) -> Events:
        """The purchase events alone."""
        return self.events.purchases()

    @cached_property
    def returns(self) -> ReturnMatch:
        """Which purchase each return or cancellation undid; row-aligned with ``events``."""
        return match_returns(self.events)

    def as_of(self, cutoff: Instant) -> History:
        """The history as it was known at an earlier moment.

        Raises
        ------
        CutoffError
            If ``cutoff`` lies after this history's own: what came later is not here.
        """
        at = to_microseconds(cutoff, self.timezone)
        if at > self.cutoff_us:
            raise CutoffError(
                f"this history ends before {to_timestamp(self.cutoff_us)}; it cannot show "
                f"{to_timestamp(at)}. Ask the log: log.as_of(...)."
            )
        return self.before(at)

    def before(self, at: int) -> History:
        cutoffs = np.minimum(self.cutoffs, at)
        closed = self.closed_until_us
        return _cut(self, self.events, cutoffs, at, None if closed is None else min(closed, at))

    def select(self, ids: Iterable[Any]) -> History:
        """Only these customers; an id never seen becomes a customer without events.

        Raises
        ------
        IdTypeError
            If the ids are of another type than the log's.
        """
        wanted = np.unique(check_ids(ids, self.customer_ids, CUSTOMER))
        codes = lookup_codes(wanted, self.customer_ids)
        known = codes >= 0
        keep = np.zeros(self.n_customers, dtype=bool)
        keep[codes[known]] = True
        events = self.events.take(np.repeat(keep, np.diff(self.events.offsets)))
        cutoffs = np.full(len(wanted), self.cutoff_us, dtype=np.int64)
        cutoffs[known] = self.cutoffs[codes[known]]
        items = self.item_ids
        events = recode(events, self.vocabulary, wanted, items)
        facts = self.customer_attributes
        return History(
            events, with_ids(self.vocabulary, wanted, items), cutoffs, self.cutoff_us,
            self.timezone, self.item_attributes, facts.rows(is_among(facts.ids, wanted)),
            self.closed_until_us,
        )  # fmt: skip

    def before_last_basket(self) -> History:
        """Each customer before the local day of their own last purchase.

        Customers without a purchase keep all events and the common cutoff.
        """
        bought = self.purchases
        last_day = segment_last(bought.day, bought.offsets, 0)
        has = np.diff(bought.offsets) > 0
        starts = day_starts(last_day, self.timezone)
        cutoffs = np.where(has, np.minimum(starts, self.cutoffs), self.cutoffs)
        return _cut(self, self.events, cutoffs, self.cutoff_us, self.closed_until_us)

    def to_pandas(self) -> pd.DataFrame:
        """The events as a new table with the contract's column names, times in UTC."""
        return events_to_pandas(self.events, self.vocabulary)

    @property
    def n_purchases(self) -> int:
        return int(np.count_nonzero(self.events.event == EVENT_CODES[PURCHASE]))


def history_from(
    events: Events,
    vocabulary: Vocabulary,
    at: int,
    timezone: str,
    attributes: tuple[Attributes, Attributes],
    closed_until: int | None,
) -> History:
    """The history before ``at`` of a whole log."""
    cutoffs = np.full(len(vocabulary.customer_ids), at, dtype=np.int64)
    whole = History(events, vocabulary, cutoffs, at, timezone, *attributes, closed_until)
    return _cut(whole, events, cutoffs, at, closed_until)


def _attribute_table(found: Array, table: pd.DataFrame, ids: Array, key: str) -> pd.DataFrame:
    """Attributes of the found ids, aligned with all ids: NA where there are none."""
    aligned = table.reset_index(drop=True).reindex(lookup_codes(ids, found))
    return aligned.set_axis(pd.Index(ids, name=key), axis=0)


def _cut(whole: History, events: Events, cutoffs: Array, at: int, closed: int | None) -> History:
    """Keep what each customer's cutoff allows, with the vocabulary of what is left.

    The vocabulary must be that of the kept rows: a code that depends on a later customer
    would carry the future into seeds and ties.
    """
    keep = _known_before(events, cutoffs, at)
    kept = events if keep is None else events.take(keep)
    vocabulary = whole.vocabulary
    item_facts, customer_facts = (
        facts.before(at) for facts in (whole.item_attributes, whole.customer_attributes)
    )
    seen_customers = used_ids(kept.customer, vocabulary.customer_ids)
    customers = union_ids(seen_customers, customer_facts.listed)
    items = union_ids(used_ids(kept.item, vocabulary.item_ids), item_facts.listed)
    kept = recode(kept, vocabulary, customers, items)
    kept, words = trim_words(kept, with_ids(vocabulary, customers, items))
    own = np.full(len(customers), at, dtype=np.int64)
    if not bool((cutoffs == at).all()):
        codes = lookup_codes(customers, vocabulary.customer_ids)
        own = np.append(cutoffs, at)[codes]  # one that was only listed: the common cutoff
    return History(
        kept, words, own, at, whole.timezone,
        item_facts, customer_facts, closed,
    )  # fmt: skip


def _known_before(events: Events, cutoffs: Array, at: int) -> Array | None:
    """Mask of rows that happened and were known before each cutoff; None where all did."""
    limit = at if bool((cutoffs == at).all()) else np.repeat(cutoffs, np.diff(events.offsets))
    keep = events.known_at < limit
    if events.known_at is not events.timestamp:
        keep &= events.timestamp < limit
    return None if bool(np.all(keep)) else np.asarray(keep)


def check_history(value: object) -> None:
    """Refuse what is no history: most often a log without ``as_of``."""
    if not isinstance(value, History):
        raise ParameterError(
            f"history must be a History; got {type(value).__name__}. Give log.as_of(cutoff)."
        )
