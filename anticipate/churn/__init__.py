"""Who is leaving: P(no purchase in the horizon), what it is worth, and why."""

from .beta_geo import BetaGeoModel
from .boosted import ChurnClassifier
from .model import ChurnModel
from .spend import SpendModel
from .summary import purchase_summary

__all__ = ["BetaGeoModel", "ChurnClassifier", "ChurnModel", "SpendModel", "purchase_summary"]
