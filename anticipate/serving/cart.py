"""Reading a cart: its lines as the caller gives them, coded and checked.

Reads  item ids or mappings, in the request's vocabulary of items.
Gives  lines, and the lines of many requests side by side, as guards read them.
Never  a dropped line: what cannot be read is an error that names its number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import columns as c
from ..exceptions import BadRowsError, ColumnError, IdTypeError, ParameterError
from ..kernels.owned import Lines
from .overlay import Overlay
from .values import is_there, truth

MOST_LINES = 10_000


class CartLine(NamedTuple):
    """One line; item as a code of the request's vocabulary."""

    item: int
    quantity: float = 1.0
    gift: bool = False
    price: float = math.nan  # per piece; NaN unknown


class CartRows(NamedTuple):
    """n lines of any number of requests."""

    lines: Lines  # the customer is the request's number
    price: NDArray[np.float64]  # per piece, NaN unknown


def read_cart(cart: Iterable[Any], items: Overlay) -> list[CartLine]:
    """Check and code a cart of item ids or mappings (item_id, quantity, price, gift)."""
    if isinstance(cart, (str, bytes, Mapping)) or not isinstance(cart, Iterable):
        raise ParameterError("cart must be a list of item ids or mappings; give [item_id].")
    if hasattr(cart, "columns"):
        raise ParameterError("cart is a table; give its rows as mappings.")
    lines = list(islice(cart, MOST_LINES + 1))
    if len(lines) > MOST_LINES:
        raise ParameterError(f"cart: more than {MOST_LINES} lines; at most those are looked at.")
    items.look_up(line.get(c.ITEM) if isinstance(line, Mapping) else line for line in lines)
    return [_read_line(line, number, items) for number, line in enumerate(lines)]


def side_by_side(carts: list[list[CartLine]], as_of: NDArray[np.int64]) -> CartRows:
    """Lines of each request, one after another, at least one; ``as_of`` by request."""
    item, quantity, gift, price = zip(*(line for cart in carts for line in cart), strict=True)
    owner = np.repeat(np.arange(len(carts)), [len(cart) for cart in carts])
    lines = Lines(
        customer=owner,
        item=np.array(item, dtype=np.int64),
        timestamp=as_of[owner],
        quantity=np.array(quantity, dtype=np.float64),
        gift=np.array(gift, dtype=bool),
    )
    return CartRows(lines, np.array(price, dtype=np.float64))


def _read_line(line: Any, number: int, items: Overlay) -> CartLine:
    if not isinstance(line, Mapping) and is_there(line):  # an id alone, as most lines are
        return CartLine(_item(line, number, items))
    given = line if isinstance(line, Mapping) else {}
    if not is_there(item := given.get(c.ITEM)):
        raise ColumnError(f"cart: line {number} has no {c.ITEM}; give one.")
    quantity = _number(given.get(c.QUANTITY), c.QUANTITY, number, 1.0)
    if quantity <= 0:
        raise BadRowsError(f"cart: line {number}: quantity must be finite and above 0.")
    price = _number(given.get(c.PRICE), c.PRICE, number, math.nan)
    if price < 0:
        raise BadRowsError(f"cart: line {number}: price must be finite and not negative.")
    gift = given.get(c.GIFT)
    flag = is_there(gift) and truth(gift, f"cart: line {number}: gift")
    return CartLine(_item(item, number, items), quantity, flag, price)


def _item(id_: Any, number: int, items: Overlay) -> int:
    try:
        return items.code(id_)
    except IdTypeError as error:
        raise IdTypeError(f"cart: line {number}: {error}") from None


def _number(given: Any, name: str, number: int, default: float) -> float:
    """A finite number; the default where none is given."""
    if not is_there(given):
        return default
    try:
        value = float(given)
    except (TypeError, ValueError, OverflowError):
        raise BadRowsError(f"cart: line {number}: {name} is not a number.") from None
    if not math.isfinite(value):
        raise BadRowsError(f"cart: line {number}: {name} must be finite.")
    return value
