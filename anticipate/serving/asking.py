"""At the door of the scorer: who is asked about, at which moment, with what recent events.

Reads  the caller's arguments.
Gives  a ``Moment``.
Never  an answer from before the bundle's cutoff: it knows more than was known then.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..exceptions import CutoffError, FutureCutoffWarning, IdTypeError, ParameterError
from .instants import to_datetime, to_microseconds
from .moment import Moment
from .recent import read_recent
from .store import Store
from .values import plain_id

DAY = 86_400_000_000
_LOG = logging.getLogger("anticipate")


def ask(store: Store, ids: list[Any], as_of: Any, recent: Any) -> Moment:
    """Check the moment and gather what is known at it."""
    return next(_moments(store, ids, as_of, recent, max(len(ids), 1)))


def ask_in_parts(
    store: Store, ids: list[Any], as_of: Any, recent: Any, size: int = 1024
) -> Iterator[Moment]:
    """Moments of at most ``size`` requests, so that memory stays bounded; checked at once."""
    return _moments(store, ids, as_of, recent, size)


def customers_of(store: Store, customer_ids: Any) -> list[Any]:
    """The ids asked for; all of the bundle for None.

    Raises
    ------
    ParameterError
        If it is one id, a table, or nothing to go through.
    IdTypeError
        If a text is not valid.
    """
    if customer_ids is None:
        return list(store.all_customers().tolist())
    single = isinstance(customer_ids, (str, bytes, Mapping)) or hasattr(customer_ids, "columns")
    if single or not isinstance(customer_ids, Iterable):
        raise ParameterError(
            f"customer_ids must be a list of ids; got {type(customer_ids).__name__}. "
            "For one customer give [customer_id]."
        )
    ids = list(customer_ids)
    try:
        "".join(one for one in ids if isinstance(one, str)).encode()
    except UnicodeEncodeError:  # no table could hold them
        raise IdTypeError(
            "customer_ids: some are not valid Unicode (lone surrogates); leave them out."
        ) from None
    return ids


def _moments(store: Store, ids: list[Any], as_of: Any, recent: Any, size: int) -> Iterator[Moment]:
    instants = _instants(store, as_of, len(ids))
    _check_instants(store, instants)
    words = store.overlays()
    known = read_recent(recent, store, words)
    ids = [plain_id(id_) for id_ in ids]
    if len(ids) <= size:
        return iter((Moment(store, ids, instants, known, words),))
    total = -(-len(ids) // size)

    def part(number: int) -> Moment:
        rows = slice(number * size, (number + 1) * size)
        _LOG.info("asking", extra={"step": (number + 1, total)})
        return Moment(store, ids[rows], instants[rows], known, words)

    return map(part, range(total))


def _instants(store: Store, as_of: Any, n: int) -> np.ndarray[Any, Any]:
    """One for all, or one for each."""
    if isinstance(as_of, np.ndarray) and as_of.ndim == 0:
        as_of = as_of[()]
    if isinstance(as_of, (str, bytes)) or not hasattr(as_of, "__len__"):
        return np.full(n, to_microseconds(as_of, store.timezone), dtype=np.int64)
    instants = np.array([to_microseconds(one, store.timezone) for one in as_of], np.int64)
    if len(instants) != n:
        raise ParameterError(f"as_of: {len(instants)} instants for {n} customers.")
    return instants


def _check_instants(store: Store, instants: np.ndarray[Any, Any]) -> None:
    if len(instants) == 0:
        return
    known = instants.tolist()
    first, last = min(known), max(known)
    if first < store.cutoff:
        raise CutoffError(
            f"as_of lies before the bundle's cutoff {to_datetime(store.cutoff)}: the bundle "
            "knows more than was known then. Ask later, or save a bundle with that cutoff."
        )
    if last > store.cutoff + store.horizon_days * DAY:
        warnings.warn(  # one text per bundle: Python keeps every text it has warned with
            f"as_of lies more than {store.horizon_days:g} days after the bundle's cutoff "
            f"{to_datetime(store.cutoff)}; save a fresh bundle.",
            FutureCutoffWarning,
            stacklevel=5,
        )
