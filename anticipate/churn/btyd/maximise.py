"""The likelihood's top: parameters of a BTYD model and how sure they are.

Reads  cells, a model to start from (which also says what is held: m and k), a weak prior.
Gives  the fitted model; standard errors from the curvature of the log-likelihood there.
Never  rows of customers: O(cells) a step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...kernels import btyd
from ...kernels.beta_geo_sums import beta_geo_sums
from ...kernels.pareto_sums import pareto_sums
from ...kernels.sums import Sums, dot
from .cells import Cells
from .climb import Posterior, climb, spreads

Floats = NDArray[np.float64]
TIMES = {"alpha", "beta"}  # parameters that carry the time unit
N_PARAMETERS = 4
COLD_START = np.array([-1.0, 0.0, -0.5, 0.5])  # logs near which most fits end, internal unit
MANY_CELLS, FEW_CELLS = 8_000, 1_000  # so many are first fitted on about so few


class Fit(NamedTuple):
    """A fitted model and what its likelihood looks like there."""

    model: btyd.Btyd
    log_likelihood: float  # true: no prior, nothing rescaled
    standard_errors: dict[str, float]


def maximise(cells: Cells, start: btyd.Btyd, *, prior_sd: float, warm: bool) -> Fit:
    """The model of the highest posterior density.

    Parameters
    ----------
    cells : Cells
    start : BetaGeo or ParetoNBD
        Its m and k are held; its four parameters are the start if ``warm``.
    prior_sd : float
        Of the log parameters around 0 in the internal time unit; the weight of one customer.
    """
    # In units of T_max / 10 all four parameters are of order 1, so zero (in logs) is the prior's
    # centre. alpha and beta alone carry the unit.
    unit = float(cells.T.max()) / 10 or 1.0
    scaled = cells._replace(t_x=cells.t_x / unit, T=cells.T / unit)
    units = np.array([unit if name in TIMES else 1.0 for name in start._fields[:N_PARAMETERS]])
    first = np.log(_values(start) / units) if warm else COLD_START
    if not warm and len(cells.x) > MANY_CELLS:
        few = Cells(*(column[:: len(cells.x) // FEW_CELLS] for column in scaled))
        first = climb(_posterior(few, start, prior_sd), first)
    posterior = _posterior(scaled, start, prior_sd)
    top = climb(posterior, first)
    value, _, curvature = posterior.likelihood(top)
    values = np.exp(top) * units
    errors = values * spreads(-curvature)  # of v: v times that of ln v
    return Fit(
        with_values(start, values),
        value + _in_own_unit(cells, start, unit),
        dict(zip(start._fields, errors.tolist(), strict=False)),
    )


def with_values(model: btyd.Btyd, values: Iterable[float]) -> btyd.Btyd:
    """The model with other values of its four parameters; m and k are kept."""
    first, second, third, fourth = (float(value) for value in values)
    if isinstance(model, btyd.BetaGeo):
        return btyd.BetaGeo(first, second, third, fourth, m=model.m, k=model.k)
    return btyd.ParetoNBD(first, second, third, fourth)


def _posterior(cells: Cells, start: btyd.Btyd, prior_sd: float) -> Posterior:
    def sums(logs: Floats) -> Sums:
        return _by_logs(cells, with_values(start, np.exp(logs)))

    return Posterior(sums, n_customers=float(cells.weight.sum()), prior_sd=prior_sd)


def _in_own_unit(cells: Cells, model: btyd.Btyd, unit: float) -> float:
    # What a density of times gains from unit to their own, and the term of the log gaps.
    k = model.k if isinstance(model, btyd.BetaGeo) else 1
    log_gaps = (k - 1) * float(cells.log_gap_sum.sum()) if k > 1 else 0.0
    return log_gaps - k * dot(cells.weight, cells.x) * math.log(unit)


def _by_logs(cells: Cells, model: btyd.Btyd) -> Sums:
    # The sums by log parameters: d/d ln v = v d/dv.
    of = cells.x, cells.t_x, cells.T, cells.weight
    if isinstance(model, btyd.BetaGeo):
        value, gradient, hessian = beta_geo_sums(*of, model=model)
    else:
        value, gradient, hessian = pareto_sums(*of, model=model)
    v = _values(model)
    slope = v * gradient
    return Sums(value, slope, np.outer(v, v) * hessian + np.diag(slope))


def _values(model: btyd.Btyd) -> Floats:
    return np.array(model[:N_PARAMETERS], dtype=np.float64)
