"""The last whole weeks of a log beside the bundle's own.

Reads  an opened bundle, its reference, the log.
Gives  the table of drift, the window's days, and what could not be compared.
Never  a window that the log does not cover.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...columns import CUSTOMER, EVENT, ITEM, PURCHASE, TIMESTAMP
from ...kernels.days import local_days
from ...kernels.ids import ids_at
from ...log import History
from .closed import Bundle
from .drift import COLUMNS, drift_table, find_active, usual_window
from .reference import FEWEST
from .scores import scores_of
from .stored import history_of, items_with_events, purchases_of
from .windows import DAY, WINDOWS, Active, Known

Floats = NDArray[np.float64]
SURELY = 20.0  # events expected in a gap that has none: chance e^-20


def compare(
    bundle: Bundle, history: History, lines: pd.DataFrame
) -> tuple[pd.DataFrame, int | None, tuple[str, ...]]:
    """Drift as of the history's cutoff.

    Parameters
    ----------
    bundle : Bundle
    history : History
        Of the log, as of the moment of the check.
    lines : DataFrame
        The log's events at or after the bundle's cutoff.

    Returns
    -------
    (DataFrame, int or None, tuple of str)
        The table, the window's days, notes.
    """
    reference = bundle.scorer.manifest["reference"]
    nothing = pd.DataFrame(columns=list(COLUMNS))
    if not reference["windows"]:
        return nothing, None, (
            f"no drift is told: fewer than {FEWEST} customers did anything in the weeks before "
            "the bundle's cutoff, or its history is shorter than a week.",
        )  # fmt: skip
    notes = _gap(reference, bundle.cutoff_us, lines)
    start = bundle.cutoff_us if not notes else int(lines[TIMESTAMP].min().value // 1000)
    days = usual_window(reference, history, start)
    if days is None:
        least = min(int(name) for name in reference["windows"])
        when = pd.Timestamp(start + least * DAY, unit="us", tz="UTC")
        return nothing, None, (*notes, f"drift is told from {when:%Y-%m-%d} on: {least} days "
                               "after the bundle's cutoff.")  # fmt: skip
    active = find_active(history, days)
    if active is None:
        few = f"no drift is told: fewer than {FEWEST} customers did anything in {days} days."
        return nothing, None, (*notes, few)
    # Past its horizon a bundle's answers say how old it is, not how customers changed.
    fresh = history.cutoff_us <= bundle.cutoff_us + round(bundle.store.horizon_days * DAY)
    scores = _scores(bundle, active, lines) if fresh else {}
    return drift_table(reference, history, active, _known(bundle, active), scores), days, notes


def _known(bundle: Bundle, active: Active) -> Known:
    """Whom and what the bundle had met: the window lies whole after its cutoff."""
    store = bundle.store
    codes = store.customer_codes(active.ids.tolist())
    return Known(active.ids[codes >= 0], items_with_events(store))


def _scores(bundle: Bundle, active: Active, lines: pd.DataFrame) -> Mapping[str, Floats]:
    """As the bundle answers now, told of everything since its cutoff."""
    store, ids, at = bundle.store, active.ids, active.history.cutoff_us
    codes = store.customer_codes(ids.tolist())
    mine = lines[lines[CUSTOMER].isin(ids)]
    since = mine.loc[mine[EVENT] == PURCHASE, [CUSTOMER, ITEM, TIMESTAMP]]
    bought = pd.concat([purchases_of(store, codes[codes >= 0]), since], ignore_index=True)
    purchases = history_of(bought, ids, at, store.timezone)
    return scores_of(bundle.scorer, bundle.timer, purchases, recent=mine)


def _gap(reference: Mapping[str, Any], cutoff_us: int, lines: pd.DataFrame) -> tuple[str, ...]:
    """A note where the log surely begins too late."""
    longest = next(str(days) for days in WINDOWS if str(days) in reference["windows"])
    rate = float(reference["windows"][longest]["events_a_day"])
    first = lines[TIMESTAMP].min()
    missing_days = (first.value // 1000 - cutoff_us) / DAY
    if rate * missing_days < SURELY:
        return ()
    return (
        f"the events begin at {first:%Y-%m-%d %H:%M}, {missing_days:.1f} days after the bundle's "
        "cutoff: what lies between is missing. Give all events since the cutoff.",
    )


def in_timezone(history: History, timezone: str) -> History:
    """The same events; their days and hours are those of another timezone."""
    if history.timezone == timezone:
        return history
    events = history.events
    days = local_days(events.timestamp, timezone)
    return replace(history, timezone=timezone, events=replace(events, day=days))


def unknown_shares(bundle: Bundle, lines: pd.DataFrame) -> dict[str, float]:
    """Shares of the events whose customer, and whose item, the bundle does not know."""
    store = bundle.store
    customers, items = lines[CUSTOMER].unique(), lines[ITEM].dropna().unique()
    theirs = pd.Index(customers[store.customer_codes(list(customers)) < 0])
    known_items = pd.Index(ids_at(store.items, np.arange(store.n_items)))
    named = lines[ITEM].dropna()
    return {
        "customers": float(lines[CUSTOMER].isin(theirs).mean()),
        "items": float((~named.isin(known_items)).mean()) if len(items) else float("nan"),
    }
