"""Uplift where the effect varies less than the outcome: one model of both arms.

Reads  a table of n customers, a yes-or-no outcome, and who was treated at random.
Gives  ``SharedLearner``, whose ``predict_uplift`` is P(y = 1 | treated) − P(y = 1 | not treated).
Never  another customer's row at prediction: columns are added one by one, in one order.
Source Imai & Ratkovic, Estimating treatment effect heterogeneity in randomized program
       evaluation, Ann. Appl. Stat. 7, 2013 (a penalty of its own for what differs between arms);
       MacKay, The evidence framework applied to classification networks, Neural Computation 4,
       1992 (the penalty by its evidence).
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from .._checks import check_positive
from .uplift_columns import mixed_encoder, remember_columns, same_columns
from .uplift_input import experiment_of

Array = NDArray[Any]
PENALTIES = (10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4)  # the last: hardly any difference
# So many times likelier than hardly any must a difference be. Taking the likeliest penalty as it
# is ranked worse on validation splits of an e-mail test: what differs in one half of an experiment
# is often not there in the other.
BELIEVED = 1000.0


class SharedLearner(BaseEstimator):  # type: ignore[misc]
    """One logistic model of both arms, whose differences between the arms are held small.

    logit P(y = 1) = a + x·b + (t − ½)·(c + x·d), x the scaled columns; ridge penalties ``penalty``
    on b and c, ``difference_penalty`` on d. Both arms tell what x means for the outcome, and only
    what clearly differs between them becomes an uplift of its own: at a large penalty the effect
    is one shift in log-odds, at a small one it is two models.

    Parameters
    ----------
    penalty : float > 0, default=1
        In squared coefficients of scaled columns (1/C in scikit-learn).
    difference_penalty : float > 0, optional
        None: the one of ``PENALTIES`` with the highest evidence, that is the chance of the
        outcomes with the coefficients integrated out (Laplace's approximation), if that is
        ``BELIEVED`` times the evidence of the last; else the last, hardly any difference.

    Attributes
    ----------
    encoder_ : fitted transformer to x; words become kinds, gaps are filled and marked
    common_, differing_ : float64 (k,), b and d
    intercept_, effect_ : float, a and c
    difference_penalty_ : float, the one used

    Notes
    -----
    O(n k²) per penalty. Alone and in a batch a customer's score is the same bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, treatment = rng.random((4000, 1)), rng.integers(0, 2, 4000)
    >>> y = rng.random(4000) < 0.2 + 0.4 * X[:, 0] * treatment
    >>> low, high = SharedLearner().fit(X, y, treatment).predict_uplift([[0.1], [0.9]])
    >>> bool(high > low + 0.2)
    True
    """

    def __init__(self, *, penalty: float = 1.0, difference_penalty: float | None = None) -> None:
        self.penalty = penalty
        self.difference_penalty = difference_penalty

    def fit(self, X: Any, y: Any, treatment: Any) -> Self:
        """Learn from an experiment; parameters and errors are those of ``TLearner.fit``."""
        penalty, given = check_positive("penalty", self.penalty), self.difference_penalty
        tried = PENALTIES if given is None else (check_positive("difference_penalty", given),)
        table, outcome, treated = experiment_of(X, y, treatment)
        remember_columns(self, table)
        with threadpool_limits(1):
            self.encoder_ = mixed_encoder().fit(table)
            x, side = self.encoder_.transform(table), treated[:, None] - 0.5
            fits = [_fit(x, side, outcome, penalty, other) for other in tried]
        best = max(range(len(fits)), key=lambda i: fits[i].evidence)
        if fits[best].evidence - fits[-1].evidence < np.log(BELIEVED):
            best = len(fits) - 1
        self.difference_penalty_ = tried[best]
        self.intercept_, self.effect_, self.common_, self.differing_, _ = fits[best]
        return self

    def predict_uplift(self, X: Any) -> Array:
        """Gain in P(y = 1) by the treatment, in [−1, 1], float64 (n,)."""
        table = same_columns(self, X)
        if not len(table):  # scikit-learn refuses a table of no rows
            return np.zeros(0)
        x = self.encoder_.transform(table)
        middle = _row_by_row(x, self.common_, self.intercept_)
        effect = _row_by_row(x, self.differing_, self.effect_)
        return np.asarray(expit(middle + effect / 2) - expit(middle - effect / 2))


class _Fit(NamedTuple):
    intercept: float
    effect: float
    common: Array  # (k,)
    differing: Array  # (k,)
    evidence: float  # natural log, up to what all penalties share


def _fit(x: Array, side: Array, y: Array, penalty: float, other: float) -> _Fit:
    # One penalty for all columns, with those of d scaled by √(penalty / other), is the same model.
    scale, k = np.sqrt(penalty / other), x.shape[1]
    columns = np.hstack([x, scale * side * x, side])
    model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", max_iter=200)
    w = model.fit(columns, y).coef_[0]
    evidence = _evidence(columns, y, model.decision_function(columns), w, penalty)
    return _Fit(float(model.intercept_[0]), float(w[-1]), w[:k], scale * w[k:-1], evidence)


def _evidence(columns: Array, y: Array, log_odds: Array, w: Array, penalty: float) -> float:
    # ln P(y) ≈ Σ ln p(y) − λ|w|²/2 − ½ ln det(X'WX + λI) + const: MacKay 1992, eq. 4.1.
    #   W = p(1 − p); the intercept is a column of ones without a penalty. The prior's own
    #   determinant is the same for all: the differences' penalty sits in the columns' scale.
    p = expit(log_odds)
    full = np.hstack([columns, np.ones((len(columns), 1))])
    curvature = (full * (p * (1 - p))[:, None]).T @ full
    curvature[np.arange(len(w)), np.arange(len(w))] += penalty
    fit = -np.logaddexp(0, np.where(y == 1, -log_odds, log_odds)).sum()
    return float(fit - penalty * (w @ w) / 2 - np.linalg.slogdet(curvature)[1] / 2)


def _row_by_row(x: Array, coefficients: Array, start: float) -> Array:
    """start + x·coefficients (n,), column by column: a matrix product's sums vary with n."""
    total = np.full(len(x), start)
    for j, coefficient in enumerate(coefficients):
        total += coefficient * x[:, j]
    return total


__all__ = ["BELIEVED", "PENALTIES", "SharedLearner"]
