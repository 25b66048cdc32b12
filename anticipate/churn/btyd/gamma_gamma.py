"""Gamma-gamma: expected spend per purchase day, learned over customers.

Reads  priced purchase days and mean spend per customer.
Gives  each customer's expected spend, shrunken: few days seen, close to everybody's mean.
Never  how often someone buys: frequency and spend are taken as independent.
Source Fader and Hardie, note 025, 2013.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..._checks import check_columns, check_numbers, check_positive
from ...kernels import spend as kernel
from ...kernels.segments import run_starts
from ...kernels.sums import Sums
from .cells import WEIGHT, finite_column, refuse
from .climb import Posterior, climb, spreads

Floats = NDArray[np.float64]
COLUMNS = ["n_priced_days", "mean_spend"]
NAMES = kernel.GammaGamma._fields


class SpendCells(NamedTuple):
    """Counted customers with a positive mean spend; all of shape (n_cells,), sorted."""

    x: Floats  # priced purchase days
    m: Floats  # their mean spend, currency
    weight: Floats  # how many customers


class GammaGammaModel(BaseEstimator):  # type: ignore[misc]
    """Gamma-gamma model of the spend per purchase day.

    Parameters
    ----------
    prior_sd : float, default=10
        Spread of a log-normal prior on p, q - 1 and v (> 0, nats, currency scaled by the mean).
        It weighs as little as one customer and keeps q > 1, so that a mean exists.
    warm_start : bool, default=False
        Start the next fit at the fitted parameters.

    Attributes
    ----------
    params_ : dict of str to float
        ``p``, ``q``, ``v`` (currency); all NaN if no customer has a positive mean spend.
    log_likelihood_, aic_ : float
        True log density of the mean spends, and 6 less twice it.
    standard_errors_ : dict of str to float
        From the curvature of the log-likelihood; NaN where the data do not identify it.
    n_customers_ : float
        Customers with a positive mean spend: the fit's data.

    Notes
    -----
    An unknown mean (NaN, or no priced day) is left out of the fit and predicted as everybody's;
    so is a mean of 0 left out, which no gamma gives. Negative or infinite means are refused.

    Examples
    --------
    >>> summary = pd.DataFrame({"n_priced_days": [5, 1, 0], "mean_spend": [20.0, 80.0, np.nan]})
    >>> GammaGammaModel().fit(summary).predict_spend(summary).round(0).tolist()
    [22.0, 72.0, 48.0]
    """

    params_: dict[str, float]
    log_likelihood_: float
    standard_errors_: dict[str, float]
    n_customers_: float

    def __init__(self, *, prior_sd: float = 10.0, warm_start: bool = False) -> None:
        self.prior_sd = prior_sd
        self.warm_start = warm_start

    def fit(self, summary: pd.DataFrame) -> Self:
        """Learn p, q and v from ``n_priced_days``, ``mean_spend`` and, if there, ``weight``.

        Raises
        ------
        ColumnError, BadRowsError
        """
        return self.finish(self.partial(summary))

    @staticmethod
    def partial(summary: pd.DataFrame) -> SpendCells:
        """The summary as weighted cells: what training adds up over customers."""
        x, m = _statistics(summary)
        counted = WEIGHT in summary.columns
        weight = finite_column(summary, WEIGHT) if counted else np.ones(len(x))
        refuse(weight < 0, f"{WEIGHT} is below 0")
        paying = (x > 0) & (m > 0) & (weight > 0)
        return _compress(SpendCells(x[paying], m[paying], weight[paying]))

    @staticmethod
    def merge(parts: Iterable[SpendCells]) -> SpendCells:
        """Cells of all parts together, the same bits in any order."""
        nobody = SpendCells(*(np.empty(0) for _ in SpendCells._fields))
        columns = zip(nobody, *parts, strict=True)
        return _compress(SpendCells(*(np.concatenate(column) for column in columns)))

    def finish(self, cells: SpendCells) -> Self:
        """Fit on cells."""
        check_positive("prior_sd", self.prior_sd)
        self.n_customers_ = float(cells.weight.sum())
        if not self.n_customers_ > 0:
            nothing = dict.fromkeys(NAMES, math.nan)
            self.params_, self.standard_errors_ = nothing, dict(nothing)
            self.log_likelihood_ = 0.0
            return self
        self._maximise(cells)
        return self

    @property
    def aic_(self) -> float:
        """Akaike's criterion, three parameters."""
        check_is_fitted(self, "params_")
        return 2 * len(NAMES) - 2 * self.log_likelihood_

    @property
    def kernel_(self) -> kernel.GammaGamma:
        """The parameters as :mod:`anticipate.kernels.spend` takes them."""
        check_is_fitted(self, "params_")
        return kernel.GammaGamma(**self.params_)

    def predict_spend(self, summary: pd.DataFrame) -> pd.Series[float]:
        """Expected spend per purchase day (currency), per row of the summary."""
        x, m = _statistics(summary)
        spend = kernel.expected_spend(x, m, model=self.kernel_)
        return pd.Series(spend, index=summary.index, name="expected_spend")

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        fit = [self.log_likelihood_, self.n_customers_, *self.standard_errors_.values()]
        return {
            "parameters": np.array(self.kernel_),
            "fit": np.array(fit),
            "settings": np.array([self.prior_sd, self.warm_start], dtype=np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that ``to_arrays`` was called on, bit for bit."""
        prior_sd, warm_start = (float(value) for value in arrays["settings"])
        model = cls(prior_sd=prior_sd, warm_start=bool(warm_start))
        model.params_ = dict(zip(NAMES, arrays["parameters"].tolist(), strict=True))
        model.log_likelihood_, model.n_customers_, *errors = arrays["fit"].tolist()
        model.standard_errors_ = dict(zip(NAMES, errors, strict=True))
        return model

    def _maximise(self, cells: SpendCells) -> None:
        # Money in units of the customers' mean, so that zero logs are a start and a prior.
        unit = float((cells.weight * cells.m).sum()) / self.n_customers_
        scaled = cells._replace(m=cells.m / unit)
        posterior = Posterior(
            lambda logs: _by_logs(scaled, logs),
            n_customers=self.n_customers_,
            prior_sd=self.prior_sd,
        )
        warm = self.warm_start and math.isfinite(getattr(self, "params_", {}).get("p", math.nan))
        top = climb(posterior, _logs_of(self.kernel_, unit) if warm else np.zeros(len(NAMES)))
        value, _, curvature = posterior.likelihood(top)
        p, q_less_one, v = np.exp(top).tolist()
        errors = spreads(-curvature) * [p, q_less_one, v * unit]
        self.params_ = {"p": p, "q": 1 + q_less_one, "v": v * unit}
        self.standard_errors_ = dict(zip(NAMES, errors.tolist(), strict=True))
        self.log_likelihood_ = value - self.n_customers_ * math.log(unit)


def _statistics(summary: pd.DataFrame) -> tuple[Floats, Floats]:
    # Days and mean; an unknown mean counts as no priced day.
    check_columns("summary", COLUMNS, summary.columns, hint="purchase_summary(history) gives them.")
    x = finite_column(summary, COLUMNS[0])
    m = check_numbers(f"summary: {COLUMNS[1]}", summary[COLUMNS[1]])
    refuse(x < 0, f"{COLUMNS[0]} is below 0")
    refuse((m < 0) | np.isinf(m), f"{COLUMNS[1]} is negative or infinite")
    return np.where(np.isnan(m), 0.0, x), m


def _compress(cells: SpendCells) -> SpendCells:
    order = np.lexsort((cells.weight, cells.m, cells.x))
    x, m, weight = (column[order] for column in cells)
    if not len(x):
        return SpendCells(x, m, weight)
    starts = run_starts(x, m)
    return SpendCells(x[starts], m[starts], np.add.reduceat(weight, starts))


def _logs_of(model: kernel.GammaGamma, unit: float) -> Floats:
    return np.log([model.p, model.q - 1, model.v / unit])


def _by_logs(cells: SpendCells, logs: Floats) -> Sums:
    # The sums by ln p, ln(q - 1), ln v: d/d ln u = u d/du.
    u = np.exp(logs)
    value, gradient, hessian = kernel.gamma_gamma_sums(
        *cells, model=kernel.GammaGamma(u[0], 1 + u[1], u[2])
    )
    slope = u * gradient
    return Sums(value, slope, np.outer(u, u) * hessian + np.diag(slope))
