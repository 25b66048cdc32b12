"""Customers for the BTYD tests: by chance, simulated with known truth, and CDNOW's."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from anticipate.churn import (
    BetaGeoModel,
    ModifiedBetaGeoModel,
    ParetoNBDModel,
    RegularBetaGeoModel,
)
from anticipate.kernels.btyd import BetaGeo, Btyd, ParetoNBD

BG = BetaGeo(r=0.2425945, alpha=4.4136, a=0.79292, b=2.42589, m=0)  # CDNOW, weeks
MBG = BetaGeo(r=0.525, alpha=6.183, a=0.891, b=1.614, m=1)
BG_2, MBG_3 = BG._replace(k=2), MBG._replace(k=3)
PARETO = ParetoNBD(r=0.5532, alpha=10.576, s=0.6063, beta=11.671)
KERNELS = {"BG": BG, "MBG": MBG, "BG k=2": BG_2, "MBG k=3": MBG_3, "Pareto": PARETO}
ESTIMATORS = {
    "BG": BetaGeoModel,
    "MBG": ModifiedBetaGeoModel,
    "Pareto": ParetoNBDModel,
    "regular": RegularBetaGeoModel,
}
Customers = tuple[np.ndarray, np.ndarray, np.ndarray]


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def random_customers(n: int, seed: int = 0) -> Customers:
    rng = np.random.default_rng(seed)
    x = rng.poisson(rng.gamma(0.5, 8, n)).astype(float)
    T = rng.integers(1, 200, n).astype(float)
    return x, np.where(x > 0, np.floor(T * rng.random(n)), 0.0), T


def summary_of(x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> pd.DataFrame:
    """A summary whose gaps, where there are any, are all alike."""
    log_gaps = x * np.log(np.maximum(t_x, 1e-9) / np.maximum(x, 1))
    names = ["n_repeats", "last_repeat_days", "age_days", "log_gap_sum"]
    return pd.DataFrame(dict(zip(names, (x, t_x, T, log_gaps), strict=True)))


def simulate(
    model: Btyd, T: np.ndarray, horizon: float, seed: int = 3
) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers of a known model up to age T, and their purchases in the horizon after it."""
    rng, n = np.random.default_rng(seed), len(T)
    rate, now = rng.gamma(model.r, 1 / model.alpha, n), np.zeros(n)
    end, p = np.full(n, np.inf), np.zeros(n)
    if isinstance(model, ParetoNBD):
        end, k = rng.exponential(1 / rng.gamma(model.s, 1 / model.beta, n)), 1
        left = np.arange(n)
    else:
        p, k = rng.beta(model.a, model.b, n), model.k
        left = np.flatnonzero(rng.random(n) >= p) if model.m else np.arange(n)
    x, t_x, log_gaps, later = np.zeros((4, n))
    while len(left):
        gap = rng.gamma(k, 1 / rate[left])
        now[left] += gap
        seen = now[left] <= np.minimum(T, end)[left]
        x[left[seen]] += 1
        t_x[left[seen]] = now[left[seen]]
        log_gaps[left[seen]] += np.log(gap[seen])
        after = (now <= np.minimum(T + horizon, end))[left]
        later[left[after & ~seen]] += 1
        left = left[after]
        left = left[rng.random(len(left)) >= p[left]]
    return summary_of(x, t_x, T).assign(log_gap_sum=log_gaps), later


def lifetimes_file(name: str) -> Path:
    """A data file of the lifetimes package, which is never imported."""
    found = importlib.util.find_spec("lifetimes")
    if found is None or not found.submodule_search_locations:
        pytest.skip("lifetimes is not installed: it brings the CDNOW sample")
    return Path(found.submodule_search_locations[0]) / "datasets" / name


def cdnow_weeks() -> pd.DataFrame:
    """The 2,357 customers of the CDNOW sample, calibration weeks 1-39, exact sevenths."""
    names = ["whole_id", "customer_id", "date", "n_cds", "spend"]
    path = lifetimes_file("CDNOW_sample.txt")
    rows = pd.read_csv(path, sep=r"\s+", names=names, dtype={"date": str})
    day = (pd.to_datetime(rows.date, format="%Y%m%d") - pd.Timestamp("1997-01-01")).dt.days
    days = day[day < 273].groupby(rows.customer_id)
    return pd.DataFrame(
        {
            "n_repeats": days.nunique() - 1,
            "last_repeat_days": (days.max() - days.min()) / 7,
            "age_days": (272 - days.min()) / 7,
        }
    )
