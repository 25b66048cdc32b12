"""The closed windows of a bundle: churn, needs, dates, warnings, each against what happened.

Reads  a bundle as scorer, store and fitted parts; the log's lines since its cutoff.
Gives  rows of ``Judged``; one that is still open says when it closes.
Never  an answer made with what came after the cutoff; but a warning knows its cart's moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...columns import CUSTOMER
from ...kernels.ids import ids_at
from ...log import InteractionLog
from ...log.clock import to_timestamp
from ...serving import Scorer
from ...serving.store import Store
from ...timing import PurchaseTimer
from .outcomes import Judged, among, bought_in, judge
from .stored import history_of, judged_customers, purchases_of, stored_needs
from .warned import judge_warnings
from .windows import DAY

Floats = NDArray[np.float64]
MOST = 20_000  # customers judged
BEST = 10  # needs of each
_SHARES = {"due_low": 0.1, "due": 0.5, "due_high": 0.9}


class Bundle(NamedTuple):
    """An opened bundle."""

    scorer: Scorer
    store: Store
    timer: PurchaseTimer

    @property
    def cutoff_us(self) -> int:
        return self.store.cutoff


def judge_windows(bundle: Bundle, log: InteractionLog, lines: pd.DataFrame) -> list[Judged]:
    """``lines``: the log's events at or after the cutoff, as a table."""
    store, manifest = bundle.store, bundle.scorer.manifest
    codes = judged_customers(store, MOST)
    churn_us = round(float(manifest["churn_horizon_days"]) * DAY)
    near_us = round(store.horizon_days * DAY)
    rows: list[Judged] = []
    for horizon_us, asked in ((churn_us, (_churn,)), (near_us, (_needs, _dates))):
        closes = store.cutoff + horizon_us
        bought = bought_in(lines, to_timestamp(store.cutoff), to_timestamp(closes))
        for question in asked:
            if closes > log.end_us or not len(codes):
                rows.append(Judged(*_NAMES[question.__name__], to_timestamp(closes)))
            else:
                rows += question(bundle, codes, bought, closes)
    return rows + judge_warnings(bundle.scorer, log, near_us)


def _churn(
    bundle: Bundle, codes: NDArray[np.int64], bought: pd.DataFrame, closes: int
) -> Iterator[Judged]:
    """Counted is the purchase, the rarer side or not: the ratio is of those who come back."""
    ids = ids_at(bundle.store.customers, codes)
    table = bundle.scorer.churn(ids.tolist(), as_of=to_timestamp(bundle.cutoff_us))
    left = table["p_churn"].to_numpy(dtype=np.float64)
    stayed = np.isin(ids, bought[CUSTOMER].unique())
    if left.mean() > 0.5:
        yield judge("churn", "bought again", closes, 1.0 - left, stayed, codes)
    else:
        yield judge("churn", "bought nothing", closes, left, ~stayed, codes)


def _needs(
    bundle: Bundle, codes: NDArray[np.int64], bought: pd.DataFrame, closes: int
) -> Iterator[Judged]:
    pairs = stored_needs(bundle.store, codes, BEST)
    p, hit = pairs["p"].to_numpy(dtype=np.float64), among(pairs, bought)
    yield judge("needs", "bought, of the ten best", closes, p, hit, pairs[CUSTOMER].to_numpy())


def _dates(
    bundle: Bundle, codes: NDArray[np.int64], bought: pd.DataFrame, closes: int
) -> Iterator[Judged]:
    """Of dates that lie in the window, the stated share must have come by them."""
    store = bundle.store
    ids = ids_at(store.customers, codes)
    past = history_of(purchases_of(store, codes), ids, store.cutoff, store.timezone)
    due = bundle.timer.predict(past)
    first = bought.groupby(CUSTOMER)["timestamp"].min().reindex(due.index)
    for name, share in _SHARES.items():
        told = due[name].notna() & (due[name] < to_timestamp(closes))
        came = (first[told] <= due.loc[told, name]).to_numpy()
        who = np.flatnonzero(told)
        p = np.full(len(who), share)
        yield judge(f"dates {share:.0%}", "bought by then", closes, p, came, who, line=False)


_NAMES = {
    "_churn": ("churn", "bought again"),
    "_needs": ("needs", "bought, of the ten best"),
    "_dates": ("dates", "bought by then"),
}
