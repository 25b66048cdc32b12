"""What they own, and what they use up and buy again.

Reads  purchases for themselves that were kept, the bundle's tables of items.
Gives  two lists, the latest first.
Never  a gift, something sent back, or something older than the shop says it lasts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...kernels.next_gap import days_until, gap_law
from .known import DAY, Kept, Known

SHOWN = 12


def owns(known: Known) -> list[dict[str, Any]]:
    """Things that last. Keys as in docs/brief.md."""
    kept = known.owned
    return [
        {
            **_common(known, kept, i),
            "order_id": known.order(int(kept.row[i])),
            **_bought_on(known, int(kept.row[i])),
        }
        for i in range(min(len(kept.item), SHOWN))
    ]


def uses(known: Known) -> list[dict[str, Any]]:
    """Things bought again and again; rhythm and date of nobody who objects to profiling."""
    kept = known.kept.where(known.kept.used_up)
    found = []
    for i in range(min(len(kept.item), SHOWN)):
        rhythm = _rhythm(known, kept, i)
        found.append({**_common(known, kept, i), **rhythm})
    return found


def _common(known: Known, kept: Kept, i: int) -> dict[str, Any]:
    item = int(kept.item[i])
    return {
        "item_id": known.item_id(item),
        "name": known.name(item),
        "last_bought": known.day_of(int(kept.row[i])),
        "n_days": int(kept.own.n_visits[i]),
    }


def _rhythm(known: Known, kept: Kept, i: int) -> dict[str, Any]:
    n = int(kept.own.n_visits[i])
    if n < 2 or known.profiling:
        nothing = {"usual_gap_days": None, "due": None}
        return {**nothing, **_bought_on(known, int(kept.row[i]))}
    first, last = int(kept.own.first[i]), int(kept.own.last[i])
    gap = round((last - first) / DAY / (n - 1), 1)
    since = round((known.as_of - last) / DAY, 1)
    name = known.name(int(kept.item[i]))
    return {
        "usual_gap_days": gap,
        "due": _due(known, kept, i),
        **known.say("repeat", item=name, gap_days=gap, days_since_last=since),
    }


def _due(known: Known, kept: Kept, i: int) -> str | None:
    """Median date of the next purchase, where it is likelier than not that one comes."""
    only = slice(i, i + 1)
    n_visits, last = kept.own.n_visits[only], int(kept.own.last[i])
    gap_sum_days = (kept.own.last[only] - kept.own.first[only]) / DAY
    law = gap_law(known.store.gaps, kept.item[only], n_visits, gap_sum_days)
    days = float(days_until(law, np.array([(known.as_of - last) / DAY]), 0.5)[0])
    return None if np.isnan(days) else known.day(known.as_of + round(days * DAY))


def _bought_on(known: Known, row: int) -> dict[str, Any]:
    name = known.name(int(known.events.item[row]))
    return known.say("bought_on", item=name, on=known.day_of(row))
