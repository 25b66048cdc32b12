"""Buy till you die, one door: the same questions to whichever model was fitted.

Reads  x repeat purchase days, t_x time of the last one, T age, all since the first purchase; the
       parameters of :class:`~anticipate.kernels.beta_geo.BetaGeo` or
       :class:`~anticipate.kernels.pareto.ParetoNBD`.
Gives  log-likelihood and gradient, P(alive), P(no purchase in a horizon), expected purchases.
Never  another customer's element: every result is the same alone and in a batch, bit for bit.

Every function takes arrays of shape (n,), 0 <= t_x <= T, x >= 0, in one time unit, whichever it
is, and is finite for all such input.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import beta_geo, pareto, special
from .beta_geo import BetaGeo
from .pareto import ParetoNBD

__all__ = [
    "BetaGeo",
    "Btyd",
    "ParetoNBD",
    "expected_purchases",
    "expected_purchases_if_alive",
    "expected_purchases_if_any",
    "from_vector",
    "log_likelihood",
    "log_odds_dropped",
    "log_odds_no_purchase",
    "probability_alive",
    "to_vector",
]

Floats = NDArray[np.float64]
Btyd = BetaGeo | ParetoNBD
VECTOR_LENGTH = 7
BETA_GEO, PARETO = 0.0, 1.0  # first number of a stored vector


def log_likelihood(
    x: Floats, t_x: Floats, T: Floats, *, model: Btyd, log_gap_sum: Floats | float = 0.0
) -> Floats:
    """Log density of each customer's purchase times, the first purchase given.

    Parameters
    ----------
    x, t_x, T : arrays of shape (n,)
        Repeat purchase days (>= 0), time of the last one, age; 0 <= t_x <= T.
    model : BetaGeo or ParetoNBD
    log_gap_sum : array of shape (n,), default=0
        Sum of the logarithms of the gaps. Only models of regular gaps (k > 1) ask for it.

    Returns
    -------
    array of shape (n,)
        Nats. A density in time^-x: of the same data in the same unit, all models compare.
    """
    if isinstance(model, BetaGeo):
        return beta_geo.log_likelihood(x, t_x, T, model=model, log_gap_sum=log_gap_sum)
    return pareto.log_likelihood(x, t_x, T, model=model)


def log_odds_dropped(x: Floats, t_x: Floats, T: Floats, *, model: Btyd) -> Floats:
    """Log-odds that the customer has dropped out by age T; -inf for BG/NBD at x = 0."""
    if isinstance(model, BetaGeo):
        return beta_geo.log_odds_dropped(x, t_x, T, model=model)
    return pareto.log_odds_dropped(x, t_x, T, model=model)


def probability_alive(x: Floats, t_x: Floats, T: Floats, *, model: Btyd) -> Floats:
    """P(the customer may still buy | x, t_x, T): not a churn score, see the next function.

    Every one-time buyer gets 1 from BG/NBD.
    """
    return np.asarray(special.expit(-log_odds_dropped(x, t_x, T, model=model)), dtype=np.float64)


def log_odds_no_purchase(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: Btyd
) -> Floats:
    """Log-odds of no purchase in (T, T + H]: the churn score of this library.

    Parameters
    ----------
    x, t_x, T : arrays of shape (n,)
    horizon : float or array of shape (n,)
        H > 0, in the unit of T.
    model : BetaGeo or ParetoNBD

    Returns
    -------
    array of shape (n,)
        Nats, exact in both tails; ``expit`` of it equals exp(ll(x, t_x, T + H) - ll(x, t_x, T)).
    """
    if isinstance(model, BetaGeo):
        return beta_geo.log_odds_no_purchase(x, t_x, T, horizon=horizon, model=model)
    return pareto.log_odds_no_purchase(x, t_x, T, horizon=horizon, model=model)


def expected_purchases(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: Btyd
) -> Floats:
    """Expected purchase days in (T, T + H].

    Returns
    -------
    array of shape (n,)
        Counts. At x = t_x = T = 0 it is the mean number of repeats by age H, E[X(H)].
    """
    alive = probability_alive(x, t_x, T, model=model)
    return alive * expected_purchases_if_alive(x, t_x, T, horizon=horizon, model=model)


def expected_purchases_if_any(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: Btyd
) -> Floats:
    """Expected purchase days in (T, T + H], given that there is at least one (so >= 1)."""
    if isinstance(model, BetaGeo):
        return beta_geo.expected_purchases_if_any(x, t_x, T, horizon=horizon, model=model)
    return pareto.expected_purchases_if_any(x, t_x, T, horizon=horizon, model=model)


def expected_purchases_if_alive(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: Btyd
) -> Floats:
    """Expected purchase days in (T, T + H], given that the customer is alive at T."""
    if isinstance(model, BetaGeo):
        return beta_geo.expected_purchases_if_alive(x, t_x, T, horizon=horizon, model=model)
    return pareto.expected_purchases_if_alive(x, t_x, T, horizon=horizon, model=model)


def to_vector(model: Btyd) -> Floats:
    """The model as a float64 vector of shape (7,): family, then its fields, then zeros."""
    family = BETA_GEO if isinstance(model, BetaGeo) else PARETO
    vector = np.zeros(VECTOR_LENGTH)
    vector[0], vector[1 : 1 + len(model)] = family, model
    return vector


def from_vector(vector: Floats) -> Btyd:
    """Inverse of :func:`to_vector`, bit for bit."""
    family, *v = (float(value) for value in vector)
    if family == BETA_GEO:
        return BetaGeo(v[0], v[1], v[2], v[3], m=int(v[4]), k=int(v[5]))
    return ParetoNBD(v[0], v[1], v[2], v[3])
