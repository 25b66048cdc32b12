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
from numpy.typing import NDArray

from ..kernels.churn import SEGMENTS, ChurnTable
from ..suggestions import KINDS
from ..suggestions.churn_words import reason_sentences
from .answer_rows import AnswerRows
from .dates import NEVER
from .leaving import churn_at
from .moment import Moment
from .moment_pages import one_by_one
from .store import Store

Array = NDArray[Any]
CHURN_PART = 10_000  # customers at once
SUGGESTION_COLUMNS = ("customer_id", "as_of", "rank", "kind", "item_id", "probability", "due",
                      "reason_code", "reason")  # fmt: skip


def suggestion_table(answers: Iterable[tuple[Moment, AnswerRows]]) -> pd.DataFrame:
    """One row per suggestion."""
    parts = [_columns(moment, rows) for moment, rows in answers]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in SUGGESTION_COLUMNS}
    due = columns["due"].astype("M8[us]")
    due[columns["due"] == NEVER] = np.datetime64("NaT")
    return pd.DataFrame(
        {
            **columns,
            "customer_id": pd.Series(columns["customer_id"].tolist()),
            "as_of": pd.DatetimeIndex(columns["as_of"].astype("M8[us]")).tz_localize("UTC"),
            "item_id": _ids(columns["item_id"]),
            "due": pd.DatetimeIndex(due).tz_localize("UTC"),
        }
    )


def _columns(moment: Moment, rows: AnswerRows) -> dict[str, Array]:
    request = rows.request
    who = np.empty(moment.m, dtype=object)
    who[:] = moment.ids
    rank = np.arange(len(request)) - request.searchsorted(request) + 1
    kind = np.array(KINDS, dtype=object)[rows.kind]
    columns = (who[request], moment.as_of[request], rank, kind, rows.item, rows.probability,
               rows.due, rows.code, rows.text)  # fmt: skip
    return dict(zip(SUGGESTION_COLUMNS, columns, strict=True))


def churn_frames(store: Store, moments: Iterable[Moment]) -> pd.DataFrame:
    """``ChurnModel.predict``'s columns, part after part."""
    frames = [_churn_frame(one, churn_at(store, one)) for one in one_by_one(store, moments)]
    return frames[0] if len(frames) == 1 else pd.concat(frames)


def _churn_frame(moment: Moment, table: ChurnTable) -> pd.DataFrame:
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
