"""The table of a campaign's effect: everybody, and each level.

Reads  a row per customer of the experiment.
Gives  sizes, shares, spend, their differences with intervals, cost and net.
Never  a level beside customers held out from another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .effect_arms import COST, LEVEL
from .effect_money import N_UNPRICED, is_priced
from .effect_numbers import NOT_MEASURED, Difference, mean_difference, share_difference
from .levels import EVERYBODY

Array = NDArray[Any]
ALL = EVERYBODY
NOT_KNOWN = "not measured"
NO_PRICE = "not measured: no price is known"


def compare(arms: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """A row of numbers for everybody and for each level."""
    rows = {ALL: _numbers(arms, confidence)}
    rows |= {str(name): _numbers(part, confidence) for name, part in arms.groupby(LEVEL)}
    return pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), name=LEVEL))


def _numbers(arms: pd.DataFrame, confidence: float) -> dict[str, Any]:
    treated, held = arms[arms["treated"]], arms[~arms["treated"]]
    kept = share_difference(_column(treated, "retained"), _column(held, "retained"), confidence)
    priced, money = is_priced(arms), NOT_MEASURED
    if priced:
        money = mean_difference(_column(treated, "spend"), _column(held, "spend"), confidence)
    n, cost = len(treated), float(_column(treated, COST).sum())
    return {
        "n_treated": n,
        "n_holdout": len(held),
        "retained_treated": _mean(treated, "retained"),
        "retained_holdout": _mean(held, "retained"),
        **_ends("gain", kept, 1),
        "verdict": _verdict(kept),
        "spend_treated": _mean(treated, "spend") if priced else float("nan"),
        "spend_holdout": _mean(held, "spend") if priced else float("nan"),
        **_ends("spend_gain", money, 1),
        "spend_verdict": _verdict(money) if priced else NO_PRICE,
        N_UNPRICED: int(_column(arms, N_UNPRICED).sum()),
        **_ends("customers_gained", kept, n),
        **_ends("spend_gained", money, n),
        "cost": cost,
        **{name: value - cost for name, value in _ends("net", money, n).items()},
    }


def _ends(name: str, found: Difference, times: int) -> dict[str, float]:
    return {
        name: found.value * times,
        f"{name}_low": found.low * times,
        f"{name}_high": found.high * times,
    }


def _column(arm: pd.DataFrame, name: str) -> Array:
    return arm[name].to_numpy()


def _mean(arm: pd.DataFrame, name: str) -> float:
    return float(_column(arm, name).mean()) if len(arm) else float("nan")


def _verdict(found: Difference) -> str:
    if np.isnan(found.value):
        return NOT_KNOWN
    return found.verdict


__all__ = ["ALL", "NO_PRICE", "compare"]
