"""What a campaign's effect is asked about: which window, and who was retained in it.

Reads  the plan's table, with what ``ContactPlan.assign`` wrote into its ``attrs``.
Gives  start, horizon and mode; per customer whether they were retained.
Never  purchases as the measure of a contract: a renewal is none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_positive
from ..exceptions import CutoffError, ParameterError
from ..log.clock import Instant
from ..log.ids import check_ids

Array = NDArray[Any]
CONTRACT = "contract"
HANDED_ON = ("churn_is", "mode", "horizon_days")  # attrs: from predictions to the plan
BOUGHT, GIVEN = "a purchase in the window", "as given"


class Asked(NamedTuple):
    """One window and what staying is in it."""

    start: Instant
    horizon_days: float
    contact_window_days: float
    under_contract: bool


def read_asked(
    plan: Any,
    as_of: Instant | None,
    horizon_days: float | None,
    contact_window_days: float | None,
    *,
    has_retained: bool,
) -> Asked:
    """Arguments, or else what the plan says of itself.

    Raises
    ------
    CutoffError
        If neither says when the campaign began.
    ParameterError
        If neither says how long the window is, or the plan is about contracts and nobody says
        who was retained.
    """
    said = getattr(plan, "attrs", {})
    start = said.get("as_of") if as_of is None else as_of
    if start is None:
        raise CutoffError("the plan does not say when it began; give as_of=, its first moment.")
    given = said.get("horizon_days") if horizon_days is None else horizon_days
    if given is None:
        raise ParameterError(
            "horizon_days: the plan does not say for how many days it was made; give "
            "horizon_days=, the horizon of the churn model."
        )
    horizon = check_positive("horizon_days", given)
    contacts = horizon if contact_window_days is None else contact_window_days
    if check_positive("contact_window_days", contacts) > horizon:
        raise ParameterError(
            f"contact_window_days must be at most horizon_days ({horizon:g}): what came later is "
            f"not read; got {contacts:g}."
        )
    under_contract = said.get("mode") == CONTRACT
    if under_contract and not has_retained:
        raise ParameterError(
            "retained: the plan is about contracts, and a renewal is no purchase. Say whose stayed "
            "open: retained=~anticipate.churn.contract_outcomes(log, "
            f"'{start}', {horizon:g})['closed']."
        )
    return Asked(start, horizon, float(contacts), under_contract)


def check_retained(retained: Any, customer_ids: Array) -> pd.Series[Any]:
    """One True or False per customer, indexed by ids of the log's type; a new Series."""
    if not isinstance(retained, pd.Series) or not pd.api.types.is_bool_dtype(retained.dtype):
        kind = getattr(retained, "dtype", type(retained).__name__)
        raise ParameterError(
            f"retained must be a Series of True and False indexed by customer_id; got {kind}."
        )
    ids = check_ids(retained.index, customer_ids, "retained")
    if len(np.unique(ids)) != len(ids):
        raise ParameterError("retained: a customer stands in two rows; keep one row each.")
    if retained.isna().any():
        raise ParameterError(
            f"retained: {int(retained.isna().sum())} customers are neither True nor False."
        )
    return pd.Series(retained.to_numpy(dtype=bool), index=pd.Index(ids))


def retained_of(retained: pd.Series[Any], ids: pd.Index[Any]) -> Array:
    """Bool (n,), one per customer of the campaign.

    Raises
    ------
    ParameterError
        If it says nothing of some of them.
    """
    rows = retained.index.get_indexer(ids)
    if (rows < 0).any():
        first = np.flatnonzero(rows < 0)[:3].tolist()
        raise ParameterError(
            f"retained: {int((rows < 0).sum())} of {len(ids)} customers of the campaign are "
            f"missing (places {first} in it). Give every customer of the plan."
        )
    return retained.to_numpy()[rows]


__all__ = ["BOUGHT", "GIVEN", "HANDED_ON", "Asked", "check_retained", "read_asked", "retained_of"]
