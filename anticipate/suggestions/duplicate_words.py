"""Warnings of unwanted purchases in words: the reason's facts, and what may be done.

Reads  what a guard found, as plain values.
Gives  a ``Reason`` and the choices of each kind.
Never  a choice that decides for the customer: keeping the line is always one of them.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from .reason import Reason

OPTIONS: dict[str, tuple[str, ...]] = {
    "double_submit": ("remove this line", "keep both", "look at the first order"),
    "already_owned": (
        "remove this line",
        "keep it, it is wanted again",
        "send it as a gift",
        "open the one already owned",
    ),
    "substitute_owned": (
        "remove this line",
        "keep both editions",
        "send it as a gift",
        "open the one already owned",
    ),
}
ANOTHER_EDITION = "choose another edition"
UNKNOWN_ORDER = "unknown"


def options_of(kind: str, *, has_editions: bool) -> tuple[str, ...]:
    """The choices of a warning; another edition only where the shop has one."""
    if kind == "already_owned" and has_editions:
        return (*OPTIONS[kind], ANOTHER_EDITION)
    return OPTIONS[kind]


def duplicate_reason(
    kind: str,
    *,
    item: str,
    owned: str,
    bought_on: datetime,
    minutes: float,
    order: Any,
    repeat_share: float,
    ids: tuple[Any, Any],
    has_editions: bool = False,
) -> Reason:
    """The reason of one warning; each kind takes the facts it states.

    Parameters
    ----------
    kind : {"double_submit", "already_owned", "substitute_owned"}
    item, owned : str
        Names (else ids) of the line's item and of the one bought before.
    bought_on : datetime
        When, in the shop's time.
    minutes : float
        Since then.
    order : id or None
    repeat_share : float
        Share of the item's buyers who bought it on two days or more.
    ids : (item_id, owned_id)
        Stand beside names that two editions share.
    has_editions : bool
        Whether the shop has other editions: then the id tells which one was bought.
    """
    if kind == "already_owned" and has_editions:
        item = f"{item} ({ids[0]})" if item != str(ids[0]) else item
    if kind == "substitute_owned" and item == owned:
        item, owned = f"{item} ({ids[0]})", f"{owned} ({ids[1]})"
    order = UNKNOWN_ORDER if order is None else order
    if kind == "double_submit":
        shown = max(1, math.ceil(minutes))
        return Reason(kind, {"item": item, "minutes": shown, "order": order})
    facts: dict[str, Any] = {"item": item, "bought_on": bought_on, "order": order}
    if kind == "already_owned":
        return Reason(kind, {**facts, "repeat_percent": round(100.0 * repeat_share, 1)})
    return Reason(kind, {**facts, "owned": owned})
