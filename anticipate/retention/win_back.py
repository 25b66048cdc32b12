"""Departed customers: not kept any more, but perhaps won back.

Reads  the churn table, who may be contacted.
Gives  a list of its own with a score of its own, best first.
Never  a customer who still buys; one who may not be contacted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_numbers
from ..columns import CUSTOMER
from ..exceptions import ParameterError
from .people import People
from .reasons import CODES, sentences

Array = NDArray[Any]


def win_back_list(
    people: People,
    predictions: pd.DataFrame,
    contactable: Array,
    channel: Any,
    *,
    with_value: bool,
    language: str,
) -> pd.DataFrame:
    """The departed who may be contacted, highest score first, ties by id.

    The score is P(alive) times what they spend in the horizon if they buy at all: who has
    almost surely gone for good stands behind, however much they once spent.
    """
    alive = _alive(predictions)[people.rows]
    value = people.value_if_active
    score = alive * value if with_value else alive
    listed = np.flatnonzero(people.departed & contactable)
    listed = listed[np.argsort(-score[listed], kind="stable")]
    code = CODES["win_back" if with_value else "win_back_customers"]
    codes = np.full(len(listed), code, dtype=np.int8)
    reason = sentences(codes, codes, levels=[], facts={}, language=language)
    columns = {
        "rank": np.arange(1, len(listed) + 1),
        "score": score[listed],
        "value_if_back": value[listed],
        "p_alive": alive[listed],
        "channel": channel[listed],
        "reason": reason,
    }
    return pd.DataFrame(columns, index=pd.Index(people.ids[listed], name=CUSTOMER))


def _alive(predictions: pd.DataFrame) -> Array:
    if "p_alive" not in predictions.columns:
        raise ParameterError("predictions: no column p_alive; give ChurnModel.predict's table.")
    alive = check_numbers("predictions: p_alive", predictions["p_alive"])
    bad = ~((alive >= 0) & (alive <= 1))
    if bad.any():
        raise ParameterError(
            f"predictions: p_alive must be numbers from 0 to 1; {int(bad.sum())} row(s) are not."
        )
    return alive
