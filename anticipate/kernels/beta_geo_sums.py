"""(M)BG/NBD added up over customers: log-likelihood, slope and curvature in one pass.

Reads  weighted cells of equal (x, t_x, T), sorted by x; symbols as in ``beta_geo``.
Gives  three sums, for the fit and for its standard errors.
Never  a result per customer: that is ``beta_geo``, and a test holds both together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special
from .beta_geo import BetaGeo, step_count, step_terms
from .segments import run_starts
from .sums import Sums, dot, softplus_and_sigmoid

Floats = NDArray[np.float64]


class _Parts(NamedTuple):
    # E[z] and E[z z' + z'] of the log of a sum of cases (dropped; alive after j steps), where z
    # is the derivative of a case's logarithm by (r, alpha, a, b); the part of r and alpha that
    # no case shares is elsewhere. Its curvature is E[z z' + z'] - E[z] E[z]'.
    value: Floats
    first: list[Floats]
    second: dict[tuple[int, int], Floats]


def beta_geo_sums(x: Floats, t_x: Floats, T: Floats, weight: Floats, *, model: BetaGeo) -> Sums:
    """Sums over cells of weight times log-likelihood, its gradient and its Hessian.

    Parameters
    ----------
    x, t_x, T, weight : arrays of shape (n,)
        Sorted by x. The term of the log gaps, which no parameter moves, is left out.
    model : BetaGeo
    """
    n = step_count(x, model)
    log_age, by_age = np.log(model.alpha + T), 1 / (model.alpha + T)
    parts = _cases(x, t_x, T, n, log_age, by_age, model)
    value, gradient, hessian = _by_kind(x, weight, model)
    weighted = [weight * first for first in parts.first]
    value += dot(weight, parts.value) - dot(weight, n * log_age)
    gradient += [dot(weight, first) for first in parts.first]
    gradient[0] -= dot(weight, log_age)
    gradient[1] -= dot(weight, n * by_age)
    for (i, j), second in parts.second.items():
        hessian[i, j] += dot(weight, second) - dot(weighted[i], parts.first[j])
    hessian[0, 1] -= dot(weight, by_age)
    hessian[1, 1] += dot(weight, n * by_age**2)
    return Sums(value, gradient, hessian + np.triu(hessian, 1).T)


def _cases(
    x: Floats, t_x: Floats, T: Floats, n: Floats, log_age: Floats, by_age: Floats, model: BetaGeo
) -> _Parts:
    a, last = model.a, model.b + x - 1 + model.m
    may_drop = x + model.m > 0
    share = np.divide(1.0, last, out=np.zeros_like(last), where=may_drop)
    log_odds = np.log(share * a, out=np.full_like(share, -np.inf), where=may_drop)
    by_last = 1 / (model.alpha + t_x)
    d, e = log_age - np.log(model.alpha + t_x), by_age - by_last
    ne, squares = n * e, n * (by_last**2 - by_age**2)
    terms = step_terms(n, T - t_x, model.alpha + T, model.k)
    log_s = np.log(sum(terms)) if model.k > 1 else 0.0
    soft, p = softplus_and_sigmoid(log_odds + n * d - log_s)
    pa, pb, pd = p / a, p * share, p * d
    first = [pd, p * ne, pa, -pb]
    second = {
        (0, 0): pd * d, (0, 1): pd * ne + p * e, (0, 2): pd / a, (0, 3): -pb * d,
        (1, 1): p * (ne**2 + squares), (1, 2): pa * ne, (1, 3): -pb * ne,
        (2, 2): np.zeros_like(p), (2, 3): -pb / a, (3, 3): 2 * pb * share,
    }  # fmt: skip
    parts = _Parts(soft + log_s, first, second)
    if model.k > 1:
        _add_steps(parts, n, by_age, [(1 - p) * term / sum(terms) for term in terms])
    return parts


def _add_steps(parts: _Parts, n: Floats, by_age: Floats, chances: list[Floats]) -> None:
    # Alive after j steps: z = 1/n + .. + 1/(n+j-1) by r, -j / (alpha+T) by alpha.
    harmonic, squares = np.zeros_like(n), np.zeros_like(n)
    for j, chance in list(enumerate(chances))[1:]:
        step = 1 / (n + (j - 1))
        harmonic, squares, by_alpha = harmonic + step, squares + step**2, -j * by_age
        parts.first[0] += chance * harmonic
        parts.first[1] += chance * by_alpha
        parts.second[0, 0] += chance * (harmonic**2 - squares)
        parts.second[0, 1] += chance * harmonic * by_alpha
        parts.second[1, 1] += chance * (by_alpha**2 - by_alpha * by_age)


def _by_kind(x: Floats, weight: Floats, model: BetaGeo) -> tuple[float, Floats, Floats]:
    # All that depends on x alone, so the special functions run once per distinct x:
    # lnG(n) - lnG(r) + r ln alpha + lnB(a, b+x+m) - lnB(a, b) - x ln (k-1)!
    r, alpha, a, b, m, k = model
    starts = run_starts(x)
    w, x = np.add.reduceat(weight, starts), x[starts]
    n, stay, all_ = step_count(x, model), b + x + m, a + b + x + m
    total = float(w.sum())
    log_gamma, psi = special.gammaln, special.digamma
    values = log_gamma(n) - log_gamma(r) + special.betaln(a, stay) - special.betaln(a, b)
    both, both2 = psi(a + b) - psi(all_), _trigamma(a + b) - _trigamma(all_)
    gradient = np.array([
        dot(w, psi(n) - psi(r)) + total * np.log(alpha),
        total * r / alpha,
        dot(w, both),
        dot(w, both + psi(stay) - psi(b)),
    ])  # fmt: skip
    hessian = np.zeros((4, 4))
    hessian[0, 0] = dot(w, _trigamma(n) - _trigamma(r))
    hessian[0, 1], hessian[1, 1] = total / alpha, -total * r / alpha**2
    hessian[2, 2] = hessian[2, 3] = dot(w, both2)
    hessian[3, 3] = dot(w, both2 + _trigamma(stay) - _trigamma(b))
    value = dot(w, values - x * special.gammaln(k)) + total * r * np.log(alpha)
    return float(value), gradient, hessian


def _trigamma(v: Floats | float) -> Floats:
    return np.asarray(special.zeta(2.0, v))
