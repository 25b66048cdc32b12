"""BG/NBD: how often customers buy and when they stop, the parity model.

Reads  a purchase summary: repeat purchase days, time of the last one, age, per customer.
Gives  P(no purchase in a horizon), P(alive) and expected purchases per customer.
Never  the order or grouping of customers: they are added up as weighted cells first.
Source Fader, Hardie and Lee, "Counting your customers the easy way", Marketing Science 2005.
"""

from __future__ import annotations

from ...kernels.btyd import BetaGeo
from .estimator import BtydEstimator


class BetaGeoModel(BtydEstimator):
    """BG/NBD: random purchases, dropout after a repeat purchase.

    A customer buys at random with rate lambda ~ Gamma(r, alpha) and after a repeat purchase
    stops for good with probability p ~ Beta(a, b). Nobody stops at the first purchase, so
    one-time buyers are all "alive": :class:`ModifiedBetaGeoModel` mends that.

    Parameters
    ----------
    prior_sd : float, default=10
        Spread of a log-normal prior on each parameter (> 0, in nats, internal time unit). It
        weighs as little as one customer, and keeps the fit finite on tiny samples.
    warm_start : bool, default=False
        Start the next fit at the fitted parameters.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha`` (time unit of the summary), ``a``, ``b``.
    log_likelihood_, aic_ : float
        True log density of all purchase times (no prior, nothing rescaled; the same data in the
        same time unit compare across models), and twice the number of parameters less twice it.
    standard_errors_ : dict of str to float
        Of each parameter, from the curvature of the log-likelihood; NaN where the data do not
        identify it.
    n_customers_ : float
        Sum of weights.
    kernel_ : BetaGeo
        The model as :mod:`anticipate.kernels.btyd` takes it.

    Notes
    -----
    Any time unit will do, if it is the same everywhere. Maximum a posteriori with analytic
    slope and curvature in log parameters, on cells of equal (x, t_x, T): O(cells) a step.

    Examples
    --------
    >>> import pandas as pd
    >>> summary = pd.DataFrame(
    ...     {"n_repeats": [2, 0, 5], "last_repeat_days": [30, 0, 90], "age_days": [39, 39, 95]}
    ... )
    >>> model = BetaGeoModel().fit(summary)
    >>> bool(model.predict_no_purchase(summary, 30.0).between(0, 1).all())
    True
    """

    _start = BetaGeo(1.0, 1.0, 1.0, 1.0, m=0)
