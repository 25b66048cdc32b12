"""Who is leaving: P(no purchase in the horizon), what it is worth, and why.

Reading order: ``summary`` and ``btyd`` (the models underneath), ``describer`` and ``rows`` (what is
learned from), ``families``, ``candidates`` and ``choice`` (what is learned and which is taken),
``interval``, ``contributions``, ``learned`` (the fitted state), ``model`` (the door), ``storage``.
``contracts`` and ``touchpoints`` are rooms of their own.
"""

from .boosted import ChurnClassifier
from .btyd.beta_geo import BetaGeoModel
from .btyd.gamma_gamma import GammaGammaModel
from .btyd.modified_beta_geo import ModifiedBetaGeoModel
from .btyd.pareto import ParetoNBDModel
from .btyd.regular_beta_geo import RegularBetaGeoModel
from .contracts.hazard import ContractHazard
from .contracts.state import contract_outcomes
from .model import ChurnModel
from .summary import purchase_summary
from .touchpoints.associations import touchpoint_associations
from .touchpoints.plot import plot_touchpoints

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
