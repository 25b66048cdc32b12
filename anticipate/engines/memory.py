"""How much memory is asked for, and whether a partition fits.

Reads  "4GB" or bytes.
Gives  bytes.
Never  a run that starts and is killed for what could be known before.
"""

from __future__ import annotations

import re

from .._checks import check_positive
from ..exceptions import ParameterError

BYTES_AN_EVENT = 400  # while a log is built and features are made of it, all columns given
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def n_bytes(memory: str | float) -> int:
    """Bytes of "4GB", "500 MB" or a number.

    Examples
    --------
    >>> n_bytes("1.5GB")
    1500000000
    """
    if not isinstance(memory, str):
        return int(check_positive("memory", memory))
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?\s*", memory.upper())
    if found is None or float(found[1]) <= 0:
        raise ParameterError(f"memory: {memory!r} is no size; give one such as '4GB'.")
    return int(float(found[1]) * _UNITS[found[2]])


def check_largest(n_events: int, limit: int) -> None:
    """Refuse a partition that cannot be held, by a customer of very many events, say."""
    if n_events * BYTES_AN_EVENT > limit:
        need = n_events * BYTES_AN_EVENT / 1e9
        raise ParameterError(
            f"memory: the largest partition holds {n_events:,} events and needs about "
            f"{need:.2g} GB. Give more memory, or more partitions if no customer is that large."
        )
