"""Who is leaving: every column of the churn table, from a customer's state and a few numbers.

Reads  purchase states, one log-odds offset per customer, the fitted parameters.
Gives  probabilities, expectations, segment and reason per customer, as arrays and codes.
Never  features, trees or another customer: a notebook and the online scorer both run this.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special
from .btyd import (
    VECTOR_LENGTH,
    Btyd,
    expected_purchases_if_any,
    from_vector,
    log_odds_no_purchase,
    probability_alive,
    to_vector,
)
from .purchases import PurchaseState
from .spend import GammaGamma, expected_spend

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SEGMENTS = ("prospective", "new", "current", "cooling", "at_risk", "departed", "won_back")
PROSPECTIVE, NEW, CURRENT, COOLING, AT_RISK, DEPARTED, WON_BACK = range(len(SEGMENTS))

# Each reason's code and the facts it states; every fact is a field of Facts.
REASON_FACTS: dict[str, tuple[str, ...]] = {
    "unknown_customer": (),
    "no_purchase": ("n_events",),
    "one_purchase": ("silent_days", "typical_gap_days"),
    "no_usual_gap": ("silent_days", "n_purchases"),
    "regular": ("silent_days", "usual_gap_days", "n_gaps"),
    "regular_few_gaps": ("silent_days", "usual_gap_days", "n_purchases"),
    "silent": ("silent_days", "usual_gap_days", "n_gaps"),
    "silent_few_gaps": ("silent_days", "usual_gap_days", "n_purchases"),
    "returned": ("silent_days", "last_gap_days", "earlier_usual_gap_days"),
    "contract_closed": ("closed_days",),
}
REASONS = tuple(REASON_FACTS)
AGEING_DAYS = 14.0
OWN_GAPS = 3  # from here on a customer is measured by their own gaps, before by everybody's


class ChurnParameters(NamedTuple):
    """What the kernel needs of a fitted model; times in days, money in currency."""

    btyd: Btyd
    spend: GammaGamma
    horizon_days: float
    newcomer_offset: float  # log-odds beside those of a customer at x = t_x = T = 0
    typical_gap_days: float  # median first gap of those who came back; NaN if nobody did
    usual_gap_days: float  # and nine tenths of them came back within this
    at_risk: float  # p_churn above it: at risk, if also silent longer than usual
    departed: float  # and above this: departed


class Facts(NamedTuple):
    """The numbers that reasons state, per customer; NaN where they do not apply."""

    silent_days: Floats  # since the last purchase day
    usual_gap_days: Floats  # the own one, or everybody's below OWN_GAPS gaps
    typical_gap_days: Floats
    earlier_usual_gap_days: Floats
    last_gap_days: Floats
    closed_days: Floats
    n_gaps: Floats
    n_purchases: Floats  # purchase days
    n_events: Floats


class ChurnTable(NamedTuple):
    """The churn table's columns; all of shape (n,)."""

    p_churn: Floats
    p_alive: Floats
    expected_purchases: Floats
    expected_value: Floats
    value_at_risk: Floats
    segment: NDArray[np.int8]  # position in SEGMENTS
    reason: NDArray[np.int8]  # position in REASONS
    facts: Facts


def churn_table(state: PurchaseState, offset: Floats, *, parameters: ChurnParameters) -> ChurnTable:
    """All columns of the churn table.

    Parameters
    ----------
    state : PurchaseState
        Of n customers at the moment that is asked about.
    offset : array of shape (n,)
        Log-odds between the chosen model and the base model, learned at the bundle's cutoff. Not
        used for customers without a purchase: they get the newcomers' rate.
    parameters : ChurnParameters

    Returns
    -------
    ChurnTable
        ``p_churn`` = P(no purchase in the horizon) = sigmoid(offset + logit of the base model).
        Expectations agree with it: expected_purchases = (1 - p_churn) E[X | X >= 1]. Value is
        NaN if the log knew no price.
    """
    H, model = parameters.horizon_days, parameters.btyd
    x, t_x, T = state.n_repeats, state.last_repeat_days, state.age_days
    z = churn_log_odds(state, offset, parameters)
    p_churn, p_active = special.expit(z), special.expit(-z)
    if_active = expected_purchases_if_any(x, t_x, T, horizon=H, model=model)
    value_if_active = if_active * _spend_per_day(state, parameters.spend)
    alive = probability_alive(x, t_x, T, model=model)
    segment, long_silent = _segments(state, p_churn, parameters)
    facts = _facts(state, parameters)
    return ChurnTable(
        p_churn=p_churn,
        p_alive=np.maximum(alive, p_active),  # who will buy is alive, whatever the base model says
        expected_purchases=p_active * if_active,
        expected_value=p_active * value_if_active,
        value_at_risk=p_churn * value_if_active,
        segment=segment,
        reason=_reasons(facts, segment, long_silent),
        facts=facts,
    )


def churn_log_odds(state: PurchaseState, offset: Floats, parameters: ChurnParameters) -> Floats:
    """Log-odds of no purchase in the horizon, shape (n,): ``logit(p_churn)``."""
    x, t_x, T = state.n_repeats, state.last_repeat_days, state.age_days
    shift = np.where(state.n_days > 0, offset, parameters.newcomer_offset)
    H, model = parameters.horizon_days, parameters.btyd
    return shift + log_odds_no_purchase(x, t_x, T, horizon=H, model=model)


