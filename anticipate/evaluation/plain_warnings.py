"""Plain rules for warnings: "you bought this before", as checkouts have them.

Reads  cart lines and the History.
Gives  the same lines with ``verdict``, ``kind`` and ``probability``.
Never  learns: the more recently the same item was bought, the more suspicious.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..columns import CUSTOMER, ITEM, TIMESTAMP
from ..kernels.segments import run_starts
from ..log import History
from ..log.clock import to_timestamps


def warning_baselines(cart: pd.DataFrame, history: History) -> dict[str, pd.DataFrame]:
    """Two rules of the trade, on the same lines in the same order.

    Parameters
    ----------
    cart : DataFrame
        ``customer_id, item_id, timestamp`` of the lines; other columns are kept.
    history : History
        As of the cutoff.

    Returns
    -------
    dict of str to DataFrame
        ``"bought before"`` warns of every item bought before, ``"bought within 7 d"`` only
        then; ``probability`` is ``1 / (1 + days since)`` in both, NaN for a first purchase. The
        same item earlier in the cart counts as bought.
    """
    days = days_since_same(cart, history)
    score = 1.0 / (1.0 + days)
    rules = {"bought before": np.inf, "bought within 7 d": 7.0}
    tables = {}
    for name, limit in rules.items():
        verdict = pd.Series(np.where(days <= limit, "warn", "pass"), index=cart.index)
        kind = verdict.map({"warn": "already_owned"})
        tables[name] = cart.assign(verdict=verdict, kind=kind, probability=score)
    return tables


def days_since_same(cart: pd.DataFrame, history: History) -> npt.NDArray[np.float64]:
    """Days since the same customer last took the same item, in the log or in the cart.

    Parameters
    ----------
    cart : DataFrame
        ``customer_id, item_id, timestamp`` (UTC).
    history : History
        As of the cutoff.

    Returns
    -------
    ndarray of shape (n_lines,)
        >= 0; NaN where there is no earlier one. Lines of equal time count in their order.

    Examples
    --------
    >>> from anticipate.log import InteractionLog
    >>> log = InteractionLog.from_frame(
    ...     {"customer_id": [1], "item_id": ["mug"], "timestamp": ["2025-01-01"]},
    ...     timezone="UTC", closed_until="2025-02-01")
    >>> cart = pd.DataFrame({"customer_id": [1, 1, 1], "item_id": ["mug", "mug", "tea"],
    ...     "timestamp": pd.Timestamp("2025-02-02", tz="UTC")})
    >>> days_since_same(cart, log.as_of("2025-02-01")).tolist()
    [32.0, 0.0, nan]
    """
    lines = cart[[CUSTOMER, ITEM, TIMESTAMP]].reset_index(drop=True)
    ordered = lines.sort_values([CUSTOMER, ITEM, TIMESTAMP], kind="stable")
    before = ordered.groupby([CUSTOMER, ITEM], sort=False)[TIMESTAMP].shift()
    logged = ordered.merge(_last_times(history), on=[CUSTOMER, ITEM], how="left")["last"]
    last = before.fillna(logged.set_axis(ordered.index))
    days = (ordered[TIMESTAMP] - last).dt.total_seconds() / 86_400.0
    return np.maximum(days.sort_index().to_numpy(dtype=np.float64), 0.0)


def _last_times(history: History) -> pd.DataFrame:
    bought = history.purchases
    order = np.lexsort((bought.timestamp, bought.item, bought.customer))
    customer, item = bought.customer[order], bought.item[order]
    starts = run_starts(customer, item)
    rows = np.append(starts[1:], customer.size)[: starts.size] - 1  # each pair's last row
    return pd.DataFrame(
        {
            CUSTOMER: history.customer_ids[customer[rows]],
            ITEM: history.item_ids[item[rows]],
            "last": to_timestamps(bought.timestamp[order][rows]),
        }
    )
