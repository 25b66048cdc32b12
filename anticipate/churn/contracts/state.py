"""A customer's contract at a moment, and whether it closed in the window that followed.

Reads  ``subscribe``, ``renew`` and ``lapse`` events; the customers' attribute ``contract_end``
       as it was stated before the moment.
Gives  one row per customer; labels only where the window is closed.
Never  an end stated at or after the moment, nor an event not yet known then.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...columns import CUSTOMER, NO_TIME
from ...exceptions import TimeError
from ...kernels import contract as kernel
from ...kernels.contract import ContractRows, ContractState, Ends
from ...kernels.events import Events
from ...log import History, InteractionLog, check_history
from ...log.attributes import Attributes
from ...log.clock import Instant, days_to_microseconds, read_times
from ...log.ids import lookup_codes
from ...log.objections import objectors
from ...outcomes import label_outcomes

Array = NDArray[Any]
CONTRACT_END = "contract_end"  # attribute of customers: first moment no longer covered


def contract_state(history: History) -> ContractState:
    """The contract of every customer as of the history's cutoff, row i = customer code i.

    Parameters
    ----------
    history : History
        ``contract_end`` among its customers' attributes may be text, datetimes or timestamps;
        naive ones are read in the history's timezone, a date means the beginning of that day.

    Returns
    -------
    ContractState
        ``open, tenure_days, days_since_renewal, n_renewals, days_to_end, closed_days,
        length_days``, each (n_customers,); days are float64 and NaN where they do not apply.

    Raises
    ------
    TimeError
        If ``contract_end`` is no time.

    Notes
    -----
    A customer has one contract at a time; items named by contract events are not looked at. The
    rules of what opens and closes stand in :mod:`anticipate.kernels.contract`. O(n log n) in
    contract events.

    Examples
    --------
    >>> log = InteractionLog.from_frame(
    ...     {"customer_id": [1, 1], "item_id": [7, 7], "event": ["subscribe", "renew"],
    ...      "timestamp": ["2025-01-01", "2025-01-31"]}, event="event", timezone="UTC",
    ...     closed_until="2025-03-01")
    >>> state = contract_state(log.as_of("2025-02-10"))
    >>> bool(state.open[0]), int(state.tenure_days[0]), int(state.n_renewals[0])
    (True, 40, 1)
    """
    return state_and_rows(history)[0]


def seen_state(history: History) -> ContractState:
    """The state in which customers who object to profiling have no contract."""
    state, hidden = contract_state(history), objectors(history)
    if not hidden.any():
        return state
    nothing = {"open": False, "n_renewals": 0.0}
    pairs = state._asdict().items()
    return ContractState(
        *(
            np.where(hidden, nothing.get(name, np.nan), seen).astype(seen.dtype)
            for name, seen in pairs
        )
    )


def state_and_rows(history: History) -> tuple[ContractState, ContractRows]:
    """The state, and what opened and closed contracts before it."""
    check_history(history)
    ends, until = read_ends(history.customer_attributes, history), history.cutoffs
    rows = kernel.contract_rows(history.events, ends, until, history.timezone)
    ends_at = kernel.stated_end(history.events, ends, until)
    return kernel.contract_state(rows, ends_at, until), rows


def contract_outcomes(
    source: InteractionLog | History, cutoff: Instant, horizon_days: float
) -> pd.DataFrame:
    """Which contracts that were open at a cutoff closed in ``[cutoff, cutoff + horizon_days)``.

    Parameters
    ----------
    source : InteractionLog or History
        Holds the window; all that it knows is used to label.
    cutoff : datetime-like
        Naive ones are read in the source's timezone.
    horizon_days : float, days (> 0)

    Returns
    -------
    DataFrame indexed by customer_id, every customer of the history at the cutoff
        ``open`` (as known at the cutoff), ``closed`` (of those: closed in the window) and
        ``closed_after_days`` (days from the cutoff, NaN = did not close). A lapse counts unless
        the customer opened again on the same local day; a stated end that passes counts unless
        the customer opened again by the window's end.

    Raises
    ------
    CutoffError
        If the window is not closed in the source.
    """
    outcomes = label_outcomes(source, cutoff, horizon_days)
    past = outcomes.history
    is_open = contract_state(past).open
    after = np.where(is_open, closing_after(source, past, horizon_days), np.inf)
    return pd.DataFrame(
        {
            "open": is_open,
            "closed": np.isfinite(after),
            "closed_after_days": np.where(np.isfinite(after), after, np.nan),
        },
        index=pd.Index(past.customer_ids, name=CUSTOMER),
    )


def closing_after(
    source: InteractionLog | History, past: History, horizon_days: float
) -> NDArray[np.float64]:
    """Days from the cutoff of ``past`` to the closing of each customer's contract; inf = none.

    The window must be closed in the source; the answer says nothing of contracts not open then.
    """
    at = past.cutoff_us
    end = at + days_to_microseconds(horizon_days)
    seen = source.events.take(source.events.timestamp < end)
    ends, m = read_ends(source.customer_attributes, source), seen.n_customers
    until = np.full(m, end, dtype=np.int64)
    rows = kernel.contract_rows(seen, ends, until, source.timezone)
    codes = lookup_codes(past.customer_ids, source.vocabulary.customer_ids)
    # A customer who is only listed had no contract: code -1, the last place.
    return np.append(kernel.closing_days(rows, at), np.inf)[codes]


def read_ends(attributes: Attributes, source: InteractionLog | History) -> Ends:
    """The ends that were stated for the source's customers."""
    if CONTRACT_END not in attributes.table:
        return Ends(*(np.empty(0, dtype=np.int64) for _ in Ends._fields))
    column = attributes.table[CONTRACT_END]
    end = read_times(column, source.timezone, CONTRACT_END).microseconds
    lost = (end == NO_TIME) & column.notna().to_numpy(dtype=bool)
    if lost.any():
        raise TimeError(
            f"customers: {int(lost.sum())} rows have an impossible {CONTRACT_END}; give ISO 8601 "
            "text or datetimes, and nothing where the end is not known."
        )
    codes = lookup_codes(attributes.ids, source.vocabulary.customer_ids)
    keep = codes >= 0
    return Ends(codes[keep], attributes.valid_from[keep], end[keep])


def has_contracts(events: Events) -> bool:
    """Whether anything ever opened a contract."""
    return bool(np.isin(events.event, kernel.CONTRACT_CODES[:2]).any())


def missing_ends(history: History) -> list[str]:
    """What is not known of contract ends, one sentence each."""
    attributes = history.customer_attributes
    if CONTRACT_END not in attributes.table or attributes.table[CONTRACT_END].isna().all():
        return [f"no {CONTRACT_END} is given; the usual term stands in for it"]
    undated = (attributes.valid_from == NO_TIME) & attributes.table[CONTRACT_END].notna()
    if undated.any():
        return [
            f"{int(undated.sum())} rows of {CONTRACT_END} have no valid_from and are taken as "
            "constant: past windows see what was stated since"
        ]
    return []
