"""What happened after a moment: the only file that reads past a cutoff.

Reads  a log (or a longer history) and a closed window ``[cutoff, cutoff + horizon)``.
Gives  ``Outcomes``: per customer, per pair, and the window's events.
Never  a window that is not closed: silence in it would look like leaving.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import columns as c
from ._checks import check_positive
from .exceptions import CutoffError
from .kernels.events import Events
from .kernels.segments import run_starts, segment_count, segment_first, segment_sum
from .log import History, InteractionLog
from .log.clock import Instant, days_to_microseconds, to_microseconds, to_timestamp
from .log.ids import lookup_codes
from .log.table import events_to_pandas
from .log.vocabulary import Vocabulary

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Labels of one closed window; made by ``label_outcomes``.

    Attributes
    ----------
    customers : DataFrame indexed by customer_id, every customer of the history
        ``purchased`` (bool), ``n_purchases`` (purchase days in the window), ``spend``
        (known prices only), ``next_purchase_days`` (days from the cutoff, NaN = none).
    pairs : DataFrame
        ``customer_id, item_id, in_history, bought, quantity, next_purchase_days``: every pair
        bought before and every pair bought in the window, sorted by the first two.
    lines : DataFrame
        The window's events, contract columns.
    """

    history: History
    window: Events  # codes of ``vocabulary``, customers of the whole source
    vocabulary: Vocabulary
    cutoff_us: int
    horizon_days: float

    @property
    def cutoff(self) -> pd.Timestamp:
        return to_timestamp(self.cutoff_us)

    @cached_property
    def lines(self) -> pd.DataFrame:
        return events_to_pandas(self.window, self.vocabulary)

    @cached_property
    def customers(self) -> pd.DataFrame:
        bought = self.window.purchases()
        days = run_starts(bought.customer, bought.day)
        is_new_day = np.zeros(bought.n, dtype=bool)
        is_new_day[days] = True
        spend = np.where(np.isnan(bought.price), 0.0, bought.price) * bought.quantity
        first = segment_first(bought.timestamp, bought.offsets, c.NO_TIME)
        index = pd.Index(self.history.customer_ids, name=c.CUSTOMER)
        # A customer who is only listed has no events in the source: code -1, the last place.
        codes = lookup_codes(self.history.customer_ids, self.vocabulary.customer_ids)
        return pd.DataFrame(
            {
                "purchased": np.append(np.diff(bought.offsets) > 0, False)[codes],
                "n_purchases": np.append(segment_count(is_new_day, bought.offsets), 0)[codes],
                "spend": np.append(segment_sum(spend, bought.offsets), 0.0)[codes],
                "next_purchase_days": np.append(self._days_after(first), np.nan)[codes],
            },
            index=index,
        )

    @cached_property
    def pairs(self) -> pd.DataFrame:
        before = self.history.purchases
        source = self.vocabulary
        known = np.unique(
            self._key(
                lookup_codes(self.history.customer_ids, source.customer_ids)[before.customer],
                lookup_codes(self.history.item_ids, source.item_ids)[before.item],
            )
        )
        bought, first, quantity = self._bought()
        keys = np.union1d(known, bought)
        position = np.searchsorted(keys, bought)
        next_days = np.full(len(keys), np.nan)
        next_days[position] = self._days_after(first)
        pieces = np.zeros(len(keys))
        pieces[position] = quantity
        customer, item = np.divmod(keys, self._span)
        return pd.DataFrame(
            {
                c.CUSTOMER: source.customer_ids[customer],
                c.ITEM: source.item_ids[item],
                "in_history": np.isin(keys, known),
                "bought": np.isin(keys, bought),
                c.QUANTITY: pieces,
                "next_purchase_days": next_days,
            }
        )

    def bought_codes(self) -> tuple[Array, Array]:
        """Distinct pairs bought in the window as codes of the *history*'s vocabularies.

        Pairs of customers or items that the history does not know are left out.
        """
        customer, item = np.divmod(self._bought()[0], self._span)
        source, history = self.vocabulary, self.history
        customers = lookup_codes(source.customer_ids, history.customer_ids)[customer]
        items = lookup_codes(source.item_ids, history.item_ids)[item]
        known = (customers >= 0) & (items >= 0)
        return customers[known], items[known]

    @property
    def _span(self) -> int:
        return max(len(self.vocabulary.item_ids), 1)

    def _key(self, customer: Array, item: Array) -> Array:
        return customer.astype(np.int64) * self._span + item

    def _bought(self) -> tuple[Array, Array, Array]:
        """Sorted pair keys bought in the window, first time and pieces of each."""
        bought = self.window.purchases()
        key = self._key(bought.customer, bought.item)
        order = np.argsort(key, kind="stable")
        key = key[order]
        starts = run_starts(key)
        offsets = np.append(starts, len(key))
        quantity = segment_sum(np.asarray(bought.quantity)[order], offsets)
        return key[starts], bought.timestamp[order][starts], quantity

    def _days_after(self, timestamp: Array) -> Array:
        days = (timestamp - self.cutoff_us) / c.MICROSECONDS_PER_DAY
        return np.where(timestamp == c.NO_TIME, np.nan, days)


def label_outcomes(
    source: InteractionLog | History, cutoff: Instant, horizon_days: float
) -> Outcomes:
    """What happened in ``[cutoff, cutoff + horizon_days)``.

    Parameters
    ----------
    source : InteractionLog or History
        Holds the window. A history holds it only if it ends after the window does.
    cutoff : datetime-like
        Naive ones are read in the source's timezone.
    horizon_days : float, days (> 0)

    Raises
    ------
    CutoffError
        If the window is not closed in the source.

    Examples
    --------
    >>> from anticipate import load_example
    >>> log = load_example("three_buyers")
    >>> outcomes = label_outcomes(log, log.start + (log.end - log.start) / 2, 7)
    >>> outcomes.customers.columns.tolist()
    ['purchased', 'n_purchases', 'spend', 'next_purchase_days']
    """
    horizon = check_positive("horizon_days", horizon_days)
    at = to_microseconds(cutoff, source.timezone)
    end = at + days_to_microseconds(horizon)
    closed = _closed_until(source)
    if end > closed:
        raise CutoffError(
            f"the window of {horizon:g} days from {to_timestamp(at)} is not closed: data end at "
            f"{to_timestamp(closed)}. Take an earlier cutoff, a shorter horizon, or say "
            "closed_until=... when you make the log."
        )
    history = source.before(at)
    inside = (source.events.timestamp >= at) & (source.events.timestamp < end)
    return Outcomes(history, source.events.take(inside), source.vocabulary, at, horizon)


def temporal_split(
    source: InteractionLog | History, cutoff: Instant, horizon_days: float
) -> tuple[History, Outcomes]:
    """The history before a cutoff and what happened in the horizon after it."""
    outcomes = label_outcomes(source, cutoff, horizon_days)
    return outcomes.history, outcomes


def _closed_until(source: InteractionLog | History) -> int:
    if isinstance(source, InteractionLog):
        if not source.n_events and source.closed_until_us is None:
            raise CutoffError(
                "the log is empty and no closed_until was given: no window of it is closed."
            )
        return source.end_us
    if not bool((source.cutoffs == source.cutoff_us).all()):
        raise CutoffError(
            "customers of this history have cutoffs of their own; label from the whole one."
        )
    given = source.closed_until_us
    return source.cutoff_us if given is None else min(given, source.cutoff_us)


__all__ = ["Outcomes", "label_outcomes", "temporal_split"]
