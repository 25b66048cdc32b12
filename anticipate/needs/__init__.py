"""Next needs: what each customer will buy, with a probability and a reason."""

from .ranker import NextNeedRanker
from .sources import SOURCES

__all__ = ["SOURCES", "NextNeedRanker"]
