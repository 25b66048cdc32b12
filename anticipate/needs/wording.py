"""Reasons of recommendations as sentences.

Reads  facts of answers, names of items.
Gives  ``Words.sentences``: the templates of :mod:`anticipate.suggestions`, filled in.
Never  a number that the facts do not hold.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import MICROSECONDS_PER_DAY, NAME
from ..log import History
from ..log.objections import objectors
from ..suggestions import Reason
from .facts_of_answers import Answers
from .shoppers import Codes, kept_purchases
from .sources import SOURCES

Array = NDArray[Any]
DAYS = 30.0  # over which buyers are counted where the model's clock counts baskets


class Words(NamedTuple):
    names: Array  # object (n_codes,): the item's name, else its id
    n_buyers: Array | None  # int64 (n_codes,): instead of the model's count of baskets
    window_days: float
    cutoff: pd.Timestamp

    @classmethod
    def of(cls, history: History, codes: Codes, window_days: float) -> Self:
        """Names of the history's items; ``window_days`` NaN: buyers of ``DAYS`` there."""
        names = np.array([str(one) for one in codes.ids.tolist()], dtype=object)
        if NAME in history.items.columns:
            given = history.items[NAME]
            has = given.notna().to_numpy(dtype=bool)
            names[codes.of_history[: history.n_items][has]] = given[has].astype(str)
        cutoff = pd.Timestamp(history.cutoff_us, unit="us", tz="UTC")
        if np.isnan(window_days):
            return cls(names, _lately(history, codes), DAYS, cutoff)
        return cls(names, None, window_days, cutoff)

    def sentences(self, told: Answers) -> Array:
        """In English (r,)."""
        out = np.empty(len(told.item), dtype=object)
        # A loop over rows: each sentence is a template filled in.
        for i, code in enumerate(told.source.tolist()):
            facts = self._facts(SOURCES[code], told, i)
            out[i] = Reason(SOURCES[code], {"item": self.names[told.item[i]], **facts}).text()
        return out

    def _facts(self, code: str, told: Answers, i: int) -> dict[str, Any]:
        since = round(float(told.days_since_last[i]), 1)
        if code == "repeat":
            return {"gap_days": round(float(told.gap_days[i]), 1), "days_since_last": since}
        if code == "bought_before":
            return {"n_purchases": int(told.n_purchases[i]), "days_since_last": since}
        if code in ("goes_with", "follows"):
            return {"because": self.names[told.because[i]]}
        if code in ("people_like_you", "group"):
            return {"share_percent": round(100 * float(told.alike_share[i]), 1)}
        if code == "category":
            return {"n_purchases": int(told.n_purchases[i])}
        if code == "wished":
            ago = round(float(told.wished_days[i]) * MICROSECONDS_PER_DAY)
            return {"since": (self.cutoff - pd.Timedelta(ago, unit="us")).to_pydatetime()}
        if code == "popular":
            counted = told.n_buyers[i] if self.n_buyers is None else self.n_buyers[told.item[i]]
            return {"n_buyers": int(counted), "window_days": self.window_days}
        return {}


def _lately(history: History, codes: Codes) -> Array:
    """Customers of the history who bought each item in its last ``DAYS`` (n_codes,).

    Those who object to profiling are not counted, as they are not in the model's own counts.
    """
    kept = kept_purchases(history)
    late = history.cutoffs[kept.customer] - kept.timestamp <= DAYS * MICROSECONDS_PER_DAY
    late &= ~objectors(history)[kept.customer]
    pairs = np.unique(kept.customer[late].astype(np.int64) * history.n_items + kept.item[late])
    return np.bincount(codes.of_history[pairs % max(history.n_items, 1)], minlength=codes.n)
