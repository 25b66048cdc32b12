"""Which sources help: those without which the newest slice is predicted worse.

Reads  labelled samples with the columns of every source.
Gives  the sources to keep, and what leaving each one out costs.
Never  a refit per question: weights without some columns follow from the curvature of one fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ..evaluation.probability_metrics import log_loss
from .candidates import names_of
from .samples import Sample, Samples

Array = NDArray[Any]
LEAST = 20  # bought rows on either side, to ask at all
CHECK_ROWS = 60_000
HELP = 3e-4  # relative gain of log-loss that keeps a source


class Fit(NamedTuple):
    """A regression on standardised columns, and the newest rows to judge it on."""

    weights: Array  # (k + 1,), the intercept last
    inverse: Array  # (k + 1, k + 1): of the curvature
    table: Array  # (r, k + 1), standardised
    bought: Array  # bool (r,)
    names: tuple[str, ...]

    def loss_without(self, sources: Sequence[str]) -> float:
        """Summed log-loss of the newest rows, the other weights as if fitted without them.

        w' = w - P_S (P_SS)^-1 w_S, P the inverse curvature: exact for a quadratic.
        """
        weights = self.weights
        out = [self.names.index(name) for name in sources]
        if out:
            block = self.inverse[np.ix_(out, out)]
            weights = weights - self.inverse[:, out] @ np.linalg.solve(block, weights[out])
        return log_loss(self.bought, expit(self.table @ weights)) * len(self.bought)


def helpful_sources(
    sources: Sequence[str], older: Samples, newest: Samples
) -> tuple[list[str], dict[str, float]]:
    """Leaves out one source after the other while nothing is lost.

    Returns the sources kept, and for each one the relative cost of leaving it out: beside the
    kept ones, or for those left out at the moment they were.
    """
    names = names_of(sources)
    with threadpool_limits(1):
        heads = {k: (_head(getattr(older, k)), _head(getattr(newest, k))) for k in ("own", "new")}
        fits = [
            _fit(names[kind], *both)
            for kind, both in heads.items()
            if min(part.n_bought for part in both) >= LEAST and not both[0].one_sided
        ]
        return _eliminate(list(sources), fits) if fits else ([], {})


def _eliminate(kept: list[str], fits: list[Fit]) -> tuple[list[str], dict[str, float]]:
    out: list[str] = []
    cost: dict[str, float] = {}
    loss = sum(fit.loss_without(out) for fit in fits)
    while kept:
        tried = {
            name: sum(fit.loss_without([*out, name]) for fit in fits) / loss - 1.0 for name in kept
        }
        least = min(kept, key=lambda name: tried[name])
        cost |= {name: round(value, 6) for name, value in tried.items()}
        if tried[least] >= HELP:
            break
        loss *= 1.0 + tried[least]
        kept, out = [name for name in kept if name != least], [*out, least]
    return kept, cost


def _fit(names: tuple[str, ...], train: Sample, test: Sample) -> Fit:
    scaler = StandardScaler().fit(train.table)
    table = _with_one(scaler.transform(train.table))
    line = LogisticRegression(C=1.0, solver="newton-cholesky").fit(table[:, :-1], train.bought)
    weights = np.append(line.coef_[0], line.intercept_)
    p = expit(table @ weights)
    curvature = (table * (p * (1 - p))[:, None]).T @ table
    curvature[np.diag_indices(len(names))] += 1.0  # the ridge of the fit; none on the intercept
    inverse = np.linalg.inv(curvature + 1e-9 * np.eye(len(weights)))
    return Fit(weights, inverse, _with_one(scaler.transform(test.table)), test.bought, names)


def _with_one(table: Array) -> Array:
    return np.column_stack((table, np.ones(len(table))))


def _head(sample: Sample) -> Sample:
    return sample.take(np.arange(min(len(sample.bought), CHECK_ROWS)))
