"""The cart at the moment of truth: warnings about lines the customer is about to buy.

Reads  cart lines as the caller gives them, the moment's events, the guards' tables.
Gives  warnings with evidence and options, at most one a line.
Never  drops or blocks a line: the choice is the customer's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from .. import columns as c
from ..exceptions import BadRowsError, ColumnError, IdTypeError, ParameterError
from ..kernels.returns import match_returns
from ..kernels.rules import KINDS, Findings, Lines, check_lines, is_warning
from ..suggestions import Suggestion
from ..suggestions.duplicate_words import OPTIONS, duplicate_reason
from .instants import to_datetime
from .moment import Moment
from .offers import event_evidence, item_name
from .overlay import Overlay
from .store import Store
from .values import truth, without_missing

MOST_LINES = 10_000
MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line; item as a code of the request's vocabulary."""

    item: int
    quantity: float = 1.0
    gift: bool = False


def read_cart(cart: Iterable[Any], items: Overlay) -> list[CartLine]:
    """Check and code a cart of item ids or mappings (item_id, quantity, price, gift)."""
    if isinstance(cart, (str, bytes, Mapping)) or not isinstance(cart, Iterable):
        raise ParameterError("cart must be a list of item ids or mappings; give [item_id].")
    if hasattr(cart, "columns"):
        raise ParameterError("cart is a table; give its rows as mappings.")
    lines = list(islice(cart, MOST_LINES + 1))
    if len(lines) > MOST_LINES:
        raise ParameterError(f"cart: more than {MOST_LINES} lines; at most those are looked at.")
    return [_read_line(line, number, items) for number, line in enumerate(lines)]


def check_carts(
    store: Store, moment: Moment, carts: list[list[CartLine]]
) -> list[list[Suggestion]]:
    """Warnings of each request's cart, in the cart's order."""
    warnings: list[list[Suggestion]] = [[] for _ in carts]
    flat = [line for cart in carts for line in cart]
    if not flat:
        return warnings
    owner = np.array([i for i, cart in enumerate(carts) for _ in cart], dtype=np.int64)
    lines = Lines(
        customer=owner,
        item=np.array([line.item for line in flat], dtype=np.int64),
        timestamp=moment.as_of[owner],
        quantity=np.array([line.quantity for line in flat], dtype=np.float64),
        gift=np.array([line.gift for line in flat], dtype=bool),
    )
    guard = store.guard
    found = check_lines(
        moment.events,
        match_returns(moment.events).returned,
        lines,
        gaps=guard.gaps,
        rules=guard.rules,
        quick=guard.quick,
        objects=moment.profiling,
    )
    warn = is_warning(found.probability, *guard.costs)
    for i in np.flatnonzero(warn).tolist():
        warnings[owner[i]].append(_warning(store, moment, lines, found, i))
    return warnings


def _warning(store: Store, moment: Moment, lines: Lines, found: Findings, i: int) -> Suggestion:
    kind = str(KINDS[found.kind[i]])
    request, item, row = int(lines.customer[i]), int(lines.item[i]), int(found.row[i])
    shares = store.guard.repeat_share
    evidence = event_evidence(moment, row)
    bought_us = int(moment.events.timestamp[row])
    return Suggestion(
        kind="duplicate_purchase",
        audience="customer",
        customer_id=moment.ids[request],
        item_id=moment.words["items"].id(item),
        probability=float(found.probability[i]),
        due=None,
        reason=duplicate_reason(
            kind,
            item=item_name(store, moment, item),
            owned=item_name(store, moment, int(moment.events.item[row])),
            bought_on=to_datetime(bought_us, store.timezone),
            minutes=(int(moment.as_of[request]) - bought_us) / MINUTE,
            order=evidence["order_id"],
            repeat_share=float(shares[min(item, len(shares) - 1)]),
            ids=(moment.words["items"].id(item), evidence["item_id"]),
        ),
        evidence=(evidence,),
        options=OPTIONS[kind],
    )


def _read_line(line: Any, number: int, items: Overlay) -> CartLine:
    line = without_missing(line if isinstance(line, Mapping) else {c.ITEM: line})
    if c.ITEM not in line:
        raise ColumnError(f"cart: line {number} has no {c.ITEM}; give one.")
    try:
        item = items.code(line[c.ITEM])
    except IdTypeError as error:
        raise IdTypeError(f"cart: line {number}: {error}") from None
    try:
        quantity = float(line.get(c.QUANTITY, 1.0))
    except (TypeError, ValueError):
        raise BadRowsError(f"cart: line {number}: quantity is not a number.") from None
    if not np.isfinite(quantity) or quantity <= 0:
        raise BadRowsError(f"cart: line {number}: quantity must be finite and above 0.")
    return CartLine(item, quantity, truth(line.get(c.GIFT, False), f"cart: line {number}: gift"))
