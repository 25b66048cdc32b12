"""Next needs as the scorer stores them.

Reads  a fitted ranker, the history whose customers are to be served, the bundle's items.
Gives  candidates, what newcomers need, what goes with a cart, and every item's plain odds.
Never  more than 32 candidates a customer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..log import History
from ..log.ids import lookup_codes
from ..needs import SOURCES, NextNeedRanker
from ..needs.for_serving import (
    candidate_arrays,
    newcomer_arrays,
    newcomer_log_odds,
    partner_arrays,
)

Array = NDArray[Any]
MOST = 32
CART_PARTNERS = 8
# The one number that a source's reason states, by source; the others need none.
_FACTS = {
    "people_like_you": "alike_share",
    "popular": "n_buyers",
    "wished": "wished_days",
    "category": "n_purchases",
    "group": "alike_share",
}


def needs_arrays(ranker: NextNeedRanker, history: History, items: Array) -> dict[str, Array]:
    """Arrays of the groups candidates, newcomers, neighbours and prior."""
    stored = candidate_arrays(ranker, history, n=MOST)
    fresh = newcomer_arrays(ranker, n=MOST)
    partners = partner_arrays(ranker, items, k=CART_PARTNERS)
    return {
        "candidates__offsets": stored["offsets"],
        **{f"candidates__{name}": array for name, array in _rows(stored, items).items()},
        **{f"newcomers__{name}": array for name, array in _rows(fresh, items).items()},
        "neighbours__offsets": partners["offsets"],
        "neighbours__item": partners["item"].astype(np.int32),
        "neighbours__weight": partners["weight"],
        "prior__log_odds": newcomer_log_odds(ranker, items),
    }


def needs_manifest(ranker: NextNeedRanker) -> dict[str, Any]:
    """What the codes of these arrays mean."""
    window = ranker.window_days_
    return {"sources": list(SOURCES), "popular_window_days": window}


def _rows(found: dict[str, Array], items: Array) -> dict[str, Array]:
    place = np.append(lookup_codes(found["item_ids"], items), -1)  # -1 stays -1
    fact = np.zeros(len(found["item"]))
    for source, name in _FACTS.items():
        mine = found["source"] == SOURCES.index(source)
        fact[mine] = found[name][mine]
    return {
        "item": place[found["item"]].astype(np.int32),
        "log_odds": found["log_odds"],
        "source": found["source"],
        "fact": fact,
        "because": place[found["because"]].astype(np.int32),
    }
