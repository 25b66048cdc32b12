"""Mistakes put into real carts, so that a guard can be measured without labels.

Reads  the window's purchases, the History before it (what is owned, which editions exist).
Gives  cart lines to review: the real ones, and seeded mistakes of three kinds marked as such.
Never  a consumable or a gift as "already owned": buying coffee again is no mistake.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._checks import check_positive, check_probability
from ..columns import (
    CONSUMABLE, CUSTOMER, EVENT, GIFT, ITEM, MICROSECONDS_PER_DAY, ORDER, PRICE, PURCHASE,
    QUANTITY, TIMESTAMP, WORK,
)  # fmt: skip
from ..kernels.segments import segment_sum
from ..log import History
from ..outcomes import Outcomes

INJECTED = "injected_kind"
DOUBLE_SUBMIT, ALREADY_OWNED, SUBSTITUTE_OWNED = (
    "double_submit", "already_owned", "substitute_owned",
)  # fmt: skip
LINE = (CUSTOMER, ITEM, TIMESTAMP, QUANTITY, PRICE, GIFT)
