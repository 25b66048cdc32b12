"""Next needs: what each customer will buy, with a probability and a reason."""

from .candidates import SOURCES
from .ranker import NextNeedRanker

__all__ = ["SOURCES", "NextNeedRanker"]
