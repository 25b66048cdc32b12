"""What the shop says of its items: worn out when, used up or not, and what stands for what.

Reads  item attributes as of a history's cutoff, row i = item code i.
Gives  arrays of n_items + 1 rows; the last row speaks for items never seen.
Never  a guess where an attribute is missing: unknown is neither consumable nor worn out.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import CATEGORY, CONSUMABLE, CONTAINS, COVERED_BY, LIFETIME_DAYS, WORK
from ..log.frames import as_numbers

Array = NDArray[Any]
MOST_SUBSTITUTES = 8  # of one item; those first in the order of ids are kept
_TRUE = frozenset(("true", "1", "yes", "t", "y"))


def is_consumable(items: pd.DataFrame) -> NDArray[np.bool_]:
    """Used up and bought again, (n_items + 1,)."""
    flags = np.zeros(len(items) + 1, dtype=bool)
    if CONSUMABLE in items.columns:
        flags[:-1] = [_is_true(value) for value in items[CONSUMABLE]]
    return flags


def lifetime_days(items: pd.DataFrame) -> NDArray[np.float64]:
    """Days an item lasts, (n_items + 1,); NaN unknown."""
    days = np.full(len(items) + 1, np.nan)
    if LIFETIME_DAYS in items.columns:
        days[:-1] = as_numbers(items[LIFETIME_DAYS])
    return np.where((days > 0) & np.isfinite(days), days, np.nan)


def category_codes(items: pd.DataFrame) -> NDArray[np.int64] | None:
    """A code per item (n_items,), one for all without a category; None where there are none."""
    if CATEGORY not in items.columns or items.empty:
        return None
    names = ["" if pd.isna(name) else str(name) for name in items[CATEGORY]]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def work_codes(items: pd.DataFrame) -> NDArray[np.int64]:
    """A code per item (n_items,) of its work; -1 none."""
    if WORK not in items.columns:
        return np.full(len(items), -1, dtype=np.int64)
    return np.asarray(pd.factorize(items[WORK])[0], dtype=np.int64)


def substitutes(items: pd.DataFrame) -> Array:
    """Items whose owner does not need the row's item, int32 (n_items + 1, w), -1 none.

    Other editions of its work, what contains it or another edition of it, and what its
    ``covered_by`` names. w is the widest family, at most ``MOST_SUBSTITUTES``.
    """
    work = work_codes(items)
    editions: dict[int, list[int]] = {}
    for row in np.flatnonzero(work >= 0).tolist():
        editions.setdefault(int(work[row]), []).append(row)
    found: dict[int, list[int]] = {}
    for family in editions.values():
        for row in family:
            found.setdefault(row, []).extend(family[: MOST_SUBSTITUTES + 1])  # the row may be one
    boxes: dict[int, set[int]] = {}
    for box, inside in _named(items, CONTAINS):
        boxes.setdefault(editions.get(int(work[inside]), [inside])[0], set()).add(box)
    for first, holding in boxes.items():
        kept = sorted(holding)[: MOST_SUBSTITUTES + 1]  # once: a family may have many thousands
        for row in editions.get(int(work[first]), [first]):
            found.setdefault(row, []).extend(kept)
    for row, cover in _named(items, COVERED_BY):
        found.setdefault(row, []).append(cover)
    return _padded({row: sorted(set(f) - {row}) for row, f in found.items()}, len(items))


def _padded(found: dict[int, list[int]], n_items: int) -> Array:
    kept = {row: family[:MOST_SUBSTITUTES] for row, family in found.items()}
    width = max((len(family) for family in kept.values()), default=0)
    table = np.full((n_items + 1, width), -1, dtype=np.int32)
    for row, family in kept.items():
        table[row, : len(family)] = family
    return table


def _named(items: pd.DataFrame, name: str) -> Iterable[tuple[int, int]]:
    """(row, row of an item that its attribute names); ids that are no items are left out."""
    if name not in items.columns:
        return
    code = {id_: row for row, id_ in enumerate(items.index)}
    for row, value in enumerate(items[name]):
        for id_ in _ids(value):
            other = code.get(id_, code.get(_whole(id_)))
            if other is not None and other != row:
                yield row, other


def _ids(value: Any) -> list[Any]:
    """Ids in a list, or in text between bars, commas or semicolons; what can be none is no id."""
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [one for one in value if isinstance(one, (str, Number))]
    if isinstance(value, str):
        return [part.strip() for part in value.replace(",", "|").replace(";", "|").split("|")]
    return [value] if isinstance(value, Number) else []


def _whole(id_: Any) -> Any:
    """Text as a whole number where it is one: integer ids are listed as text."""
    try:
        return int(id_) if isinstance(id_, str) else id_
    except ValueError:
        return id_


def _is_true(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _TRUE
    return isinstance(value, (Number, np.bool_)) and bool(value == value) and bool(value)
