"""Do the intervals of p_churn say how sure it is?

Reads  outcomes and ``ChurnModel(interval=True).predict``'s columns.
Gives  ten bins of equal size: said, interval, seen, and whether seen lies inside.
Never  a single customer's interval against their own yes or no: no rate can be seen there.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm

COLUMNS = ("p_churn", "p_churn_low", "p_churn_high")
COVERAGE, BINS = 0.8, 10


def interval_bins(y: ArrayLike, table: pd.DataFrame, *, bins: int = BINS) -> pd.DataFrame:
    """Bins by p_churn and whether the observed rate lies in the bin's interval.

    The bin's interval is the mean of its customers' ends (noise of what was learned from), each
    half widened by the binomial noise of the bin's own outcomes, the two added as independent:
    half = sqrt((p - low)^2 + z^2 p (1 - p) / n).

    Parameters
    ----------
    y : array-like of shape (n,)
        True: bought nothing in the window.
    table : DataFrame of shape (n, >= 3)
        ``p_churn, p_churn_low, p_churn_high``, row-aligned with ``y``.

    Returns
    -------
    DataFrame of shape (bins, 6)
        ``n, said, low, high, seen, inside``.

    Raises
    ------
    KeyError
        If the model was fitted without ``interval=True``.
    """
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise KeyError(f"no column {missing}; fit ChurnModel(interval=True).")
    rows = table[list(COLUMNS)].assign(seen=np.asarray(y, dtype=float)).reset_index(drop=True)
    order = np.argsort(rows["p_churn"].to_numpy(), kind="stable")
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows)) * bins // len(rows)
    found = rows.groupby(place).mean()
    n, said = np.bincount(place, minlength=bins), found["p_churn"]
    noise = norm.ppf((1 + COVERAGE) / 2) ** 2 * said * (1 - said) / n
    low = said - np.sqrt((said - found["p_churn_low"]) ** 2 + noise)
    high = said + np.sqrt((found["p_churn_high"] - said) ** 2 + noise)
    inside = found["seen"].between(low, high)
    return pd.DataFrame({
        "n": n, "said": said, "low": low, "high": high, "seen": found["seen"], "inside": inside,
    })  # fmt: skip
