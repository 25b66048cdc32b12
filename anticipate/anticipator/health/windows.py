"""What the last whole weeks looked like: facts of the customers who did something then.

Reads  a History; which customers and items were known otherwise.
Gives  a few thousand active customers, and a number per fact and customer.
Never  an event before the window, so that two windows of one length are alike if nothing
       changed: counts since the beginning grow in every shop.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...features import FeatureBuilder, feature_table
from ...kernels.days import day_starts
from ...kernels.events import PURCHASE_CODE, Events
from ...kernels.segments import segment_count, segment_sum
from ...log import History
from ...log.ids import is_among
from ...log.objections import objectors

Array = NDArray[Any]
Floats = NDArray[np.float64]
DAY, HOUR = 86_400_000_000, 3_600_000_000
WINDOWS = (28, 14, 7)  # days: whole weeks, the longest first
MOST = 2_000  # customers looked at
SHARE_OF = "share_of_"  # an event's share of a customer's events
NEW_CUSTOMER, NEW_ITEMS, HOUR_OF_DAY = "new_customer", "share_of_new_items", "local_hour"
# These speak of longer times than a window, or of attributes that a file of events lacks.
_OTHERS = ("_30d", "_90d", "_365d", "n_categories")


class Known(NamedTuple):
    """Ids known before, beside those in the history."""

    customers: Array
    items: Array


class Active(NamedTuple):
    """Up to ``MOST`` customers, drawn by a seed, of those who did something in the window."""

    history: History  # theirs alone, whole
    days: int

    @property
    def ids(self) -> Array:
        return self.history.customer_ids

    @property
    def start_us(self) -> int:
        return self.history.cutoff_us - self.days * DAY


def features_of_windows() -> list[str]:
    """Those of the churn part's features that a window can tell."""
    names: list[str] = feature_table("customer").index.tolist()
    return [name for name in names if not name.endswith(_OTHERS)]


def active_customers(history: History, days: int, most: int = MOST) -> Active:
    """Who did something in the last days; none who objects to profiling."""
    events, start = history.events, history.cutoff_us - days * DAY
    who = np.unique(events.customer[events.timestamp >= start])
    who = who[~objectors(history)[who]]
    if len(who) > most:
        who = np.sort(np.random.default_rng(0).choice(who, most, replace=False))
    return Active(history.select(history.customer_ids[who]), days)


def events_a_day(history: History, days: int) -> Floats:
    """Events of each day of the window, counted back from its end (days,)."""
    age = (history.cutoff_us - 1 - history.events.timestamp) // DAY
    return np.bincount(age[age < days], minlength=days)[::-1].astype(np.float64)


def active_in(active: Active, days: int) -> NDArray[np.bool_]:
    """Which of them did something in a shorter window with the same end."""
    last = active.history.events.timestamp >= active.history.cutoff_us - days * DAY
    return segment_count(last, active.history.events.offsets) > 0


def window_facts(active: Active, days: int, older: Known) -> dict[str, Floats]:
    """Facts of the customers active in the last ``days``, by name, each (n,); NaN unknown."""
    history, start = active.history, active.history.cutoff_us - days * DAY
    whose = active_in(active, days)
    inside = history.events.timestamp >= start
    window = replace(history, events=history.events.take(inside))
    names = features_of_windows()
    table = FeatureBuilder(features=names).fit(window).transform(window)
    facts = {name: table[name].to_numpy(dtype=np.float64) for name in names}
    facts |= _baskets(window.events, facts) | _shares(window)
    facts[HOUR_OF_DAY] = _hours(window)
    facts[NEW_CUSTOMER] = _new_customers(history, start, older).astype(np.float64)
    facts[NEW_ITEMS] = _new_items(history, window.events, start, older)
    return {name: values[whose] for name, values in facts.items()}


def _baskets(events: Events, facts: dict[str, Floats]) -> dict[str, Floats]:
    known = (events.event == PURCHASE_CODE) & ~np.isnan(events.price)
    price = segment_sum(np.where(known, events.price, 0.0), events.offsets)
    return {
        "basket_size": _ratio(facts["n_lines"], facts["n_purchases"]),
        "price": _ratio(price, segment_count(known, events.offsets)),
    }


def _shares(window: History) -> dict[str, Floats]:
    """Of each kind of event that occurs, its share of each customer's events."""
    events, n = window.events, np.diff(window.events.offsets)
    return {
        SHARE_OF + window.vocabulary.event_names[code]: _ratio(
            segment_count(events.event == code, events.offsets), n
        )
        for code in np.unique(events.event).tolist()
    }


def _hours(window: History) -> Floats:
    """Local hour of each customer's last event in the window."""
    events = window.events
    last = events.offsets[1:] - 1
    has = np.diff(events.offsets) > 0
    rows = last[has]
    since = events.timestamp[rows] - day_starts(events.day[rows], window.timezone)
    hours = np.full(events.n_customers, np.nan)
    hours[has] = since / HOUR
    return hours


def _new_customers(history: History, start: int, older: Known) -> NDArray[np.bool_]:
    before = segment_count(history.events.timestamp < start, history.events.offsets) > 0
    return ~before & ~is_among(history.customer_ids, older.customers)


def _new_items(history: History, window: Events, start: int, older: Known) -> Floats:
    """Share of each customer's events with an item that are about an item met in the window."""
    known = is_among(history.item_ids, older.items)
    named = window.item >= 0
    new = named & ~np.append(known, True)[window.item]
    return _ratio(segment_count(new, window.offsets), segment_count(named, window.offsets))


def items_before(history: History, days: int) -> Array:
    """Items of which there is an event before the window."""
    events = history.events
    old = events.item[(events.timestamp < history.cutoff_us - days * DAY) & (events.item >= 0)]
    return history.item_ids[np.unique(old)]


def _ratio(part: Array, whole: Array) -> Floats:
    """NaN where there is nothing."""
    out = np.full(len(part), np.nan)
    return np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
