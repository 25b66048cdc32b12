"""The scorer: answers from a bundle, in the moment of truth."""

from .scorer import Scorer

__all__ = ["Scorer"]
