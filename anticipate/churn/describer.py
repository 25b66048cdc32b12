"""How a customer becomes a row that the candidates can read.

Reads  a History and its purchase states.
Gives  features, the log-odds of a buy-till-you-die model, and the open gap, per customer.
Never  labels; another customer's events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..features import FeatureBuilder, feature_table
from ..kernels.purchases import PurchaseState
from ..log import History
from .btyd.estimator import BtydEstimator
from .families import family_log_odds

Floats = NDArray[np.float64]


class Rows(NamedTuple):
    """n customers as the candidates see them."""

    features: Floats  # (n, k); NaN unknown
    base: Floats  # (n,) log-odds of no purchase by the buy-till-you-die model
    silence: Floats  # (n,) log ratio of the open gap to the customer's usual one

    @property
    def table(self) -> Floats:
        """All columns side by side, shape (n, k + 2)."""
        return np.column_stack([self.features, self.base, self.silence])

    @classmethod
    def of(cls, table: Floats) -> Self:
        """Inverse of ``table``."""
        return cls(table[:, :-2], table[:, -2], table[:, -1])

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Rows:
        """The rows of a mask, or of positions, which may repeat."""
        return Rows(self.features[chosen], self.base[chosen], self.silence[chosen])


@dataclass(frozen=True)
class Describer:
    """How a customer becomes a row: learned from one history, applied to any."""

    btyd: BtydEstimator
    features: list[str]  # of level "customer": they are formulas, there is nothing to learn
    mean_gap_days: float
    horizon_days: float

    @classmethod
    def learn(cls, state: PurchaseState, btyd: BtydEstimator, horizon_days: float) -> Self:
        """From the states of one history and a model fitted on its purchase summary."""
        n_gaps = state.n_repeats.sum()
        mean_gap = state.last_repeat_days.sum() / n_gaps if n_gaps else horizon_days
        features = feature_table("customer").index.tolist()
        return cls(btyd, features, float(mean_gap), horizon_days)

    def rows(self, history: History, state: PurchaseState) -> Rows:
        """Every customer of the history, row i = customer code i."""
        builder = FeatureBuilder(level="customer", features=self.features).fit(history)
        features = builder.transform(history).to_numpy(dtype=np.float64)
        return Rows(features, self.base(state), self._silence(state))

    def base(self, state: PurchaseState) -> Floats:
        return family_log_odds(self.btyd.kernel_, state, self.horizon_days)

    def _silence(self, state: PurchaseState) -> Floats:
        # The usual gap is the own mean, with everybody's mean as one more gap.
        usual = (self.mean_gap_days + state.last_repeat_days) / (1 + state.n_repeats)
        return np.asarray(np.log((state.silent_days + 1) / (usual + 1)))
