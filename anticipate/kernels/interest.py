"""What a customer looked at, put into the cart or wished for, and what came of it.

Reads  a :class:`Past` of m customers.
Gives  float64 (m,): counts.
Never  a purchase before the look: only one at the same instant or later answers it.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from ..columns import CART, EVENT_CODES, VIEW, WARNING_DISMISSED, WISH
from .past import Past

Array = NDArray[Any]
_VIEW, _CART, _WISH = EVENT_CODES[VIEW], EVENT_CODES[CART], EVENT_CODES[WISH]
_DISMISSED = EVENT_CODES[WARNING_DISMISSED]


def n_views(past: Past) -> Array:
    return past.count_rows(past.rows_of(_VIEW))


def n_views_unbought(past: Past) -> Array:
    return past.count_rows(_unbought(past, _VIEW))


def n_carts(past: Past) -> Array:
    return past.count_rows(past.rows_of(_CART))


def n_carts_unbought(past: Past) -> Array:
    return past.count_rows(_unbought(past, _CART))


def n_wishes(past: Past) -> Array:
    return past.count_rows(past.rows_of(_WISH))


def n_wishes_unbought(past: Past) -> Array:
    return past.count_rows(_unbought(past, _WISH))


def n_warnings_dismissed(past: Past) -> Array:
    return past.count_rows(past.rows_of(_DISMISSED))


def _unbought(past: Past, code: int) -> Array:
    """Rows of a kind whose item the customer did not buy from then on."""
    rows = past.rows_of(code)
    if not len(rows):
        return rows
    pair = past.pair_of(rows)
    bought = pair >= 0
    bought[bought] = past.pair_last[pair[bought]] >= past.events.timestamp[rows[bought]]
    return rows[~bought]
