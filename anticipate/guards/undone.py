"""What came back tells which repeats were mistakes: how many, and what corrects the model.

Reads  log-odds and columns of real repeats, whether each was undone.
Gives  a correction of the model, one slope per column, and a rate by group of items.
Never  a correction without evidence: each is shrunk to none, and there is none at all unless
       most of what came back did so as a mistake. Else the causes of other returns would pass
       for causes of mistakes.

A mistake is undone with probability u, a wish with its item's own b. So with p the chance of a
mistake, P(undone) = p u + (1 - p) b: a logistic regression seen through noisy labels, fitted by
its likelihood with normal priors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from ..kernels.repeats import RepeatModel
from ..kernels.rules import UNDONE_SHARE
from .bounds import lower_bound

Array = NDArray[Any]
Floats = NDArray[np.float64]
SLOPE_SD, GROUP_SD, RATE_SD = 0.5, 0.7, 2.0  # of log-odds: per sd of a column, group, whole


class Judged(NamedTuple):
    """Of each real repeat, (r,)."""

    undone: Array  # bool
    usual: Floats  # b: how often such a line comes back if it was wanted
    group: Array  # int: of its item


class Correction(NamedTuple):
    """What is added to log-odds."""

    slopes: Floats  # (k,) per unit of each column
    centre: Floats  # (k,)
    log_rate: float
    by_group: Floats  # (n_groups,), beside ``log_rate``


def correct(
    log_odds: Floats, X: Floats, judged: Judged, *, n_groups: int, log_rate: float
) -> Correction:
    """The most probable correction; ``log_rate`` is where the rate starts from.

    Parameters
    ----------
    log_odds : array of shape (r,)
    X : array of shape (k, r)
    judged : Judged
    n_groups : int
    log_rate : float
    """
    centre, scale = X.mean(axis=1), X.std(axis=1)
    Z = (X - centre[:, None]) / np.where(scale > 1e-9, scale, np.inf)[:, None]
    Z = Z if _mostly_mistakes(judged) else Z * 0.0
    k = len(Z)
    spread = np.concatenate([np.full(k, SLOPE_SD), [RATE_SD], np.full(n_groups, GROUP_SD)])
    mistake = np.where(judged.undone, UNDONE_SHARE, 1.0 - UNDONE_SHARE)
    wish = np.where(judged.undone, judged.usual, 1.0 - judged.usual)

    def loss(theta: Floats) -> tuple[float, Floats]:
        p = expit(log_odds + log_rate + theta[:k] @ Z + theta[k] + theta[k + 1 :][judged.group])
        seen = p * mistake + (1.0 - p) * wish
        slope = p * (1.0 - p) * (mistake - wish) / seen
        by_group = np.bincount(judged.group, slope, minlength=n_groups)
        gradient = np.concatenate([Z @ slope, [slope.sum()], by_group])
        penalty = theta / spread**2
        return float(0.5 * (theta @ penalty) - np.log(seen).sum()), penalty - gradient

    theta = minimize(loss, np.zeros(len(spread)), jac=True, method="L-BFGS-B").x
    slopes = theta[:k] / np.where(scale > 1e-9, scale, np.inf)
    return Correction(slopes, centre, log_rate + float(theta[k]), theta[k + 1 :])


def _mostly_mistakes(judged: Judged) -> bool:
    """Whether surely twice as many lines were undone as if all were wanted."""
    n, low = len(judged.undone), lower_bound(int(judged.undone.sum()), len(judged.undone))
    return n > 0 and low > 2.0 * float(judged.usual.mean())


def corrected(model: RepeatModel, correction: Correction) -> RepeatModel:
    """The model with the slopes in its broken lines; the rate stays apart."""
    inside = model.knots - correction.centre[:, None]
    return model._replace(values=model.values + correction.slopes[:, None] * inside)
