"""What a customer would say of an item: expected ratings.

Reads  a History's ratings; the latest one of a customer and item counts.
Gives  ``Rated``: the ratings of a batch; ``Ratings``: what all of them teach, and from it the
       rating to expect of any pair, folded in from the customer's own ratings alone.
Never  a dense table of items by items; a customer's part stored in the model.
Source Koren, "Factor in the neighbors", ACM TKDD 4(1), 2010, sec. 2.1 (baseline) and 2.2
       (neighbours on what the baseline leaves).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..columns import EVENT_CODES, RATING
from ..kernels.needs import find_keys, sum_by
from ..kernels.order import group_order
from ..kernels.segments import run_starts, segment_sum
from ..log import History
from .intact import of_length, sparse_from
from .profiles import nothing
from .shoppers import Codes, take_segments

Array = NDArray[Any]
ROUNDS = 10  # of fitting items and customers in turn
DOUBT = 0.3  # similarity that stands for "no neighbour known": pulls towards the baseline
BLOCK = 1 << 16  # pairs whose neighbours are looked up together


class Rated(NamedTuple):
    """The latest rating of each pair of m customers, sorted by customer and item."""

    n_items: int  # of the codes, those only the history has included
    offsets: Array  # int64 (m + 1,)
    item: Array  # int64 (r,), extended code
    value: Array  # float64 (r,)
    time: Array  # int64 (r,), microseconds UTC

    @classmethod
    def of(cls, history: History, codes: Codes) -> Self:
        """Ratings of a history; those without a value say nothing."""
        events = history.events
        said = (events.event == EVENT_CODES[RATING]) & (events.item >= 0)
        rows = np.flatnonzero(said & ~np.isnan(events.value))
        item = codes.of_history[events.item[rows]]
        key = events.customer[rows].astype(np.int64) * codes.n + item
        order = group_order(key)  # stable: ratings of a pair stay in time order
        last = np.append(run_starts(key[order])[1:], len(order)) - 1
        order = order[last] if len(order) else order
        rows, item = rows[order], item[order]
        offsets = np.searchsorted(events.customer[rows], np.arange(history.n_customers + 1))
        return cls(codes.n, offsets, item, events.value[rows], events.timestamp[rows])

    @classmethod
    def none(cls, n_items: int) -> Self:
        """One customer who rated nothing."""
        no_codes = np.empty(0, dtype=np.int64)
        return cls(n_items, np.zeros(2, dtype=np.int64), no_codes, np.empty(0), no_codes)

    @property
    def n(self) -> int:
        return len(self.item)

    @property
    def customer(self) -> Array:
        """int64 (r,): customer of each rating, from 0."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @property
    def key(self) -> Array:
        """Ascending: customer * n_items + item."""
        return self.customer * np.int64(self.n_items) + self.item

    def take(self, customers: Array) -> Rated:
        """Only these customers, in the order given."""
        rows, offsets = take_segments(self.offsets, customers)
        return Rated(self.n_items, offsets, self.item[rows], self.value[rows], self.time[rows])

    def keep(self, rows: Array) -> Rated:
        """Only some ratings (a mask), of the same customers."""
        offsets = np.searchsorted(self.customer[rows], np.arange(len(self.offsets)))
        return Rated(self.n_items, offsets, self.item[rows], self.value[rows], self.time[rows])

    def at(self, customer: Array, item: Array) -> Array:
        """The rating of each pair; NaN where there is none."""
        place = find_keys(self.key, customer * np.int64(self.n_items) + item)
        return np.append(self.value, np.nan)[place]


