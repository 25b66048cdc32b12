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
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._checks import check_count, check_option, check_positive, check_probability
from ..columns import CUSTOMER
from ..exceptions import ParameterError
from ..kernels.churn import ChurnParameters, ChurnTable, churn_table
from ..kernels.purchases import PurchaseState
from ..log import History, check_history
from ..log.clock import to_timestamp
from ..log.ids import check_ids
from .contracts.mode import LearnedContracts, learn_contracts
from .describer import Describer
from .learned import Learned, learn, seen_state
from .rows import without_objectors
from .storage import pack, unpack

Floats = NDArray[np.float64]
CHURN_IS = "no purchase in the {horizon_days:g} days from the cutoff on"
INACTIVITY, CONTRACT = "inactivity", "contract"


class ChurnModel(BaseEstimator):  # type: ignore[misc]
    """P(no purchase in [cutoff, cutoff + horizon)) for every customer, with segment and reason.

    Candidates are a rule on the open gap, a buy-till-you-die model (MBG/NBD, BG/NBD, MBG/CNBD-k
    or Pareto/NBD, whichever foresaw past windows best), a logistic regression and boosted trees
    on customer features and that model's log-odds, and the mean log-odds of these two. The one
    with the lowest log-loss on held-out past slices is taken; the mean, which drifts less, also
    if another is less than half a percent better.

    Parameters
    ----------
    horizon_days : float, default=90
        Length of the window that is asked about (> 0).
    mode : {"inactivity", "contract"}, default="inactivity"
        What leaving is: no purchase in the horizon, or an open contract (``subscribe``,
        ``renew``, ``lapse``, the customers' ``contract_end``) that closes in it. See
        :class:`ContractHazard`.
    at_risk, departed : float, default=0.5, 0.9
        ``p_churn`` above which a customer who is silent for longer than usual is at risk, or has
        departed. Under contract: at risk whatever the silence; departed once it is closed.
    interval : bool, default=False
        Learn how sure each probability is: ``predict`` adds ``p_churn_low, p_churn_high``.
        Refits the chosen candidate twenty times on customers drawn anew; under contract ten
        times on half the customers.
    random_state : int or None, default=None
        Seed of the trees and of the customers drawn for intervals.
    n_jobs : int or None, default=None
        Held-out slices judged, and replicates fitted, at the same time (joblib).

    Attributes
    ----------
    report_ : dict
        ``churn_is`` (what counts as leaving), ``model`` (which candidate won), ``btyd`` (which
        buy-till-you-die model serves), ``log_loss`` (of each, held out), ``held_out`` (how),
        ``gain_over_hiatus`` and ``gain_over_next`` (relative), ``slices``, ``n_customers``,
        ``missing`` (sentences on missing data). Under contract: that of :class:`ContractHazard`,
        with ``gain_over_life_table`` in place of the gain over the rule on the open gap.
    cutoff_ : Timestamp
    parameters_ : ChurnParameters
        What :func:`anticipate.kernels.churn.churn_table` needs.

    Notes
    -----
    Beyond 50,000 customers the candidates are compared and fitted on a seeded sample of that
    many (the buy-till-you-die model always on all).

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

    learned_: Learned | LearnedContracts
    report_: dict[str, Any]
    cutoff_: pd.Timestamp

    def __init__(
        self,
        horizon_days: float = 90,
        *,
        mode: str = INACTIVITY,
        at_risk: float = 0.5,
        departed: float = 0.9,
        interval: bool = False,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.horizon_days = horizon_days
        self.mode = mode
        self.at_risk = at_risk
        self.departed = departed
        self.interval = interval
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, history: History) -> Self:
        """Learn from everything before ``history.cutoff``.

        Raises
        ------
        EmptyHistoryError
            If no customer bought anything, or has ever subscribed (those who object to profiling
            do not count).

        Warns
        -----
        MinimumDataWarning
            If there are too few data to compare candidates; the buy-till-you-die model is taken.
        """
        check_history(history)
        horizon = check_positive("horizon_days", self.horizon_days)
        at_risk = check_probability("at_risk", self.at_risk)
        departed = check_probability("departed", self.departed)
        check_option("mode", self.mode, (INACTIVITY, CONTRACT))
        check_option("interval", self.interval, (True, False))
        if self.random_state is not None:
            check_count("random_state", self.random_state, least=0, most=2**32 - 1)
        known, n_left_out = without_objectors(history)
        settings: dict[str, Any] = {
            "at_risk": at_risk,
            "interval": bool(self.interval),
            "random_state": self.random_state,
            "n_jobs": self.n_jobs,
        }
        if self.mode == CONTRACT:
            self.learned_, self.report_ = learn_contracts(known, horizon, **settings)
        else:
            self.learned_, self.report_ = learn(known, horizon, departed=departed, **settings)
            self.report_["churn_is"] = CHURN_IS.format(horizon_days=horizon)
        self.report_["n_left_out"] = n_left_out
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
            ``p_churn`` (P of no purchase in the horizon; under contract, that the open contract
            closes, or that none is opened), ``p_alive``, ``expected_purchases``
            (purchase days in the horizon), ``expected_value`` (spend in the horizon, currency;
            NaN where the log knows no price), ``value_at_risk`` (p_churn times the spend
            expected of a customer who does buy), with ``interval`` the limits of an 80 % interval
            of p_churn, ``p_churn_low, p_churn_high``, ``segment``, ``reason`` (English).
            ``attrs``: ``churn_is`` says what counts as leaving; ``mode``, ``horizon_days``.

        Raises
        ------
        NotFittedError, IdTypeError
        """
        check_is_fitted(self, "learned_")
        check_history(history)
        if customers is None:
            return self._frame(history)
        ids = check_ids(customers, history.customer_ids, CUSTOMER)
        return self._frame(history.select(ids)).loc[ids]

    def contributions(
        self, history: History, *, customers: Iterable[Any] | None = None
    ) -> pd.DataFrame:
        """What pushes each customer's log-odds of leaving up or down.

        Parameters
        ----------
        history, customers
            As in :meth:`predict`.

        Returns
        -------
        DataFrame indexed by customer_id
            ``reference`` (log-odds of the middle customer of training) and one column per
            theme, log-odds; a row sums to ``logit(p_churn)``. Exact Shapley values against that
            customer. Without a purchase all is in ``reference``: the rate of newcomers.

        Notes
        -----
        No causes: what the model leans on. Some 3 ms a customer: ask for those of interest.
        """
        check_is_fitted(self, "learned_")
        check_history(history)
        if customers is not None:
            ids = check_ids(customers, history.customer_ids, CUSTOMER)
            return self.contributions(history.select(ids)).loc[ids]
        reference, shares = self.learned_.contributions(history)
        index = pd.Index(history.customer_ids, name=CUSTOMER)
        return pd.DataFrame({"reference": reference, **shares}, index=index)

    def predict_offsets(self, history: History) -> Floats:
        """Log-odds that the chosen model adds to the base model, shape (n_customers,).

        By customer code. 0 where there is nothing to add to: without a purchase, for objectors,
        and for everybody if the buy-till-you-die model itself was chosen. :func:`churn_table`
        takes them.
        """
        learned, state = self._inactivity(), self.predict_state(history)
        return learned.offset(learned.rows(history, state), state)

    def predict_state(self, history: History) -> PurchaseState:
        """Purchase state per customer code; objectors look like customers never seen."""
        return seen_state(history)

    def predict_table(self, history: History) -> ChurnTable:
        """The churn table as arrays, codes and facts, row i = customer code i."""
        offset = self.predict_offsets(history)
        return churn_table(self.predict_state(history), offset, parameters=self.parameters_)

    @property
    def parameters_(self) -> ChurnParameters:
        """What :func:`anticipate.kernels.churn.churn_table` needs."""
        return self._inactivity().parameters

    @property
    def describer_(self) -> Describer:
        """How a customer becomes a row of features."""
        return self._inactivity().describer

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "learned_")
        facts = {
            "cutoff": self.cutoff_.isoformat(),
            "report": self.report_,
            "settings": self.get_params(),
        }
        return pack(self.learned_, facts)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that ``to_arrays`` was called on: same predictions, bit for bit."""
        learned, facts = unpack(arrays)
        model = cls(**facts["settings"])
        model.learned_, model.report_ = learned, facts["report"]
        model.cutoff_ = pd.Timestamp(facts["cutoff"])
        return model

    def _frame(self, history: History) -> pd.DataFrame:
        index = pd.Index(history.customer_ids, name=CUSTOMER)
        frame = pd.DataFrame(self.learned_.columns(history), index=index)
        learned, mode = self.learned_, INACTIVITY
        if isinstance(learned, LearnedContracts):
            mode, horizon_days = CONTRACT, learned.hazard.horizon_days
        else:
            horizon_days = learned.parameters.horizon_days
        frame.attrs = {
            "churn_is": self.report_["churn_is"],
            "mode": mode,
            "horizon_days": float(horizon_days),
        }
        return frame

    def _inactivity(self) -> Learned:
        check_is_fitted(self, "learned_")
        if isinstance(self.learned_, LearnedContracts):
            raise ParameterError(
                "the kernel behind a bundle answers for inactivity only; this model was fitted "
                "with mode='contract'. Use predict, or fit one with mode='inactivity'."
            )
        return self.learned_
