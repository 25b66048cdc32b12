"""Buy till you die: BG/NBD and MBG/NBD in closed form, one customer per element.

Reads  x repeat purchase days, t_x time of the last one, T age, all since the first purchase.
Gives  log-likelihood and gradient, P(alive), P(no purchase in a horizon), expected purchases.
Never  another customer's element: every result is the same alone and in a batch, bit for bit.
Source Fader, Hardie and Lee 2005 (BG/NBD); Batislam, Denizel and Filiztekin 2007 (MBG/NBD).

Symbols: a customer buys at rate lambda ~ Gamma(r, alpha) and drops out with probability
p ~ Beta(a, b) after a purchase. m = 0 (BG): never after the first; m = 1 (MBG): after the first
too. alpha, t_x, T and H share one time unit, whichever it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special

Floats = NDArray[np.float64]
NODES = 8  # Gauss-Jacobi
TINY_NODE = 1e-15  # rounding may leave the first node at or below 0 when b is huge


class BetaGeo(NamedTuple):
    """Parameters of one fitted model; ``alpha`` is in the time unit of the data."""

    r: float
    alpha: float
    a: float
    b: float
    m: int  # 0 = BG/NBD, 1 = MBG/NBD


def log_likelihood(x: Floats, t_x: Floats, T: Floats, *, model: BetaGeo) -> Floats:
    """Log density of each customer's purchase times.

    Parameters
    ----------
    x, t_x, T : arrays of shape (n,)
        Repeat purchase days (>= 0), time of the last one, age; 0 <= t_x <= T.
    model : BetaGeo

    Returns
    -------
    array of shape (n,)
        Nats; finite for all valid input.
    """
    # ll = lnG(r+x) - lnG(r) + r ln alpha + lnB(a, b+x+m) - lnB(a, b) - (r+x) ln(alpha+T)
    #      + softplus(delta)
    r, alpha, a, b, m = model
    log_rate = (
        special.gammaln(r + x)
        - special.gammaln(r)
        + r * np.log(alpha)
        - (r + x) * np.log(alpha + T)
    )
    log_stay = special.betaln(a, b + x + m) - special.betaln(a, b)
    softplus = np.logaddexp(0.0, log_odds_dropped(x, t_x, T, model=model))
    return np.asarray(log_rate + log_stay + softplus, dtype=np.float64)


def log_likelihood_gradient(x: Floats, t_x: Floats, T: Floats, *, model: BetaGeo) -> Floats:
    """Derivative of :func:`log_likelihood` by r, alpha, a and b.

    Returns
    -------
    array of shape (4, n)
    """
    r, alpha, a, b, m = model
    p = special.expit(log_odds_dropped(x, t_x, T, model=model))
    d_r = special.digamma(r + x) - special.digamma(r) + np.log(alpha / (alpha + T))
    d_r += p * np.log((alpha + T) / (alpha + t_x))
    d_alpha = r / alpha - (r + x) / (alpha + T)
    d_alpha += p * (r + x) * (1 / (alpha + T) - 1 / (alpha + t_x))
    both = special.digamma(a + b) - special.digamma(a + b + x + m)
    d_a = both + p / a
    # p = 0 where b + x - 1 + m could be <= 0 (BG, x = 0), so any positive divisor will do there.
    d_b = (
        both
        + special.digamma(b + x + m)
        - special.digamma(b)
        - p / np.where(x + m > 0, b + x - 1 + m, 1.0)
    )
    return np.stack([d_r, d_alpha, d_a, d_b])


def log_odds_dropped(x: Floats, t_x: Floats, T: Floats, *, model: BetaGeo) -> Floats:
    """Log-odds that the customer has dropped out by age T; -inf for BG/NBD at x = 0."""
    # delta = ln a - ln(b+x-1+m) + (r+x) ln((alpha+T) / (alpha+t_x)); P(alive) = sigmoid(-delta)
    r, alpha, a, b, m = model
    may_drop = x + m > 0
    odds_last = a / np.where(may_drop, b + x - 1 + m, 1.0)
    delta = np.log(odds_last) + (r + x) * np.log1p((T - t_x) / (alpha + t_x))
    return np.where(may_drop, delta, -np.inf)


def probability_alive(x: Floats, t_x: Floats, T: Floats, *, model: BetaGeo) -> Floats:
    """P(the customer may still buy | x, t_x, T): not a churn score, see the next function.

    Every one-time buyer gets 1 from BG/NBD.
    """
    return np.asarray(special.expit(-log_odds_dropped(x, t_x, T, model=model)), dtype=np.float64)


def log_odds_no_purchase(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> Floats:
    """Log-odds of no purchase in (T, T + H]: the churn score of this library.

    Parameters
    ----------
    x, t_x, T : arrays of shape (n,)
    horizon : float or array of shape (n,)
        H > 0, in the unit of T.
    model : BetaGeo

    Returns
    -------
    array of shape (n,)
        Nats; ``expit`` of it equals exp(ll(x, t_x, T + H) - ll(x, t_x, T)).
    """
    # P(none) = P(dropped) + P(alive) e^-u, u = (r+x) ln((alpha+T+H) / (alpha+T)), and
    # P(some) = P(alive) (1 - e^-u). In the ratio P(alive) cancels, so both tails stay exact.
    delta = log_odds_dropped(x, t_x, T, model=model)
    u = _log_inverse_silence(x, T, horizon=horizon, model=model)
    return np.asarray(np.logaddexp(delta, -u) - np.log(-np.expm1(-u)), dtype=np.float64)


def expected_purchases(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> Floats:
    """Expected purchase days in (T, T + H].

    Returns
    -------
    array of shape (n,)
        Counts. At x = t_x = T = 0 it is the mean number of repeats by age H, E[X(H)].
    """
    alive = probability_alive(x, t_x, T, model=model)
    return alive * expected_purchases_if_alive(x, T, horizon=horizon, model=model)


def expected_purchases_if_any(
    x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> Floats:
    """Expected purchase days in (T, T + H], given that there is at least one (so >= 1)."""
    # E[X | X >= 1] = E[X] / P(X >= 1); P(alive) stands in both and cancels.
    u = _log_inverse_silence(x, T, horizon=horizon, model=model)
    if_alive = expected_purchases_if_alive(x, T, horizon=horizon, model=model)
    return np.maximum(if_alive / -np.expm1(-u), 1.0)


def expected_purchases_if_alive(
    x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> Floats:
    """Expected purchase days in (T, T + H], given that the customer is alive at T.

    Notes
    -----
    The mean of (1 - (1 + p H / (alpha+T))^-(r+x)) / p over p ~ Beta(a, b+x+m), by Gauss-Jacobi
    quadrature with 8 nodes: no 2F1, and nothing special at a = 1. Relative error below 1e-6 for
    H <= alpha + T, 1e-4 for twice that, some percent for sixteen times that.
    """
    r, alpha, a, b, m = model
    x = np.asarray(x, dtype=np.float64)
    kinds, kind = np.unique(x, return_inverse=True)
    nodes, weights = _beta_quadrature(a, b + kinds + m)
    p = nodes[:, kind.ravel()]
    means = -np.expm1(-(r + x) * np.log1p(p * (horizon / (alpha + T)))) / p
    terms = weights[:, kind.ravel()] * means
    total = terms[0]
    for term in terms[1:]:  # .sum(axis=0) adds in another order for one customer than for two
        total = total + term
    return np.asarray(total, dtype=np.float64)


def _log_inverse_silence(
    x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> Floats:
    # u = -ln P(no purchase in (T, T+H] | alive) = (r+x) ln(1 + H / (alpha+T))
    return np.asarray((model.r + x) * np.log1p(horizon / (model.alpha + T)), dtype=np.float64)


def _beta_quadrature(a: float, b: Floats) -> tuple[Floats, Floats]:
    # Nodes and weights, each (NODES, n), of the Beta(a, b_i) mean: Golub and Welsch 1969 on the
    # Jacobi matrix of the polynomials orthogonal on [0, 1] (scipy.special.roots_jacobi is NaN
    # for b > 1000). Written for p near 0 without cancellation, as in a quotient-difference
    # table: q_k = (k+a)(k+s-1) / ((2k+s-1)(2k+s)), e_k = k(k+b-1) / ((2k+s-2)(2k+s-1)),
    # s = a + b; diagonal q_k + e_k, squared off-diagonal q_k e_{k+1}. One matrix per element,
    # each solved by itself.
    k = np.arange(NODES, dtype=np.float64)
    s = (a + b)[:, None]
    q = (k + a) * np.where(k > 0, k + s - 1, 1.0)
    q /= np.where(k > 0, 2 * k + s - 1, 1.0) * (2 * k + s)
    e = k * (k + b[:, None] - 1) / np.where(k > 0, (2 * k + s - 2) * (2 * k + s - 1), 1.0)
    jacobi = np.zeros((len(b), NODES, NODES))
    rows = np.arange(NODES)
    jacobi[:, rows, rows] = q + e
    off = np.sqrt(q[:, :-1] * e[:, 1:])
    jacobi[:, rows[1:], rows[:-1]] = off
    jacobi[:, rows[:-1], rows[1:]] = off
    nodes, vectors = np.linalg.eigh(jacobi)
    return np.maximum(nodes.T, TINY_NODE), vectors[:, 0, :].T ** 2
