"""Why a contract is thought likely to close, or not: one code and its facts per customer.

Reads  contract states; how many like contracts came to their end before, and were not renewed.
Gives  codes and the numbers that their sentences state.
Never  a number that the log cannot show.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .contract import ContractState

Floats = NDArray[np.float64]

# Each reason's code and the facts it states; every fact is a field of ContractFacts.
REASON_FACTS: dict[str, tuple[str, ...]] = {
    "no_contract": (),
    "contract_over": ("closed_days",),
    "contract_ends": ("days_to_end", "n_like", "n_not_renewed"),
    "contract_runs": ("days_to_end", "tenure_days"),
    "contract_renewed": ("tenure_days", "n_renewals", "days_since_renewal"),
    "contract_first": ("tenure_days",),
}
REASONS = tuple(REASON_FACTS)


class ContractFacts(NamedTuple):
    """The numbers that reasons state, (n,); days are whole ones, rounded down."""

    closed_days: Floats
    days_to_end: Floats
    tenure_days: Floats
    n_renewals: Floats
    days_since_renewal: Floats
    n_like: Floats  # contracts whose end fell into a past window, likewise renewed before or not
    n_not_renewed: Floats  # of those: closed in that window


def contract_reasons(
    state: ContractState, like: NDArray[Any], horizon_days: float
) -> tuple[NDArray[np.int8], ContractFacts]:
    """Code (position in :data:`REASONS`) and facts of each customer.

    ``like`` (2, 2): rows never renewed, renewed before; columns ended, not renewed.
    """
    n_like, n_not_renewed = like[(state.n_renewals > 0).astype(np.int64)].T.astype(np.float64)
    facts = ContractFacts(
        closed_days=np.floor(state.closed_days),
        days_to_end=np.floor(state.days_to_end),
        tenure_days=np.floor(state.tenure_days),
        n_renewals=state.n_renewals,
        days_since_renewal=np.floor(state.days_since_renewal),
        n_like=n_like,
        n_not_renewed=n_not_renewed,
    )
    ends = state.open & (state.days_to_end < horizon_days) & (n_like > 0)
    rules = {
        "contract_over": ~state.open & np.isfinite(state.closed_days),
        "no_contract": ~state.open,
        "contract_ends": ends,
        "contract_runs": np.isfinite(state.days_to_end),
        "contract_renewed": state.n_renewals > 0,
    }
    codes = [REASONS.index(code) for code in rules]
    chosen = np.select(list(rules.values()), codes, default=REASONS.index("contract_first"))
    return chosen.astype(np.int8), facts
