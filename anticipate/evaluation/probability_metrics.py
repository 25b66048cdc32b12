"""Numbers for probabilities of a yes/no outcome: are they right, and do they rank?

Reads  outcomes (0/1 or bool) and probabilities, both of shape (n,).
Gives  one float, or NaN where the data cannot answer (one class only, no row).
Never  a threshold, and never the order of rows: ties at a cut count by their expected share.
Source Brier 1950; Murphy 1973 (skill); Cox 1958 (calibration line); scikit-learn where it has
       the metric.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from .._checks import check_count, check_numbers
from ..exceptions import ParameterError

Floats = npt.NDArray[np.float64]
_CLIP = float(np.finfo(np.float64).eps)  # log(0) is no number; the clip scikit-learn uses


def log_losses(y: npt.ArrayLike, p: npt.ArrayLike) -> Floats:
    """Log-loss of each row, in nats; the mean is the metric, so groups are means of subsets.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and probabilities of 1.

    Returns
    -------
    ndarray of shape (n,)
        ``-ln p`` where y is 1, else ``-ln(1 - p)``; p is clipped by 2.2e-16.

    Raises
    ------
    ParameterError
        If the shapes differ, y is not 0/1, or p is outside [0, 1] or missing.

    Examples
    --------
    >>> log_losses([1, 0], [0.5, 0.75]).round(4).tolist()
    [0.6931, 1.3863]
    """
    truth, chance = _check(y, p)
    said = np.where(truth, chance, 1.0 - chance)
    return -np.log(np.clip(said, _CLIP, 1.0))


def log_loss(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Mean log-loss in nats; lower is better.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and probabilities of 1.

    Returns
    -------
    float
        NaN without rows.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)
    0.6931
    """
    return _mean(log_losses(y, p))


def brier(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Mean squared error of the probabilities; lower is better.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and probabilities of 1.

    Returns
    -------
    float
        In [0, 1]; NaN without rows.

    Examples
    --------
    >>> brier([1, 0], [0.5, 0.75])
    0.40625
    """
    truth, chance = _check(y, p)
    return float(brier_score_loss(truth, chance, pos_label=True)) if truth.size else math.nan


def brier_skill(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Share of the base rate's Brier score that the probabilities remove.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and probabilities of 1.

    Returns
    -------
    float
        1 is perfect, 0 is no better than the base rate of these rows; NaN with one class.

    Examples
    --------
    >>> brier_skill([1, 0], [0.75, 0.25])
    0.75
    """
    truth, chance = _check(y, p)
    rate = _mean(truth)
    return 1.0 - brier(truth, chance) / (rate * (1.0 - rate)) if 0 < rate < 1 else math.nan


def auc(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Chance that a random 1 is ranked above a random 0; .5 is a coin.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and probabilities of 1.

    Returns
    -------
    float
        NaN with one class.

    Examples
    --------
    >>> auc([1, 0, 0], [0.5, 0.25, 0.75])
    0.5
    """
    truth, chance = _check(y, p)
    return float(roc_auc_score(truth, chance)) if 0 < truth.sum() < truth.size else math.nan


def precision_at_n(y: npt.ArrayLike, p: npt.ArrayLike, n: int = 500) -> float:
    """Share of 1 among the n most probable rows.

    Parameters
    ----------
    y, p : array-like of shape (n_rows,)
        Outcomes (0/1) and probabilities of 1.
    n : int, default=500
        Length of the list; all rows when there are fewer.

    Returns
    -------
    float
        Rows tied at the cut count by their expected share, so row order is irrelevant.

    Examples
    --------
    >>> precision_at_n([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1], n=2)
    0.75
    """
    truth, chance = _check(y, p)
    size = min(check_count("n", n), truth.size)
    if not size:
        return math.nan
    cut = np.partition(chance, truth.size - size)[truth.size - size]
    above, tied = chance > cut, chance == cut
    return float((truth[above].sum() + truth[tied].mean() * (size - above.sum())) / size)


def lift_at_top(y: npt.ArrayLike, p: npt.ArrayLike, share: float = 0.1) -> float:
    """How many times more 1s the top share of rows holds than an average one.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and probabilities of 1.
    share : float, default=0.1
        The top decile; rounded up to whole rows (0 < share <= 1).

    Returns
    -------
    float
        1 is chance; NaN when there is no 1.

    Examples
    --------
    >>> lift_at_top([1, 0, 0, 1], [0.9, 0.2, 0.3, 0.4], share=0.25)
    2.0
    """
    truth, chance = _check(y, p)
    if not 0 < share <= 1:
        raise ParameterError(f"share: {share} is outside (0, 1].")
    rate = _mean(truth)
    if not rate > 0:
        return math.nan
    return precision_at_n(truth, chance, n=max(math.ceil(share * truth.size - 1e-9), 1)) / rate


def calibration_line(y: npt.ArrayLike, p: npt.ArrayLike) -> tuple[float, float]:
    """Slope and intercept of the outcomes on the log-odds of p; (1, 0) is perfect.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Outcomes (0/1) and probabilities of 1.

    Returns
    -------
    tuple of float
        Unpenalised logistic regression. A slope below 1 means too extreme probabilities.
        ``(nan, nan)`` where no finite line exists: one class, constant p, or p that
        separates the classes.

    Examples
    --------
    Half of those at 20 % and half of those at 80 % come true: p says nothing.

    >>> slope, intercept = calibration_line([0, 1, 0, 1], [0.2, 0.2, 0.8, 0.8])
    >>> abs(round(slope, 6)), abs(round(intercept, 6))
    (0.0, 0.0)
    """
    truth, chance = _check(y, p)
    if not _lets_a_line_be_drawn(truth, chance):
        return math.nan, math.nan
    clipped = np.clip(chance, 1e-9, 1.0 - 1e-9)
    odds = (np.log(clipped) - np.log1p(-clipped)).reshape(-1, 1)
    line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8).fit(odds, truth)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def _lets_a_line_be_drawn(truth: npt.NDArray[np.bool_], chance: Floats) -> bool:
    """Both classes, and their probabilities overlap: else the slope runs to infinity."""
    if not 0 < truth.sum() < truth.size:
        return False
    ones, zeros = chance[truth], chance[~truth]
    return bool(ones.min() < zeros.max() and zeros.min() < ones.max())


def _check(y: npt.ArrayLike, p: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], Floats]:
    truth, chance = np.asarray(y), check_numbers("probabilities", p)
    if truth.shape != chance.shape or truth.ndim != 1:
        raise ParameterError(f"shapes: outcomes {truth.shape}, probabilities {chance.shape}.")
    if not np.isin(truth, (0, 1)).all():
        raise ParameterError("outcomes: 0/1 or False/True are needed; other values were found.")
    if not ((chance >= 0) & (chance <= 1)).all():
        n_bad = int((~((chance >= 0) & (chance <= 1))).sum())
        raise ParameterError(f"{n_bad} of {chance.size} probabilities are missing or not in 0..1.")
    return truth.astype(np.bool_), chance


def _mean(values: npt.NDArray[np.float64] | npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else math.nan
