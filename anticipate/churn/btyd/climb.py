"""To the top of a log-likelihood of few parameters, and how sharp it is there.

Reads  a function of log parameters that gives value, slope and curvature summed over customers.
Gives  the log parameters of the highest posterior density; their spreads.
Never  customers: it sees sums only.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ...kernels.sums import Sums

Floats = NDArray[np.float64]
LOG_BOUND = 12.0  # parameters lie in [e^-12, e^12] of the internal unit
TRIAL_BOUND = 30.0  # no step is tried beyond it
LEVEL, NEARLY_LEVEL = 1e-8, 1e-6  # slope of the mean log posterior at the top
FLAT = 1e-9  # curvature below this share of the steepest one says nothing


class Posterior:
    """-(log posterior) / n with slope and curvature, by the log parameters."""

    def __init__(
        self, sums: Callable[[Floats], Sums], *, n_customers: float, prior_sd: float
    ) -> None:
        self.sums, self.n_customers, self.precision = sums, n_customers, 1 / prior_sd**2
        self._logs = np.empty(0)
        self._sums = self._likelihood = Sums(math.nan, self._logs, self._logs)

    def loss(self, logs: Floats) -> tuple[float, Floats]:
        return self._at(logs)[0], self._at(logs)[1]

    def curvature(self, logs: Floats) -> Floats:
        return self._at(logs)[2]

    def likelihood(self, logs: Floats) -> Sums:
        """The log-likelihood itself, neither divided nor with the prior."""
        self._at(logs)
        return self._likelihood

    def _at(self, logs: Floats) -> Sums:
        # The optimiser asks for the three one by one, at the same place.
        if np.array_equal(self._logs, logs):
            return self._sums
        self._logs = logs.copy()
        if np.abs(logs).max() > TRIAL_BOUND:
            flat = np.zeros((len(logs), len(logs)))
            self._sums = Sums(math.inf, flat[0], flat)
            return self._sums
        self._likelihood = self.sums(logs)
        value, slope, curvature = self._likelihood
        loss = float((logs**2).sum() * self.precision / 2 - value) / self.n_customers
        curvature = np.eye(len(logs)) * self.precision - curvature
        slope = logs * self.precision - slope
        self._sums = Sums(loss, slope / self.n_customers, curvature / self.n_customers)
        return self._sums


def climb(posterior: Posterior, first: Floats) -> Floats:
    """The log parameters at the top, from ``first``."""
    # Newton's steps in a trust region, about eight. A top that lies beyond the bounds is left to a
    # method that knows bounds.
    result = minimize(
        posterior.loss,
        np.clip(first, -LOG_BOUND, LOG_BOUND),
        jac=True,
        hess=posterior.curvature,
        method="trust-exact",
        options={"gtol": LEVEL, "maxiter": 60},
    )
    # Where rounding hides the last step the method reports failure at the top.
    if np.abs(result.jac).max() <= NEARLY_LEVEL and np.abs(result.x).max() <= LOG_BOUND:
        return np.asarray(result.x)
    result = minimize(
        posterior.loss,
        np.clip(result.x, -LOG_BOUND, LOG_BOUND),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-LOG_BOUND, LOG_BOUND)] * len(first),
        options={"maxiter": 500, "ftol": 1e-13, "gtol": LEVEL},
    )
    return np.asarray(result.x)


def spreads(information: Floats) -> Floats:
    """Square roots of the diagonal of the inverse, NaN where it is not identified."""
    lengths, directions = np.linalg.eigh(information)
    known = lengths > FLAT * max(float(lengths.max()), 0.0)
    parts = directions**2
    variance = (parts[:, known] / lengths[known]).sum(axis=1)
    lost = parts[:, ~known].sum(axis=1) > FLAT
    return np.where(lost, np.nan, np.sqrt(variance))
