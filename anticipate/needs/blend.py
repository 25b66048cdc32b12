"""From what is known of a candidate to the probability that it is bought.

Reads  named columns of candidates, and labels of closed windows.
Gives  ``Blend``: log-odds by a closed-form rate, a logistic regression, boosted trees, or the
       mean of the last two.
Never  another row: each candidate's log-odds are the same alone and in any batch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ..kernels.needs import linear_log_odds
from ..kernels.trees import check_trees, flatten_hist_gradient_boosting, predict_trees
from .intact import of_length, require

Array = NDArray[Any]
RATE, LINEAR, TREES, BOTH = "rate", "linear", "trees", "linear and trees"


class Blend(NamedTuple):
    """Log-odds of k named columns."""

    kind: str
    names: tuple[str, ...]
    arrays: dict[str, Array]
    offset: float  # added to every row: the level of the newest window

    def log_odds(self, table: Array) -> Array:
        """table (r, k) -> (r,)."""
        if self.kind == RATE:
            return table[:, 0] + self.offset
        total = np.zeros(len(table))
        if self.kind != TREES:
            weights, intercept = self.arrays["weights"], float(self.arrays["intercept"][0])
            total = total + linear_log_odds(table, weights, intercept)
        if self.kind != LINEAR:
            total = total + predict_trees(self.arrays, table)
        return (total / 2 if self.kind == BOTH else total) + self.offset

    def with_offset(self, offset: float) -> Self:
        return self._replace(offset=offset)

    def to_arrays(self) -> dict[str, Array]:
        head = json.dumps([self.kind, self.names]).encode()
        settings = {"head": np.frombuffer(head, dtype=np.uint8), "offset": np.array([self.offset])}
        return settings | self.arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        rest = dict(arrays)
        kind, names = json.loads(rest.pop("head").tobytes())
        offset = float(rest.pop("offset")[0])
        require(kind in (RATE, LINEAR, TREES, BOTH), f"{kind!r} is no kind of blend")
        if kind in (TREES, BOTH):
            check_trees(rest, len(names))
        if kind in (LINEAR, BOTH):
            of_length(rest, "weights", len(names))
            of_length(rest, "intercept", 1)
        return cls(kind, tuple(names), rest, offset)


def fit_blend(
    kind: str, names: tuple[str, ...], table: Array, bought: Array, seed: np.random.RandomState
) -> Blend:
    """Fit one kind; for ``"rate"`` the first column already is the log-odds."""
    if kind == RATE:
        return Blend(RATE, names[:1], {}, 0.0)
    arrays: dict[str, Array] = {}
    with threadpool_limits(1):
        if kind != TREES:
            arrays |= _fit_linear(table, bought)
        if kind != LINEAR:
            arrays |= _fit_trees(table, bought, seed)
    return Blend(kind, names, arrays, 0.0)


def both(linear: Blend, trees: Blend) -> Blend:
    """The mean of two fitted blends' log-odds, before any offset."""
    return Blend(BOTH, linear.names, linear.arrays | trees.arrays, 0.0)


def _fit_linear(table: Array, bought: Array) -> dict[str, Array]:
    scaler = StandardScaler().fit(table)
    line = LogisticRegression(C=1.0, solver="newton-cholesky").fit(scaler.transform(table), bought)
    # Folded back to the raw columns, so that scoring needs no scaler.
    weights = line.coef_[0] / scaler.scale_
    return {
        "weights": weights,
        "intercept": line.intercept_ - np.array([(weights * scaler.mean_).sum()]),
    }


def _fit_trees(table: Array, bought: Array, seed: np.random.RandomState) -> dict[str, Array]:
    model = HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.05, max_leaf_nodes=12, min_samples_leaf=100,
        max_features=0.5, l2_regularization=1.0, early_stopping=False,
        random_state=seed.randint(2**31 - 1),
    )  # fmt: skip
    return flatten_hist_gradient_boosting(model.fit(table, bought))


def fit_shifts(
    flags: Array, log_odds: Array, bought: Array, prior: Array, sd: float | Array
) -> Array:
    """What each flag (r, k) adds to given log-odds: the mode of the posterior (k,).

    Logistic regression with a fixed offset and independent normal priors (mean ``prior``,
    ``sd``), by Newton's method; the log-posterior is concave, so the mode is the only one.
    """
    given, outcome = flags.astype(np.float64), bought.astype(np.float64)
    shift = prior.astype(np.float64)
    with threadpool_limits(1):
        for _ in range(30):
            p = expit(log_odds + given @ shift)
            slope = given.T @ (outcome - p) - (shift - prior) / sd**2
            curve = (given * (p * (1 - p))[:, None]).T @ given + np.eye(len(prior)) / sd**2
            step = np.clip(np.linalg.solve(curve, slope), -1.0, 1.0)
            shift = shift + step
            if np.abs(step).max(initial=0.0) < 1e-10:
                break
    return shift
