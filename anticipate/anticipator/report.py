"""The evaluation of a fitted whole: each part beside its best plain baseline.

Reads  a fitted model, a log that holds the window after the cutoff.
Gives  a ``Report``.
Never  a fit: the model is judged as it is.
"""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import pandas as pd

from ..columns import MICROSECONDS_PER_DAY
from ..evaluation import (
    Report,
    Section,
    churn_baselines,
    customer_groups,
    evaluate_churn,
    evaluate_guard,
    evaluate_needs,
    evaluate_reasons,
    evaluate_stability,
    evaluate_suggestions,
    evaluate_timing,
    injected_carts,
    needs_baselines,
    timing_baselines,
    warning_baselines,
)
from ..exceptions import FutureCutoffWarning
from ..log import History, InteractionLog
from ..log.clock import Instant, to_timestamp
from ..outcomes import Outcomes, label_outcomes
from ..serving import Scorer
from .reasons import stated_facts
from .state import make_state

if TYPE_CHECKING:
    from .model import Anticipator

_LOG = logging.getLogger("anticipate")
LIST_LENGTH, SHOWN = 10, 3
_STEPS = 7


def evaluate(
    model: Anticipator, log: InteractionLog, cutoff: Instant, groups: tuple[str, ...]
) -> Report:
    """All sections, in the order a reader asks."""
    outcomes = label_outcomes(log, cutoff, model.horizon_days)
    later = label_outcomes(log, cutoff, model.churn_horizon_days)
    history = outcomes.history
    table = customer_groups(history, groups)
    scorer = Scorer(*make_state(model, history), benefits=model.benefits)
    _step("next needs", 1)
    sections = [_needs(model, history, outcomes, table)]
    _step("suggestions", 2)
    sections.append(_suggestions(scorer, history, outcomes, table))
    _step("churn", 3)
    sections.append(_churn(model, history, later, table))
    _step("timing", 4)
    sections.append(_timing(model, history, outcomes, table))
    _step("guard", 5)
    sections.append(_guard(model, history, outcomes, table))
    _step("stability", 6)
    sections.append(_stability(scorer, history))
    _step("reasons", 7)
    sections.append(evaluate_reasons(stated_facts(scorer, history)))
    about: dict[str, str | int | float] = {
        "horizon_days": float(model.horizon_days),
        "churn_horizon_days": float(model.churn_horizon_days),
        "trained_until": f"{model.cutoff_:%Y-%m-%d %H:%M} UTC",
        "customers": history.n_customers,
        "items": history.n_items,
        "events": history.n_events,
    }
    return Report(tuple(sections), to_timestamp(history.cutoff_us), about)


def _step(name: str, number: int) -> None:
    _LOG.info("judging %s", name, extra={"step": (number, _STEPS)})


def _needs(
    model: Anticipator, history: History, outcomes: Outcomes, groups: pd.DataFrame
) -> Section:
    lists = model.needs_.recommend(history, n=LIST_LENGTH)
    plain = needs_baselines(history, n=LIST_LENGTH)
    return evaluate_needs(lists, history, outcomes, baselines=plain, groups=groups, k=LIST_LENGTH)


def _suggestions(
    scorer: Scorer, history: History, outcomes: Outcomes, groups: pd.DataFrame
) -> Section:
    at = to_timestamp(history.cutoff_us)
    shown = scorer.suggest_many(as_of=at, n=SHOWN, audience="customer")
    plain = needs_baselines(history, n=SHOWN)
    return evaluate_suggestions(shown, history, outcomes, baselines=plain, groups=groups, k=SHOWN)


def _churn(
    model: Anticipator, history: History, outcomes: Outcomes, groups: pd.DataFrame
) -> Section:
    plain = churn_baselines(history, model.churn_horizon_days)
    predictions = model.churn_.predict(history)
    return evaluate_churn(predictions, history, outcomes, baselines=plain, groups=groups)


def _timing(
    model: Anticipator, history: History, outcomes: Outcomes, groups: pd.DataFrame
) -> Section:
    dates = model.timing_.predict(history)
    plain = timing_baselines(history)
    return evaluate_timing(dates, history, outcomes, baselines=plain, groups=groups)


def _guard(
    model: Anticipator, history: History, outcomes: Outcomes, groups: pd.DataFrame
) -> Section:
    carts = injected_carts(outcomes, random_state=model.random_state or 0)
    reviewed = model.guard_.review(carts, history)
    return evaluate_guard(reviewed, baselines=warning_baselines(carts, history), groups=groups)


def _stability(scorer: Scorer, history: History) -> Section:
    """Who is most at risk today and tomorrow, if nothing happens in between."""
    today = to_timestamp(history.cutoff_us)
    tomorrow = to_timestamp(history.cutoff_us + MICROSECONDS_PER_DAY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureCutoffWarning)  # horizons under a day
        before, after = (scorer.churn(as_of=at) for at in (today, tomorrow))
    return evaluate_stability(before["p_churn"], after["p_churn"])
