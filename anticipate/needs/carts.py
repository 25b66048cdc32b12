"""What goes with an item that lies in the cart.

Reads  baskets: the items a customer bought on one day.
Gives  per item its partners, and what it adds to their log-odds.
Never  a partner it makes less likely.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..kernels.needs import to_log_odds
from ..kernels.order import group_order
from ..kernels.ranking import top_k_offsets, top_k_per_group
from ..log.ids import lookup_codes
from .collaborative import similar_items
from .profiles import csr_of, rows_of
from .shoppers import Shoppers, take_segments

Array = NDArray[Any]
SHRINKAGE = 10.0  # baskets that count for "no connection" beside those with an item


def baskets_of(shoppers: Shoppers) -> csr_matrix:
    """Which basket holds which known item (n_baskets, n_known)."""
    item = np.repeat(shoppers.item, shoppers.n_visits)
    customer = np.repeat(shoppers.customer, shoppers.n_visits)
    basket = shoppers.basket_offsets[customer + 1] - shoppers.visit_back
    rows = group_order(basket)
    rows = rows[item[rows] < shoppers.n_known]
    shape = (len(shoppers.basket_age), shoppers.n_known)
    return csr_of(basket[rows], item[rows], np.ones(len(rows)), shape)


def cart_increments(baskets: csr_matrix, k: int) -> csr_matrix:
    """What an item in the cart adds to the log-odds of others in the same basket.

    logit((both + s p) / (n_x + s)) - logit(p), p = n_y / n the share of baskets with y, n_x
    baskets with x, s ``SHRINKAGE``; only increases are kept (n_items, n_items).
    """
    similar = similar_items(baskets, k)
    count = np.bincount(baskets.indices, minlength=baskets.shape[1]).astype(np.float64)
    x, y = rows_of(similar), similar.indices
    both = np.rint(similar.data * np.sqrt(count[x] * count[y]))  # cosine of yes/no columns
    share = count[y] / max(baskets.shape[0], 1)
    given = (both + SHRINKAGE * share) / (count[x] + SHRINKAGE)
    gain = to_log_odds(given) - to_log_odds(share)
    up = gain > 0
    return csr_of(x[up], y[up], gain[up], similar.shape)


def partners(cart: csr_matrix, model_ids: Array, item_ids: Array, k: int) -> dict[str, Array]:
    """The k strongest partners of each of ``item_ids``, as positions in them."""
    known = lookup_codes(item_ids, model_ids)
    mine = np.where(known >= 0, known, cart.shape[0])
    ends = np.append(cart.indptr.astype(np.int64), cart.indptr[-1])  # an unknown item has none
    rows, offsets = take_segments(ends, mine)
    partner = lookup_codes(model_ids, item_ids)[cart.indices[rows]]
    weight = np.where(partner >= 0, cart.data[rows], -np.inf)
    best = top_k_per_group(offsets, weight, partner, k)
    group = np.repeat(np.arange(len(item_ids)), np.diff(top_k_offsets(offsets, k)))
    there = weight[best] > 0
    counts = np.bincount(group[there], minlength=len(item_ids))
    return {
        "offsets": np.concatenate(([0], np.cumsum(counts))),
        "item": partner[best][there],
        "weight": weight[best][there],
    }