class Ratings(NamedTuple):
    """Mean, items' deviations and items rated alike; the customer's part comes with ``Rated``."""

    scale: Array  # float64 (3,): mean, lowest and highest rating; NaN without ratings
    shrinkage: Array  # float64 (3,): pseudo-ratings of items, customers, co-raters (NaN: unused)
    item_bias: Array  # float64 (n_items + 1,); the last is an unseen item's: 0
    similar: csr_matrix  # float32 (n_items + 1, n_items): in row i the items rated most like i
    judged: Array  # float64 (5,): ratings judged by and root mean squared errors, see ``report``

    @classmethod
    def nothing(cls, n_items: int) -> Self:
        """Of items that nobody rated."""
        missing, similar = np.full(5, np.nan), nothing(n_items + 1, n_items)
        return cls(missing[:3], missing[:3], np.zeros(n_items + 1), similar, missing)

    @property
    def n_items(self) -> int:
        return len(self.item_bias) - 1

    @property
    def report(self) -> dict[str, float]:
        """What the settings were chosen by: ratings held out of those learned from."""
        values = np.append(self.judged, self.shrinkage).tolist()
        told = zip(JUDGED + _SHRINKAGE, values, strict=True)
        return {name: value for name, value in told if not np.isnan(value)}

    def expected(self, rated: Rated, customer: Array, item: Array) -> Array:
        """The rating to expect of each pair.

        Parameters
        ----------
        rated : Rated
            Of the batch, with this model's codes.
        customer : ndarray of shape (r,), int64
            Positions in the batch.
        item : ndarray of shape (r,), int64
            Extended codes; items the model does not know count as average.

        Returns
        -------
        ndarray of shape (r,), float64
            On the ratings' own scale. A pair that the customer rated has that rating; all
            others are NaN if the model saw no rating at all.

        Notes
        -----
        r = mean + b_item + b_customer + sum(s e) / (DOUBT + sum(s)) over the items rated by
        the customer among the 30 most like this one, s their similarity, e what the baseline
        leaves of their rating. O(30 r log n) in the batch's n ratings.
        """
        known = np.minimum(item, self.n_items)
        bias, left = self.fold_in(rated)
        expected = self.scale[0] + self.item_bias[known] + bias[customer]
        has = np.flatnonzero(np.diff(rated.offsets)[customer] > 0)
        for start in range(0, len(has) if self.similar.nnz else 0, BLOCK):
            rows = has[start : start + BLOCK]
            expected[rows] += self._lift(rated, left, customer[rows], known[rows])
        own = rated.at(customer, item)
        return np.where(np.isnan(own), np.clip(expected, *self.scale[1:]), own)

    def fold_in(self, rated: Rated) -> tuple[Array, Array]:
        """Each customer's deviation (m,), and what is left of each of their ratings (r,)."""
        left = rated.value - self.scale[0] - self.item_bias[np.minimum(rated.item, self.n_items)]
        count = np.diff(rated.offsets)
        weight = np.where(count > 0, count + self.shrinkage[1], 1.0)
        bias = segment_sum(left, rated.offsets) / weight
        return bias, left - np.repeat(bias, count)

    def _lift(self, rated: Rated, left: Array, customer: Array, known: Array) -> Array:
        terms, offsets = take_segments(self.similar.indptr.astype(np.int64), known)
        who = np.repeat(customer, np.diff(offsets))
        other = self.similar.indices[terms].astype(np.int64)
        place = find_keys(rated.key, who * np.int64(rated.n_items) + other)
        weight = np.where(place >= 0, self.similar.data[terms].astype(np.float64), 0.0)
        total = segment_sum(weight * left[place], offsets)
        return np.asarray(total / (segment_sum(weight, offsets) + DOUBT))

    def to_arrays(self) -> dict[str, Array]:
        """Everything as plain arrays; ``from_arrays`` is its inverse."""
        parts = {"offsets": self.similar.indptr, "items": self.similar.indices}
        parts |= {"values": self.similar.data}
        arrays = {name: getattr(self, name) for name in _PLAIN}
        return arrays | {f"similar_{name}": np.asarray(part) for name, part in parts.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int | None = None) -> Self:
        """``n_items`` where it is known what they must be of."""
        n_items = len(arrays["item_bias"]) - 1 if n_items is None else n_items
        lengths = {"scale": 3, "shrinkage": 3, "item_bias": n_items + 1, "judged": 5}
        plain = {name: of_length(arrays, name, n) for name, n in lengths.items()}
        return cls(**plain, similar=sparse_from(arrays, "similar", n_items, n_rows=n_items + 1))


_PLAIN = ("scale", "shrinkage", "item_bias", "judged")
JUDGED = ("n_judged", "rmse", "rmse_mean", "rmse_item_mean", "rmse_user_and_item_means")
_SHRINKAGE = ("item_shrinkage", "customer_shrinkage", "neighbour_shrinkage")


def fit_baseline(rated: Rated, n_items: int, by_item: float, by_customer: float) -> Ratings:
    """Mean, and the deviations of items and customers fitted in turn; no neighbours.

    b_i = sum(r - mean - b_u) / (k_i + n_i) and b_u = sum(r - mean - b_i) / (k_u + n_u): least
    squares with penalties k, solved for one side at a time (Koren 2010, sec. 2.1).
    """
    if not rated.n:
        return Ratings.nothing(n_items)
    everything = np.array([0, rated.n])
    mean = segment_sum(rated.value, everything)[0] / rated.n
    scale = np.array([mean, rated.value.min(), rated.value.max()])
    item = np.minimum(rated.item, n_items)
    weight = np.bincount(item, minlength=n_items + 1) + by_item
    shrinkage = np.array([by_item, by_customer, np.nan])
    model = Ratings.nothing(n_items)._replace(scale=scale, shrinkage=shrinkage)
    for _ in range(ROUNDS):
        bias, _left = model.fold_in(rated)
        left = rated.value - mean - np.repeat(bias, np.diff(rated.offsets))
        item_bias = sum_by(item, left, n_items + 1) / weight
        item_bias[n_items] = 0.0
        model = model._replace(item_bias=item_bias)
    return model
