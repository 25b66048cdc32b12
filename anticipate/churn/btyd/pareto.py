"""Pareto/NBD: how often customers buy and how long they stay.

Reads  a purchase summary: repeat purchase days, time of the last one, age, per customer.
Gives  P(no purchase in a horizon), P(alive) and expected purchases per customer.
Never  the order or grouping of customers: they are added up as weighted cells first.
Source Schmittlein, Morrison and Colombo, "Counting your customers", Management Science 1987.
"""

from __future__ import annotations

from ...kernels.btyd import ParetoNBD
from .estimator import BtydEstimator


class ParetoNBDModel(BtydEstimator):
    """Pareto/NBD: random purchases, dropout at any time.

    A customer buys at random with rate lambda ~ Gamma(r, alpha) until a lifetime ends, at rate
    mu ~ Gamma(s, beta), whether they buy or not. Parameters, attributes and methods are those of
    :class:`BetaGeoModel`, but ``params_`` holds ``r, alpha, s, beta`` (alpha and beta in the time
    unit of the summary).

    Notes
    -----
    The one integral is Gauss-Legendre quadrature after a substitution that flattens it: no
    2F1, finite for any number of purchases.

    Examples
    --------
    >>> import pandas as pd
    >>> summary = pd.DataFrame(
    ...     {"n_repeats": [2, 0, 5], "last_repeat_days": [30, 0, 90], "age_days": [39, 39, 95]}
    ... )
    >>> model = ParetoNBDModel().fit(summary)
    >>> sorted(model.params_)
    ['alpha', 'beta', 'r', 's']
    """

    _start = ParetoNBD(1.0, 1.0, 1.0, 1.0)
