"""Odds ratios of yes/no columns, adjusted for each other and for more, with intervals.

Reads  arrays of n rows, several of which may belong to one customer.
Gives  log odds ratios and standard errors that allow for rows of one customer being alike.
Never  a number for a column that the others determine, or that settles the answer alone.
Source Liang and Zeger, Biometrika 73 (1986) 13-22: the sandwich with independent working model.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ...kernels.segments import run_starts

Array = NDArray[Any]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
PENALTY = 1e-6  # on half the squared coefficients: keeps the fit unique, moves no digit shown
CONSTANT = 1e-9  # a column whose values differ by less, relative to the largest, does not vary
OWN_SHARE = 1e-4  # of a column's variance that the others leave unexplained, at least
SETTLED = 0.05  # where no row is further off, the columns tell every answer: no odds are left
FAR = 10.0  # a log odds ratio or standard error this large says that the fit ran away


class Odds(NamedTuple):
    """All of shape (k,); NaN where the column cannot be told apart from the others."""

    log_ratio: Floats
    standard_error: Floats


def adjusted_odds(touched: Bools, alike: Floats, left: Bools, person: Array) -> Odds:
    """Logistic regression of ``left`` on both tables, errors clustered by person.

    Parameters
    ----------
    touched : bool array of shape (n, k)
        Each column has both values, and both answers occur.
    alike : float array of shape (n, p)
        Adjusted for and not reported; constant columns are left out.
    left : bool array of shape (n,)
    person : int array of shape (n,)
        Rows of one person count as one observation of the errors.

    Notes
    -----
    O(n (k + p)^2). One BLAS thread, so that the same rows give the same bits.
    """
    k = touched.shape[1]
    X = np.column_stack([touched, _standardised(alike)])
    with threadpool_limits(1):
        beta, intercept = _fit(X, left)
        full = np.column_stack([X, np.ones(len(X))])
        p = expit(X @ beta + intercept)
        covariance = _sandwich(full, left, p, person)
        own = _own_share(X)[:k]
    error = np.sqrt(np.diag(covariance)[:k])
    settled = np.abs(left - p).max() < SETTLED
    clear = (own > OWN_SHARE) & (np.abs(beta[:k]) < FAR) & (error < FAR) & ~settled
    return Odds(np.where(clear, beta[:k], np.nan), np.where(clear, error, np.nan))


def _standardised(alike: Floats) -> Floats:
    """Mean 0 and spread 1; constant columns are gone, up to rounding."""
    varies = np.ptp(alike, axis=0) > CONSTANT * np.abs(alike).max(axis=0)
    some = alike[:, varies]
    return np.asarray((some - some.mean(axis=0)) / some.std(axis=0))


def _fit(X: Floats, left: Bools) -> tuple[Floats, float]:
    if not X.shape[1]:
        return np.empty(0), 0.0
    model = LogisticRegression(C=1 / PENALTY, solver="newton-cholesky", max_iter=200, tol=1e-8)
    model.fit(X, left)
    return model.coef_[0], float(model.intercept_[0])


def _sandwich(X: Floats, left: Bools, p: Floats, person: Array) -> Floats:
    # V = c A^-1 (sum over persons of s s') A^-1, with A = X' diag(p (1 - p)) X and s the sum of a
    # person's x (y - p). c = G / (G - 1) * (n - 1) / (n - q): few persons (G) or rows (n) per
    # column (q) make s too small. Sums of persons over rows sorted by person.
    order = np.argsort(person, kind="stable")
    scores = (X * (left - p)[:, None])[order]
    sums = np.add.reduceat(scores, run_starts(person[order]), axis=0)
    penalty = PENALTY * np.eye(X.shape[1])
    bread = np.linalg.inv((X * (p * (1 - p))[:, None]).T @ X + penalty)
    n, q, n_persons = len(X), X.shape[1], len(sums)
    c = n_persons / max(n_persons - 1, 1) * (n - 1) / max(n - q, 1)
    half = sums @ bread
    return np.asarray(c * half.T @ half)


def _own_share(X: Floats) -> Floats:
    """Share of each column's variance that no mix of the other columns explains."""
    centred = X - X.mean(axis=0)
    gram = centred.T @ centred
    left = np.empty(len(gram))
    for j in range(len(gram)):  # a few dozen columns
        others = np.delete(np.arange(len(gram)), j)
        mix = np.linalg.lstsq(gram[np.ix_(others, others)], gram[others, j], rcond=1e-10)[0]
        left[j] = 1 - gram[others, j] @ mix / gram[j, j]
    return left
