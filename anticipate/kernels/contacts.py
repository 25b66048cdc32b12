"""What a customer told us: contacts, complaints, ratings, returns.

Reads  a :class:`Past` of m customers.
Gives  float64 (m,): counts, 0 where nothing was said; shares and ratings, NaN there.
Never  the topic of a contact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import CONTACT, EVENT_CODES, RATING
from .care import COMPLAINT_DAYS
from .complaints import NEVER
from .events import offsets_of
from .past import Past
from .returns import CANCEL_CODE, RETURN_CODE
from .segments import segment_last, segment_mean, segment_sum

Array = NDArray[Any]
_CONTACT, _RATING = EVENT_CODES[CONTACT], EVENT_CODES[RATING]


def n_contacts(past: Past) -> Array:
    return past.count_rows(past.rows_of(_CONTACT))


def n_complaints(past: Past) -> Array:
    return past.count_rows(past.complaints[0])


def n_complaints_resolved(past: Past) -> Array:
    rows, resolved_at = past.complaints
    return past.count_rows(rows[resolved_at < NEVER])


def n_complaints_open(past: Past) -> Array:
    """Unresolved ones of the last 30 days."""
    rows, resolved_at = past.complaints
    start = past.window_starts(COMPLAINT_DAYS)[past.events.customer[rows]]
    is_open = (resolved_at == NEVER) & (past.events.timestamp[rows] >= start)
    return past.count_rows(rows[is_open])


def n_ratings(past: Past) -> Array:
    return past.count_rows(_rating_rows(past))


def rating_mean(past: Past) -> Array:
    rows = _rating_rows(past)
    return segment_mean(past.events.value[rows], _offsets(past, rows))


def rating_last(past: Past) -> Array:
    rows = _rating_rows(past)
    return segment_last(past.events.value[rows], _offsets(past, rows), np.nan)


def n_returns(past: Past) -> Array:
    return past.count_rows(past.rows_of(RETURN_CODE))


def n_cancels(past: Past) -> Array:
    return past.count_rows(past.rows_of(CANCEL_CODE))


def return_share(past: Past) -> Array:
    """Share of the pieces bought that came back or were cancelled."""
    bought = segment_sum(np.asarray(past.purchases.quantity), past.purchases.offsets)
    back = segment_sum(np.asarray(past.returned), past.purchases.offsets)
    return np.divide(back, bought, out=np.full(len(bought), np.nan), where=bought > 0)


def _rating_rows(past: Past) -> Array:
    """Ratings that carry a value."""
    rows = past.rows_of(_RATING)
    return rows[~np.isnan(past.events.value[rows])]


def _offsets(past: Past, rows: Array) -> Array:
    return offsets_of(past.events.customer[rows], past.events.n_customers)
