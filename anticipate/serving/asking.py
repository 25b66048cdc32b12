"""At the door of the scorer: who is asked about, at which moment, with what recent events.

Reads  the caller's arguments.
Gives  a ``Moment``.
Never  an answer from before the bundle's cutoff: it knows more than was known then.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..exceptions import CutoffError, FutureCutoffWarning, ParameterError
from .instants import to_datetime, to_microseconds
from .moment import Moment, make_moment
from .recent import read_recent
from .store import Store

DAY = 86_400_000_000


def ask(store: Store, ids: list[Any], as_of: Any, recent: Any) -> Moment:
    """Check the moment and gather what is known at it."""
    several = isinstance(as_of, (list, tuple, np.ndarray)) or hasattr(as_of, "iloc")
    if several:
        instants = np.array([to_microseconds(one, store.timezone) for one in as_of], np.int64)
        if len(instants) != len(ids):
            raise ParameterError(f"as_of: {len(instants)} instants for {len(ids)} customers.")
    else:
        instants = np.full(len(ids), to_microseconds(as_of, store.timezone), dtype=np.int64)
    _check_instants(store, instants)
    words = store.overlays()
    return make_moment(store, ids, instants, read_recent(recent, store, words), words)


def _check_instants(store: Store, instants: np.ndarray[Any, Any]) -> None:
    if len(instants) == 0:
        return
    if int(instants.min()) < store.cutoff:
        raise CutoffError(
            f"as_of {to_datetime(int(instants.min()))} lies before the bundle's cutoff "
            f"{to_datetime(store.cutoff)}: the bundle knows more than was known then. Ask later, "
            "or save a bundle with that cutoff."
        )
    if int(instants.max()) > store.cutoff + store.horizon_days * DAY:
        warnings.warn(
            f"as_of {to_datetime(int(instants.max()))} lies more than {store.horizon_days:g} days "
            "after the bundle's cutoff; save a fresh bundle.",
            FutureCutoffWarning,
            stacklevel=4,
        )
