"""Expected spend per purchase day, learned over customers.

Reads  priced purchase days and mean spend per customer.
Gives  each customer's expected spend, shrunken: few days seen, close to everybody's mean.
Never  how often someone buys: frequency and spend are taken as independent.
Source Fader and Hardie, note 025, 2013.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from .._checks import check_columns, check_positive
from ..kernels import spend as kernel

Floats = NDArray[np.float64]
COLUMNS = ["n_priced_days", "mean_spend"]
LOG_BOUND = 12.0


class SpendModel(BaseEstimator):  # type: ignore[misc]
    """Gamma-gamma model of the spend per purchase day.

    Parameters
    ----------
    prior_sd : float, default=2.5
        Spread of a log-normal prior on p, q - 1 and v (> 0, nats, currency scaled by the mean).
        It weighs as little as one customer and keeps q > 1, so that a mean exists.

    Attributes
    ----------
    params_ : dict of str to float
        ``p``, ``q``, ``v`` (currency); all NaN if no customer has a positive mean spend.
    log_likelihood_ : float
    n_customers_ : int
        Customers with a positive mean spend: the fit's data.

    Examples
    --------
    >>> summary = pd.DataFrame({"n_priced_days": [5, 1, 0], "mean_spend": [20.0, 80.0, np.nan]})
    >>> SpendModel().fit(summary).predict_spend(summary).round(0).tolist()
    [24.0, 64.0, 47.0]
    """

    params_: dict[str, float]
    log_likelihood_: float
    n_customers_: int

    def __init__(self, *, prior_sd: float = 2.5) -> None:
        self.prior_sd = prior_sd

    def fit(self, summary: pd.DataFrame) -> Self:
        """Learn p, q and v from ``n_priced_days`` and ``mean_spend``."""
        check_positive("prior_sd", self.prior_sd)
        x, m = _statistics(summary)
        paying = (x > 0) & (m > 0)
        x, m = x[paying], m[paying]
        order = np.lexsort((m, x))  # sums in one order, whatever the rows' order
        model = _maximise(x[order], m[order], prior_sd=self.prior_sd)
        self.params_ = model._asdict()
        self.n_customers_ = len(x)
        self.log_likelihood_ = float(kernel.log_likelihood(x[order], m[order], model=model).sum())
        return self

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
        fit = np.array([self.log_likelihood_, self.n_customers_, self.prior_sd])
        return {"parameters": np.array(self.kernel_), "fit": fit}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that ``to_arrays`` was called on, bit for bit."""
        model = cls(prior_sd=float(arrays["fit"][2]))
        values = (float(value) for value in arrays["parameters"])
        model.params_ = dict(zip(kernel.GammaGamma._fields, values, strict=True))
        model.log_likelihood_, model.n_customers_ = float(arrays["fit"][0]), int(arrays["fit"][1])
        return model


def _statistics(summary: pd.DataFrame) -> tuple[Floats, Floats]:
    check_columns("summary", COLUMNS, summary.columns, hint="purchase_summary(history) gives them.")
    x, m = (summary[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in COLUMNS)
    return x, m


def _maximise(x: Floats, m: Floats, *, prior_sd: float) -> kernel.GammaGamma:
    # Money in units of the customers' mean, so that zero logs are a start and a prior.
    if not len(x):
        return kernel.GammaGamma(math.nan, math.nan, math.nan)
    unit = float(m.mean())
    with threadpool_limits(1, "blas"):  # threads only wait on four parameters
        result = minimize(
            _loss,
            np.zeros(3),
            args=(x, m / unit, prior_sd),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-LOG_BOUND, LOG_BOUND)] * 3,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8},
        )
    p, q_less_one, v = (math.exp(value) for value in result.x)
    return kernel.GammaGamma(p, 1 + q_less_one, v * unit)


def _loss(logs: Floats, x: Floats, m: Floats, prior_sd: float) -> tuple[float, Floats]:
    # -(log posterior) / n and its gradient by ln p, ln(q - 1), ln v.
    values = np.exp(logs)
    model = kernel.GammaGamma(values[0], 1 + values[1], values[2])
    ll = kernel.log_likelihood(x, m, model=model)
    slope = kernel.log_likelihood_gradient(x, m, model=model).sum(axis=1) * values
    loss = -ll.sum() + (logs**2).sum() / (2 * prior_sd**2)
    return float(loss / len(x)), (-slope + logs / prior_sd**2) / len(x)
