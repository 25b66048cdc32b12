"""Logistic regression kept as a few arrays, each row scored on its own.

Reads  a table of numbers (NaN = unknown) and yes/no labels.
Gives  log-odds: alone and in a batch the same, bit for bit.
Never  another row at prediction time: no matrix product, whose sums depend on the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]
FAR = 6.0  # standard deviations at which a feature is cut off, so that no outlier decides alone


class Linear(NamedTuple):
    """All of shape (k,), but for the intercept (1,)."""

    fill: Floats  # for NaN: the median
    centre: Floats
    scale: Floats
    coefficient: Floats
    intercept: Floats


def fit_linear(X: Floats, left: NDArray[np.bool_], *, C: float = 1.0) -> Linear:
    """L2-regularised logistic regression on standardised columns; both classes are needed.

    ``C`` is scikit-learn's: the smaller, the closer to the base rate.
    """
    known = np.where(np.isnan(X).all(axis=0), 0.0, X)
    fill = np.nanmedian(known, axis=0)
    full = np.where(np.isnan(X), fill, X)
    spread = full.std(axis=0)
    centre, scale = full.mean(axis=0), np.where(spread > 0, spread, 1.0)
    with threadpool_limits(1):
        fitted = LogisticRegression(C=C, solver="newton-cholesky", max_iter=200)
        fitted.fit(np.clip((full - centre) / scale, -FAR, FAR), left)
    return Linear(fill, centre, scale, fitted.coef_[0], fitted.intercept_)


def linear_log_odds(model: Linear, X: Floats) -> Floats:
    """Log-odds of each row, shape (n,)."""
    total = np.full(len(X), model.intercept[0])
    for j, coefficient in enumerate(model.coefficient):  # column by column: one order of addition
        column = np.where(np.isnan(X[:, j]), model.fill[j], X[:, j])
        total += coefficient * np.clip((column - model.centre[j]) / model.scale[j], -FAR, FAR)
    return total


def linear_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Linear:
    """Inverse of ``Linear._asdict``."""
    return Linear(*(np.asarray(arrays[name], dtype=np.float64) for name in Linear._fields))
