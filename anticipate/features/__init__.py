"""Features of customers, of customer–item pairs and of items, as of each customer's cutoff."""

from .builder import FeatureBuilder, feature_table

__all__ = ["FeatureBuilder", "feature_table"]
