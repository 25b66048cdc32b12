"""What a bundle stores of next needs, as arrays.

Reads  a fitted ranker and the history whose customers are to be served.
Gives  each customer's best candidates, a newcomer's needs, cart partners, plain odds.
Never  ids in the arrays: codes point into a sorted vocabulary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..log import History
from ..log.ids import lookup_codes
from .answers import answer, to_codes
from .carts import partners
from .ranker import NextNeedRanker

Array = NDArray[Any]


def candidate_arrays(ranker: NextNeedRanker, history: History, n: int = 32) -> dict[str, Array]:
    """The n best candidates of every customer, with the facts behind each.

    Returns
    -------
    dict of ndarray
        ``offsets`` (n_customers + 1,), customers as in ``history.customer_ids``; then per
        candidate, best first: ``item`` and ``because`` (codes of ``item_ids``; -1 none),
        ``log_odds``, ``source`` (index into ``anticipate.needs.SOURCES``), ``n_purchases``,
        ``gap_days``, ``days_since_last``, ``alike_share``, ``n_buyers``, ``wished_days``
        (NaN where there is nothing to say). ``window_days`` (1,): over which ``n_buyers``
        counts. ``item_ids``: the history's vocabulary, and items only the model knows.
    """
    everyone = ranker.fitted_.batch(ranker.needs_of(history))
    found = answer(everyone, ranker.fitted_.learned, n=n)
    return to_codes(found, everyone.codes, ranker.window_days_)


def newcomer_arrays(ranker: NextNeedRanker, n: int = 32) -> dict[str, Array]:
    """What a customer of whom nothing is known needs, told as by :func:`candidate_arrays`."""
    nobody = ranker.fitted_.nobody()
    return to_codes(answer(nobody, ranker.fitted_.learned, n=n), nobody.codes, ranker.window_days_)


def partner_arrays(ranker: NextNeedRanker, item_ids: Array, k: int = 8) -> dict[str, Array]:
    """What goes with an item in a cart, for a sorted vocabulary of items.

    Returns
    -------
    dict of ndarray
        ``offsets`` (n_items + 1,), ``item`` (positions in ``item_ids``, most telling first),
        ``weight`` (> 0: what the item in the cart adds to the other's log-odds); at most k
        (16 are known) partners an item.
    """
    return partners(ranker.fitted_.cart, ranker.item_ids_, np.asarray(item_ids), k)


def newcomer_log_odds(ranker: NextNeedRanker, item_ids: Array) -> Array:
    """Log-odds that a newcomer buys each of these items, (n_items + 1,); last row: others."""
    code = np.append(lookup_codes(item_ids, ranker.item_ids_), -1)
    fitted = ranker.fitted_
    return fitted.tables.popular.log_odds[code] + fitted.learned.newcomer[0]
