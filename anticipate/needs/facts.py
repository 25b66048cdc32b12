"""What is known of items and customers beside events: categories, prices, attributes.

Reads  attribute tables of a History as of its cutoff; prices of its purchases.
Gives  ``ItemFacts`` by item code; ``traits_of``: a row of attributes per customer.
Never  an attribute of a customer who objects to profiling.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import CATEGORY, OBJECTS_TO, PRICE
from ..kernels.needs import sum_by
from ..log import History
from ..log.objections import objectors
from .source import ItemFacts

Array = NDArray[Any]


def item_facts(history: History) -> ItemFacts:
    """Facts of the history's items, by its codes."""
    return ItemFacts(_categories(history), _prices(history))


def traits_of(history: History) -> pd.DataFrame:
    """Attributes of each customer (m rows), empty for those who object to profiling."""
    table = history.customers
    traits = table.drop(columns=[name for name in table.columns if name == OBJECTS_TO])
    objects = objectors(history)
    return traits.mask(pd.Series(objects, index=traits.index)) if objects.any() else traits


def _categories(history: History) -> Array:
    if CATEGORY not in history.items.columns:
        return np.full(history.n_items, -1, dtype=np.int64)
    return pd.factorize(history.items[CATEGORY], sort=True)[0].astype(np.int64)


def _prices(history: History) -> Array:
    """The price of the attribute table, else the mean one paid; NaN unknown."""
    bought = history.purchases
    known = np.isfinite(bought.price) & (bought.item >= 0)
    item, n = bought.item[known], history.n_items
    counts = np.bincount(item, minlength=n)
    total = sum_by(item, bought.price[known], n)
    paid = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    if PRICE not in history.items.columns:
        return paid
    listed = history.items[PRICE].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(listed), listed, paid)
