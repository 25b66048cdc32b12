"""Whose contract will close: a discrete-time hazard on customer features and the contract.

Reads  a History; labels only from windows that closed before its cutoff.
Gives  P(the open contract closes in the horizon) and P(still open) at each period's end.
Never  an event at or after the cutoff; customers who object to profiling.
Source Singer & Willett, Journal of Educational Statistics 18, 1993.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..._checks import check_positive
from ...columns import CUSTOMER
from ...exceptions import EmptyHistoryError, ParameterError
from ...features import feature_table
from ...kernels.contract import log_odds_closed
from ...kernels.contract_reasons import ContractFacts, contract_reasons
from ...log import History, check_history
from ...log.clock import to_timestamp
from ...log.ids import check_ids
from ...log.objections import objectors
from ...suggestions.contract_words import contract_sentences
from ..rows import learners, without_objectors
from .candidates import Members, Periods, log_open
from .choice import choose_hazard
from .rows import Contracts, describe, like_contracts, past_windows
from .state import CONTRACT_END, has_contracts, missing_ends, seen_state
from .storage import pack_members, unpack_members

Floats = NDArray[np.float64]
USUAL_PERIOD_DAYS = 30.0
CHURN_IS = (
    "a contract that is open at the cutoff is closed within {:g} days: by a lapse that no "
    "subscribe or renew follows on the same local day, or by a contract_end that passes and that "
    "no subscribe, renew or later contract_end follows by the window's end"
)


class ContractHazard(BaseEstimator):  # type: ignore[misc]
    """P(the open contract closes in [cutoff, cutoff + horizon)) for every customer who has one.

    Each period of the horizon has a hazard h_j = P(closes in it | open before it), learned on
    customer features at past cutoffs and on the contract as it will stand in that period: tenure,
    days since the last renewal, days to its end, whether the end or the usual term falls into it.
    P(closes in the horizon) = 1 - (1 - h_1)...(1 - h_k). Candidates are the plain life table by
    tenure, one by days since the last renewal, a logistic regression, boosted trees, and the mean
    log-odds of the last three; the lowest log-loss on held-out past windows is taken. Where data
    are few, only the two tables compete.

    Parameters
    ----------
    horizon_days : float, default=90
        Length of the window that is asked about (> 0).
    period_days : float or None, default=None
        Length of a period; it must divide the horizon. None: the one nearest to 30 days that does.
    random_state : int or None, default=None
        Seed of the trees.
    n_jobs : int or None, default=None
        Held-out windows judged at the same time (joblib).

    Attributes
    ----------
    report_ : dict
        ``churn_is`` (what counts, one sentence), ``model`` (which candidate won), ``log_loss``
        (of each, held out), ``held_out`` (how), ``gain_over_life_table`` and ``gain_over_next``
        (relative), ``slices, n_contracts, n_windows, n_closed, n_left_out, period_days,
        usual_term_days``, ``missing`` (sentences on missing data).
    cutoff_ : Timestamp
    like_ : ndarray of shape (2, 2), int64
        Contracts whose end fell into a past window, and those of them that were not renewed;
        first row never renewed before, second row renewed before.

    Notes
    -----
    Features are those at the cutoff, in every period: only the contract moves on. Renewals within
    the horizon are not simulated.

    Examples
    --------
    >>> import warnings
    >>> from anticipate import load_example
    >>> history = load_example("bookshop").as_of("2025-03-01")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # forty members are few, and it says so
    ...     model = ContractHazard(horizon_days=90, random_state=0).fit(history)
    >>> table = model.predict(history)
    >>> bool(table.loc[table["open"], "p_churn"].between(0, 1).all())
    True
    """

    members_: Members
    report_: dict[str, Any]
    like_: NDArray[np.int64]
    features_: list[str]
    usual_term_days_: float
    cutoff_: pd.Timestamp

    def __init__(
        self,
        horizon_days: float = 90,
        *,
        period_days: float | None = None,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.horizon_days = horizon_days
        self.period_days = period_days
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, history: History) -> Self:
        """Learn from everything before ``history.cutoff``.

        Raises
        ------
        EmptyHistoryError
            If nobody ever subscribed or renewed (those who object to profiling do not count).
        ParameterError
            If ``period_days`` does not divide the horizon.
        TimeError
            If ``contract_end`` is no time.

        Warns
        -----
        MinimumDataWarning
            If there are too few data to compare all candidates.
        """
        check_history(history)
        periods = self.periods()
        known, n_left_out = without_objectors(history)
        if not has_contracts(known.events):
            raise EmptyHistoryError(
                "contracts: no subscribe or renew event lies before the cutoff. Give rows whose "
                "event is 'subscribe', 'renew' or 'lapse' (and, if known, the customers' "
                f"{CONTRACT_END!r} with 'valid_from'), or use the inactivity mode."
            )
        known = learners(known, self.random_state)
        self.features_ = feature_table("customer").index.tolist()
        state, contracts = describe(known, self.features_)
        self.usual_term_days_ = float(contracts.usual_term_days[0])
        data = past_windows(known, float(self.horizon_days), self.features_)
        self.members_, report = choose_hazard(
            data, state, periods, random_state=self.random_state, n_jobs=self.n_jobs
        )
        self.like_ = like_contracts(data, float(self.horizon_days))
        self.report_ = report | {
            "churn_is": CHURN_IS.format(float(self.horizon_days)),
            "period_days": periods.days,
            "usual_term_days": None if np.isnan(self.usual_term_days_) else self.usual_term_days_,
            "n_left_out": n_left_out,
            "missing": report["missing"] + missing_ends(known),
        }
        self.cutoff_ = to_timestamp(history.cutoff_us)
        return self

    def predict(self, history: History, *, customers: Iterable[Any] | None = None) -> pd.DataFrame:
        """The contract table.

        Parameters
        ----------
        history : History
            Contracts as of ``history.cutoff``: the start of the horizon.
        customers : iterable of ids or None
            Whom to answer for, in this order; unknown ids have no contract. None: every
            customer of the history, sorted.

        Returns
        -------
        DataFrame indexed by customer_id
            ``p_churn`` (P that the open contract closes in the horizon), ``open`` (bool),
            ``tenure_days, days_since_renewal, n_renewals, days_to_end, closed_days``, ``reason``
            (English). NaN where no contract is open, for objectors always.

        Raises
        ------
        NotFittedError, IdTypeError, TimeError
        """
        check_is_fitted(self, "members_")
        check_history(history)
        if customers is not None:
            ids = check_ids(customers, history.customer_ids, CUSTOMER)
            return self.predict(history.select(ids)).loc[ids]
        reason, facts = self.predict_reasons(history)
        state = seen_state(history)
        columns: dict[str, Any] = {
            "p_churn": -np.expm1(self._log_open(history)[:, -1]),
            **{name: getattr(state, name) for name in state._fields if name != "length_days"},
            "reason": contract_sentences(reason, facts),
        }
        return pd.DataFrame(columns, index=pd.Index(history.customer_ids, name=CUSTOMER))

    def predict_log_odds(self, history: History) -> Floats:
        """Log-odds of closing in the horizon, (n_customers,); NaN where no contract is open."""
        check_is_fitted(self, "members_")
        return log_odds_closed(self._log_open(history)[:, -1])

    def log_odds_of(self, contracts: Contracts) -> Floats:
        """Log-odds of closing in the horizon of contracts described already, (n,)."""
        z = log_open(self.report_["model"], self.members_, contracts, self.periods())
        return log_odds_closed(z[:, -1])

    def predict_reasons(self, history: History) -> tuple[NDArray[np.int8], ContractFacts]:
        """Reason codes (positions in ``kernels.contract_reasons.REASONS``) and their facts."""
        check_is_fitted(self, "members_")
        return contract_reasons(seen_state(history), self.like_, float(self.horizon_days))

    def survival(self, history: History) -> pd.DataFrame:
        """P(the contract is still open) at the end of each period.

        Returns
        -------
        DataFrame indexed by customer_id
            One column per period, named by the days from the cutoff to its end; NaN where no
            contract is open. Never rises from left to right.
        """
        check_is_fitted(self, "members_")
        periods = self.periods()
        ends = pd.Index(periods.days * np.arange(1, periods.n + 1), name="days")
        index = pd.Index(history.customer_ids, name=CUSTOMER)
        return pd.DataFrame(np.exp(self._log_open(history)), index=index, columns=ends)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "members_")
        facts = {
            "cutoff": self.cutoff_.isoformat(),
            "features": self.features_,
            "report": self.report_,
            "settings": self.get_params(),
        }
        numbers = {"like": self.like_, "usual_term_days": np.array([self.usual_term_days_])}
        return pack_members(self.members_, facts) | numbers

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that ``to_arrays`` was called on: same predictions, bit for bit."""
        members, facts = unpack_members(arrays)
        model = cls(**facts["settings"])
        model.members_, model.report_ = members, facts["report"]
        model.features_, model.like_ = facts["features"], np.array(arrays["like"])
        model.usual_term_days_ = float(arrays["usual_term_days"][0])
        model.cutoff_ = pd.Timestamp(facts["cutoff"])
        return model

    def periods(self) -> Periods:
        """The horizon, cut into whole periods."""
        horizon = check_positive("horizon_days", self.horizon_days)
        if self.period_days is None:
            n = max(round(horizon / USUAL_PERIOD_DAYS), 1)
            return Periods(horizon / n, n)
        wanted = check_positive("period_days", self.period_days)
        n = max(round(horizon / wanted), 1)
        if abs(n * wanted - horizon) > 1e-9 * horizon:
            raise ParameterError(
                f"period_days must divide the horizon; {horizon:g} days are no whole number of "
                f"periods of {wanted:g}. Take {horizon / n:g}."
            )
        return Periods(horizon / n, n)

    def _log_open(self, history: History) -> Floats:
        periods = self.periods()
        out = np.full((history.n_customers, periods.n), np.nan)
        state, contracts = describe(history, self.features_, usual_term_days=self.usual_term_days_)
        rows = state.open & ~objectors(history)
        out[rows] = log_open(self.report_["model"], self.members_, contracts.take(rows), periods)
        return out
