"""What the codes of a history mean: ids, orders, channels and topics.

Reads  sorted vocabularies.
Gives  ids for codes and back; smaller vocabularies for smaller histories.
Never  a code of one history used in another: models keep ids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.events import Events, offsets_of

Array = NDArray[Any]


@dataclass(frozen=True)
class Vocabulary:
    customer_ids: Array  # sorted; code = position
    item_ids: Array
    orders: Array
    event_ids: Array
    channels: Array
    reasons: Array
    event_names: tuple[str, ...]

    @property
    def signature(self) -> tuple[str, ...]:
        """Kinds of the ids, to compare two logs."""
        return ("text" if self.customer_ids.dtype == object else "integer",)


def union_ids(first: Array, second: Array) -> Array:
    """Sorted union of two sorted vocabularies, the first returned as it is where it suffices."""
    if len(second) == 0:
        return first
    if len(first) == 0:
        return np.unique(second)
    extra = second[~np.isin(second, first)]
    return first if len(extra) == 0 else np.sort(np.concatenate((first, extra)))


def recode(events: Events, vocabulary: Vocabulary, ids: Array, item_ids: Array) -> Events:
    """Events whose customer and item codes point into the given sorted vocabularies.

    Every id in use must be in its new vocabulary.
    """
    customer, item = events.customer, events.item
    if ids is not vocabulary.customer_ids:
        table = np.searchsorted(ids, vocabulary.customer_ids).astype(np.int32)
        customer = table[customer] if len(table) else customer
    if item_ids is not vocabulary.item_ids:
        table = np.searchsorted(item_ids, vocabulary.item_ids).astype(np.int32)
        table = np.concatenate((table, np.array([-1], dtype=np.int32)))  # -1 stays -1
        item = table[item]
    if customer is events.customer and item is events.item:
        return events
    offsets = offsets_of(customer, len(ids))
    return replace(events, customer=customer, item=item, offsets=offsets)


def used_ids(codes: Array, vocabulary: Array) -> Array:
    """The ids that occur, sorted; the vocabulary itself where all do."""
    present = np.zeros(len(vocabulary) + 1, dtype=bool)
    present[codes] = True
    present = present[:-1]  # the last place collects -1
    return vocabulary if bool(present.all()) else vocabulary[present]


def with_ids(vocabulary: Vocabulary, customer_ids: Array, item_ids: Array) -> Vocabulary:
    return replace(vocabulary, customer_ids=customer_ids, item_ids=item_ids)
