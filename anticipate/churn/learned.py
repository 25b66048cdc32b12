"""What a churn model learns of inactivity, in one go.

Reads  a History without those who object to profiling.
Gives  the describer, the chosen candidate, the kernel's parameters, a reference customer and,
       on request, what intervals need.
Never  an event at or after the cutoff.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from ..exceptions import EmptyHistoryError
from ..kernels.churn import SEGMENTS, ChurnParameters, churn_log_odds, churn_table
from ..kernels.purchases import PurchaseState, nothing_bought
from ..log import History
from ..log.objections import objectors
from ..suggestions.churn_words import reason_sentences
from . import contributions as shapley
from .btyd.gamma_gamma import GammaGammaModel
from .candidates import Members, candidate_log_odds
from .choice import choose
from .describer import Describer, Rows
from .families import FAMILIES
from .interval import Spread, learn_spread, limits, log_odds_sd
from .rows import TrainingRows, learners, training_rows
from .summary import forget, history_state, summary_of

Floats = NDArray[np.float64]
NUMBERS = ("p_churn", "p_alive", "expected_purchases", "expected_value", "value_at_risk")
NEWCOMER_WEIGHT = 20.0  # customers for which the base model speaks in the rate of newcomers


class Learned(NamedTuple):
    """The fitted state of :class:`~anticipate.churn.ChurnModel`."""

    describer: Describer
    chosen: str  # key of CANDIDATES
    members: Members | None  # None if the buy-till-you-die model was chosen
    parameters: ChurnParameters
    reference: Floats  # the middle customer's row, whom contributions start from
    spread: Spread | None  # None without intervals

    def log_odds(self, rows: Rows) -> Floats:
        """Log-odds of no purchase of customers who have bought, shape (n,)."""
        if self.members is None:
            return rows.base
        return candidate_log_odds(self.chosen, self.members, rows)

    def rows(self, history: History, state: PurchaseState) -> Rows:
        """Every customer's row; features only where the chosen candidate reads them."""
        if self.members is not None:
            return self.describer.rows(history, state)
        base = self.describer.base(state)
        return Rows(np.empty((len(base), 0)), base, np.zeros(len(base)))

    def offset(self, rows: Rows, state: PurchaseState) -> Floats:
        """Log-odds beside the base model's, shape (n,); 0 without a purchase."""
        return np.where(state.n_days > 0, self.log_odds(rows) - rows.base, 0.0)

    def columns(self, history: History) -> dict[str, Any]:
        """Columns of the churn table, in their order; row i = customer code i."""
        state = seen_state(history)
        rows = self.rows(history, state)
        offset = self.offset(rows, state)
        table = churn_table(state, offset, parameters=self.parameters)
        columns: dict[str, Any] = {name: getattr(table, name) for name in NUMBERS}
        if self.spread is not None:
            horizon = self.parameters.horizon_days
            z = churn_log_odds(state, offset, self.parameters)
            sd = log_odds_sd(self.spread, self.chosen, rows, state, horizon)
            columns["p_churn_low"], columns["p_churn_high"] = limits(z, sd)
        columns["segment"] = np.array(SEGMENTS, dtype=object)[table.segment]
        columns["reason"] = reason_sentences(table)
        return columns

    def contributions(self, history: History) -> tuple[Floats, dict[str, Floats]]:
        """Log-odds of the reference and of each theme, row i = customer code i."""
        state = seen_state(history)
        themes = shapley.themes_of(self.describer.features)
        return shapley.contributions_of(
            lambda table: self.log_odds(Rows.of(table)),
            self.describer.rows(history, state).table,
            self.reference,
            [*themes, shapley.PATTERN, shapley.SILENCE],
            log_odds=churn_log_odds(state, np.zeros(history.n_customers), self.parameters),
            described=state.n_days > 0,
        )


def seen_state(history: History) -> PurchaseState:
    """Purchase state per customer code; objectors look like customers never seen."""
    return forget(history_state(history), objectors(history))


def learn(
    history: History,
    horizon_days: float,
    *,
    at_risk: float,
    departed: float,
    interval: bool,
    random_state: int | None,
    n_jobs: int | None,
) -> tuple[Learned, dict[str, Any]]:
    """The fitted state, and the report on how it was chosen."""
    state = history_state(history)
    bought = state.n_days > 0
    if not bought.any():
        raise EmptyHistoryError("churn: no purchase lies before the cutoff; nothing to learn.")
    seeds: dict[str, Any] = {"random_state": random_state, "n_jobs": n_jobs}
    data = training_rows(learners(history, random_state), horizon_days)
    chosen, members, report = choose(data, int(bought.sum()), horizon_days, **seeds)
    summary = summary_of(history, state)
    fitted = FAMILIES[report["btyd"]]().fit(summary)
    describer = Describer.learn(state, fitted, horizon_days)
    rows = describer.rows(history, state).take(bought) if data is None else data.rows
    spread = None
    if interval:
        spread = learn_spread(
            data, summary, fitted, chosen, members, horizon_days=horizon_days, **seeds
        )
    first_gaps = state.first_gap_days[np.isfinite(state.first_gap_days)]
    typical, usual = _quantiles(first_gaps)
    parameters = ChurnParameters(
        btyd=fitted.kernel_,
        spend=GammaGammaModel().fit(summary).kernel_,
        horizon_days=horizon_days,
        newcomer_offset=_newcomer_offset(describer, data),
        typical_gap_days=typical,
        usual_gap_days=usual,
        at_risk=at_risk,
        departed=departed,
    )
    return Learned(
        describer, chosen, members, parameters, shapley.middle(rows.table), spread
    ), report


def _quantiles(gaps: Floats) -> tuple[float, float]:
    """Half and nine tenths of the first gaps are no longer; observed gaps."""
    if not len(gaps):
        return np.nan, np.nan
    typical, usual = np.quantile(gaps, [0.5, 0.9], method="inverted_cdf")
    return float(typical), float(usual)


def _newcomer_offset(describer: Describer, data: TrainingRows | None) -> float:
    # Customers without a purchase: the share of past ones who made none in the horizon, with
    # twenty pseudo-customers who behave like the base model's on the day of a first purchase.
    base = float(describer.base(nothing_bought(1))[0])
    n, n_left = (0, 0) if data is None else (data.n_prospects, data.n_prospects_left)
    rate = (NEWCOMER_WEIGHT * expit(base) + n_left) / (NEWCOMER_WEIGHT + n)
    return float(logit(rate) - base) if n else 0.0
