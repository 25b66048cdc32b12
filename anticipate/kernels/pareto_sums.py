"""Pareto/NBD added up over customers: log-likelihood, slope and curvature in one pass.

Reads  weighted cells of equal (x, t_x, T), sorted by x; symbols as in ``pareto``.
Gives  three sums, for the fit and for its standard errors.
Never  a result per customer: that is ``pareto``, and a test holds both together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import special
from .pareto import ParetoNBD, dropped_log_odds, silent_span
from .segments import run_starts
from .sums import Sums, dot, softplus_and_sigmoid

Floats = NDArray[np.float64]
CHUNK = 2048  # cells at a time: their nodes stay in the processor's cache


def pareto_sums(x: Floats, t_x: Floats, T: Floats, weight: Floats, *, model: ParetoNBD) -> Sums:
    """Sums over cells of weight times log-likelihood, its gradient and its Hessian.

    Parameters
    ----------
    x, t_x, T, weight : arrays of shape (n,)
        Sorted by x.
    model : ParetoNBD
    """
    value, gradient, hessian = _by_kind(x, weight, model)
    for low in range(0, len(x), CHUNK):
        part = slice(low, low + CHUNK)
        added = _chunk(x[part], t_x[part], T[part], weight[part], model)
        value += added.value
        gradient += added.gradient
        hessian += added.hessian
    return Sums(value, gradient, hessian + np.triu(hessian, 1).T)


def _chunk(x: Floats, t_x: Floats, T: Floats, weight: Floats, model: ParetoNBD) -> Sums:
    # ll = ln(alive and silent up to T + sum over nodes y of left at y). Each is a case with
    # derivative z by (r, alpha, s, beta); measured from the alive case, so that its own z is 0
    # but for what is added at once. Curvature: E[z'] + E[z z'] - E[z] E[z]'.
    r, alpha, s, beta = model
    n, alpha_T, beta_T = r + x, alpha + T, beta + T
    after, share, log_mean = silent_span(n, s + 1, t_x, T, model)
    soft, p = softplus_and_sigmoid(dropped_log_odds(n, t_x, T, log_mean, model))
    log_a, log_b, by_a, by_b = np.log(alpha_T), np.log(beta_T), 1 / alpha_T, 1 / beta_T
    alpha_y, beta_y = (alpha + t_x) + after, (beta + t_x) + after
    node_a, node_b = 1 / alpha_y, 1 / beta_y
    z = [
        log_a - np.log(alpha_y),
        n * (by_a - node_a),
        1 / s + log_b - np.log(beta_y),
        s * by_b - (s + 1) * node_b,
    ]
    chance = (weight * p) * share  # (NODES, n)
    cases = [chance * case for case in z]
    means = [np.einsum("ij->j", case) for case in cases]
    gradient = np.array([mean.sum() for mean in means])
    hessian = np.zeros((4, 4))
    lost = np.divide(1.0, weight, out=np.zeros_like(weight), where=weight > 0)
    for i in range(4):
        for j in range(i, 4):
            hessian[i, j] = _dot2(cases[i], z[j]) - dot(means[i] * lost, means[j])
    alive = weight * (1 - p)
    hessian[0, 1] -= dot(alive, by_a) + _dot2(chance, node_a)
    hessian[1, 1] += dot(alive, n * by_a**2) + _dot2(chance * n, node_a**2)
    hessian[2, 2] -= float(np.einsum("ij->", chance)) / s**2
    hessian[2, 3] -= dot(alive, by_b) + _dot2(chance, node_b)
    hessian[3, 3] += s * dot(alive, by_b**2) + (s + 1) * _dot2(chance, node_b**2)
    gradient -= [dot(weight, v) for v in (log_a, n * by_a, log_b, s * by_b)]
    return Sums(dot(weight, soft - n * log_a - s * log_b), gradient, hessian)


def _dot2(left: Floats, right: Floats) -> float:
    return float(np.einsum("ij,ij->", left, right))


def _by_kind(x: Floats, weight: Floats, model: ParetoNBD) -> tuple[float, Floats, Floats]:
    # All that depends on x alone: lnG(r+x) - lnG(r) + r ln alpha + s ln beta
    r, alpha, s, beta = model
    starts = run_starts(x)
    w, n = np.add.reduceat(weight, starts), r + x[starts]
    total = float(w.sum())
    value = dot(w, special.gammaln(n) - special.gammaln(r))
    value += total * (r * np.log(alpha) + s * np.log(beta))
    by_r = dot(w, special.digamma(n) - special.digamma(r))
    gradient = total * np.array([np.log(alpha), r / alpha, np.log(beta), s / beta])
    gradient[0] += by_r
    hessian = np.zeros((4, 4))
    hessian[0, 0] = dot(w, special.zeta(2.0, n) - special.zeta(2.0, r))
    hessian[0, 1], hessian[1, 1] = total / alpha, -total * r / alpha**2
    hessian[2, 3], hessian[3, 3] = total / beta, -total * s / beta**2
    return float(value), gradient, hessian
