"""Cart lines as the caller gives them, coded for the rules.

Reads  a table of lines, and the History of any customers.
Gives  arrays in the order of the lines, and the history of exactly these customers.
Never  a changed cart; a guessed timezone: naive times are read in the history's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_columns
from ..columns import CUSTOMER, GIFT, ITEM, NO_TIME, QUANTITY, TIMESTAMP
from ..exceptions import BadRowsError
from ..kernels.owned import Lines
from ..log import History
from ..log.clock import read_times
from ..log.flags import read_flags
from ..log.frames import as_numbers
from ..log.ids import check_ids, lookup_codes

Array = NDArray[Any]


class ReadLines(NamedTuple):
    """Lines and whose history they belong to."""

    lines: Lines
    history: History  # of the cart's customers only
    item_ids: Array  # (n,) as given


def read_lines(cart: pd.DataFrame, history: History) -> ReadLines:
    """Check and code the lines; customers and items that nobody has seen are allowed."""
    hint = "A line needs at least customer_id and item_id."
    check_columns("cart", [CUSTOMER, ITEM], cart.columns, hint=hint)
    customers = check_ids(cart[CUSTOMER], history.customer_ids, CUSTOMER)
    items = check_ids(cart[ITEM], history.item_ids, ITEM)
    own = history.select(customers)
    customer = lookup_codes(customers, own.customer_ids)
    lines = Lines(
        customer=customer,
        item=_item_codes(items, own.item_ids),
        timestamp=_timestamps(cart, own, customer),
        quantity=_quantities(cart),
        gift=_gifts(cart),
    )
    return ReadLines(lines, own, items)


def _item_codes(items: Array, vocabulary: Array) -> Array:
    """Codes; items that the history does not know get codes past its own, each one of its own."""
    codes = lookup_codes(items, vocabulary)
    new = codes < 0
    if new.any():
        codes[new] = len(vocabulary) + 1 + np.unique(items[new], return_inverse=True)[1]
    return codes


def _timestamps(cart: pd.DataFrame, history: History, customer: Array) -> Array:
    cutoffs = history.cutoffs[customer]
    if TIMESTAMP not in cart.columns or cart[TIMESTAMP].isna().all():
        return cutoffs
    given = read_times(cart[TIMESTAMP].reset_index(drop=True), history.timezone, TIMESTAMP)
    return np.where(given.microseconds == NO_TIME, cutoffs, given.microseconds)


def _quantities(cart: pd.DataFrame) -> Array:
    if QUANTITY not in cart.columns:
        return np.ones(len(cart))
    given = as_numbers(cart[QUANTITY])
    lost = np.isnan(given) & cart[QUANTITY].notna().to_numpy(dtype=bool)
    bad = lost | np.isinf(given) | (given <= 0)
    if bad.any():
        raise BadRowsError(
            f"cart: {int(bad.sum())} lines have a quantity that is no number above 0 "
            f"(rows {np.flatnonzero(bad)[:3].tolist()}); mend them."
        )
    return np.where(np.isnan(given), 1.0, given)


def _gifts(cart: pd.DataFrame) -> Array:
    if GIFT not in cart.columns:
        return np.zeros(len(cart), dtype=bool)
    flags, bad = read_flags(cart[GIFT])
    if bad.any():
        raise BadRowsError(
            f"cart: {int(bad.sum())} lines have a gift that is neither true nor false "
            f"(rows {np.flatnonzero(bad)[:3].tolist()}); mend them."
        )
    return flags
