"""Whose past may be learned from.

Reads  a History as a ranker reads it.
Gives  the same without those who object to profiling.
Never  an empty one: there is a need to learn from, or a clear error.
"""

from __future__ import annotations

from ..exceptions import EmptyHistoryError
from ..log import History
from ..log.objections import objectors


def learnable(needs: History, target_event: str, n_events: int) -> History:
    """The needs of those who may be learned from; at least one.

    ``n_events``: of the history that the needs were read from, for the message.

    Raises
    ------
    EmptyHistoryError
        If there is none.
    """
    objects = objectors(needs)
    known = needs.select(needs.customer_ids[~objects]) if objects.any() else needs
    if not known.n_purchases:
        n = int(objects.sum())
        silent = f" {n} customers object to profiling and do not count." if n else ""
        raise EmptyHistoryError(
            f"NextNeedRanker: no {target_event} before the cutoff; found {n_events} "
            f"events. Take a later cutoff or map the {target_event} events.{silent}"
        )
    return known
