"""Segments and reasons by name: what the churn table's codes stand for.

Reads  the codes of :mod:`anticipate.kernels.churn`.
Gives  segment names and reason codes per customer.
Never  a rule of its own: rules are in the kernel, sentences in the suggestions' templates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.churn import REASONS, SEGMENTS, ChurnTable


def segment_names(table: ChurnTable) -> NDArray[Any]:
    """Segment of each customer, object array of shape (n,)."""
    return np.array(SEGMENTS, dtype=object)[table.segment]


def reason_codes(table: ChurnTable) -> NDArray[Any]:
    """Reason code of each customer, object array of shape (n,)."""
    return np.array(REASONS, dtype=object)[table.reason]