def aged_offset(offset: Floats, later: Floats, days: Floats) -> Floats:
    """The offset of customers who stay silent, ``days`` after it was learned, shape (n,).

    ``later`` is what it will be after :data:`AGEING_DAYS`: on a straight line until then, held
    afterwards. The base model's log-odds run fast for regular buyers; this holds them back.
    """
    return offset + np.clip(days / AGEING_DAYS, 0.0, 1.0) * (later - offset)


def _spend_per_day(state: PurchaseState, spend: GammaGamma) -> Floats:
    mean = np.divide(
        state.spend,
        state.n_priced_days,
        out=np.zeros(len(state.spend)),
        where=state.n_priced_days > 0,
    )
    return expected_spend(state.n_priced_days, mean, model=spend)


def _segments(
    state: PurchaseState, p_churn: Floats, parameters: ChurnParameters
) -> tuple[NDArray[np.int8], Mask]:
    long_silent = state.silent_days > _usual(state.usual_gap_days, state.n_days, parameters)
    young = ~(state.silent_days > parameters.typical_gap_days)  # also where nothing is typical
    left = np.isfinite(state.closed_days) | (long_silent & (p_churn > parameters.departed))
    rules = [
        (state.n_days == 0, PROSPECTIVE),
        (left, DEPARTED),
        ((state.n_days == 1) & young, NEW),
        (~long_silent & _had_departed(state, parameters), WON_BACK),
        (long_silent & (p_churn > parameters.at_risk), AT_RISK),
        (long_silent, COOLING),
    ]
    return _first_that_holds(rules, CURRENT), long_silent


def _had_departed(state: PurchaseState, parameters: ChurnParameters) -> Mask:
    # The rule for "departed", on the eve of the last purchase: one purchase day less, age up to
    # the last one. Only the base model speaks here: the offset belongs to the present.
    again = state.n_days > 1
    gap = np.where(again, state.last_gap_days, 0.0)
    usual = _usual(state.earlier_usual_gap_days, state.n_days - 1, parameters)
    T = state.last_repeat_days
    z = log_odds_no_purchase(
        np.maximum(state.n_repeats - 1, 0.0),
        T - gap,
        T,
        horizon=parameters.horizon_days,
        model=parameters.btyd,
    )
    return np.asarray(again & (gap > usual) & (special.expit(z) > parameters.departed))


def _usual(own: Floats, n_days: Floats, parameters: ChurnParameters) -> Floats:
    return np.where(n_days > OWN_GAPS, own, parameters.usual_gap_days)


def _facts(state: PurchaseState, parameters: ChurnParameters) -> Facts:
    return Facts(
        silent_days=state.silent_days,
        usual_gap_days=_usual(state.usual_gap_days, state.n_days, parameters),
        typical_gap_days=np.full(len(state.n_days), parameters.typical_gap_days),
        earlier_usual_gap_days=_usual(state.earlier_usual_gap_days, state.n_days - 1, parameters),
        last_gap_days=state.last_gap_days,
        closed_days=state.closed_days,
        n_gaps=state.n_repeats,
        n_purchases=state.n_days,
        n_events=state.n_events,
    )


def _reasons(facts: Facts, segment: NDArray[np.int8], long_silent: Mask) -> NDArray[np.int8]:
    few = facts.n_gaps < OWN_GAPS
    one_known = (segment == NEW) & np.isfinite(facts.typical_gap_days)
    rules = [
        ((segment == PROSPECTIVE) & (facts.n_events == 0), "unknown_customer"),
        (segment == PROSPECTIVE, "no_purchase"),
        (np.isfinite(facts.closed_days), "contract_closed"),
        (one_known, "one_purchase"),
        (~np.isfinite(facts.usual_gap_days), "no_usual_gap"),
        (segment == WON_BACK, "returned"),
        (long_silent & few, "silent_few_gaps"),
        (long_silent, "silent"),
        (few, "regular_few_gaps"),
    ]
    numbered = [(rule, REASONS.index(code)) for rule, code in rules]
    return _first_that_holds(numbered, REASONS.index("regular"))


def _first_that_holds(rules: list[tuple[Mask, int]], default: int) -> NDArray[np.int8]:
    codes = np.full(len(rules[0][0]), default, dtype=np.int8)
    for rule, code in reversed(rules):  # np.select says the same, ten times slower for one row
        codes[rule] = code
    return codes


def parameters_to_array(parameters: ChurnParameters) -> Floats:
    """The parameters as one float64 vector, in the order of the fields."""
    head = to_vector(parameters.btyd)
    return np.concatenate([head, [*parameters.spend, *parameters[2:]]]).astype(np.float64)


def parameters_from_array(vector: Floats) -> ChurnParameters:
    """Inverse of :func:`parameters_to_array`, bit for bit."""
    p, q, v, *rest = (float(value) for value in vector[VECTOR_LENGTH:])
    return ChurnParameters(from_vector(vector[:VECTOR_LENGTH]), GammaGamma(p, q, v), *rest)
