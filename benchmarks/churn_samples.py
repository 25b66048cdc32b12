"""Purchase statistics to fit: CDNOW's sample, and simulated customers.

Reads  ``CDNOW_sample.txt`` of the package ``lifetimes``, as a file.
Gives  arrays x, t_x, T in days (exact; weeks are days / 7), spend per repeat day, log gaps.
Never  a date from 1997-10-01 on: the calibration of 39 weeks.
Source Fader, Hardie and Lee 2005 (BG/NBD), Schmittlein et al. 1987 (Pareto/NBD): who is drawn.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float64]]
CALIBRATION_END = "1997-09-30"
SEED = 0
WEEK = 7.0
BETA_GEO = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}  # CDNOW's, weeks
PARETO = {"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67}


@cache
def cdnow_sample() -> Arrays:
    """2,357 customers; ``m`` mean spend per repeat day, ``litt`` sum of log gaps in days."""
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise SystemExit("install the bench extra first: it brings CDNOW's file.")
    file = Path(spec.origin).parent / "datasets" / "CDNOW_sample.txt"
    names = ["master", "customer", "date", "cds", "spend"]
    rows = pd.read_csv(file, sep=r"\s+", names=names)
    rows["date"] = pd.to_datetime(rows["date"].astype(str), format="%Y%m%d")
    days = rows[rows["date"] <= CALIBRATION_END].groupby(["customer", "date"])["spend"].sum()
    return _statistics(days.reset_index())


def _statistics(days: pd.DataFrame) -> Arrays:
    """Of purchase days sorted by customer and date."""
    days = days.assign(gap=days.groupby("customer")["date"].diff().dt.days)
    by, repeat = days.groupby("customer"), days["gap"].notna()
    first, last = by["date"].min(), by["date"].max()
    repeats = days[repeat].assign(log_gap=np.log(days["gap"]))
    again = repeats.groupby("customer").agg(m=("spend", "mean"), litt=("log_gap", "sum"))
    again = again.reindex(first.index, fill_value=0.0)
    columns = {
        "x": by.size() - 1, "t_x": (last - first).dt.days,
        "T": (pd.Timestamp(CALIBRATION_END) - first).dt.days, **again,
    }  # fmt: skip
    return {name: column.to_numpy(dtype=np.float64) for name, column in columns.items()}


def in_weeks(days: Arrays) -> Arrays:
    """The same customers with weeks as the unit of x, t_x, T and the gaps."""
    weeks = days | {"t_x": days["t_x"] / WEEK, "T": days["T"] / WEEK}
    if "litt" in days:
        weeks["litt"] = days["litt"] - days["x"] * np.log(WEEK)
    return weeks


def beta_geo_days(n: int, ages_days: tuple[int, int]) -> Arrays:
    """n BG/NBD customers like CDNOW's, seen for a whole number of days between these two."""
    draw = np.random.default_rng(SEED)
    age = draw.integers(ages_days[0], ages_days[1] + 1, n)
    rate = draw.gamma(BETA_GEO["r"], 1 / (WEEK * BETA_GEO["alpha"]), n)
    stop = draw.beta(BETA_GEO["a"], BETA_GEO["b"], n)
    return _purchases(draw, age, rate, np.full(n, np.inf), stop)


def pareto_days(n: int, ages_days: tuple[int, int]) -> Arrays:
    """n Pareto/NBD customers like CDNOW's."""
    draw = np.random.default_rng(SEED)
    age = draw.integers(ages_days[0], ages_days[1] + 1, n)
    rate = draw.gamma(PARETO["r"], 1 / (WEEK * PARETO["alpha"]), n)
    life = draw.exponential(1 / draw.gamma(PARETO["s"], 1 / (WEEK * PARETO["beta"]), n))
    return _purchases(draw, age, rate, life, np.zeros(n))


def _purchases(
    draw: np.random.Generator, age: NDArray[np.int64], rate: NDArray[np.float64],
    life: NDArray[np.float64], stop: NDArray[np.float64],
) -> Arrays:  # fmt: skip
    """Purchases at random until age or life ends or a purchase was the last; by whole days."""
    now, x, t_x = np.zeros(len(age)), np.zeros(len(age)), np.zeros(len(age))
    on = np.arange(len(age))
    while len(on):
        now[on] += draw.exponential(1 / np.maximum(rate[on], 1e-12))
        on = on[now[on] < np.minimum(age[on] + 1, life[on])]
        day = np.floor(now[on])
        x[on] += day > t_x[on]  # a second purchase on a day is no new purchase day
        t_x[on] = day
        on = on[draw.random(len(on)) >= stop[on]]
    return {"x": x, "t_x": t_x, "T": age.astype(np.float64)}


def events(n_events: int, n_customers: int) -> dict[str, NDArray[np.generic]]:
    """Customers and times at random over two years."""
    draw = np.random.default_rng(SEED)
    minutes = draw.integers(0, 730 * 1440, n_events).astype("timedelta64[m]")
    return {
        "customer": draw.integers(0, n_customers, n_events),
        "date": (np.datetime64("2023-01-01") + minutes).astype("datetime64[ns]"),
        "end": np.array("2025-01-01"),
    }  # fmt: skip
