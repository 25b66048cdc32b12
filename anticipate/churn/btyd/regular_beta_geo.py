"""(M)BG/CNBD-k: customers who buy at regular gaps.

Reads  a purchase summary with ``log_gap_sum``: how even the gaps are.
Gives  P(no purchase in a horizon), P(alive) and expected purchases per customer.
Never  the order or grouping of customers: they are added up as weighted cells first.
Source Platzer and Reutterer, "Ticking away the moments", Marketing Science 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._checks import check_count
from ...exceptions import ColumnError
from ...kernels.btyd import BetaGeo
from . import maximise
from .cells import LOG_GAPS, Cells, summary_cells
from .estimator import BtydEstimator

MOST_STEPS = 6  # as k grows the gaps' spread falls as 1 / sqrt(k): nothing new beyond
CHOSEN = 0  # stands for k=None in a stored vector


class RegularBetaGeoModel(BtydEstimator):
    """(M)BG/CNBD-k: gaps are Erlang-k instead of exponential, so a usual gap is due.

    A gap is k random steps of rate lambda ~ Gamma(r, alpha); its spread is 1/sqrt(k) of its mean.
    After a purchase (``modified``: the first included) the customer stops with probability
    p ~ Beta(a, b). k = 1 is :class:`ModifiedBetaGeoModel` or :class:`BetaGeoModel`.

    Parameters
    ----------
    k : int or None, default=None
        Steps of a gap, 1 to 6. None: raised from 1 for as long as the log-likelihood rises.
    modified : bool, default=True
        Whether the first purchase may be the last.
    prior_sd : float, default=10
    warm_start : bool, default=False
        See :class:`BetaGeoModel`.

    Attributes
    ----------
    k_ : int
        The steps in use. Its other attributes are those of :class:`BetaGeoModel`; ``aic_`` counts
        a chosen k as a parameter.

    Notes
    -----
    A better likelihood is no better P(no purchase): choose between models by a backtest. Gaps
    of whole days make k of very frequent buyers look higher than it is.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> summary = pd.DataFrame({"n_repeats": [3, 4], "last_repeat_days": [30, 39],
    ...     "age_days": [36, 45], "log_gap_sum": [3 * np.log(10), 3 * np.log(10) + np.log(9)]})
    >>> RegularBetaGeoModel().fit(summary).k_ > 1
    True
    """

    k_: int

    def __init__(
        self,
        *,
        k: int | None = None,
        modified: bool = True,
        prior_sd: float = 10.0,
        warm_start: bool = False,
    ) -> None:
        super().__init__(prior_sd=prior_sd, warm_start=warm_start)
        self.k = k
        self.modified = modified

    @staticmethod
    def partial(summary: pd.DataFrame) -> Cells:
        """The summary as weighted cells, log gaps included."""
        return summary_cells(summary, log_gaps=True)

    def finish(self, cells: Cells) -> Self:
        """Fit on cells; with ``k=None`` once for each k tried."""
        self._check(cells)
        if self.k is not None:
            check_count("k", self.k, most=MOST_STEPS)
        if self.k != 1 and np.isnan(cells.log_gap_sum).any():
            raise ColumnError(
                f"summary: no column {LOG_GAPS!r}; gaps of k > 1 steps need it. "
                "purchase_summary(history) gives it, or set k=1."
            )
        return self._keep(cells, self._best(cells) if self.k is None else self._of(cells, self.k))

    @property
    def aic_(self) -> float:
        """Akaike's criterion; a chosen k counts as one parameter."""
        return super().aic_ + (2 if self.k is None else 0)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        own = [self.k or CHOSEN, self.modified]
        return {**super().to_arrays(), "regular": np.array(own, dtype=np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that ``to_arrays`` was called on, bit for bit."""
        prior_sd, warm_start = (float(value) for value in arrays["settings"])
        k, modified = (int(value) for value in arrays["regular"])
        model = cls(
            k=k or None, modified=bool(modified), prior_sd=prior_sd, warm_start=bool(warm_start)
        )
        return model._restore(arrays)

    def _of(self, cells: Cells, k: int) -> maximise.Fit:
        return self._maximise(cells, BetaGeo(1.0, 1.0, 1.0, 1.0, m=int(self.modified), k=k))

    def _best(self, cells: Cells) -> maximise.Fit:
        best = self._of(cells, 1)
        for k in range(2, MOST_STEPS + 1):
            fit = self._of(cells, k)
            if fit.log_likelihood <= best.log_likelihood:
                break
            best = fit
        return best

    def _set(self, model: Any) -> None:
        super()._set(model)
        self.k_ = model.k
