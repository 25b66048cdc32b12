"""What the candidates learn from: customers at past cutoffs, and who left afterwards.

Reads  a History; labels only through closed windows that end by its cutoff.
Gives  one row per customer and slice, and the label; every buy-till-you-die family's log-odds.
Never  an event at or after a slice's own cutoff in that slice's features or parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..evaluation.backtest import training_slices
from ..log import History
from ..log.clock import to_timestamp
from ..log.objections import objectors
from ..outcomes import Outcomes
from .describer import Describer, Rows
from .families import DEFAULT, best_family, family_log_odds, family_losses, fit_families
from .summary import history_state, summary_of

Floats = NDArray[np.float64]
MAX_SLICES = 8
MAX_LEARNERS = 50_000  # customers; more would fill the memory and hardly move the trees


class TrainingRows(NamedTuple):
    """Rows of all slices, oldest slice first."""

    rows: Rows  # with the log-odds of the best family
    left: NDArray[np.bool_]  # no purchase in the horizon
    person: NDArray[np.int64]  # customer code in the whole history
    slice: NDArray[np.int64]
    cutoffs: list[pd.Timestamp]  # of the slices
    families: dict[str, Floats]  # log-odds of every family, each fitted before its slice
    family: str  # the one with the lowest log-loss over all slices
    n_prospects: int  # customers without a purchase at a slice's cutoff
    n_prospects_left: int  # and those of them who still made none in the horizon


class _Slice(NamedTuple):
    cutoff: pd.Timestamp
    rows: Rows
    families: dict[str, Floats]
    left: NDArray[np.bool_]
    person: NDArray[np.int64]
    n_prospects: int
    n_prospects_left: int


def without_objectors(history: History) -> tuple[History, int]:
    """The history without those who object to profiling, and how many were left out."""
    left_out = objectors(history)
    if not left_out.any():
        return history, 0
    return history.select(history.customer_ids[~left_out]), int(left_out.sum())


def learners(history: History, random_state: int | None) -> History:
    """The history, or a seeded sample of its customers if they are very many."""
    if history.n_customers <= MAX_LEARNERS:
        return history
    rng = np.random.default_rng(0 if random_state is None else random_state)
    return history.select(rng.choice(history.customer_ids, MAX_LEARNERS, replace=False))


def past_slices(history: History, horizon_days: float) -> list[tuple[History, Outcomes]]:
    """Up to eight past histories and what followed, half a horizon apart, oldest first."""
    half = horizon_days / 2
    return training_slices(history, horizon_days, MAX_SLICES, min_history_days=half, step_days=half)


def training_rows(history: History, horizon_days: float) -> TrainingRows | None:
    """Rows and labels of up to eight past slices; None if no window is closed.

    Slices lie half a horizon apart, so their windows overlap: more to learn from. Who compares
    models must leave the overlap out. A customer belongs to a slice from the first purchase on.
    """
    found = past_slices(history, horizon_days)
    slices = [_slice(past, labels, history, horizon_days) for past, labels in found]
    kept = [part for part in slices if part is not None]
    if not kept:
        return None
    left = np.concatenate([part.left for part in kept])
    families = {
        name: np.concatenate([part.families[name] for part in kept]) for name in kept[0].families
    }
    family = best_family(family_losses(families, left))
    columns = zip(*(part.rows for part in kept), strict=True)
    return TrainingRows(
        rows=Rows(*(np.concatenate(column) for column in columns))._replace(base=families[family]),
        left=left,
        person=np.concatenate([part.person for part in kept]),
        slice=np.repeat(np.arange(len(kept)), [len(part.left) for part in kept]),
        cutoffs=[part.cutoff for part in kept],
        families=families,
        family=family,
        n_prospects=sum(part.n_prospects for part in kept),
        n_prospects_left=sum(part.n_prospects_left for part in kept),
    )


def _slice(past: History, labels: Outcomes, history: History, horizon_days: float) -> _Slice | None:
    """The rows of one past cutoff; None if nobody had bought by then."""
    state = history_state(past)
    bought = state.n_days > 0
    if not bought.any():
        return None
    left = ~labels.customers["purchased"].to_numpy(dtype=bool)
    models = fit_families(summary_of(past, state))
    describer = Describer.learn(state, models[DEFAULT], horizon_days)
    return _Slice(
        cutoff=to_timestamp(past.cutoff_us),
        rows=describer.rows(past, state).take(bought),
        families={
            name: family_log_odds(model.kernel_, state, horizon_days)[bought]
            for name, model in models.items()
        },
        left=left[bought],
        person=np.searchsorted(history.customer_ids, past.customer_ids[bought]),
        n_prospects=int((~bought).sum()),
        n_prospects_left=int((~bought & left).sum()),
    )
