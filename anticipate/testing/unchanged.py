"""What a history holds, copied out, to see afterwards whether somebody changed it.

Reads  a history.
Gives  plain copies of its arrays and tables.
Never  a view: a change of the history must not change the copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..log import History


def contents(history: History) -> dict[str, Any]:
    """Everything that an answer could depend on."""
    events = {name: np.array(column) for name, column in vars(history.events).items()}
    words = {
        name: np.array(part) if isinstance(part, np.ndarray) else part
        for name, part in vars(history.vocabulary).items()
    }
    facts = (history.item_attributes, history.customer_attributes)
    return {
        "events": events,
        "vocabulary": words,
        "cutoffs": np.array(history.cutoffs),
        "cutoff": history.cutoff_us,
        "items": history.items.copy(),
        "customers": history.customers.copy(),
        "attributes": [(one.ids.copy(), one.valid_from.copy(), one.table.copy()) for one in facts],
        "returns": {name: part.copy() for name, part in vars(history.returns).items()},
    }
