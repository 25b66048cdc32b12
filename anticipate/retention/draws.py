"""A random number per customer that is the same in every batch.

Reads  ids and a seed.
Gives  numbers in [0, 1), one per customer.
Never  a number that depends on who else is asked about, or on their order.
Source SplitMix64: Steele, Lea, Flood, OOPSLA 2014. Text: pandas' SipHash of the id.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]
_KEY = "contact-plan-ids"  # 16 bytes, as SipHash wants


def draws(ids: Array, random_state: int) -> Array:
    """One uniform number per id, float64 (n,): a hash of the id and the seed."""
    if ids.dtype.kind in "iu":
        raw = ids.astype(np.uint64)
    else:
        raw = pd.util.hash_array(ids, hash_key=_KEY, categorize=False)
    mixed = _mix(_mix(raw) ^ _mix(np.array([random_state], dtype=np.uint64)))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(z: Array) -> Array:
    # The finaliser of SplitMix64; unsigned 64-bit arithmetic wraps around as it should.
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
