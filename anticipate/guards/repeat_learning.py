"""Learning when a repeat is a wish: broken lines that tell real repeats from draws.

Reads  examples of real repeats and of draws.
Gives  a ``RepeatModel``: log-odds of draw over real line.
Never  how strongly to shrink by the lines the model is fitted on: the newest window decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ..kernels.repeats import COLUMNS, RepeatModel, repeat_log_odds
from .contrast import DRAWS, Examples

Array = NDArray[Any]
Floats = NDArray[np.float64]
KNOTS = 8
SHRINKS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # scikit-learn's C; few examples want a small one
FEWEST, FEWEST_NEWEST = 100, 20  # of real repeats and of draws: in all, and in the newest window
ENOUGH = 20_000  # examples to choose a shrinkage by
LAW, LAW_SCALE = COLUMNS.index("law_rate"), 10.0  # so scaled, its slope is hardly shrunk


def is_enough(found: Examples) -> bool:
    """Whether there is enough to learn a model from."""
    return _fewest(found, np.ones(len(found.row), dtype=bool)) >= FEWEST


def learn_repeats(found: Examples, undone: Array) -> RepeatModel:
    """A model of real lines that were not undone (bool (e,)) and of draws."""
    kept = found.take(found.is_draw | ~undone)
    weight = np.where(kept.is_draw, 1.0 / DRAWS, 1.0)
    return fit_model(kept.X, kept.is_draw, weight, _choose_shrink(kept, weight))


def fit_model(X: Floats, is_draw: Array, weight: Floats, shrink: float) -> RepeatModel:
    """Logistic regression on hat functions: ``X`` is (k, e), ``weight`` (e,).

    Odds are of draws over real lines, as many as there are: of one mistake per draw.
    """
    knots = np.stack([_knots(column) for column in X])
    hats = np.hstack([_hats(column, at) for column, at in zip(X, knots, strict=True)])
    table = np.column_stack([hats, LAW_SCALE * X[LAW]])
    with threadpool_limits(1):
        fitted = LogisticRegression(C=shrink, solver="newton-cholesky", max_iter=200).fit(
            table, is_draw, sample_weight=weight
        )
    values = fitted.coef_[0, :-1].reshape(len(X), KNOTS)
    beyond = knots > X.max(axis=1, keepdims=True)  # no example lies there: constant from the last
    last = (~beyond).sum(axis=1, keepdims=True) - 1
    values = np.where(beyond, np.take_along_axis(values, last, axis=1), values)
    values[LAW] += LAW_SCALE * fitted.coef_[0, -1] * np.minimum(knots[LAW], X[LAW].max())
    return RepeatModel(knots, values, fitted.intercept_)


def _choose_shrink(found: Examples, weight: Floats) -> float:
    """By the log-loss on the newest window of what the earlier ones taught."""
    part = np.arange(0, len(weight), max(len(weight) // ENOUGH, 1))  # so many settle it
    found, weight = found.take(part), weight[part]
    newest = found.window == found.window.max()
    if min(_fewest(found, newest), _fewest(found, ~newest)) < FEWEST_NEWEST:
        return SHRINKS[0]

    def loss(shrink: float) -> float:
        old = ~newest
        model = fit_model(found.X[:, old], found.is_draw[old], weight[old], shrink)
        sign = np.where(found.is_draw[newest], -1.0, 1.0)
        each = np.logaddexp(0.0, sign * repeat_log_odds(model, found.X[:, newest]))
        return float((weight[newest] * each).sum())

    return min(SHRINKS, key=loss)


def _fewest(found: Examples, mask: Array) -> int:
    return min(int((found.is_draw & mask).sum()), int((~found.is_draw & mask).sum()))


def _knots(column: Floats) -> Floats:
    """Distinct quantiles; the last is repeated a little further on where there are fewer."""
    found = np.unique(np.quantile(column, np.linspace(0.0, 1.0, KNOTS)))
    return np.concatenate([found, found[-1] + np.arange(1.0, KNOTS - len(found) + 1.0)])


def _hats(column: Floats, knots: Floats) -> Floats:
    """(e, p): each knot's share in every value."""
    inside = np.clip(column, knots[0], knots[-1])
    return np.stack([np.interp(inside, knots, one) for one in np.eye(len(knots))], axis=1)
