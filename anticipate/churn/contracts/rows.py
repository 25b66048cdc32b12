"""What a contract's hazard is learned from: open contracts at past cutoffs, period by period.

Reads  a History; labels only through closed windows that end by its cutoff.
Gives  contracts as rows, person-periods as tables of numbers.
Never  an event at or after a slice's own cutoff in that slice's features; a closed contract.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...features import FeatureBuilder
from ...kernels.contract import ContractState, term_days
from ...log import History
from ...log.clock import to_timestamp
from ..rows import past_slices
from .state import closing_after, state_and_rows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
NANOSECONDS_PER_DAY = 86_400_000_000_000
MIN_TERMS = 5  # completed terms from which a usual one is known


class Contracts(NamedTuple):
    """n open contracts at one moment each."""

    features: Floats  # (n, k) of the customer; NaN unknown
    tenure_days: Floats
    days_since_renewal: Floats
    n_renewals: Floats
    days_to_end: Floats  # NaN unknown
    usual_term_days: Floats  # everybody's median completed term, as known then; NaN unknown

    def take(self, mask: Mask) -> Contracts:
        return Contracts(*(column[mask] for column in self))


class Windows(NamedTuple):
    """Contracts of all slices, oldest slice first, and what became of them."""

    contracts: Contracts
    closed_after_days: Floats  # (n,) days from the slice's cutoff; inf = not in the window
    person: NDArray[np.int64]  # customer code in the whole history
    slice: NDArray[np.int64]
    cutoffs: list[pd.Timestamp]  # of the slices

    @property
    def left(self) -> Mask:
        return np.isfinite(self.closed_after_days)


def describe(
    history: History, features: list[str], *, usual_term_days: float | None = None
) -> tuple[ContractState, Contracts]:
    """State and row of every customer, row i = customer code i, open contract or not.

    ``usual_term_days``: as learned before; None: learned from this history.
    """
    state, rows = state_and_rows(history)
    usual = usual_term(term_days(rows)) if usual_term_days is None else usual_term_days
    builder = FeatureBuilder(level="customer", features=features).fit(history)
    table = builder.transform(history).to_numpy(dtype=np.float64)
    return state, Contracts(
        table,
        state.tenure_days,
        state.days_since_renewal,
        state.n_renewals,
        state.days_to_end,
        np.full(history.n_customers, usual),
    )


def usual_term(terms: Floats) -> float:
    """Median completed term, days; NaN below :data:`MIN_TERMS`."""
    if len(terms) < MIN_TERMS:
        return float("nan")
    return float(np.quantile(terms, 0.5, method="inverted_cdf"))


def past_windows(history: History, horizon_days: float, features: list[str]) -> Windows | None:
    """Contracts at up to eight past cutoffs, half a horizon apart; None if there is none."""
    slices = past_slices(history, horizon_days)
    parts = [_slice(past, history, horizon_days, features) for past, _ in slices]
    kept = [(past, part) for (past, _), part in zip(slices, parts, strict=True) if len(part[1])]
    if not kept:
        return None
    contracts, after, person = zip(*(part for _, part in kept), strict=True)
    return Windows(
        contracts=Contracts(*(np.concatenate(column) for column in zip(*contracts, strict=True))),
        closed_after_days=np.concatenate(after),
        person=np.concatenate(person),
        slice=np.repeat(np.arange(len(kept)), [len(part) for part in after]),
        cutoffs=[to_timestamp(past.cutoff_us) for past, _ in kept],
    )


def _slice(
    past: History, history: History, horizon_days: float, features: list[str]
) -> tuple[Contracts, Floats, NDArray[np.int64]]:
    state, contracts = describe(past, features)
    after = closing_after(history, past, horizon_days)[state.open]
    person = np.searchsorted(history.customer_ids, past.customer_ids[state.open])
    return contracts.take(state.open), after, person


def like_contracts(data: Windows | None, horizon_days: float) -> NDArray[np.int64]:
    """Contracts that came to their stated end in a past window, and those not renewed, (2, 2).

    First row contracts never renewed before, second row renewed before. A contract whose end
    lies in several windows counts once, in the newest.
    """
    like = np.zeros((2, 2), dtype=np.int64)
    if data is None:
        return like
    ending = np.flatnonzero(data.contracts.days_to_end < horizon_days)
    at = (
        np.array([at.as_unit("ns").value for at in data.cutoffs])[data.slice[ending]]
        / NANOSECONDS_PER_DAY
    )
    key = np.column_stack(
        [data.person[ending], np.round(at + data.contracts.days_to_end[ending], 3)]
    )
    _, newest = np.unique(key[::-1], axis=0, return_index=True)  # rows are oldest slice first
    rows = ending[::-1][newest]
    renewed = (data.contracts.n_renewals[rows] > 0).astype(np.int64)
    like[:, 0] = np.bincount(renewed, minlength=2)
    like[:, 1] = np.bincount(renewed[data.left[rows]], minlength=2)
    return like


def person_periods(
    after: Floats, period_days: float, n_periods: int
) -> tuple[list[Mask], NDArray[np.bool_]]:
    """Who is at risk in each period, and of those, one after the other, who closes in it."""
    number = np.minimum(after / period_days, n_periods)  # inf: past the last period
    at_risk = [number >= j for j in range(n_periods)]
    closes = [number[mask] < j + 1 for j, mask in enumerate(at_risk)]
    return at_risk, np.concatenate(closes)


def period_table(contracts: Contracts, number: int, period_days: float) -> Floats:
    """Columns that move with the period, (n, 8); the features do not.

    Tenure, days since the last renewal, renewals, days to the end, whether the end falls into
    the period, whether it is unknown, whether the usual term is completed in it, its number.
    """
    start = number * period_days
    since = contracts.days_since_renewal + start
    to_end = contracts.days_to_end - start
    term = contracts.usual_term_days
    completed = np.floor((since + period_days) / term) > np.floor(since / term)
    columns = [
        contracts.tenure_days + start,
        since,
        contracts.n_renewals,
        to_end,
        (to_end >= 0) & (to_end < period_days),
        np.isnan(to_end),
        completed,
        np.full(len(since), float(number)),
    ]
    return np.column_stack(columns).astype(np.float64)
