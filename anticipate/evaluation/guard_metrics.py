"""Numbers for warnings: what is caught, and what does it cost those who did nothing wrong?

Reads  per cart line: was it a mistake (injected), was there a warning, how probable was it.
Gives  shares and counts per 1,000 legitimate lines.
Never  a precision without its prevalence: half injected lines would flatter any guard.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._checks import check_numbers, check_positive
from ..exceptions import ParameterError

Floats = npt.NDArray[np.float64]


def catch_share(mistake: npt.ArrayLike, warned: npt.ArrayLike) -> float:
    """Share of the mistakes that got a warning.

    Parameters
    ----------
    mistake, warned : array-like of bool, shape (n_lines,)
        Line is a mistake; line got a warning.

    Returns
    -------
    float
        NaN without a mistake.

    Examples
    --------
    >>> catch_share([True, True, False], [True, False, True])
    0.5
    """
    return _mean(np.asarray(warned, dtype=bool)[np.asarray(mistake, dtype=bool)])


def warnings_per_1000(mistake: npt.ArrayLike, warned: npt.ArrayLike) -> float:
    """False alarms per 1,000 legitimate lines.

    Parameters
    ----------
    mistake, warned : array-like of bool, shape (n_lines,)
        Line is a mistake; line got a warning.

    Returns
    -------
    float
        NaN without a legitimate line.

    Examples
    --------
    >>> warnings_per_1000([True, False, False, False, False], [True, True, False, False, False])
    250.0
    """
    return 1000.0 * _mean(np.asarray(warned, dtype=bool)[~np.asarray(mistake, dtype=bool)])


def precision_at_prevalence(
    mistake: npt.ArrayLike, warned: npt.ArrayLike, *, per_1000: float
) -> float:
    """Share of warnings that are right when mistakes are as rare as stated.

    Parameters
    ----------
    mistake, warned : array-like of bool, shape (n_lines,)
        Line is a mistake; line got a warning.
    per_1000 : float
        Mistakes per 1,000 legitimate lines in real life (> 0).

    Returns
    -------
    float
        ``q c / (q c + f)`` with q mistakes and f false alarms per 1,000 legitimate lines and
        c the share caught; NaN when nothing was warned, or either kind of line is missing.

    Examples
    --------
    All caught, 1 false alarm per 1,000, 1 mistake per 1,000: every second warning is right.

    >>> import numpy as np
    >>> mistake = np.arange(1010) < 10
    >>> precision_at_prevalence(mistake, np.arange(1010) < 11, per_1000=1.0)
    0.5
    """
    right = check_positive("per_1000", per_1000) * catch_share(mistake, warned)
    total = right + warnings_per_1000(mistake, warned)
    return right / total if total > 0 else math.nan


def catch_share_at(
    mistake: npt.ArrayLike, probability: npt.ArrayLike, *, false_per_1000: float
) -> float:
    """Share caught when warning as often as allowed, most probable first.

    Parameters
    ----------
    mistake : array-like of bool, shape (n_lines,)
        Line is a mistake.
    probability : array-like of shape (n_lines,)
        Any score that is higher for a more probable mistake; NaN = never warn.
    false_per_1000 : float
        Warnings allowed per 1,000 legitimate lines (>= 0).

    Returns
    -------
    float
        Lines of equal score are warned about together or not at all, so the allowance is
        never overdrawn; NaN without a mistake or without a legitimate line.

    Examples
    --------
    >>> catch_share_at([True, True, False, False], [0.9, 0.4, 0.5, 0.1], false_per_1000=0.0)
    0.5
    """
    wrong = np.asarray(mistake, dtype=bool)
    limit = score_limit(wrong, probability, false_per_1000=false_per_1000)
    if math.isnan(limit):
        return math.nan
    return _mean(check_numbers("probability", probability)[wrong] > limit)


def score_limit(
    mistake: npt.ArrayLike, probability: npt.ArrayLike, *, false_per_1000: float
) -> float:
    """The score that a line must exceed so that no more than the allowed warnings are false.

    Parameters
    ----------
    mistake : array-like of bool, shape (n_lines,)
        Line is a mistake.
    probability : array-like of shape (n_lines,)
        Score of each line; NaN = never warn.
    false_per_1000 : float
        Warnings allowed per 1,000 legitimate lines (>= 0).

    Returns
    -------
    float
        Warn where ``probability > limit``; ``-inf`` when every line may be warned about, NaN
        without a legitimate line.

    Examples
    --------
    >>> score_limit([True, False, False], [0.9, 0.5, 0.1], false_per_1000=500)
    0.1
    """
    if not false_per_1000 >= 0:
        raise ParameterError(f"false_per_1000: {false_per_1000} is below 0.")
    score = check_numbers("probability", probability)[~np.asarray(mistake, dtype=bool)]
    if not score.size:
        return math.nan
    highest = np.sort(np.where(np.isnan(score), -np.inf, score))[::-1]
    allowed = math.floor(false_per_1000 * score.size / 1000.0 + 1e-9)
    # The first legitimate line beyond the allowance: warning at its score would take it along.
    return float(highest[allowed]) if allowed < score.size else -math.inf


def _mean(values: npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else math.nan
