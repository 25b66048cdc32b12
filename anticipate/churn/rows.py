"""What the candidates learn from: customers at past cutoffs, and who left afterwards.

Reads  a History; labels only through closed windows that end by its cutoff.
Gives  one row per customer and slice: features, the log-odds of MBG/NBD, the open gap, the label.
Never  an event at or after a slice's own cutoff in that slice's features or parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import OBJECTS_TO, PROFILING
from ..evaluation.backtest import training_slices
from ..features import FeatureBuilder, feature_table
from ..kernels import btyd
from ..kernels.purchases import PurchaseState
from ..log import History
from ..log.clock import to_timestamp
from .beta_geo import BetaGeoModel
from .summary import history_state, summary_of

Floats = NDArray[np.float64]
MAX_SLICES = 8
MAX_LEARNERS = 50_000  # customers; more would fill the memory and hardly move the trees


class Rows(NamedTuple):
    """n customers as the candidates see them."""

    features: Floats  # (n, k); NaN unknown
    base: Floats  # (n,) log-odds of no purchase by MBG/NBD
    silence: Floats  # (n,) log ratio of the open gap to the customer's usual one

    def take(self, mask: NDArray[np.bool_]) -> Rows:
        return Rows(self.features[mask], self.base[mask], self.silence[mask])


@dataclass(frozen=True)
class Describer:
    """How a customer becomes a row: learned from one history, applied to any."""

    beta_geo: BetaGeoModel
    features: list[str]  # of level "customer": they are formulas, there is nothing to learn
    mean_gap_days: float
    horizon_days: float

    @classmethod
    def learn(cls, history: History, state: PurchaseState, horizon_days: float) -> Self:
        beta_geo = BetaGeoModel(modified=True).fit(summary_of(history, state))
        features = feature_table("customer").index.tolist()
        n_gaps = state.n_repeats.sum()
        mean_gap = state.last_repeat_days.sum() / n_gaps if n_gaps else horizon_days
        return cls(beta_geo, features, float(mean_gap), horizon_days)

    def rows(self, history: History, state: PurchaseState) -> Rows:
        """Every customer of the history, row i = customer code i."""
        builder = FeatureBuilder(level="customer", features=self.features).fit(history)
        features = builder.transform(history).to_numpy(dtype=np.float64)
        return Rows(features, self.base(state), self._silence(state))

    def base(self, state: PurchaseState) -> Floats:
        return btyd.log_odds_no_purchase(
            state.n_repeats,
            state.last_repeat_days,
            state.age_days,
            horizon=self.horizon_days,
            model=self.beta_geo.kernel_,
        )

    def _silence(self, state: PurchaseState) -> Floats:
        # The usual gap is the own mean, with everybody's mean as one more gap.
        usual = (self.mean_gap_days + state.last_repeat_days) / (1 + state.n_repeats)
        return np.asarray(np.log((state.silent_days + 1) / (usual + 1)))


class TrainingRows(NamedTuple):
    """Rows of all slices, oldest slice first."""

    rows: Rows
    left: NDArray[np.bool_]  # no purchase in the horizon
    person: NDArray[np.int64]  # customer code in the whole history
    slice: NDArray[np.int64]
    cutoffs: list[pd.Timestamp]  # of the slices
    n_prospects: int  # customers without a purchase at a slice's cutoff
    n_prospects_left: int  # and those of them who still made none in the horizon


def learners(history: History, random_state: int | None) -> History:
    """The history, or a seeded sample of its customers if they are very many."""
    if history.n_customers <= MAX_LEARNERS:
        return history
    rng = np.random.default_rng(0 if random_state is None else random_state)
    return history.select(rng.choice(history.customer_ids, MAX_LEARNERS, replace=False))


def training_rows(history: History, horizon_days: float) -> TrainingRows | None:
    """Rows and labels of up to eight past slices; None if no window is closed.

    Slices lie half a horizon apart, so their windows overlap: more to learn from. Who compares
    models must leave the overlap out. A customer belongs to a slice from the first purchase on.
    """
    half = horizon_days / 2
    slices = training_slices(
        history, horizon_days, MAX_SLICES, min_history_days=half, step_days=half
    )
    parts = [_slice_rows(past, labels, history, horizon_days) for past, labels in slices]
    kept = [(past, part) for (past, _), part in zip(slices, parts, strict=True) if len(part[1])]
    if not kept:
        return None
    rows, left, person, prospects = zip(*(part for _, part in kept), strict=True)
    return TrainingRows(
        rows=Rows(*(np.concatenate(column) for column in zip(*rows, strict=True))),
        left=np.concatenate(left),
        person=np.concatenate(person),
        slice=np.repeat(np.arange(len(kept)), [len(part) for part in left]),
        cutoffs=[to_timestamp(past.cutoff_us) for past, _ in kept],
        n_prospects=sum(n for n, _ in prospects),
        n_prospects_left=sum(n for _, n in prospects),
    )


def _slice_rows(
    past: History, labels: Any, history: History, horizon_days: float
) -> tuple[Rows, NDArray[np.bool_], NDArray[np.int64], tuple[int, int]]:
    state = history_state(past)
    bought = state.n_days > 0
    left = ~labels.customers["purchased"].to_numpy(dtype=bool)
    prospects = int((~bought).sum()), int((~bought & left).sum())
    if not bought.any():
        return (
            Rows(np.empty((0, 0)), left[:0], left[:0]),
            left[:0],
            np.empty(0, np.int64),
            prospects,
        )
    rows = Describer.learn(past, state, horizon_days).rows(past, state)
    person = np.searchsorted(history.customer_ids, past.customer_ids[bought])
    return rows.take(bought), left[bought], person, prospects


def objectors(history: History) -> NDArray[np.bool_]:
    """Customers who object to profiling, shape (n_customers,): out of training and of scores."""
    if OBJECTS_TO not in history.customers.columns:
        return np.zeros(history.n_customers, dtype=bool)
    return np.array(
        [_names_profiling(value) for value in history.customers[OBJECTS_TO]], dtype=bool
    )


def _names_profiling(value: Any) -> bool:
    # One word, words between commas or blanks, or a list of words (so no vectorised form);
    # anything else is no objection.
    if isinstance(value, str):
        return PROFILING in value.replace(",", " ").replace(";", " ").split()
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return PROFILING in list(value)
    return False
