"""Who is leaving: P(no purchase in the horizon), what it is worth, and why, per customer.

Reads  a History; labels only from windows that closed before its cutoff.
Gives  the churn table, one row per customer; per-customer offsets for the online scorer.
Never  an event at or after the cutoff; customers who object to profiling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._checks import check_positive, check_probability
from ..columns import CUSTOMER
from ..exceptions import EmptyHistoryError
from ..kernels.churn import ChurnParameters, ChurnTable, churn_table
from ..kernels.purchases import PurchaseState, nothing_bought
from ..log import History, check_history
from ..log.clock import to_timestamp
from ..log.ids import check_ids
from ..suggestions.churn_words import reason_sentences
from .candidates import candidate_log_odds
from .choice import choose
from .rows import Describer, TrainingRows, learners, objectors, training_rows
from .segments import segment_names
from .spend import SpendModel
from .storage import pack, unpack
from .summary import forget, history_state, summary_of

Floats = NDArray[np.float64]
NEWCOMER_WEIGHT = 20.0  # customers for which MBG/NBD speaks in the rate of newcomers
NUMBERS = ("p_churn", "p_alive", "expected_purchases", "expected_value", "value_at_risk")


class ChurnModel(BaseEstimator):  # type: ignore[misc]
    """P(no purchase in [cutoff, cutoff + horizon)) for every customer, with segment and reason.

    Candidates are a rule on the open gap, MBG/NBD, boosted trees and a logistic regression on
    customer features, and the mean log-odds of the last three. The one with the lowest log-loss
    on held-out past slices is taken; the mean, being steadier, also if another is less than 1 %
    better.

    Parameters
    ----------
    horizon_days : float, default=90
        Length of the window that is asked about (> 0).
    at_risk, departed : float, default=0.5, 0.9
        ``p_churn`` above which a customer who is silent for longer than usual is at risk, or has
        departed.
    random_state : int or None, default=None
        Seed of the trees.
    n_jobs : int or None, default=None
        Held-out slices judged at the same time (joblib).

    Attributes
    ----------
    report_ : dict
        ``model`` (which candidate won), ``log_loss`` (of each, held out), ``held_out`` (how),
        ``gain_over_hiatus`` and ``gain_over_next`` (relative), ``slices``, ``n_customers``,
        ``missing`` (sentences on missing data).
    cutoff_ : Timestamp
    parameters_ : ChurnParameters
        What :func:`anticipate.kernels.churn.churn_table` needs.

    Notes
    -----
    Beyond 50,000 customers the candidates are compared and fitted on a seeded sample of that
    many (MBG/NBD always on all).

    Examples
    --------
    >>> import warnings
    >>> from anticipate import load_example
    >>> history = load_example("three_buyers").as_of("2025-02-01")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # three customers are few, and it says so
    ...     model = ChurnModel(horizon_days=30).fit(history)
    >>> bool(model.predict(history)["p_churn"].between(0, 1).all())
    True
    """

    parameters_: ChurnParameters
    report_: dict[str, Any]
    cutoff_: pd.Timestamp

    def __init__(
        self,
        horizon_days: float = 90,
        *,
        at_risk: float = 0.5,
        departed: float = 0.9,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.horizon_days = horizon_days
        self.at_risk = at_risk
        self.departed = departed
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, history: History) -> Self:
        """Learn from everything before ``history.cutoff``.

        Raises
        ------
        EmptyHistoryError
            If no customer bought anything (those who object to profiling do not count).

        Warns
        -----
        MinimumDataWarning
            If there are too few data to compare candidates; MBG/NBD is taken then.
        """
        check_history(history)
        horizon = check_positive("horizon_days", self.horizon_days)
        check_probability("at_risk", self.at_risk)
        check_probability("departed", self.departed)
        left_out = objectors(history)
        known = history.select(history.customer_ids[~left_out]) if left_out.any() else history
        state = history_state(known)
        if not (state.n_days > 0).any():
            raise EmptyHistoryError("churn: no purchase lies before the cutoff; nothing to learn.")
        self.describer_ = Describer.learn(known, state, horizon)
        data = training_rows(learners(known, self.random_state), horizon)
        self.members_, self.report_ = choose(
            data,
            int((state.n_days > 0).sum()),
            horizon,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        )
        self.chosen_ = self.report_["model"]
        self.report_["n_left_out"] = int(left_out.sum())
        self.parameters_ = self._parameters(known, state, data)
        self.cutoff_ = to_timestamp(history.cutoff_us)
        return self

    def predict(self, history: History, *, customers: Iterable[Any] | None = None) -> pd.DataFrame:
        """The churn table.

        Parameters
        ----------
        history : History
            Customers as of ``history.cutoff``: the start of the horizon.
        customers : iterable of ids or None
            Whom to answer for, in this order; unknown ids are answered like newcomers. None:
            every customer of the history, sorted.

        Returns
        -------
        DataFrame indexed by customer_id
            ``p_churn`` (P of no purchase in the horizon), ``p_alive``, ``expected_purchases``
            (purchase days in the horizon), ``expected_value`` (spend in the horizon, currency;
            NaN where the log knows no price), ``value_at_risk`` (p_churn times the spend
            expected of a customer who does buy), ``segment``, ``reason`` (English).

        Raises
        ------
        NotFittedError, IdTypeError
        """
        check_is_fitted(self, "parameters_")
        if customers is None:
            return self._frame(history)
        ids = check_ids(customers, history.customer_ids, CUSTOMER)
        return self._frame(history.select(ids)).loc[ids]

    def predict_offsets(self, history: History) -> Floats:
        """Log-odds that the chosen model adds to MBG/NBD, per customer code, shape (n_customers,).

        0 where there is nothing to add to: without a purchase, for objectors, and for everybody
        if MBG/NBD itself was chosen. :func:`churn_table` takes them.
        """
        check_is_fitted(self, "parameters_")
        return self._offsets(history, self.predict_state(history))

    def predict_state(self, history: History) -> PurchaseState:
        """Purchase state per customer code; objectors look like customers never seen."""
        return forget(history_state(history), objectors(history))

    def predict_table(self, history: History) -> ChurnTable:
        """The churn table as arrays, codes and facts, row i = customer code i."""
        check_is_fitted(self, "parameters_")
        state = self.predict_state(history)
        offset = self._offsets(history, state)
        return churn_table(state, offset, parameters=self.parameters_)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "parameters_")
        facts = {
            "chosen": self.chosen_,
            "cutoff": self.cutoff_.isoformat(),
            "report": self.report_,
            "settings": self.get_params(),
        }
        return pack(self.parameters_, self.describer_, self.members_, facts)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that ``to_arrays`` was called on: same predictions, bit for bit."""
        parameters, describer, members, facts = unpack(arrays)
        model = cls(**facts["settings"])
        model.parameters_, model.describer_, model.members_ = parameters, describer, members
        model.chosen_, model.report_ = facts["chosen"], facts["report"]
        model.cutoff_ = pd.Timestamp(facts["cutoff"])
        return model

    def _offsets(self, history: History, state: PurchaseState) -> Floats:
        if self.members_ is None:
            return np.zeros(history.n_customers)
        rows = self.describer_.rows(history, state)
        z = candidate_log_odds(self.chosen_, self.members_, rows)
        return np.where(state.n_days > 0, z - rows.base, 0.0)

    def _frame(self, history: History) -> pd.DataFrame:
        table = self.predict_table(history)
        columns: dict[str, Any] = {name: getattr(table, name) for name in NUMBERS}
        columns["segment"] = segment_names(table)
        columns["reason"] = reason_sentences(table)
        return pd.DataFrame(columns, index=pd.Index(history.customer_ids, name=CUSTOMER))

    def _parameters(
        self, history: History, state: PurchaseState, data: TrainingRows | None
    ) -> ChurnParameters:
        first_gaps = state.first_gap_days[np.isfinite(state.first_gap_days)]
        typical, usual = (
            np.quantile(first_gaps, [0.5, 0.9], method="inverted_cdf")
            if len(first_gaps)
            else (np.nan, np.nan)
        )
        return ChurnParameters(
            beta_geo=self.describer_.beta_geo.kernel_,
            spend=SpendModel().fit(summary_of(history, state)).kernel_,
            horizon_days=float(self.horizon_days),
            newcomer_offset=_newcomer_offset(self.describer_, data),
            typical_gap_days=float(typical),
            usual_gap_days=float(usual),
            at_risk=float(self.at_risk),
            departed=float(self.departed),
        )


def _newcomer_offset(describer: Describer, data: TrainingRows | None) -> float:
    # Customers without a purchase: the share of past ones who made none in the horizon, with
    # twenty pseudo-customers who behave like MBG/NBD's customer on the day of a first purchase.
    base = float(describer.base(nothing_bought(1))[0])
    n, n_left = (0, 0) if data is None else (data.n_prospects, data.n_prospects_left)
    rate = (NEWCOMER_WEIGHT * expit(base) + n_left) / (NEWCOMER_WEIGHT + n)
    return float(logit(rate) - base) if n else 0.0
