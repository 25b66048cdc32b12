"""What customers answered to warnings: "yes, a mistake" or "no, I want it".

Reads  events, cart lines.
Gives  per line: answers of its customer before it, and whether this item's last was a no.
Never  another customer's answers; an answer at or after the line's own instant.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import Events
from .owned import DAY, Lines, run_ends

Array = NDArray[Any]
Floats = NDArray[np.float64]
ACCEPTED_CODE, DISMISSED_CODE = 12, 13  # positions in columns.EVENTS; held by a test
DISMISSED_DAYS = 180.0  # so long a dismissed warning of an item is not repeated
QUARTER_DAYS = 91.3125
OWN_WEIGHT = 4.0  # answers of everybody that speak in a customer's own share


class Answers(NamedTuple):
    """Per line, (n,)."""

    log_odds: Floats  # how much readier this customer is to accept a warning than most
    n_lately: Array  # int64: warnings answered within the last quarter
    dismissed: Array  # bool: of this very item, lately


def find_answers(events: Events, lines: Lines, accepted_share: float) -> Answers | None:
    """Answers before each line; None where there are none at all.

    ``accepted_share`` is everybody's, in (0, 1): with a accepted and d dismissed ones the own
    odds are (a + 4 s) / (d + 4 (1 - s)), and ``log_odds`` their log over that of s / (1 - s).
    """
    accepted = events.event == ACCEPTED_CODE
    rows = (accepted | (events.event == DISMISSED_CODE)).nonzero()[0]
    if not len(rows):
        return None
    time = events.timestamp[rows]
    low = rows.searchsorted(events.offsets[lines.customer])
    high = rows.searchsorted(events.offsets[lines.customer + 1])
    end = run_ends(time, low, high, lines.timestamp)
    begin = run_ends(time, low, high, lines.timestamp - np.int64(QUARTER_DAYS * DAY))
    yes = np.concatenate(([0], np.cumsum(accepted[rows])))
    n_yes = yes[end] - yes[low]
    n_no = end - low - n_yes
    own = (n_yes + OWN_WEIGHT * accepted_share) / (n_no + OWN_WEIGHT * (1.0 - accepted_share))
    return Answers(
        log_odds=np.log(own) - np.log(accepted_share / (1.0 - accepted_share)),
        n_lately=end - begin,
        dismissed=_was_dismissed(events, lines),
    )


def _was_dismissed(events: Events, lines: Lines) -> Array:
    """The customer's latest answer to a warning of this item: it was wanted."""
    no = events.event == DISMISSED_CODE
    rows = (no | (events.event == ACCEPTED_CODE)).nonzero()[0]
    span = np.int64(max(events.item.max(), lines.item.max())) + 2
    key = events.customer[rows] * span + events.item[rows] + 1
    order = np.argsort(key, kind="stable")  # rows are in time order within a customer
    key, rows = key[order], rows[order]
    asked = lines.customer * span + lines.item + 1
    low, high = key.searchsorted(asked), key.searchsorted(asked, side="right")
    last = run_ends(events.timestamp[rows], low, high, lines.timestamp) - 1
    row = rows[np.maximum(last, 0)]
    wait = lines.timestamp - events.timestamp[row]
    return (last >= low) & no[row] & (wait <= DISMISSED_DAYS * DAY)
