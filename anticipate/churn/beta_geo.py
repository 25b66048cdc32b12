"""BG/NBD and MBG/NBD, fitted: how often customers buy and when they stop.

Reads  a purchase summary: repeat purchase days, time of the last one, age, per customer.
Gives  P(no purchase in a horizon), P(alive) and expected purchases per customer.
Never  the order or grouping of customers: they are added up as weighted cells first.
Source Fader, Hardie and Lee, "Counting your customers the easy way", Marketing Science 2005;
       Batislam, Denizel and Filiztekin, Int. J. Research in Marketing 2007.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from .._checks import check_columns, check_positive
from ..exceptions import BadRowsError, EmptyHistoryError
from ..kernels import btyd

Floats = NDArray[np.float64]
COLUMNS = ["n_repeats", "last_repeat_days", "age_days"]
WEIGHT = "weight"
LOG_BOUND = 12.0  # parameters lie in [e^-12, e^12] of the internal time unit


class Cells(NamedTuple):
    """Customers with equal statistics, counted; sorted, so equal data make equal cells."""

    x: Floats
    t_x: Floats
    T: Floats
    weight: Floats


class BetaGeoModel(BaseEstimator):  # type: ignore[misc]
    """Purchase rates and dropout of a customer base: BG/NBD, or MBG/NBD with ``modified``.

    A customer buys at random with rate lambda ~ Gamma(r, alpha) and after a purchase stops for
    good with probability p ~ Beta(a, b). BG/NBD lets nobody stop at the first purchase, so its
    one-time buyers are all "alive"; MBG/NBD does.

    Parameters
    ----------
    modified : bool, default=False
        False: BG/NBD. True: MBG/NBD.
    prior_sd : float, default=2.5
        Spread of a log-normal prior on each parameter (> 0, in nats, internal time unit). It
        weighs as little as one customer, and keeps the fit finite on tiny samples.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha`` (time unit of the summary), ``a``, ``b``.
    log_likelihood_, aic_ : float
        True log-likelihood of the data (no prior, nothing rescaled), and 8 - 2 of it.
    n_customers_ : float
        Sum of weights.

    Notes
    -----
    Any time unit will do, if it is the same everywhere. Maximum a posteriori by L-BFGS with the
    analytic gradient in log parameters, on cells of equal (x, t_x, T): O(cells) a step.

    Examples
    --------
    >>> summary = pd.DataFrame(
    ...     {"n_repeats": [2, 0, 5], "last_repeat_days": [30, 0, 90], "age_days": [39, 39, 95]}
    ... )
    >>> model = BetaGeoModel(modified=True).fit(summary)
    >>> bool(model.predict_no_purchase(summary, 30.0).between(0, 1).all())
    True
    """

    params_: dict[str, float]
    log_likelihood_: float
    n_customers_: float

    def __init__(self, *, modified: bool = False, prior_sd: float = 2.5) -> None:
        self.modified = modified
        self.prior_sd = prior_sd

    def fit(self, summary: pd.DataFrame) -> Self:
        """Learn the four parameters.

        Parameters
        ----------
        summary : DataFrame
            ``n_repeats, last_repeat_days, age_days`` (0 <= last <= age; 0 repeats means last
            = 0), and ``weight`` (> 0) if rows stand for several customers.

        Raises
        ------
        ColumnError, BadRowsError, EmptyHistoryError
        """
        return self.finish(self.merge([self.partial(summary)]))

    @staticmethod
    def partial(summary: pd.DataFrame) -> Cells:
        """The summary as weighted cells: what training adds up over customers."""
        x, t_x, T = _statistics(summary)
        counted = WEIGHT in summary.columns
        weight = _column(summary, WEIGHT) if counted else np.ones(len(x))
        return _compress(Cells(x, t_x, T, weight))

    @staticmethod
    def merge(parts: Iterable[Cells]) -> Cells:
        """Cells of all parts together; exact while weights are whole numbers."""
        columns = zip(*parts, strict=True)
        return _compress(Cells(*(np.concatenate(column) for column in columns)))

    def finish(self, cells: Cells) -> Self:
        """Fit on cells."""
        check_positive("prior_sd", self.prior_sd)
        total = float(cells.weight.sum())
        if not total > 0:
            raise EmptyHistoryError("the summary has no customer with a purchase; give some.")
        model = _maximise(cells, m=int(self.modified), prior_sd=self.prior_sd)
        self.params_ = {name: getattr(model, name) for name in ("r", "alpha", "a", "b")}
        ll = btyd.log_likelihood(*cells[:3], model=model)
        self.log_likelihood_ = float((cells.weight * ll).sum())
        self.n_customers_ = total
        return self

    @property
    def aic_(self) -> float:
        """Akaike's criterion, four parameters."""
        check_is_fitted(self, "params_")
        return 8 - 2 * self.log_likelihood_

    @property
    def kernel_(self) -> btyd.BetaGeo:
        """The parameters as :mod:`anticipate.kernels.btyd` takes them."""
        check_is_fitted(self, "params_")
        return btyd.BetaGeo(**self.params_, m=int(self.modified))

    def predict_no_purchase(self, summary: pd.DataFrame, horizon: float) -> pd.Series[float]:
        """P(no purchase in the next ``horizon``), per row of the summary."""
        H = check_positive("horizon", horizon)
        logit = btyd.log_odds_no_purchase(*_statistics(summary), horizon=H, model=self.kernel_)
        return pd.Series(expit(logit), index=summary.index, name="p_no_purchase")

    def predict_alive(self, summary: pd.DataFrame) -> pd.Series[float]:
        """P(alive) per row: 1 for every one-time buyer under BG/NBD, so no churn score."""
        alive = btyd.probability_alive(*_statistics(summary), model=self.kernel_)
        return pd.Series(alive, index=summary.index, name="p_alive")

    def predict_purchases(self, summary: pd.DataFrame, horizon: float) -> pd.Series[float]:
        """Expected purchase days in the next ``horizon``, per row of the summary."""
        H = check_positive("horizon", horizon)
        mean = btyd.expected_purchases(*_statistics(summary), horizon=H, model=self.kernel_)
        return pd.Series(mean, index=summary.index, name="expected_purchases")

    def expected_repeats(self, age: float) -> float:
        """Expected repeat purchase days of a new customer by ``age`` (> 0): E[X(t)]."""
        zero, t = np.zeros(1), check_positive("age", age)
        return float(btyd.expected_purchases(zero, zero, zero, horizon=t, model=self.kernel_)[0])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        return {
            "parameters": np.array(self.kernel_[:4]),
            "modified": np.array([self.modified], dtype=np.int8),
            "fit": np.array([self.log_likelihood_, self.n_customers_, self.prior_sd]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that ``to_arrays`` was called on, bit for bit."""
        ll, n_customers, prior_sd = (float(value) for value in arrays["fit"])
        model = cls(modified=bool(arrays["modified"][0]), prior_sd=prior_sd)
        values = (float(value) for value in arrays["parameters"])
        model.params_ = dict(zip(("r", "alpha", "a", "b"), values, strict=True))
        model.log_likelihood_, model.n_customers_ = ll, n_customers
        return model


def _statistics(summary: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    check_columns("summary", COLUMNS, summary.columns, hint="purchase_summary(history) gives them.")
    x, t_x, T = (_column(summary, name) for name in COLUMNS)
    bad = (x < 0) | (t_x < 0) | (t_x > T) | ((x == 0) & (t_x != 0))
    _refuse(bad, "0 <= last_repeat_days <= age_days and 0 repeats at time 0 do not hold")
    return x, t_x, T


def _column(summary: pd.DataFrame, name: str) -> Floats:
    values = summary[name].to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse(~np.isfinite(values), f"{name} is missing or infinite")
    return values


def _refuse(bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        rows = np.flatnonzero(bad)
        raise BadRowsError(f"summary: {what} in {len(rows)} rows, first {rows[:3].tolist()}.")


def _compress(cells: Cells) -> Cells:
    order = np.lexsort(cells[:3][::-1])
    x, t_x, T, weight = (column[order] for column in cells)
    if not len(x):
        return Cells(x, t_x, T, weight)
    changed = (np.diff(x) != 0) | (np.diff(t_x) != 0) | (np.diff(T) != 0)
    starts = np.concatenate(([0], np.flatnonzero(changed) + 1))
    return Cells(x[starts], t_x[starts], T[starts], np.add.reduceat(weight, starts))


def _maximise(cells: Cells, *, m: int, prior_sd: float) -> btyd.BetaGeo:
    # In units of T_max / 10 all four parameters are of order 1, so zero (in logs) is both the
    # start and the prior's centre. alpha alone carries the unit.
    unit = float(cells.T.max()) / 10 or 1.0
    scaled = (cells.x, cells.t_x / unit, cells.T / unit, cells.weight)
    with threadpool_limits(1, "blas"):  # threads only wait on four parameters
        result = minimize(
            _loss,
            np.zeros(4),
            args=(Cells(*scaled), m, prior_sd),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-LOG_BOUND, LOG_BOUND)] * 4,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8},
        )
    r, alpha, a, b = np.exp(result.x).tolist()
    return btyd.BetaGeo(r, alpha * unit, a, b, m)


def _loss(logs: Floats, cells: Cells, m: int, prior_sd: float) -> tuple[float, Floats]:
    # -(log posterior) / n, and its gradient by the log parameters: d/d ln v = v d/dv.
    values = np.exp(logs)
    r, alpha, a, b = values.tolist()
    model = btyd.BetaGeo(r, alpha, a, b, m)
    ll = btyd.log_likelihood(*cells[:3], model=model)
    gradient = btyd.log_likelihood_gradient(*cells[:3], model=model)
    total = cells.weight.sum()
    loss = -(cells.weight * ll).sum() + (logs**2).sum() / (2 * prior_sd**2)
    slope = -(gradient * cells.weight).sum(axis=1) * values + logs / prior_sd**2
    return float(loss / total), slope / total
