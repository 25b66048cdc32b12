"""What a purchase day is worth: a customer's own mean, shrunken towards everybody's.

Reads  n priced purchase days and their mean spend per customer.
Gives  expected spend per purchase day; log-likelihood and gradient for the fit.
Never  another customer's element.
Source Fader and Hardie, "The Gamma-Gamma model of monetary value", note 025, 2013.

Symbols: one day's spend ~ Gamma(p, nu), nu ~ Gamma(q, v) across customers; x days seen, m their
mean. v is in the log's currency, p and q are pure numbers, q > 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special
from .segments import run_starts
from .sums import Sums, dot

Floats = NDArray[np.float64]


class GammaGamma(NamedTuple):
    """Parameters of one fitted model; ``v`` in currency. NaN where no price was known."""

    p: float
    q: float
    v: float


def expected_spend(x: Floats, m: Floats, *, model: GammaGamma) -> Floats:
    """Expected spend of a purchase day.

    Parameters
    ----------
    x : array of shape (n,)
        Priced purchase days seen (>= 0).
    m : array of shape (n,)
        Their mean spend, currency; anything where x = 0.

    Returns
    -------
    array of shape (n,)
        Currency. At x = 0 the population's p v / (q - 1).
    """
    # E[M | x, m] = p (v + x m) / (p x + q - 1): a weighted mean of m and p v / (q - 1).
    p, q, v = model
    return np.asarray(p * (v + np.where(x > 0, x * m, 0.0)) / (p * x + q - 1), dtype=np.float64)


def log_likelihood(x: Floats, m: Floats, *, model: GammaGamma) -> Floats:
    """Log density of each mean spend; x > 0, m > 0, shape (n,)."""
    # ll = lnG(px+q) - lnG(px) - lnG(q) + q ln v + (px-1) ln m + px ln x - (px+q) ln(v + x m)
    p, q, v = model
    shape = p * x
    total = np.log(v + x * m)
    gammas = special.gammaln(shape + q) - special.gammaln(shape) - special.gammaln(q)
    logs = q * np.log(v) + (shape - 1) * np.log(m) + shape * np.log(x) - (shape + q) * total
    return np.asarray(gammas + logs, dtype=np.float64)


def log_likelihood_gradient(x: Floats, m: Floats, *, model: GammaGamma) -> Floats:
    """Derivative of :func:`log_likelihood` by p, q and v, shape (3, n)."""
    p, q, v = model
    both = special.digamma(p * x + q)
    total = np.log(v + x * m)
    d_p = x * (both - special.digamma(p * x) + np.log(m) + np.log(x) - total)
    d_q = both - special.digamma(q) + np.log(v) - total
    d_v = q / v - (p * x + q) / (v + x * m)
    return np.stack([d_p, d_q, d_v])


def gamma_gamma_sums(x: Floats, m: Floats, weight: Floats, *, model: GammaGamma) -> Sums:
    """Sums over customers of weight times log-likelihood, its gradient and its Hessian.

    Parameters
    ----------
    x, m, weight : arrays of shape (n,)
        Sorted by x; x > 0, m > 0.
    """
    # Of x alone, so once per distinct x: lnG(px+q) - lnG(px) - lnG(q) + q ln v + px ln x. The
    # rest is (px-1) ln m - (px+q) ln(v + x m).
    p, q, v = model
    starts = run_starts(x)
    w, kinds = np.add.reduceat(weight, starts), x[starts]
    n, steps, step, log_m = float(w.sum()), p * x + q, p * kinds, np.log(m)
    all_, gamma, psi = step + q, special.gammaln, special.digamma
    log_total, by_total = np.log(v + x * m), 1 / (v + x * m)
    value = dot(w, gamma(all_) - gamma(step) + step * np.log(kinds)) + n * (
        q * np.log(v) - gamma(q)
    )
    value += dot(weight, (p * x - 1) * log_m - steps * log_total)
    gradient = np.array([
        dot(w, kinds * (psi(all_) - psi(step) + np.log(kinds)))
        + dot(weight, x * (log_m - log_total)),
        dot(w, psi(all_)) + n * (np.log(v) - psi(q)) - dot(weight, log_total),
        n * q / v - dot(weight, steps * by_total),
    ])  # fmt: skip
    both = special.zeta(2.0, all_)
    pp = dot(w, kinds**2 * (both - special.zeta(2.0, step)))
    pq, pv = dot(w, kinds * both), -dot(weight, x * by_total)
    qq, qv = dot(w, both) - n * special.zeta(2.0, q), n / v - dot(weight, by_total)
    vv = -n * q / v**2 + dot(weight, steps * by_total**2)
    return Sums(float(value), gradient, np.array([[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]]))
