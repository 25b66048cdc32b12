"""What every BTYD estimator does alike: add cells up, fit, predict, be stored.

Reads  purchase summaries; the model family that a subclass starts from.
Gives  the estimator's methods; a subclass is a docstring and a start.
Never  used by itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..._checks import check_positive
from ...exceptions import EmptyHistoryError
from ...kernels import btyd
from . import maximise
from .cells import Cells, merge_cells, statistics, summary_cells

CHUNK = 8192  # customers at a time: what a formula keeps of them stays in the processor's cache


class BtydEstimator(BaseEstimator):  # type: ignore[misc]
    """Base of the BTYD estimators; docs/decisions/0006 says why there is one."""

    params_: dict[str, float]
    log_likelihood_: float
    standard_errors_: dict[str, float]
    n_customers_: float
    kernel_: btyd.Btyd
    _start: ClassVar[btyd.Btyd]

    def __init__(self, *, prior_sd: float = 10.0, warm_start: bool = False) -> None:
        self.prior_sd = prior_sd
        self.warm_start = warm_start

    def fit(self, summary: pd.DataFrame) -> Self:
        """Learn the parameters.

        Parameters
        ----------
        summary : DataFrame
            ``n_repeats, last_repeat_days, age_days`` (0 <= last <= age; 0 repeats means last
            = 0), optional ``log_gap_sum`` (sum of the logarithms of the gaps, in the same
            time unit) and ``weight`` (>= 0, customers that a row stands for).

        Raises
        ------
        ColumnError, BadRowsError, EmptyHistoryError
        """
        return self.finish(self.partial(summary))

    @staticmethod
    def partial(summary: pd.DataFrame) -> Cells:
        """The summary as weighted cells: what training adds up over customers."""
        return summary_cells(summary)

    @staticmethod
    def merge(parts: Iterable[Cells]) -> Cells:
        """Cells of all parts together, the same bits in any order."""
        return merge_cells(parts)

    def finish(self, cells: Cells) -> Self:
        """Fit on cells."""
        self._check(cells)
        return self._keep(cells, self._maximise(cells, self._start))

    @property
    def aic_(self) -> float:
        """Akaike's criterion: twice the number of parameters less twice the log-likelihood."""
        check_is_fitted(self, "params_")
        return 2 * len(self.params_) - 2 * self.log_likelihood_

    def predict_no_purchase(self, summary: pd.DataFrame, horizon: float) -> pd.Series[float]:
        """P(no purchase in the next ``horizon``), per row of the summary."""
        check_is_fitted(self, "params_")
        H = check_positive("horizon", horizon)
        logit = _in_chunks(
            functools.partial(btyd.log_odds_no_purchase, horizon=H, model=self.kernel_), summary
        )
        return pd.Series(expit(logit), index=summary.index, name="p_no_purchase")

    def predict_alive(self, summary: pd.DataFrame) -> pd.Series[float]:
        """P(alive) per row: 1 for every one-time buyer under BG/NBD, so no churn score."""
        check_is_fitted(self, "params_")
        alive = _in_chunks(functools.partial(btyd.probability_alive, model=self.kernel_), summary)
        return pd.Series(alive, index=summary.index, name="p_alive")

    def predict_purchases(self, summary: pd.DataFrame, horizon: float) -> pd.Series[float]:
        """Expected purchase days in the next ``horizon``, per row of the summary."""
        check_is_fitted(self, "params_")
        H = check_positive("horizon", horizon)
        mean = _in_chunks(
            functools.partial(btyd.expected_purchases, horizon=H, model=self.kernel_), summary
        )
        return pd.Series(mean, index=summary.index, name="expected_purchases")

    def expected_repeats(self, age: float) -> float:
        """Expected repeat purchase days of a new customer by ``age`` (> 0): E[X(t)]."""
        check_is_fitted(self, "params_")
        zero, t = np.zeros(1), check_positive("age", age)
        return float(btyd.expected_purchases(zero, zero, zero, horizon=t, model=self.kernel_)[0])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "params_")
        fit = [self.log_likelihood_, self.n_customers_, *self.standard_errors_.values()]
        return {
            "parameters": btyd.to_vector(self.kernel_),
            "fit": np.array(fit),
            "settings": np.array([self.prior_sd, self.warm_start], dtype=np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that ``to_arrays`` was called on, bit for bit."""
        settings = [float(value) for value in arrays["settings"]]
        model = cls(prior_sd=settings[0], warm_start=bool(settings[1]))
        return model._restore(arrays)

    def _restore(self, arrays: Mapping[str, NDArray[Any]]) -> Self:
        ll, n_customers, *errors = (float(value) for value in arrays["fit"])
        self._set(btyd.from_vector(arrays["parameters"]))
        self.log_likelihood_, self.n_customers_ = ll, n_customers
        self.standard_errors_ = dict(zip(self.params_, errors, strict=True))
        return self

    def _check(self, cells: Cells) -> None:
        check_positive("prior_sd", self.prior_sd)
        if not float(cells.weight.sum()) > 0:
            raise EmptyHistoryError("the summary has no customer with a purchase; give some.")

    def _maximise(self, cells: Cells, start: btyd.Btyd) -> maximise.Fit:
        warm = self.warm_start and hasattr(self, "kernel_")
        begin = maximise.with_values(start, self.params_.values()) if warm else start
        return maximise.maximise(cells, begin, prior_sd=self.prior_sd, warm=warm)

    def _keep(self, cells: Cells, fit: maximise.Fit) -> Self:
        self._set(fit.model)
        self.log_likelihood_, self.standard_errors_ = fit.log_likelihood, fit.standard_errors
        self.n_customers_ = float(cells.weight.sum())
        return self

    def _set(self, model: btyd.Btyd) -> None:
        self.kernel_ = model
        names = model._fields[: maximise.N_PARAMETERS]
        self.params_ = dict(zip(names, (float(value) for value in model), strict=False))


def _in_chunks(
    formula: Callable[..., NDArray[np.float64]], summary: pd.DataFrame
) -> NDArray[np.float64]:
    # Each customer's answer is their own, so the chunks do not show.
    columns = statistics(summary)
    starts = range(0, max(len(summary), 1), CHUNK)
    return np.concatenate([formula(*(c[low : low + CHUNK] for c in columns)) for low in starts])
