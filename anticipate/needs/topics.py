"""What customers will ask about: their contacts, told as if a topic were an item.

Reads  a History; its contacts (or complaints, or another kind of event) that say why.
Gives  a History whose purchases are those events and whose items are their topics, so that
       whatever ranks the next purchase ranks the next topic, slices and labels included.
Never  another event, an item or its attributes; a customer before they were known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_option
from ..columns import CONTACT, EVENT_CODES, ITEM, MISSING, PURCHASE
from ..kernels.events import Events, constant
from ..kernels.order import total_order
from ..kernels.segments import segment_min
from ..log import History
from ..log.attributes import Attributes, no_attributes
from ..log.ids import lookup_codes
from ..log.vocabulary import trim_words, used_ids, with_ids

Array = NDArray[Any]
TOPIC = "topic"  # column of answers, in place of item_id


def topic_history(history: History, event: str = CONTACT) -> History:
    """The same customers at the same moment, with topics for items.

    Parameters
    ----------
    history : History
    event : str, default="contact"
        The kind of event whose ``reason`` is the topic; events that give none are left out
        (:func:`n_without_topic` counts them).

    Returns
    -------
    History
        Each of these events is a purchase of one piece of its topic, at an unknown price;
        ``item_ids`` are the topics that occur, sorted. Customers, cutoffs, timezone, known
        times and customers' attributes stay; there is no other event, no item attribute.
        ``topic_history(history).as_of(t)`` is ``topic_history(history.as_of(t))``.

    Raises
    ------
    ParameterError
        If there is no such kind of event, or it is the purchase.

    Notes
    -----
    O(n log n) in the events of this kind.

    Examples
    --------
    >>> from anticipate import load_example
    >>> topics = topic_history(load_example("bookshop").as_of("2025-03-01"))
    >>> topics.item_ids.tolist()
    ['account', 'advice', 'invoice', 'order_status']
    """
    of_kind = history.events.event == _code_of(history, event)
    told = history.events.take(of_kind & (history.events.reason >= 0))
    events, topics = _as_purchases(told, history.vocabulary.reasons)
    words = with_ids(history.vocabulary, history.customer_ids, topics)
    events, vocabulary = trim_words(events, words)
    return replace(
        history,
        events=events,
        vocabulary=vocabulary,
        item_attributes=no_attributes(topics),
        customer_attributes=_all_listed(history),
    )


def n_without_topic(history: History, event: str = CONTACT) -> int:
    """How many events of this kind give no reason: ``topic_history`` leaves them out."""
    events = history.events
    return int(np.count_nonzero((events.event == _code_of(history, event)) & (events.reason < 0)))


def with_topics(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers about a topic history, their ``item_id`` named ``topic``."""
    return answers.rename(columns={ITEM: TOPIC})


def _code_of(history: History, event: str) -> int:
    names = [name for name in history.vocabulary.event_names if name != PURCHASE]
    return history.vocabulary.event_names.index(check_option("target_event", event, names))


def _as_purchases(told: Events, reasons: Array) -> tuple[Events, Array]:
    """One purchase of its topic per event, in the order that a log would have them."""
    topics = used_ids(told.reason, reasons)
    rank = np.append(lookup_codes(reasons, topics), MISSING).astype(np.int32)
    item, n = rank[told.reason], told.n
    # At one instant the items stood in the order of what they were; now they are topics.
    order = total_order(told.customer, told.timestamp, [item, told.channel, told.known_at])
    bought = replace(
        told.take(order),
        item=item[order],
        event=constant(EVENT_CODES[PURCHASE], np.int8, n),
        quantity=constant(1.0, np.float64, n),
        price=constant(np.nan, np.float64, n),
        value=constant(np.nan, np.float64, n),
        order=constant(MISSING, np.int32, n),
        event_id=constant(MISSING, np.int32, n),
        gift=constant(False, np.bool_, n),
        reason=constant(MISSING, np.int32, n),
    )
    return bought, topics


def _all_listed(history: History) -> Attributes:
    """Attributes that also list who is known by their events alone, from then on.

    A history keeps the customers it has events of, or attributes. Here most events are gone,
    so each customer's first known one becomes a row without attributes.
    """
    events, facts = history.events, history.customer_attributes
    ids, codes = history.customer_ids, lookup_codes(facts.ids, history.customer_ids)
    seen = segment_min(events.known_at, events.offsets, np.iinfo(np.int64).max)
    unlisted = _first_rows(codes, facts.valid_from, len(ids)) > seen
    # pandas has no missing value for its plain booleans
    table = facts.table.astype(dict.fromkeys(facts.table.select_dtypes(bool), "boolean"))
    who = np.append(codes, np.flatnonzero(unlisted))
    since = np.append(facts.valid_from, seen[unlisted])
    row = np.append(np.arange(len(codes)), np.full(np.count_nonzero(unlisted), MISSING))
    order = np.lexsort((since, who))
    filled = table.reindex(row[order]).reset_index(drop=True)
    return Attributes(ids[who[order]], since[order], filled)


def _first_rows(codes: Array, valid_from: Array, n: int) -> Array:
    """From when each customer is listed; the largest time where they never are (n,)."""
    first = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(first, codes, valid_from)
    return first
