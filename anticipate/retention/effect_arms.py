"""Who was treated, who was held out, and what staff did otherwise.

Reads  a plan (a row per customer), and the outcomes of the closed window after it.
Gives  a row per customer of the experiment; counts of what was not done as planned.
Never  an arm by what was carried out: who was drawn for the hold-out stays there.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from .. import columns as c
from .._checks import check_columns
from ..exceptions import AnticipateWarning, ParameterError
from ..log.ids import check_ids, lookup_codes
from ..outcomes import Outcomes
from .effect_asked import retained_of
from .effect_money import payments_of
from .levels import EVERYBODY

Array = NDArray[Any]
LEVEL, HOLDOUT, WOULD_BE, COST = "level", "holdout", "would_be", "cost"
MANY_OVERRIDES = 0.1  # of an arm: from here on the warning says that the effect is diluted
UNEVEN = 0.001  # p value below which levels were not held out at one share


def arms_of(
    plan: pd.DataFrame,
    outcomes: Outcomes,
    *,
    retained: pd.Series[Any] | None = None,
    under_contract: bool = False,
) -> pd.DataFrame:
    """Customers of the experiment in the order of their ids.

    Columns: ``level`` (theirs, or for the held out the one they would have had), ``treated``
    (bool), ``retained`` (bool: as given, else whether they bought), ``spend``, ``n_paid`` and
    ``n_unpriced`` (lines), ``cost`` (0 for the held out). Customers that the outcomes do not
    know are left out.
    """
    level, held = plan[LEVEL].where(~plan[HOLDOUT], plan[WOULD_BE]), plan[HOLDOUT]
    in_it = level.notna()
    done = outcomes.customers
    known = lookup_codes(plan.index.to_numpy(), outcomes.history.customer_ids) >= 0
    kept = plan.index[in_it & known]
    bought = done.loc[kept, "purchased"].to_numpy(dtype=bool)
    paid = payments_of(outcomes, kept, under_contract=under_contract)
    cost = plan.loc[kept, COST].fillna(0.0).to_numpy(dtype=np.float64)
    return pd.DataFrame(
        {
            LEVEL: level[kept].to_numpy(dtype=object),
            "treated": ~held[kept].to_numpy(dtype=bool),
            "retained": bought if retained is None else retained_of(retained, kept),
            **{str(name): column.to_numpy() for name, column in paid.items()},
            COST: np.where(held[kept].to_numpy(dtype=bool), 0.0, cost),
        },
        index=kept,
    )


def check_plan(plan: Any, customer_ids: Array) -> pd.DataFrame:
    """The plan's columns as typed, one row per customer, sorted by id; the plan is unchanged."""
    if not isinstance(plan, pd.DataFrame):
        raise ParameterError(
            f"plan must be the table of ContactPlan.assign; got {type(plan).__name__}."
        )
    table = plan.set_index(c.CUSTOMER) if c.CUSTOMER in plan.columns else plan
    hint = "Give the table of ContactPlan.assign, with its index."
    check_columns("plan", [LEVEL, HOLDOUT, WOULD_BE, COST], table.columns, hint=hint)
    ids = check_ids(table.index, customer_ids, "plan")
    if len(np.unique(ids)) != len(ids):
        raise ParameterError("plan: a customer stands in two rows; keep one row each.")
    if not table[HOLDOUT].isin([True, False]).all():
        raise ParameterError("plan: holdout must be True or False for everybody.")
    wanted = {LEVEL: object, HOLDOUT: bool, WOULD_BE: object, COST: np.float64}
    try:
        typed = table[list(wanted)].astype(wanted)
    except (TypeError, ValueError):
        raise ParameterError(f"plan: cost must be numbers; got {table[COST].dtype}.") from None
    if EVERYBODY in set(typed[LEVEL]) | set(typed[WOULD_BE]):
        raise ParameterError(f"plan: no level may be called {EVERYBODY!r}; rename it.")
    return typed.set_axis(pd.Index(ids, name=c.CUSTOMER), axis=0).sort_index()


def overrides_of(
    plan: pd.DataFrame, arms: pd.DataFrame, lines: pd.DataFrame
) -> dict[str, int | None]:
    """What staff did otherwise, counted in customers, from the window's ``contacted`` events.

    Without any such event nothing is known of what was carried out: None.
    """
    contacted = lines[lines[c.EVENT] == c.CONTACTED]
    if not len(contacted):
        return dict.fromkeys(_KINDS)
    reached = pd.Index(contacted[c.CUSTOMER].unique())
    treated, held = arms.index[arms["treated"]], arms.index[~arms["treated"]]
    return {
        "n_override_contacted_holdout": int(held.isin(reached).sum()),
        "n_override_contacted_unplanned": int((~reached.isin(arms.index)).sum()),
        "n_not_carried_out": int((~treated.isin(reached)).sum()),
        "n_other_level": _n_other_level(arms, contacted),
    }


_KINDS = ("n_override_contacted_holdout", "n_override_contacted_unplanned", "n_not_carried_out",
          "n_other_level")  # fmt: skip


def _n_other_level(arms: pd.DataFrame, contacted: pd.DataFrame) -> int:
    """Treated customers with a contact whose reason names a level that is not theirs."""
    if c.REASON not in contacted.columns:
        return 0
    treated = arms.loc[arms["treated"], LEVEL]
    theirs = contacted[c.CUSTOMER].map(treated)
    named = contacted[c.REASON].isin(set(arms[LEVEL]))
    other = named & theirs.notna() & (contacted[c.REASON].astype(object) != theirs)
    return int(contacted.loc[other, c.CUSTOMER].nunique())


def warn_of_arms(arms: pd.DataFrame, found: dict[str, int | None]) -> None:
    """Where an arm was not left as drawn, or levels were not held out alike."""
    held, treated = int((~arms["treated"]).sum()), int(arms["treated"].sum())
    for name, size in (("n_override_contacted_holdout", held), ("n_not_carried_out", treated)):
        count = found[name]
        if count is not None and count > MANY_OVERRIDES * size:
            warnings.warn(
                f"{name}: {count} of {size} customers. They stay in their arm, so that the effect "
                "measured is smaller than that of a contact.",
                AnticipateWarning, stacklevel=3,
            )  # fmt: skip
    counts = pd.crosstab(arms[LEVEL], arms["treated"]).to_numpy()
    if len(counts) > 1 and stats.chi2_contingency(counts).pvalue < UNEVEN:
        warnings.warn(
            "levels were not held out at one share: the row 'all' mixes them, read each level.",
            AnticipateWarning, stacklevel=3,
        )  # fmt: skip


__all__ = ["COST", "HOLDOUT", "LEVEL", "WOULD_BE", "arms_of", "check_plan", "overrides_of",
           "warn_of_arms"]  # fmt: skip
