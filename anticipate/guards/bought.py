"""Purchases as a guard sees them: what was bought, and when it was undone.

Reads  a History.
Gives  purchase columns of those who do not object to profiling; the same history without what
       was undone or given away.
Never  a partly returned line as undone: the rest was kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import CANCEL, EVENT_CODES, PURCHASE, RETURN
from ..exceptions import EmptyHistoryError
from ..kernels.events import Events
from ..kernels.owned import undone_times
from ..kernels.returns import NEVER
from ..log import History
from ..log.objections import objectors

Array = NDArray[Any]


@dataclass(frozen=True)
class Bought:
    """n purchases in the log's total order."""

    events: Events
    undone_at: Array  # int64 (n,): when all of it had come back; NEVER if it did not
    cutoffs: Array  # int64 (n_customers,)
    any_undone: bool  # the log knows returns or cancellations at all


def check_bought(history: History) -> None:
    """Somebody who does not object to profiling has bought something."""
    bought = history.purchases
    if not bought.n or objectors(history)[bought.customer].all():
        raise EmptyHistoryError(
            "there is no purchase before the cutoff; the guard needs some. Take a later one."
        )


def bought_of(history: History) -> Bought:
    """Purchases of everybody who does not object to profiling."""
    events, match = history.events, history.returns
    objects = objectors(history)
    mine = (events.event == EVENT_CODES[PURCHASE]) & ~objects[events.customer]
    rows = np.flatnonzero(mine)
    kinds = (EVENT_CODES[RETURN], EVENT_CODES[CANCEL])
    return Bought(
        events=events.take(rows),
        undone_at=undone_times(events, match)[rows],
        cutoffs=history.cutoffs,
        any_undone=bool(np.isin(events.event, kinds).any()),
    )


def kept_only(history: History, bought: Bought) -> History:
    """The history of purchases that were kept for oneself: what wishes are learned from."""
    kept = (bought.undone_at == NEVER) & ~bought.events.gift
    return replace(history, events=bought.events.take(kept))
