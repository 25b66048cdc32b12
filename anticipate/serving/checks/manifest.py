"""What a scorer reads of the manifest: each entry of its type and in its range.

Reads  the manifest, plain JSON from an untrusted place.
Gives  faults in words; how many there are of everything.
Never  a value of it in an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ...columns import EVENTS
from ...exceptions import AnticipateError
from ...suggestions.order import check_benefits
from .events import EARLIEST

_LATEST = int(np.datetime64("9999-01-01", "us").astype(np.int64))
_MOST_ROWS = 2**31 - 1
_MOST_GOLDEN = 100  # rows, and lines of each
_GOLDEN_KEYS = {"customer_id", "as_of", "cart", "recent"}


def manifest_faults(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Entries that are missing or cannot be meant."""
    for name, is_good in _ENTRIES.items():
        if name not in manifest or not is_good(manifest[name]):
            yield "manifest", f"its entry {name!r} is missing or of a wrong kind"
    for name, is_good in _OPTIONAL.items():
        if not is_good(manifest.get(name)):
            yield "manifest", f"its entry {name!r} is of a wrong kind"


def sizes_of(manifest: Mapping[str, Any]) -> dict[str, int]:
    """How many there are of what the manifest counts."""
    counts = {name: int(manifest[name]) for name in ("n_customers", "n_items", "n_events")}
    names = {f"n_{name}": len(manifest[name]) for name in ("event_names", "sources")}
    return {**counts, **names, "n_things": 2 * counts["n_items"] + 1}


def _is_instant(value: Any) -> bool:
    return type(value) is int and EARLIEST <= value < _LATEST


def _is_days(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value <= 1e6  # a whole number may be huge


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST_ROWS


def _is_timezone(value: Any) -> bool:
    try:
        return isinstance(value, str) and (value == "UTC" or ZoneInfo(value) is not None)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False


def _are_words(value: Any) -> bool:
    """A list of distinct texts, few enough for a code of eight bits."""
    texts = isinstance(value, list) and 0 < len(value) <= 127
    return texts and all(type(one) is str for one in value) and len(set(value)) == len(value)


def _are_events(value: Any) -> bool:
    return _are_words(value) and tuple(value[: len(EVENTS)]) == EVENTS


def _are_benefits(value: Any) -> bool:
    try:
        check_benefits(value)
    except (AnticipateError, TypeError, ValueError, AttributeError):
        return False
    return True


def _are_golden(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and len(value) <= _MOST_GOLDEN and all(map(_is_golden, value))
    )


def _is_golden(row: Any) -> bool:
    """A request of keywords that are known, and an answer of (kind, item, probability)."""
    if not isinstance(row, dict) or row.keys() != {"request", "answer"}:
        return False
    request, answer = row["request"], row["answer"]
    if not isinstance(request, dict) or request.keys() != _GOLDEN_KEYS:
        return False
    lists = (answer, request["cart"], request["recent"])
    if not all(isinstance(one, list) and len(one) <= _MOST_GOLDEN for one in lists):
        return False
    plain = [request["customer_id"], request["as_of"], *request["cart"]]
    for one in request["recent"]:
        plain += one.values() if isinstance(one, dict) else [None]
    return all(type(one) in (int, str) for one in plain) and all(map(_is_answer, answer))


def _is_answer(one: Any) -> bool:
    if not isinstance(one, list) or len(one) != 3 or type(one[2]) not in (int, float):
        return False
    return bool(0 <= one[2] <= 1)


_ENTRIES: dict[str, Callable[[Any], bool]] = {
    "cutoff_us": _is_instant,
    "timezone": _is_timezone,
    "horizon_days": _is_days,
    "event_names": _are_events,
    "sources": _are_words,
    "popular_window_days": _is_days,
    "n_customers": _is_count,
    "n_items": _is_count,
    "n_events": _is_count,
}
_OPTIONAL: dict[str, Callable[[Any], bool]] = {
    "benefits": _are_benefits,
    "golden": _are_golden,
}
