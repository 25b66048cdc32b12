"""What the customers of a moment have bought of an item, found by search.

Reads  the bundle's pairs of customer and item (``kernels.holdings``).
Gives  the pair of each item asked for.
Never  what came with the request: that is added by those who ask.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .store import Store, span, spans

Array = NDArray[Any]


class Held:
    """Pairs of the customers of m requests."""

    def __init__(self, store: Store, codes: Array) -> None:
        """``codes`` are the requests' customers, -1 unknown."""
        self.holdings = held = store.holdings
        if len(codes) == 1:
            start, end = span(held.offsets, int(codes[0]))
            self._keys, self._start, self._span = held.item[start:end], start, 0
            return
        self._place, offsets = spans(held.offsets, codes)
        self._span = store.n_items + 1
        request = np.repeat(np.arange(len(codes)), np.diff(offsets))
        self._keys = request * self._span + held.item[self._place]

    def find(self, request: Array, item: Array) -> tuple[Array, Array]:
        """Position in ``holdings`` of each request's item, and whether there is one, (n,) each."""
        if not len(self._keys):
            return np.zeros(len(item), dtype=np.int64), np.zeros(len(item), dtype=bool)
        wanted = request * self._span + item if self._span else item
        near = np.minimum(self._keys.searchsorted(wanted), len(self._keys) - 1)
        hit = self._keys[near] == wanted
        if not self._span:
            return near + self._start, hit
        return self._place[near], hit & (item < self._span)
