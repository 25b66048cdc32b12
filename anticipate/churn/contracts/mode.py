"""The churn table of customers under contract.

Reads  a History with contract events; labels only from windows that closed before its cutoff.
Gives  the same columns as for inactivity, where leaving means that the open contract closes.
Never  an event at or after the cutoff; a value where the log knows no price.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from ...kernels.churn import (
    AT_RISK,
    COOLING,
    CURRENT,
    DEPARTED,
    NEW,
    PROSPECTIVE,
    SEGMENTS,
    WON_BACK,
)
from ...kernels.contract import ContractState, effective_closings
from ...kernels.purchases import PurchaseState
from ...kernels.segments import segment_count
from ...log import History
from ...log.objections import objectors
from ...suggestions.contract_words import contract_sentences
from .. import contributions as shapley
from ..interval import DRIFT, limits
from ..summary import forget, history_state
from .hazard import ContractHazard
from .interval import fit_halves, log_odds_sd
from .money import daily_payments
from .rows import Contracts, describe
from .state import seen_state, state_and_rows

Floats = NDArray[np.float64]


class Coming(NamedTuple):
    """Of those who had no open contract a horizon ago, who has one now."""

    share: float  # with half a case added to either side
    n: float

    @property
    def sd(self) -> float:
        """Of the share's log-odds: what chance and the swings of the level leave open."""
        return float(np.sqrt(1 / ((self.n + 1) * self.share * (1 - self.share)) + DRIFT**2))


class LearnedContracts(NamedTuple):
    """The fitted state of :class:`~anticipate.churn.ChurnModel` in contract mode."""

    hazard: ContractHazard
    reference: Floats  # the middle contract, whom contributions start from
    reopening: Coming  # of those whose contract had closed
    joining: Coming  # of those who never had one
    priced: bool  # whether any price was known
    at_risk: float
    halves: tuple[ContractHazard, ...]  # fitted on half the customers each; none without intervals

    def columns(self, history: History) -> dict[str, Any]:
        """Columns of the churn table, in their order; row i = customer code i."""
        state = seen_state(history)
        z = self.log_odds(history, state)
        p_churn = expit(z)
        purchases = forget(history_state(history), objectors(history))
        horizon = float(self.hazard.horizon_days)
        value = horizon * daily_payments(history, state, self.hazard.usual_term_days_)
        value = value if self.priced else np.full(len(z), np.nan)
        days = horizon * purchases.n_days / np.maximum(purchases.age_days, horizon)
        columns: dict[str, Any] = {
            "p_churn": p_churn,
            "p_alive": np.where(state.open, 1.0, expit(-z)),
            "expected_purchases": (1 - p_churn) * days,
            "expected_value": (1 - p_churn) * value,
            "value_at_risk": p_churn * value,
        }
        if self.halves:
            sd = np.where(state.open, log_odds_sd(self.halves, history), self._coming(state, "sd"))
            columns["p_churn_low"], columns["p_churn_high"] = limits(z, sd)
        columns["segment"] = _segments(self, history, state, purchases, p_churn)
        columns["reason"] = contract_sentences(*self.hazard.predict_reasons(history))
        return columns

    def log_odds(self, history: History, state: ContractState) -> Floats:
        """``logit(p_churn)``: without an open contract, that none will be open."""
        closing = self.hazard.predict_log_odds(history)
        return np.where(state.open, closing, logit(1 - self._coming(state, "share")))

    def contributions(self, history: History) -> tuple[Floats, dict[str, Floats]]:
        """Log-odds of the reference and of each theme, row i = customer code i."""
        hazard, state = self.hazard, seen_state(history)
        _, contracts = describe(history, hazard.features_, usual_term_days=hazard.usual_term_days_)
        own = [shapley.CONTRACT] * (len(Contracts._fields) - 1)
        return shapley.contributions_of(
            lambda table: _score(hazard, table),
            _table(contracts),
            self.reference,
            shapley.themes_of(hazard.features_) + own,
            log_odds=self.log_odds(history, state),
            described=state.open,
        )

    def _coming(self, state: ContractState, field: str) -> Floats:
        closed = np.isfinite(state.closed_days)
        return np.where(closed, getattr(self.reopening, field), getattr(self.joining, field))


def learn_contracts(
    history: History,
    horizon_days: float,
    *,
    at_risk: float,
    interval: bool,
    random_state: int | None,
    n_jobs: int | None,
) -> tuple[LearnedContracts, dict[str, Any]]:
    """The fitted state, and the report on how it was chosen."""
    settings: dict[str, Any] = {
        "horizon_days": horizon_days,
        "random_state": random_state,
        "n_jobs": n_jobs,
    }
    hazard = ContractHazard(**settings).fit(history)
    usual_term_days = hazard.usual_term_days_
    state, contracts = describe(history, hazard.features_, usual_term_days=usual_term_days)
    table = _table(contracts.take(state.open))
    reopening, joining = _comings(history, state, horizon_days)
    learned = LearnedContracts(
        hazard=hazard,
        reference=shapley.middle(table if len(table) else _new_contract(hazard)),
        reopening=reopening,
        joining=joining,
        priced=bool(np.isfinite(history.events.price).any()),
        at_risk=at_risk,
        halves=fit_halves(history, hazard, settings, random_state) if interval else (),
    )
    return learned, dict(hazard.report_)


def _score(hazard: ContractHazard, table: Floats) -> Floats:
    k = len(hazard.features_)
    return hazard.log_odds_of(Contracts(table[:, :k], *table[:, k:].T))


def _table(contracts: Contracts) -> Floats:
    return np.column_stack([contracts.features, *contracts[1:]])


def _new_contract(hazard: ContractHazard) -> Floats:
    """The row of a contract that began just now, of which nothing else is known."""
    own = Contracts(np.full((1, len(hazard.features_)), np.nan), *np.zeros((5, 1)))
    unknown = np.full(1, np.nan)
    usual = np.full(1, hazard.usual_term_days_)
    return _table(own._replace(days_to_end=unknown, usual_term_days=usual))


def _segments(
    learned: LearnedContracts,
    history: History,
    state: ContractState,
    purchases: PurchaseState,
    p_churn: Floats,
) -> NDArray[Any]:
    rows = state_and_rows(history)[1]
    closings = segment_count(effective_closings(rows), rows.offsets)
    term = learned.hazard.usual_term_days_
    young = state.tenure_days < (learned.hazard.horizon_days if np.isnan(term) else term)
    rules = {
        DEPARTED: np.isfinite(state.closed_days),
        PROSPECTIVE: ~state.open,
        AT_RISK: p_churn > learned.at_risk,
        WON_BACK: (closings > 0) & young,
        COOLING: purchases.silent_days > purchases.usual_gap_days,
        NEW: young & (state.n_renewals == 0),
    }
    codes = np.select(list(rules.values()), list(rules), default=CURRENT)
    return np.array(SEGMENTS, dtype=object)[codes]


def _comings(history: History, state: ContractState, horizon_days: float) -> tuple[Coming, Coming]:
    """Of closed contracts, and of those who never had one."""
    past = history.as_of(history.cutoff - pd.Timedelta(days=horizon_days))
    then = seen_state(past)
    now = state.open[np.searchsorted(history.customer_ids, past.customer_ids)]
    closed = np.isfinite(then.closed_days)
    never = ~then.open & ~closed
    reopened, joined = (
        Coming(float((now[who].sum() + 0.5) / (who.sum() + 1)), float(who.sum()))
        for who in (closed, never)
    )
    return reopened, joined
