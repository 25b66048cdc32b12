"""The whole's law of gaps by maximum likelihood, then items beside it.

Reads  what pairs (or customers) did until the cutoff.
Gives  a ``GapTable``: whole, moved towards category and item, the whole fitted again.
Never  more than ``MOST_PAIRS`` pairs in the optimiser: evenly spaced ones say the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from ..kernels.gap_learning import (
    GapData,
    log_likelihood,
    plain_table,
    refine_by_item,
    whole_table,
)
from ..kernels.next_gap import GapTable

Floats = NDArray[np.float64]
MOST_PAIRS = 5000
PRIOR_SD = 2.5  # of a log-normal prior on each parameter, worth one pair; keeps all fits finite
LOG_BOUND = 8.0  # parameters stay within e^-8 .. e^8 of where they start
_EDGE = 1e-6


def fit_gap_table(
    data: GapData, n_items: int, category: NDArray[np.int64] | None, *, by_item: bool
) -> GapTable:
    """The table of item gaps; without ``by_item`` one law for all.

    Parameters
    ----------
    data : GapData
        In an order that does not depend on how rows came.
    n_items : int
    category : int array of shape (n_items,), or None
    by_item : bool
        Refine by category and item, then fit the whole again given the items: what looked
        like differences between pairs are often differences between items.
    """
    table = plain_table(data, n_items)
    if len(data.item) == 0:
        return table
    table = _fit_whole(data, table)
    if not by_item:
        return table
    return _fit_whole(data, refine_by_item(data, table, category))


def _fit_whole(data: GapData, table: GapTable) -> GapTable:
    """k, A, a factor on every B and the shares by visits, items kept as they stand."""
    some = data.take(_evenly(len(data.item)))
    relative = table.prior_scale_days / table.prior_scale_days[-1]
    odds = logit(np.clip(table.next_share, _EDGE, 1 - _EDGE))
    own_odds = odds - odds[-1]
    start = np.concatenate(
        (
            [np.log(table.shape[-1]), np.log(table.prior_shape[-1] - 1.0)],
            [np.log(table.prior_scale_days[-1])],
            odds[-1],
        )
    )
    with threadpool_limits(1, "blas"):  # threads only wait on eight parameters
        result = minimize(
            _loss,
            start,
            args=(some, relative[some.item], own_odds[some.item], start),
            method="L-BFGS-B",
            bounds=[(value - LOG_BOUND, value + LOG_BOUND) for value in start],
            options={"maxiter": 100, "ftol": 1e-8},
        )
    k, A, B, share = _parameters(result.x)
    whole = whole_table(k, A, B, share, n_items=len(table.shape) - 1)
    return whole._replace(prior_scale_days=B * relative, next_share=expit(result.x[3:] + own_odds))


def _loss(x: Floats, data: GapData, relative: Floats, own_odds: Floats, start: Floats) -> float:
    k, A, B, _ = _parameters(x)
    ll = log_likelihood(data, k, A, B=B * relative, log_odds=x[3:] + own_odds)
    prior = float((((x - start) / PRIOR_SD) ** 2).sum()) / 2.0
    return (prior - float(ll.sum())) / len(data.item)


def _parameters(x: Floats) -> tuple[float, float, float, Floats]:
    k, A_less_one, B = np.exp(x[:3]).tolist()
    return k, 1.0 + A_less_one, B, expit(x[3:])


def _evenly(n: int) -> NDArray[np.int64]:
    """At most ``MOST_PAIRS`` positions, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_PAIRS)).round().astype(np.int64))
