"""What customers with the same attributes buy lately: country, segment, how they came.

Reads  attributes as of the cutoff, recent purchases of everybody.
Gives  ``Traits``: scores for anyone with a known value, newcomers without a purchase too.
Never  what somebody objects to; an attribute of many values, or a value of fewer than five
       customers; one of few customers alone: it is drawn towards everybody's purchases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..columns import OBJECTS_TO
from ..kernels.ids import build_id_index, ids_at
from ..kernels.needs import keep_best
from ..log.ids import lookup_codes
from .intact import sparse_from
from .profiles import csr_of, nothing, rows_of
from .references import sparse_arrays
from .source import ItemFacts, View

Array = NDArray[Any]
MOST_VALUES = 50  # of an attribute: past it, it is no group but a name
LEAST_CUSTOMERS = 5  # of a value: below, it may be a name, and is not kept
STRENGTH = 20.0  # customers that everybody's purchases count for in a value's own
N_ITEMS = 100  # of one value
_PLAIN = (str, int, float, np.number, np.bool_)


@dataclass(frozen=True)
class Traits:
    """score(u, i) = mean over u's known values v of (n_vi + s p_i) / (n_v + s).

    n_v customers with the value shopped in the last period, n_vi bought i; p_i is the share of
    all who did, s ``STRENGTH``. Items beyond a value's ``N_ITEMS`` best count 0.
    """

    name: ClassVar[str] = "traits"
    floor: ClassVar[float] = 1e-4

    values: Array  # object (v,): "attribute=value", sorted
    shares: csr_matrix  # float64 (v, n_items)

    @classmethod
    def learn(cls, everyone: View, items: ItemFacts, seed: np.random.RandomState) -> Self:
        """Late purchases of everybody by attribute value; facts and seed are not used."""
        shoppers, n_items = everyone.shoppers, everyone.shoppers.n_known
        columns = [name for name in everyone.traits if _groups(everyone.traits[name], name)]
        coded = [_coded(everyone.traits[name], str(name)) for name in columns]
        shared = {text for some in coded for text in _shared(*some)}
        values = np.array(sorted(shared), dtype=object)
        has = _membership(coded, values, shoppers.n)
        active = shoppers.last_basket_age <= everyone.clock.period
        lately = shoppers.last_age <= everyone.clock.period
        rows = np.flatnonzero(lately & (shoppers.item < n_items))
        ones = np.ones(len(rows))
        late = csr_of(shoppers.customer[rows], shoppers.item[rows], ones, (shoppers.n, n_items))
        together = (has.T @ late).tocsr()  # whole numbers: exact in any order
        together.sort_indices()
        whole = np.bincount(late.indices, minlength=n_items) / max(int(active.sum()), 1)
        n_active = np.bincount(has.indices[active[rows_of(has)]], minlength=len(values))
        row = rows_of(together)
        share = (together.data + STRENGTH * whole[together.indices]) / (n_active[row] + STRENGTH)
        return cls(values, _best(csr_of(row, together.indices, share, together.shape)))

    def score(self, some: View) -> csr_matrix:
        """What those like them buy, mean over their known values (m, n_known)."""
        known = {str(text).partition("=")[0] for text in self.values}
        columns = [name for name in some.traits if _escaped(str(name)) in known]
        if not columns or not self.shares.nnz:
            return nothing(some.shoppers.n, some.shoppers.n_known).astype(np.float64)
        coded = [_coded(some.traits[name], str(name)) for name in columns]
        has = _membership(coded, self.values, some.shoppers.n)
        count = np.diff(has.indptr)
        has.data = 1.0 / np.repeat(count, count)
        found = (has @ self.shares).tocsr()
        found.sort_indices()
        return found

    def to_arrays(self) -> dict[str, Array]:
        index = {f"values.{part}": array for part, array in build_id_index(self.values).items()}
        return index | sparse_arrays("shares", self.shares)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_items: int) -> Self:
        parts = {k.removeprefix("values."): v for k, v in arrays.items() if k.startswith("values.")}
        shares = sparse_from(arrays, "shares", n_items)
        return cls(np.asarray(ids_at(parts, np.arange(shares.shape[0])), dtype=object), shares)


def _groups(column: pd.Series, name: object) -> bool:
    """Whether an attribute makes groups: text or numbers, few distinct values."""
    if name == OBJECTS_TO or pd.api.types.is_datetime64_any_dtype(column):
        return False
    return 0 < _plain(column).nunique() <= MOST_VALUES


def _plain(column: pd.Series) -> pd.Series:
    """Without what is neither text nor a number, as lists."""
    if column.dtype != object:
        return column
    return column.where(np.array([isinstance(value, _PLAIN) for value in column], dtype=bool))


def _coded(column: pd.Series, name: str) -> tuple[Array, Array]:
    """Code of each row's value, -1 where there is none (m,), and "attribute=value" by code."""
    codes, found = pd.factorize(_plain(column))
    texts = np.empty(len(found), dtype=object)
    texts[:] = [f"{_escaped(name)}={_text(value)}" for value in found]
    return codes, texts


def _shared(codes: Array, texts: Array) -> Array:
    """Values that enough customers have."""
    count = np.bincount(codes[codes >= 0], minlength=len(texts))
    return texts[count >= LEAST_CUSTOMERS]


def _escaped(name: str) -> str:
    """A name without the sign that ends it."""
    return name.replace("%", "%25").replace("=", "%3D")


def _text(value: object) -> str:
    """A value as text: 3 and 3.0 are one."""
    if isinstance(value, int | float | np.number | np.bool_):
        return repr(float(value))
    return str(value)


def _membership(coded: list[tuple[Array, Array]], values: Array, n: int) -> csr_matrix:
    """Ones where a customer has a known value; in the order of values (n, v)."""
    places = np.full((n, len(coded)), -1, dtype=np.int64)
    for number, (codes, texts) in enumerate(coded):  # a loop over attributes
        places[:, number] = np.append(lookup_codes(texts, values), -1)[codes]
    places.sort(axis=1)
    row, column = np.nonzero(places >= 0)
    return csr_of(row, places[row, column], np.ones(len(row)), (n, len(values)))


def _best(shares: csr_matrix) -> csr_matrix:
    """The ``N_ITEMS`` largest of each value."""
    rows = keep_best(shares.indptr.astype(np.int64), shares.data, shares.indices, N_ITEMS)
    return csr_of(rows_of(shares)[rows], shares.indices[rows], shares.data[rows], shares.shape)
