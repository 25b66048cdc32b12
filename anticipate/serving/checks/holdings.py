"""Whether stored pairs of customer and item point at events of that customer.

Reads  the columns of holdings, each already known to hold numbers of its kind; event offsets.
Gives  faults of columns beside each other.
Never  more pairs at once than those of two thousand customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bundle import let_go

Array = NDArray[Any]
Fault = tuple[str, str]

_CUSTOMERS = 1 << 11  # gone through at once
# Rows of one pair in the order of their times: an earlier one never comes after a later one.
_IN_TIME = (("first_row", "last_row"), ("kept_first_row", "kept_visit_row"),
            ("kept_visit_row", "kept_row"))  # fmt: skip
_LAST = ("last_row", "kept_row")


def holding_faults(columns: Mapping[str, Array], event_offsets: Array) -> Iterator[Fault]:
    """Faults of p pairs; ``event_offsets`` divide the events into customers."""
    offsets = columns["offsets"]
    for start in range(0, len(offsets) - 1, _CUSTOMERS):
        cuts = offsets[start : start + _CUSTOMERS + 1]
        rows = slice(cuts[0], cuts[-1])
        pairs = {name: column[rows] for name, column in columns.items() if name != "offsets"}
        n_events = np.diff(event_offsets[start : start + _CUSTOMERS + 1])
        yield from _faults(pairs, np.repeat(n_events, np.diff(cuts)), cuts[1:-1] - cuts[0])
        for column in columns.values():
            let_go(column)


def _faults(pairs: Mapping[str, Array], n_events: Array, begins: Array) -> Iterator[Fault]:
    for name in _LAST:
        if (pairs[name] >= n_events).any():
            yield name, "it points past its customer's events"
    for earlier, later in _IN_TIME:
        if (pairs[earlier] > pairs[later]).any():
            yield earlier, f"it points behind {later}"
    if ((pairs["kept_first_row"] < 0) != (pairs["kept_row"] < 0)).any():
        yield "kept_first_row", "it is none where something is kept"
    falls = np.flatnonzero(pairs["item"][1:] <= pairs["item"][:-1]) + 1
    if not np.isin(falls, begins).all():
        yield "item", "its items do not ascend within each customer"
