"""MBG/NBD: how often customers buy and when they stop, the library's default.

Reads  a purchase summary: repeat purchase days, time of the last one, age, per customer.
Gives  P(no purchase in a horizon), P(alive) and expected purchases per customer.
Never  the order or grouping of customers: they are added up as weighted cells first.
Source Batislam, Denizel and Filiztekin, Int. J. Research in Marketing 2007.
"""

from __future__ import annotations

from ...kernels.btyd import BetaGeo
from .estimator import BtydEstimator


class ModifiedBetaGeoModel(BtydEstimator):
    """MBG/NBD: random purchases, dropout after any purchase, the first included.

    Parameters, attributes and methods are those of :class:`BetaGeoModel`; only the likelihood
    differs, and one-time buyers may have left.

    Examples
    --------
    >>> import pandas as pd
    >>> summary = pd.DataFrame(
    ...     {"n_repeats": [2, 0, 5], "last_repeat_days": [30, 0, 90], "age_days": [39, 39, 95]}
    ... )
    >>> model = ModifiedBetaGeoModel().fit(summary)
    >>> sorted(model.params_)
    ['a', 'alpha', 'b', 'r']
    """

    _start = BetaGeo(1.0, 1.0, 1.0, 1.0, m=1)
