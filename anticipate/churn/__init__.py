"""Who is leaving: P(no purchase in the horizon), what it is worth, and why."""

from .beta_geo import BetaGeoModel
from .boosted import ChurnClassifier
from .contract import ContractHazard
from .contract_state import contract_outcomes
from .gamma_gamma import GammaGammaModel
from .model import ChurnModel
from .modified_beta_geo import ModifiedBetaGeoModel
from .pareto import ParetoNBDModel
from .regular_beta_geo import RegularBetaGeoModel
from .summary import purchase_summary
from .touchpoint_plot import plot_touchpoints
from .touchpoints import touchpoint_associations

__all__ = [
    "BetaGeoModel",
    "ChurnClassifier",
    "ChurnModel",
    "ContractHazard",
    "GammaGammaModel",
    "ModifiedBetaGeoModel",
    "ParetoNBDModel",
    "RegularBetaGeoModel",
    "contract_outcomes",
    "plot_touchpoints",
    "purchase_summary",
    "touchpoint_associations",
]
