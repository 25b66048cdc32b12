"""Answers as tables; the only place of serving that loads pandas.

Reads  suggestions and churn columns.
Gives  DataFrames with the contract's columns.
Never  an id of a changed type.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from ..kernels.churn import SEGMENTS, ChurnTable
from ..suggestions import Suggestion
from ..suggestions.churn_words import reason_sentences
from .moment import Moment

SUGGESTION_COLUMNS = ("customer_id", "as_of", "rank", "kind", "item_id", "probability", "due",
                      "reason_code", "reason")  # fmt: skip


def suggestion_table(
    answers: Iterable[tuple[Moment, list[list[Suggestion]]]],
) -> pd.DataFrame:
    """One row per suggestion."""
    rows: list[tuple[Any, ...]] = []
    for moment, lists in answers:
        for i, suggestions in enumerate(lists):
            as_of = int(moment.as_of[i])
            rows += [
                (one.customer_id, as_of, rank, one.kind, one.item_id, one.probability, one.due,
                 one.reason.code, one.reason.text())
                for rank, one in enumerate(suggestions, start=1)
            ]  # fmt: skip
    columns = dict(zip(SUGGESTION_COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}
    as_of_us = np.array(columns.get("as_of", ()), dtype=np.int64)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(columns.get("customer_id", ())),
            "as_of": pd.DatetimeIndex(as_of_us.astype("M8[us]")).tz_localize("UTC"),
            "rank": np.array(columns.get("rank", ()), dtype=np.int64),
            "kind": np.array(columns.get("kind", ()), dtype=object),
            "item_id": _ids(columns.get("item_id", ())),
            "probability": np.array(columns.get("probability", ()), dtype=np.float64),
            "due": pd.to_datetime(pd.Series(columns.get("due", ()), dtype=object), utc=True),
            "reason_code": np.array(columns.get("reason_code", ()), dtype=object),
            "reason": np.array(columns.get("reason", ()), dtype=object),
        }
    )


def churn_frame(moment: Moment, table: ChurnTable) -> pd.DataFrame:
    """``ChurnModel.predict``'s columns."""
    return pd.DataFrame(
        {
            "p_churn": table.p_churn,
            "p_alive": table.p_alive,
            "expected_purchases": table.expected_purchases,
            "expected_value": table.expected_value,
            "value_at_risk": table.value_at_risk,
            "segment": np.array(SEGMENTS, dtype=object)[table.segment],
            "reason": reason_sentences(table),
        },
        index=pd.Index(moment.ids, name="customer_id"),
    )


def _ids(values: Iterable[Any]) -> pd.Series[Any]:
    """Item ids, some of them missing: text with None, or nullable integers."""
    series = pd.Series(list(values), dtype=object)
    known = series.dropna()
    if len(known) and all(isinstance(one, int) for one in known):
        return series.astype("Int64")
    return series
