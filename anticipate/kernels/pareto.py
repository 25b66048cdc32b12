"""Pareto/NBD without 2F1: one customer per element.

Reads  x repeat purchase days, t_x time of the last one, T age, all since the first purchase.
Gives  log-likelihood and gradient, P(alive), P(no purchase in a horizon), expected purchases.
Never  another customer's element: every result is the same alone and in a batch, bit for bit.
Source Schmittlein, Morrison and Colombo 1987; Fader and Hardie, "A note on deriving the
       Pareto/NBD model", 2005.

Symbols: a customer buys at rate lambda ~ Gamma(r, alpha) until a lifetime ends, which it does at
rate mu ~ Gamma(s, beta), purchase or not. alpha, beta, t_x, T and H share one time unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special

Floats = NDArray[np.float64]
NODES = 12  # Gauss-Legendre
TINY = 1e-300  # below it an integral has no logarithm
STEEP = 1e-3  # least slope of the substitution: it divides
# The substitution is this much gentler than the integrand: log-odds are right to 1e-9 as a rule, to
# 1e-4 where alpha and beta lie a hundredfold apart.
GENTLE = 6
_LEGENDRE = np.polynomial.legendre.leggauss(NODES)
_Z, _WEIGHTS = ((_LEGENDRE[0] + 1) / 2)[:, None], (_LEGENDRE[1] / 2)[:, None]  # on [0, 1]


class ParetoNBD(NamedTuple):
    """Parameters of one fitted model; ``alpha``, ``beta`` in the time unit of the data."""

    r: float
    alpha: float
    s: float
    beta: float


def log_likelihood(x: Floats, t_x: Floats, T: Floats, *, model: ParetoNBD) -> Floats:
    """Log density of each customer's purchase times; see :mod:`anticipate.kernels.btyd`."""
    # ll = lnG(n) - lnG(r) + r ln alpha + s ln beta - n ln(alpha+T) - s ln(beta+T)
    #      + softplus(delta), n = r + x
    r, alpha, s, beta = model
    n = r + x
    log_rate = special.gammaln(n) - special.gammaln(r) + r * np.log(alpha) - n * np.log(alpha + T)
    log_stay = -s * np.log1p(T / beta)
    softplus = np.logaddexp(0.0, log_odds_dropped(x, t_x, T, model=model))
    return np.asarray(log_rate + log_stay + softplus, dtype=np.float64)


def log_odds_dropped(x: Floats, t_x: Floats, T: Floats, *, model: ParetoNBD) -> Floats:
    """Log-odds that the customer has dropped out by age T."""
    n = model.r + x
    log_mean = silent_span(n, model.s + 1, t_x, T, model)[2]
    return dropped_log_odds(n, t_x, T, log_mean, model)


def log_odds_no_purchase(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: ParetoNBD
) -> Floats:
    """Log-odds of no purchase in (T, T + H]."""
    # Over the density of staying alive and silent up to T: none = the same up to T + H, or dropped
    # out in (t_x, T+H]; some = a first purchase in (T, T+H]. Both are sums of positive terms.
    r, alpha, s, beta = model
    n, end = r + x, T + horizon
    stay = -n * np.log1p(horizon / (alpha + T)) - s * np.log1p(horizon / (beta + T))
    log_mean = silent_span(n, s + 1, t_x, end, model)[2]
    dropped = dropped_log_odds(n, t_x, end, log_mean, model) + stay
    return np.asarray(np.logaddexp(dropped, stay) - _log_some(n, T, horizon, model))


def expected_purchases_if_any(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: ParetoNBD
) -> Floats:
    """Expected purchase days in (T, T + H], given that there is at least one (so >= 1)."""
    if_alive = expected_purchases_if_alive(x, t_x, T, horizon=horizon, model=model)
    some = np.exp(_log_some(model.r + x, T, horizon, model))
    return np.maximum(if_alive / np.maximum(some, TINY), 1.0)


def expected_purchases_if_alive(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: ParetoNBD
) -> Floats:
    """Expected purchase days in (T, T + H], given that the customer is alive at T."""
    # (r+x)/(alpha+T) (beta+T) phi, phi = (1 - e^-(s-1)L) / (s-1), L = ln(1 + H/(beta+T)); the
    # lifetime left, and L itself at s = 1.
    r, alpha, s, beta = model
    span = np.log1p(horizon / (beta + T))
    phi = span if s == 1 else -np.expm1(-(s - 1) * span) / (s - 1)
    return np.asarray((r + x) / (alpha + T) * (beta + T) * phi, dtype=np.float64)


def dropped_log_odds(
    n: Floats, t_x: Floats, T: Floats, log_mean: Floats, model: ParetoNBD
) -> Floats:
    # delta = ln s integral of ((alpha+T)/(alpha+y))^n ((beta+T)/(beta+y))^s dy/(beta+y), y from
    # t_x to T
    silent = T - t_x
    risen = n * np.log1p(silent / (model.alpha + t_x)) + model.s * np.log1p(
        silent / (model.beta + t_x)
    )
    return np.asarray(np.log(model.s / (model.beta + t_x)) + risen + log_mean, dtype=np.float64)


def _log_some(n: Floats, T: Floats, horizon: float | Floats, model: ParetoNBD) -> Floats:
    # ln P(a purchase in (T, T+H] | alive at T) = ln n/(alpha+T) integral of
    # ((alpha+T)/(alpha+y))^(n+1) ((beta+T)/(beta+y))^s dy
    log_mean = silent_span(n + 1, model.s, T, T + horizon, model)[2]
    return np.minimum(np.log(n / (model.alpha + T)) + log_mean, 0.0)


def silent_span(
    p: Floats, q: float, low: Floats, high: Floats, model: ParetoNBD
) -> tuple[Floats, Floats, Floats]:
    # ln of the integral over y in (low, high) of ((alpha+low)/(alpha+y))^p ((beta+low)/(beta+y))^q
    # with its nodes y - low and their shares of it, (NODES, n) each.
    #   1. tau = ln((mu+y)/(mu+low)), mu = min(alpha, beta): no factor bends faster than e^tau.
    #   2. g = (1 - e^-c tau) / c, c a part of the integrand's slope in tau at low: what is left
    #      is smooth up to both ends, however many purchases (p) there were.
    alpha, beta = model.alpha + low, model.beta + low
    start = np.minimum(alpha, beta)
    c = np.maximum((start * (p / alpha + q / beta) - 1) / GENTLE, STEEP)
    reach = -np.expm1(-c * np.log1p((high - low) / start))
    tau = -np.log1p(-reach * _Z) / c
    after = start * np.expm1(tau)
    flat = np.exp((c + 1) * tau - p * np.log1p(after / alpha) - q * np.log1p(after / beta))
    terms = _WEIGHTS * flat
    total = _sum(terms)
    log_mean = np.log(np.maximum(start * reach / c * total, TINY))
    return after, terms / total, log_mean


def _mean(share: Floats, values: Floats) -> Floats:
    return _sum(share * values)


def _sum(terms: Floats) -> Floats:
    total = terms[0]
    for term in terms[1:]:  # .sum(axis=0) adds in another order for one customer than for two
        total = total + term
    return np.asarray(total)
