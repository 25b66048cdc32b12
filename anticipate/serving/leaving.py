"""Who is leaving, now: the churn columns at a moment.

Reads  the moment's events, stored log-odds offsets per customer, the churn parameters.
Gives  the churn table as arrays; ``churn_risk`` and ``win_back`` suggestions for staff.
Never  trees, and nothing of this for the customer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..columns import CONTACTED, EVENT_CODES, MICROSECONDS_PER_DAY
from ..kernels.churn import (
    AT_RISK,
    COOLING,
    DEPARTED,
    REASONS,
    SEGMENTS,
    ChurnParameters,
    ChurnTable,
    aged_offset,
    churn_log_odds,
    churn_table,
    parameters_from_array,
)
from ..kernels.purchases import PurchaseState, purchase_state
from ..suggestions import Reason, Suggestion
from ..suggestions.churn_words import reason_facts
from .moment import Moment
from .store import Store

Floats = NDArray[np.float64]
_LEAVING = np.isin(np.arange(len(SEGMENTS)), (COOLING, AT_RISK, DEPARTED))  # by segment
_CONTACTED = EVENT_CODES[CONTACTED]


class LogOdds(NamedTuple):
    """Of leaving; float64 (m,). Together ``logit(p_churn)`` of whoever has bought anything."""

    pattern: Floats  # of the buy-till-you-die model: when and how often was bought
    rest: Floats  # what everything else adds


def churn_at(store: Store, moment: Moment) -> ChurnTable:
    """All churn columns, one row per request; objectors to profiling count as unknown."""
    state, offset, parameters = _known(store, moment)
    return churn_table(state, offset, parameters=parameters)


def churn_and_log_odds(store: Store, moment: Moment) -> tuple[ChurnTable, LogOdds]:
    """The same, and what the log-odds are made of."""
    state, offset, parameters = _known(store, moment)
    pattern = churn_log_odds(state, np.zeros(moment.m), parameters)
    return churn_table(state, offset, parameters=parameters), LogOdds(pattern, offset)


def knows_prices(store: Store) -> bool:
    """Whether any price was known in training: without one no value is known of anybody."""
    return bool(np.isfinite(parameters_from_array(store.group("churn")["parameters"]).spend).all())


def _known(store: Store, moment: Moment) -> tuple[PurchaseState, Floats, ChurnParameters]:
    """What the churn kernel reads."""
    events = moment.events
    if moment.profiling.any():
        events = events.take(~moment.profiling[events.customer])
    parameters = parameters_from_array(store.group("churn")["parameters"])
    return purchase_state(events, moment.day), _offset(store, moment), parameters


def _offset(store: Store, moment: Moment) -> Floats:
    """Log-odds beside the base model's; 0 for customers the bundle does not know."""
    if not store.n_customers:
        return np.zeros(moment.m)
    churn = store.group("churn")
    known = moment.codes >= 0
    # Who did something since is not silent: the stored offset, not that of silence.
    days = np.where(_acted(moment), 0.0, (moment.as_of - store.cutoff) / MICROSECONDS_PER_DAY)
    now, later = churn["offset"][moment.codes], churn["offset_later"][moment.codes]
    return np.where(known, aged_offset(now, later, days), 0.0)


def _acted(moment: Moment) -> NDArray[np.bool_]:
    """Whether a customer did something since the bundle was made; that we contacted them does
    not count, shape (m,).
    """
    if not moment.has_new:
        return moment.changed
    acted = np.zeros(moment.m, dtype=bool)
    acted[moment.events.customer[moment.new & (moment.events.event != _CONTACTED)]] = True
    return acted


def reason_of(table: ChurnTable, i: int) -> Reason:
    return Reason(REASONS[int(table.reason[i])], reason_facts(table, i))


def is_leaving(moment: Moment, table: ChurnTable) -> list[bool]:
    """Per request: to be kept, or won back; nobody who objects."""
    leaves = _LEAVING[table.segment] & ~moment.profiling & ~moment.marketing
    return list(leaves.tolist())


def leaving(moment: Moment, table: ChurnTable, i: int) -> Suggestion:
    """One suggestion for staff about who ``is_leaving``: try to keep, or to win back."""
    return Suggestion(
        kind="win_back" if table.segment[i] == DEPARTED else "churn_risk",
        audience="staff",
        customer_id=moment.ids[i],
        item_id=None,
        probability=float(table.p_churn[i]),
        due=None,
        reason=reason_of(table, i),
        options=("ask how they are served", "leave in peace"),
    )
