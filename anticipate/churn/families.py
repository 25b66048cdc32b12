"""Which buy-till-you-die model serves: the one whose P(no purchase) held on past windows.

Reads  purchase states at past cutoffs, and who left afterwards.
Gives  each family's log-odds, and the name of the one with the lowest log-loss.
Never  likelihoods: a better one may come with a worse P(no purchase).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from ..evaluation.probability_metrics import log_loss
from ..kernels import btyd
from ..kernels.purchases import PurchaseState
from .btyd.beta_geo import BetaGeoModel
from .btyd.estimator import BtydEstimator
from .btyd.modified_beta_geo import ModifiedBetaGeoModel
from .btyd.pareto import ParetoNBDModel
from .btyd.regular_beta_geo import RegularBetaGeoModel

Floats = NDArray[np.float64]
MIN_ROWS = 1000  # past rows: customers times past cutoffs
DEFAULT = "mbg_nbd"  # taken where there is no past window to compare on, and wins ties
FAMILIES: dict[str, type[BtydEstimator]] = {
    DEFAULT: ModifiedBetaGeoModel,
    "bg_nbd": BetaGeoModel,
    "mbg_cnbd_k": RegularBetaGeoModel,
    "pareto_nbd": ParetoNBDModel,
}


def fit_families(summary: pd.DataFrame) -> dict[str, BtydEstimator]:
    """Every family, fitted on one purchase summary."""
    return {name: family().fit(summary) for name, family in FAMILIES.items()}


def family_log_odds(model: btyd.Btyd, state: PurchaseState, horizon_days: float) -> Floats:
    """Log-odds of no purchase in the horizon, shape (n,)."""
    return btyd.log_odds_no_purchase(
        state.n_repeats, state.last_repeat_days, state.age_days, horizon=horizon_days, model=model
    )


def family_losses(log_odds: Mapping[str, Floats], left: NDArray[np.bool_]) -> dict[str, float]:
    """Mean log-loss (nats) of each family; {} if there are too few rows to judge by."""
    if len(left) < MIN_ROWS:
        return {}
    return {name: log_loss(left, expit(z)) for name, z in log_odds.items()}


def best_family(losses: Mapping[str, float]) -> str:
    """The lowest log-loss; the first of ``FAMILIES`` on a tie."""
    return min(losses, key=lambda name: losses[name], default=DEFAULT)
