"""A ranker without the rows of some customers.

Reads  a fitted ranker and ids.
Gives  a ranker whose sources have no reference of theirs.
Never  weights or tables learned anew: counts of all customers together stay as they were.
"""

from __future__ import annotations

import copy
from typing import Protocol, Self, runtime_checkable

from .ranker import NextNeedRanker
from .source import Array


@runtime_checkable
class Remembering(Protocol):
    """A source that holds rows of single customers."""

    def without(self, customer_ids: Array) -> Self:
        """The same without theirs."""
        ...


def without_customers(ranker: NextNeedRanker, customer_ids: Array) -> NextNeedRanker:
    """The same ranker without the reference rows of these customers.

    Parameters
    ----------
    ranker : NextNeedRanker
        Fitted; it is not changed.
    customer_ids : array
        In the type of the ids it was fitted on; unknown ones do nothing.
    """
    tables = ranker.fitted_.tables
    sources = {
        name: source.without(customer_ids) if isinstance(source, Remembering) else source
        for name, source in tables.sources.items()
    }
    left = copy.copy(ranker)
    left.fitted_ = ranker.fitted_._replace(tables=tables._replace(sources=sources))
    return left
