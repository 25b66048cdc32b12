"""Warnings, tried on the carts that were bought: did what was doubted come back?

Reads  a scorer, a log that goes on after its cutoff.
Gives  rows of ``Judged``: lines sent back or cancelled within 30 days.
Never  a cart whose 30 days are not over; an event at or after the cart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ...columns import CUSTOMER, EVENT, ITEM, KNOWN_AT, PRICE, PURCHASE, QUANTITY, TIMESTAMP
from ...guards.learning import UNDO_DAYS
from ...kernels.rules import UNDONE_SHARE
from ...log import InteractionLog
from ...log.clock import to_timestamp
from ...serving import Scorer
from .outcomes import Judged, judge
from .windows import DAY

MOST_CARTS = 200
# Of the mistakes that a warning means, the share that is sent back, as the guards assume.
KINDS = {"return_risk": 1.0, "duplicate_purchase": UNDONE_SHARE}
NAME = "warnings"
_BACK = "back"


def judge_warnings(scorer: Scorer, log: InteractionLog, window_us: int) -> list[Judged]:
    """Warnings of at most 200 carts, drawn by a seed, of the window after the cutoff."""
    undo_us = round(UNDO_DAYS * DAY)
    end = scorer.cutoff_us + window_us
    if end + undo_us > log.end_us:
        return [Judged(NAME, "sent back", to_timestamp(end + undo_us))]
    told = _warned(scorer, _since(log, scorer.cutoff_us, undo_us), to_timestamp(end))
    found = pd.DataFrame(told, columns=["kind", "p", _BACK, CUSTOMER])
    rows = []
    for kind, share in KINDS.items():
        mine = found[found["kind"] == kind]
        p, y = mine["p"].to_numpy(dtype=np.float64) * share, mine[_BACK].to_numpy(dtype=bool)
        who = mine[CUSTOMER].to_numpy()
        rows.append(judge(f"{NAME}: {kind}", "sent back", end + undo_us, p, y, who, line=False))
    return rows


def _since(log: InteractionLog, cutoff: int, undo_us: int) -> pd.DataFrame:
    """Lines that the bundle did not know; whether each purchase came back in time."""
    history = log.before(log.end_us)
    events = history.events
    back = history.returns.returned_at < events.timestamp + undo_us
    later = np.maximum(events.timestamp, events.known_at) >= cutoff
    return history.to_pandas().assign(**{_BACK: back})[later]


def _warned(
    scorer: Scorer, since: pd.DataFrame, end: pd.Timestamp
) -> Iterator[tuple[str, float, bool, Any]]:
    """Kind, probability, came back, customer; of one warning each. Carts are asked one by one."""
    start = to_timestamp(scorer.cutoff_us)
    inside = (since[TIMESTAMP] >= start) & (since[TIMESTAMP] < end)
    carts = since[inside & (since[EVENT] == PURCHASE)].groupby([CUSTOMER, TIMESTAMP])
    drawn = np.random.default_rng(0).permutation(carts.ngroups)[:MOST_CARTS]
    number = carts.ngroup()
    lines = since.loc[number[number.isin(drawn)].index]
    past: dict[Any, list[dict[str, Any]]] = {
        id_: _records(rows) for id_, rows in since.groupby(CUSTOMER)
    }
    for (id_, at), cart in lines.groupby([CUSTOMER, TIMESTAMP]):
        known = [row for row in past[id_] if max(row[TIMESTAMP], row[KNOWN_AT]) < at]
        asked = cart[[ITEM, QUANTITY, PRICE]].to_dict("records")
        came_back = cart.groupby(ITEM)[_BACK].any()
        for one in scorer.check_cart(id_, asked, as_of=at, recent=known):
            yield one.kind, one.probability, bool(came_back[one.item_id]), id_


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    table = rows.drop(columns=_BACK)
    known_at = table.get(KNOWN_AT, table[TIMESTAMP])
    rows_: list[Any] = table.assign(**{KNOWN_AT: known_at}).to_dict("records")
    return rows_
