"""Reliability: of those who were told 30 %, did 30 % do it? And whom does a list find?

Reads  outcomes (0/1) and probabilities, both of shape (n,).
Gives  a table of equal-mass bins, their mean error, and the gains curve of a ranked list.
Never  bins of equal width: they leave the crowded end of churn probabilities in one bin.
Source Naeini, Cooper, Hauskrecht, AAAI 2015 (ECE); Nixon et al., CVPR workshops 2019
       (equal-mass bins).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import check_count
from .probability_metrics import _check


def reliability_table(y: npt.ArrayLike, p: npt.ArrayLike, bins: int = 15) -> pd.DataFrame:
    """Predicted against observed share in bins of (nearly) equal size.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and probabilities of 1.
    bins : int, default=15
        Bins asked for (>= 1); equal probabilities are never split, so there may be fewer.

    Returns
    -------
    DataFrame
        ``predicted, observed, low, high`` (share; low and high: 95 % Wilson interval of the
        observed share), ``n``; ascending in ``predicted``.

    Notes
    -----
    A run of equal probabilities goes whole to the bin in which its middle lies.

    Examples
    --------
    >>> table = reliability_table([0, 1, 1, 1], [0.1, 0.3, 0.8, 0.8], bins=2)
    >>> table[["predicted", "observed", "n"]].round(3).to_numpy().tolist()
    [[0.2, 0.5, 2.0], [0.8, 1.0, 2.0]]
    """
    truth, chance = _check(y, p)
    check_count("bins", bins)
    values, inverse, counts = np.unique(chance, return_inverse=True, return_counts=True)
    if not values.size:
        columns = ["predicted", "observed", "low", "high", "n"]
        return pd.DataFrame({name: np.zeros(0) for name in columns}).astype({"n": "int64"})
    middle = np.cumsum(counts) - counts / 2
    of_value = np.minimum((middle * bins / truth.size).astype(np.int64), bins - 1)
    _, of_row = np.unique(of_value[inverse], return_inverse=True)
    n = np.bincount(of_row)
    observed = np.bincount(of_row, weights=truth) / n
    low, high = _wilson(observed, n)
    return pd.DataFrame(
        {
            "predicted": np.bincount(of_row, weights=chance) / n,
            "observed": observed,
            "low": low,
            "high": high,
            "n": n,
        }
    )


def expected_calibration_error(y: npt.ArrayLike, p: npt.ArrayLike, bins: int = 15) -> float:
    """Mean distance between predicted and observed share over equal-mass bins.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and probabilities of 1.
    bins : int, default=15
        See ``reliability_table``.

    Returns
    -------
    float
        In [0, 1], weighted by bin size; NaN without rows.

    Notes
    -----
    Noise alone gives about ``sqrt(bins * p (1 - p) / n)``: compare at equal n only.

    Examples
    --------
    >>> round(expected_calibration_error([0, 1, 1, 1], [0.1, 0.3, 0.8, 0.8], bins=2), 3)
    0.25
    """
    table = reliability_table(y, p, bins)
    if table.empty:
        return math.nan
    return float(np.average((table["predicted"] - table["observed"]).abs(), weights=table["n"]))


def gains_table(y: npt.ArrayLike, p: npt.ArrayLike, points: int = 100) -> pd.DataFrame:
    """Share of all 1s found when the most probable rows are worked off first.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and scores of 1 in [0, 1].
    points : int, default=100
        Steps of the curve (>= 1).

    Returns
    -------
    DataFrame of shape (points + 1, 2)
        ``contacted`` and ``found`` (shares, 0..1); NaN in ``found`` when there is no 1.

    Notes
    -----
    Within equal scores the curve is a straight line: their order is chance.

    Examples
    --------
    >>> gains_table([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1], points=4)["found"].tolist()
    [0.0, 0.5, 0.75, 1.0, 1.0]
    """
    truth, chance = _check(y, p)
    contacted = np.linspace(0.0, 1.0, check_count("points", points) + 1)
    if not truth.any():
        return pd.DataFrame({"contacted": contacted, "found": np.nan})
    _, inverse, counts = np.unique(-chance, return_inverse=True, return_counts=True)
    ones = np.bincount(inverse, weights=truth)
    at = np.concatenate(([0.0], np.cumsum(counts) / truth.size))
    found = np.concatenate(([0.0], np.cumsum(ones) / truth.sum()))
    return pd.DataFrame({"contacted": contacted, "found": np.interp(contacted, at, found)})


def _wilson(
    share: npt.NDArray[np.float64], n: npt.NDArray[np.int64], z: float = 1.959964
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    # centre = (share + z^2 / 2n) / (1 + z^2 / n); Wilson 1927. Never leaves 0..1.
    scale = 1.0 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z * np.sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n)) / scale
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)
