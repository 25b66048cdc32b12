"""What customers said against some items and for others, carried over to items alike.

Reads  signals (returns, "not interested", low ratings) and ratings of a batch.
Gives  ``Opinions``: what each customer dislikes and likes; two columns per candidate: how
       alike it is to the one and to the other.
Never  an item in both; another customer's opinion.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..columns import NOT_INTERESTED, RATING, RETURN
from .profiles import Scores, csr_of
from .ratings import Rated
from .shoppers import take_segments
from .signals import KINDS, Signals

Array = NDArray[Any]


class Opinions(NamedTuple):
    """Items that m customers spoke for or against, sorted by customer and item."""

    offsets: Array  # int64 (m + 1,)
    item: Array  # int64 (s,), extended code
    likes: Array  # bool (s,): for it; else against it

    @classmethod
    def of(cls, signals: Signals, rated: Rated, middle: float) -> Self:
        """What signals and ratings of a batch say.

        Against: brought back or "not interested" since it was last bought, or a latest rating
        below ``middle``. For: any other whose latest rating is above it (NaN: no rating is).
        """
        kinds = [KINDS.index(RETURN), KINDS.index(NOT_INTERESTED)]
        against = signals.flags[:, kinds].any(axis=1)
        # A low rating no longer counts after a purchase, or once a better one took its place.
        low = signals.flags[:, KINDS.index(RATING)]
        against |= low & (rated.at(signals.customer, signals.item) < middle)
        liked = rated.value > middle
        span = np.int64(max(rated.n_items, 1))
        worse = (signals.customer * span + signals.item)[against]
        better = np.setdiff1d(rated.key[liked], worse)
        key = np.append(worse, better)
        order = np.argsort(key)  # no key stands twice
        customer, item = np.divmod(key[order], span)
        offsets = np.searchsorted(customer, np.arange(len(rated.offsets)))
        return cls(offsets, item, order >= len(worse))

    @classmethod
    def none(cls) -> Self:
        """One customer without opinions."""
        codes = np.empty(0, dtype=np.int64)
        return cls(np.zeros(2, dtype=np.int64), codes, np.empty(0, dtype=bool))

    def take(self, customers: Array) -> Opinions:
        """Only these customers, in the order given."""
        rows, offsets = take_segments(self.offsets, customers)
        return Opinions(offsets, self.item[rows], self.likes[rows])


def liking_columns(
    opinions: Opinions, similar: csr_matrix, customer: Array, item: Array
) -> dict[str, Array]:
    """How alike each candidate is to what its customer dislikes, and likes.

    Parameters
    ----------
    opinions : Opinions
        Of the batch.
    similar : csr_matrix of shape (n_items, n_items)
        In row d the items most like d; a zero diagonal, so that an item never speaks about
        itself.
    customer, item : ndarray of shape (r,), int64
        Positions in the batch and extended codes.

    Returns
    -------
    dict of ndarray of shape (r,), float64
        ``disliked_alike``: sum of ``similar[d, item]`` over the disliked items d;
        ``liked_alike`` over the liked ones. 0 without any, and for items unknown to ``similar``.

    Notes
    -----
    Sparse products row by row: a customer's numbers are the same bits in any batch.
    """
    return {
        "disliked_alike": _sums(opinions, ~opinions.likes, similar).at(customer, item),
        "liked_alike": _sums(opinions, opinions.likes, similar).at(customer, item),
    }


def _sums(opinions: Opinions, which: Array, similar: csr_matrix) -> Scores:
    n, n_items = len(opinions.offsets) - 1, similar.shape[0]
    customer = np.repeat(np.arange(n), np.diff(opinions.offsets))
    rows = np.flatnonzero(which & (opinions.item < n_items))
    held = csr_of(customer[rows], opinions.item[rows], np.ones(len(rows)), (n, n_items))
    return Scores.of((held @ similar).tocsr())
