"""Numbers for dates: how far off, and does the stated interval hold what it promises?

Reads  days from the cutoff to the predicted and the real next purchase; NaN = never.
Gives  one float64 per row; the mean is the metric, so groups are means of subsets.
Never  leaves out those who did not return: all days are clipped into [0, horizon], and
       "never" is the horizon. Judged on returners alone, a model that never says "never" wins.
Source Winkler, JASA 67, 1972 (interval score).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._checks import check_numbers, check_positive
from ..exceptions import ParameterError

Floats = npt.NDArray[np.float64]


def clip_days(days: npt.ArrayLike, horizon_days: float) -> Floats:
    """Days into [0, horizon]; NaN (never) becomes the horizon.

    Parameters
    ----------
    days : array-like of shape (n,)
        Days from the cutoff; negative = due before it.
    horizon_days : float
        Length of the window that was looked at (> 0).

    Returns
    -------
    ndarray of shape (n,)
        No NaN.

    Examples
    --------
    >>> clip_days([-2.0, 5.0, 40.0, float("nan")], 28.0).tolist()
    [0.0, 5.0, 28.0, 28.0]
    """
    check_positive("horizon_days", horizon_days)
    values = check_numbers("days", days)
    return np.clip(np.where(np.isnan(values), horizon_days, values), 0.0, horizon_days)


def clipped_errors_days(
    predicted_days: npt.ArrayLike, actual_days: npt.ArrayLike, horizon_days: float
) -> Floats:
    """Absolute error of each date, in days, after clipping both at the horizon.

    Parameters
    ----------
    predicted_days, actual_days : array-like of shape (n,)
        Days from the cutoff; NaN = may never, or did not in the window.
    horizon_days : float
        Length of the window (> 0).

    Returns
    -------
    ndarray of shape (n,)
        In [0, horizon]; the mean is the clipped MAE.

    Examples
    --------
    >>> clipped_errors_days([10.0, 90.0, 5.0], [7.0, float("nan"), float("nan")], 28.0).tolist()
    [3.0, 0.0, 23.0]
    """
    predicted = clip_days(predicted_days, horizon_days)
    return np.abs(predicted - clip_days(actual_days, horizon_days))


def winkler_scores_days(
    low_days: npt.ArrayLike,
    high_days: npt.ArrayLike,
    actual_days: npt.ArrayLike,
    *,
    horizon_days: float,
    level: float = 0.8,
) -> Floats:
    """Width of each interval plus 2 / (1 - level) times the miss, in days; lower is better.

    Parameters
    ----------
    low_days, high_days : array-like of shape (n,)
        Ends of the central ``level`` interval, days from the cutoff; NaN = never.
    actual_days : array-like of shape (n,)
        Days to the real next purchase; NaN = none in the window.
    horizon_days : float
        Length of the window (> 0).
    level : float, default=0.8
        Probability that the interval states (0 < level < 1).

    Returns
    -------
    ndarray of shape (n,)
        >= 0; all three are clipped into [0, horizon] first.

    Examples
    --------
    Width 10, two days above the end, 2 / (1 - .8) = 10: 10 + 20.

    >>> winkler_scores_days([0.0], [10.0], [12.0], horizon_days=28.0).round(9).tolist()
    [30.0]
    """
    if not 0 < level < 1:
        raise ParameterError(f"level: {level} is outside (0, 1).")
    low, high, actual = _clip_all(low_days, high_days, actual_days, horizon_days)
    missed = np.maximum(low - actual, 0.0) + np.maximum(actual - high, 0.0)
    return (high - low) + 2.0 / (1.0 - level) * missed


def covered(
    low_days: npt.ArrayLike,
    high_days: npt.ArrayLike,
    actual_days: npt.ArrayLike,
    *,
    horizon_days: float,
) -> Floats:
    """1 where the real day lies in the interval, ends included, else 0.

    Parameters
    ----------
    low_days, high_days, actual_days : array-like of shape (n,)
        Days from the cutoff; NaN = never.
    horizon_days : float
        Length of the window (> 0).

    Returns
    -------
    ndarray of shape (n,)
        The mean is the coverage; compare it with the interval's stated level. After
        clipping, "after the horizon" can only be right or wrong as a whole, so a coverage
        above the level is no fault there.

    Examples
    --------
    >>> covered([2.0, 2.0], [9.0, 9.0], [9.0, float("nan")], horizon_days=28.0).tolist()
    [1.0, 0.0]
    """
    low, high, actual = _clip_all(low_days, high_days, actual_days, horizon_days)
    return ((low <= actual) & (actual <= high)).astype(np.float64)


def _clip_all(
    low: npt.ArrayLike, high: npt.ArrayLike, actual: npt.ArrayLike, horizon_days: float
) -> tuple[Floats, Floats, Floats]:
    clipped = [clip_days(days, horizon_days) for days in (low, high, actual)]
    if (clipped[0] > clipped[1]).any():
        n_bad = int((clipped[0] > clipped[1]).sum())
        raise ParameterError(f"interval: {n_bad} of {clipped[0].size} begin after they end.")
    return clipped[0], clipped[1], clipped[2]
