"""What a campaign changed: the treated beside the customers held out.

Reads  the plan as it was drawn, and a log whose window after it is closed.
Gives  ``CampaignEffect``: differences with intervals, overrides, and what the next plan needs.
Never  an arm by what was carried out (intention to treat), and no gain where an interval covers 0.
Source the intervals: ``effect_numbers``. Intention to treat: Hernán & Robins, Causal Inference:
       What If, 2020, ch. 22.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import columns as c
from .._checks import check_confidence
from ..exceptions import (
    ColumnError,
    NoMeasurableEffectWarning,
    ParameterError,
)
from ..log import InteractionLog
from ..log.clock import Instant, days_to_microseconds
from ..log.table import events_to_pandas
from ..outcomes import Outcomes, label_outcomes
from .effect_arms import LEVEL, arms_of, check_plan, overrides_of, warn_of_arms
from .effect_asked import BOUGHT, GIVEN, check_retained, read_asked
from .effect_table import ALL, compare
from .effect_words import effect_text, json_ready

Array = NDArray[Any]


@dataclass(frozen=True)
class MeasuredGain:
    """A measured effect as an uplift model: the same gain for everybody.

    Attributes
    ----------
    gain, low, high : float
        Change in P(retained in the horizon), and its interval.
    measurable : bool
        Whether the interval leaves 0 out.
    """

    gain: float
    low: float
    high: float

    @property
    def measurable(self) -> bool:
        return self.low > 0 or self.high < 0

    def predict_uplift(self, X: Any) -> Array:
        """The gain once per row of X, float64 (n,)."""
        return np.full(len(X), self.gain)


@dataclass(frozen=True, eq=False)
class CampaignEffect:
    """What ``campaign_effect`` found.

    Attributes
    ----------
    as_of : Timestamp (UTC)
    horizon_days, confidence : float
    table : DataFrame indexed by level, the first row "all"
        ``n_treated, n_holdout``; ``retained_treated, retained_holdout`` (shares),
        ``gain, gain_low, gain_high`` their difference, ``verdict`` of it; ``spend_*`` the same in
        money per customer; ``n_unpriced`` payments without a price, which count as 0 (if no
        payment has one, money is NaN and ``spend_verdict`` says so); ``customers_gained*`` and
        ``spend_gained*`` over all treated, ``cost`` as planned and ``net`` = spend gained − cost,
        with its interval.
    overrides : dict
        Customers contacted though held out, contacted though not in the plan, never contacted
        though planned, contacted with another level; None if the window holds no ``contacted``.
    n_unknown : int
        Planned customers that the log does not know (erased): left out.
    customers : DataFrame indexed by customer_id
        ``level, treated, retained, spend, n_paid, n_unpriced, cost`` of everybody in the
        experiment.
    retained_is : str
        ``"a purchase in the window"`` or ``"as given"``.
    """

    as_of: pd.Timestamp
    horizon_days: float
    confidence: float
    table: pd.DataFrame
    overrides: dict[str, int | None]
    n_unknown: int
    customers: pd.DataFrame
    retained_is: str = BOUGHT

    def text(self) -> str:
        """A few sentences for people."""
        return effect_text(self)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; what is not known is None. No customers in it."""
        return json_ready(self)

    def uplift(self, level: str = ALL) -> MeasuredGain:
        """The level's measured gain, for the next plan's ``Level(name, cost, uplift=...)``.

        The middle of the interval even where that covers 0: look at ``measurable``.

        Raises
        ------
        ParameterError
            If the level is not in the table, or one of its arms has too few customers.

        Warns
        -----
        NoMeasurableEffectWarning
            If the interval covers 0: the next plan would be built on chance.
        """
        if level not in self.table.index:
            raise ParameterError(f"no level {level!r}; measured were {self.table.index.tolist()}.")
        row = self.table.loc[level].to_dict()
        if np.isnan(row["gain"]):
            raise ParameterError(
                f"level {level!r} was not measured: {row['n_treated']} treated and "
                f"{row['n_holdout']} held out. Take uplift('all') or hold more customers out."
            )
        found = MeasuredGain(row["gain"], row["gain_low"], row["gain_high"])
        if not found.measurable:
            warnings.warn(
                f"level {level!r}: no measurable effect, its gain of {found.gain:.3g} lies in "
                f"[{found.low:.3g}, {found.high:.3g}]. A plan that counts on it counts on chance; "
                "measure more customers, or assume a save_probability openly.",
                NoMeasurableEffectWarning, stacklevel=2,
            )  # fmt: skip
        return found

    def learning_table(
        self, features: pd.DataFrame, *, level: str = ALL
    ) -> tuple[pd.DataFrame, Array, Array]:
        """What an uplift learner fits on: ``TLearner().fit(*effect.learning_table(features))``.

        Parameters
        ----------
        features : DataFrame indexed by customer_id
            As known at the campaign's start; other customers' rows are left out.
        level : str, default="all"
            Only customers of this level, treated or held out from it.

        Returns
        -------
        X, y, treatment : DataFrame of shape (n, d), int64 (n,), int64 (n,)
            In the order of customer ids; y = 1 for the retained.

        Raises
        ------
        ColumnError
            If a customer of the experiment has no row in ``features``.
        """
        who = self.customers
        if level != ALL:
            who = who[who[LEVEL] == level]
        missing = int((~who.index.isin(features.index)).sum())
        if missing or features.index.has_duplicates:
            raise ColumnError(
                f"features: {missing} of {len(who)} customers of the campaign have no row"
                f"{', some have several' if features.index.has_duplicates else ''}. "
                "Index it by customer_id, one row each."
            )
        y, treatment = (who[name].to_numpy(dtype=np.int64) for name in ("retained", "treated"))
        return features.loc[who.index], y, treatment


