"""What a reader is shown of an item: its name where the shop has one, and plain ids.

Reads  a review's history, ids.
Gives  names, with the id where editions may share one; values that JSON knows.
Never  an empty name: then the id speaks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..columns import NAME
from .lines import ReadLines


def name_of(read: ReadLines, item_id: Any) -> str:
    """The item's name, else its id."""
    name = _name(read, item_id)
    return str(item_id) if name is None else name


def name_and_id(read: ReadLines, item_id: Any) -> str:
    """The item's name with its id, else the id alone."""
    name = _name(read, item_id)
    return str(item_id) if name is None else f"{name} ({item_id})"


def plain(value: Any) -> Any:
    """A Python value in place of a NumPy one."""
    return value.item() if isinstance(value, np.generic) else value


def _name(read: ReadLines, item_id: Any) -> str | None:
    items = read.history.items
    if NAME not in items.columns or item_id not in items.index:
        return None
    name: Any = items.at[item_id, NAME]
    return None if pd.isna(name) else str(name)
