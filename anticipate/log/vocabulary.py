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

from ..kernels.events import Events, is_constant, offsets_of
from .ids import lookup_codes, one_kind

Array = NDArray[Any]


_WORDS = {"order": "orders", "event_id": "event_ids", "channel": "channels", "reason": "reasons"}


@dataclass(frozen=True)
class Vocabulary:
    customer_ids: Array  # sorted; code = position
    item_ids: Array
    orders: Array
    event_ids: Array
    channels: Array
    reasons: Array
    event_names: tuple[str, ...]


def union_ids(first: Array, second: Array) -> Array:
    """Sorted union of two sorted vocabularies, the first returned as it is where it suffices."""
    if len(second) == 0:
        return first
    if len(first) == 0:
        return np.unique(second)
    first, second = one_kind(first, second)
    extra = second[lookup_codes(second, first) < 0]
    return first if len(extra) == 0 else np.sort(np.concatenate((first, extra)))


def recode(events: Events, vocabulary: Vocabulary, ids: Array, item_ids: Array) -> Events:
    """Events whose customer and item codes point into the given sorted vocabularies.

    Every id in use must be in its new vocabulary.
    """
    customer = _recoded(events.customer, vocabulary.customer_ids, ids)
    item = _recoded(events.item, vocabulary.item_ids, item_ids)
    same = ids is vocabulary.customer_ids
    offsets = events.offsets if same else offsets_of(customer, len(ids))
    return replace(events, customer=customer, item=item, offsets=offsets)


def trim_words(events: Events, vocabulary: Vocabulary) -> tuple[Events, Vocabulary]:
    """Codes and words of orders, event ids, channels and topics of these events alone."""
    columns: dict[str, Array] = {}
    words: dict[str, Any] = {}
    for name, place in _WORDS.items():
        codes, known = getattr(events, name), getattr(vocabulary, place)
        words[place] = known[:0] if is_constant(codes) else used_ids(codes, known)
        columns[name] = _recoded(codes, known, words[place])
    return replace(events, **columns), replace(vocabulary, **words)


def _recoded(codes: Array, old: Array, new: Array) -> Array:
    """Codes of ``old`` as codes of ``new``; -1 stays -1."""
    if new is old or len(old) == 0 or is_constant(codes):
        return codes
    used = _used(codes, len(old))
    if len(new) == np.count_nonzero(used):  # the new ones are those in use, so count them off
        table = np.cumsum(used) - 1
    else:
        table = np.searchsorted(*one_kind(new, old))
    return np.append(table, -1).astype(codes.dtype)[codes]


def used_ids(codes: Array, vocabulary: Array) -> Array:
    """The ids that occur, sorted; the vocabulary itself where all do."""
    used = _used(codes, len(vocabulary))
    return vocabulary if bool(used.all()) else vocabulary[used]


def _used(codes: Array, n_words: int) -> Array:
    used = np.zeros(n_words + 1, dtype=bool)
    used[codes] = True
    return used[:-1]  # the last place collects -1


def with_ids(vocabulary: Vocabulary, customer_ids: Array, item_ids: Array) -> Vocabulary:
    return replace(vocabulary, customer_ids=customer_ids, item_ids=item_ids)
