"""A guard's tables by item, moved to another sorted vocabulary.

Reads  ``Tables`` by the items of ``fit``, the ids and attributes of other ones.
Gives  the same tables, row by row for the new ids; one more row for items never seen.
Never  an item code of one vocabulary in another: substitutes are looked up by id.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..kernels.next_gap import GapTable
from ..kernels.repeats import RepeatItems
from ..kernels.rules import ItemRules, Tables
from ..log.ids import lookup_codes
from .items import is_consumable, lifetime_days, substitutes

Array = NDArray[Any]


def align_tables(
    tables: Tables, own_ids: Array, item_ids: Array, items: pd.DataFrame | None
) -> Tables:
    """``items``: attributes of the new ids, newer than those of ``fit``; None: those of it."""
    rows = np.append(lookup_codes(item_ids, own_ids), -1)
    rules = ItemRules(*(column[rows] for column in tables.rules))
    if items is not None and len(items.columns):
        rules = rules._replace(
            consumable=is_consumable(items),
            lifetime_days=lifetime_days(items),
            substitutes=substitutes(items),
        )
    else:
        place = np.append(lookup_codes(own_ids, item_ids), -1)
        rules = rules._replace(substitutes=place[rules.substitutes].astype(np.int32))
    return tables._replace(
        gaps=GapTable(*(column[rows] for column in tables.gaps)),
        rules=rules,
        items=RepeatItems(*(column[rows] for column in tables.items)),
    )