def campaign_effect(
    plan: pd.DataFrame,
    log: InteractionLog,
    *,
    horizon_days: float | None = None,
    retained: pd.Series[Any] | None = None,
    contact_window_days: float | None = None,
    confidence: float = 0.9,
    as_of: Instant | None = None,
) -> CampaignEffect:
    """Compare those drawn for contact with those drawn for the hold-out.

    Parameters
    ----------
    plan : DataFrame indexed by customer_id
        ``ContactPlan.assign``'s table, unchanged: ``level, holdout, would_be, cost``. Whoever has
        a level and is not held out counts as treated, contacted or not: taking out those who were
        not reached would leave a group that is not random any more.
    log : InteractionLog
        With what followed; its ``contacted`` events tell what staff did otherwise. Another level
        than planned is seen only where their ``reason`` is a level's name.
    horizon_days : float, days (> 0), optional
        The window is ``[as_of, as_of + horizon_days)``; default ``plan.attrs["horizon_days"]``.
    retained : bool Series indexed by customer_id, optional
        Who was retained. Default: who bought in the window. Needed under contract
        (``plan.attrs["mode"]``; a plan read from a file that keeps no ``attrs`` must be given it
        too), where a renewal is no purchase:
        ``~anticipate.churn.contract_outcomes(log, as_of, horizon_days)["closed"]``.
    contact_window_days : float, days (> 0, at most the horizon), optional
        ``contacted`` events in the first so many days are this campaign's, later ones another's.
        Default: the whole window.
    confidence : float, default=0.9
    as_of : datetime-like, optional
        The campaign's start; default ``plan.attrs["as_of"]``.

    Returns
    -------
    CampaignEffect
        Shares by Newcombe's interval, money by Welch's; each level beside those held out from it.
        Money is that of purchases, under contract of ``subscribe`` and ``renew`` too.
        "all" takes one share held out at every level for granted, and warns if it was not so.

    Raises
    ------
    CutoffError
        If the window is not closed in the log, or the start is not known.
    ParameterError
        If nobody was treated or nobody held out; if the horizon is not known; under contract
        without ``retained``.

    Examples
    --------
    Forty customers, half of them held out; of those, half come back, of the others all:

    >>> import pandas as pd
    >>> from anticipate import InteractionLog
    >>> ids, held = [f"C{i:02}" for i in range(40)], [i % 2 == 1 for i in range(40)]
    >>> back = [name for i, name in enumerate(ids) if i % 4 != 3]
    >>> rows = pd.DataFrame({"customer_id": ids + back, "item_id": "tea",
    ...     "timestamp": ["2025-01-01"] * 40 + ["2025-02-09"] * 30, "price": 5.0})
    >>> log = InteractionLog.from_frame(
    ...     rows, price="price", timezone="UTC", closed_until="2025-04-01")
    >>> plan = pd.DataFrame(
    ...     {"level": [None if h else "Basic" for h in held], "holdout": held,
    ...      "would_be": ["Basic" if h else None for h in held], "cost": 1.0},
    ...     index=pd.Index(ids, name="customer_id"))
    >>> effect = campaign_effect(plan, log, horizon_days=30, as_of="2025-02-01")
    >>> effect.table.loc["Basic", "verdict"], effect.uplift("Basic").gain
    ('gain', 0.5)
    """
    level = check_confidence(confidence)
    asked = read_asked(
        plan, as_of, horizon_days, contact_window_days, has_retained=retained is not None
    )
    known = log.vocabulary.customer_ids
    stayed = None if retained is None else check_retained(retained, known)
    outcomes = label_outcomes(log, asked.start, asked.horizon_days)
    table = check_plan(plan, known)
    arms = arms_of(table, outcomes, retained=stayed, under_contract=asked.under_contract)
    if not np.isfinite(log.events.price).any():  # what was spent is not known, which is not 0
        arms = arms.assign(spend=np.nan)
    _check_arms(arms)
    found = overrides_of(table, arms, _contacts(outcomes, asked.contact_window_days))
    warn_of_arms(arms, found)
    in_it = (table[LEVEL].notna() | table["would_be"].notna() & table["holdout"]).sum()
    return CampaignEffect(
        outcomes.cutoff, outcomes.horizon_days, level, compare(arms, level), found,
        int(in_it) - len(arms), arms, BOUGHT if stayed is None else GIVEN,
    )  # fmt: skip


def _check_arms(arms: pd.DataFrame) -> None:
    treated = int(arms["treated"].sum())
    if treated in (0, len(arms)):
        what = "nobody was treated" if not treated else f"{treated} treated, nobody held out"
        raise ParameterError(
            f"the effect cannot be measured: {what}. Plan with ContactPlan(holdout=0.05) or more "
            "and give the table that assign returned."
        )


def _contacts(outcomes: Outcomes, first_days: float) -> pd.DataFrame:
    contacts = outcomes.window.of_kind(c.EVENTS.index(c.CONTACTED))
    until = outcomes.cutoff_us + days_to_microseconds(first_days)
    return events_to_pandas(contacts.take(contacts.timestamp < until), outcomes.vocabulary)


__all__ = ["CampaignEffect", "MeasuredGain", "campaign_effect"]
