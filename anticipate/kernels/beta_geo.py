"""BG/NBD and MBG/NBD, also with regular gaps (k): closed forms, one customer per element.

Reads  x repeat purchase days, t_x time of the last one, T age, all since the first purchase.
Gives  log-likelihood and gradient, P(alive), P(no purchase in a horizon), expected purchases.
Never  another customer's element: every result is the same alone and in a batch, bit for bit.
Source Fader, Hardie and Lee 2005 (BG/NBD); Batislam, Denizel and Filiztekin 2007 (MBG/NBD);
       Platzer and Reutterer, "Ticking away the moments", Marketing Science 2016 (regular gaps).

Symbols: a customer has rate lambda ~ Gamma(r, alpha); a gap between purchases is Erlang: k steps
of rate lambda each (k = 1: a gap at random); after a purchase the customer drops out with
probability p ~ Beta(a, b). m = 0 (BG): never after the first; m = 1 (MBG): after the first too.
n = r + k x steps and prior steps. alpha, t_x, T and H share one time unit, whichever it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import special

Floats = NDArray[np.float64]
NODES = 8  # Gauss-Jacobi
TINY_NODE = 1e-15  # rounding may leave the first node at or below 0 when b is huge
TINY = 1e-300  # below it a probability has no logarithm
FEW_STEPS = 0.05  # expected steps in the horizon below which three purchases are a full account


class BetaGeo(NamedTuple):
    """Parameters of one fitted model; ``alpha`` is in the time unit of the data."""

    r: float
    alpha: float
    a: float
    b: float
    m: int  # 0 = BG, 1 = MBG
    k: int = 1  # steps of a gap; 1 = NBD, more = regular buyers


def log_likelihood(
    x: Floats, t_x: Floats, T: Floats, *, model: BetaGeo, log_gap_sum: Floats | float = 0.0
) -> Floats:
    """Log density of each customer's purchase times; see :mod:`anticipate.kernels.btyd`."""
    # ll = lnG(n) - lnG(r) + r ln alpha + lnB(a, b+x+m) - lnB(a, b) - n ln(alpha+T)
    #      + softplus(delta), and for k > 1 + ln S + (k-1) sum(ln gap) - x ln (k-1)!
    r, alpha, a, b, m, k = model
    n = step_count(x, model)
    log_rate = special.gammaln(n) - special.gammaln(r) + r * np.log(alpha) - n * np.log(alpha + T)
    log_stay = special.betaln(a, b + x + m) - special.betaln(a, b)
    softplus = np.logaddexp(0.0, log_odds_dropped(x, t_x, T, model=model))
    ll = log_rate + log_stay + softplus
    if k > 1:
        log_silence = np.log(sum(step_terms(n, T - t_x, model.alpha + T, k)))
        ll = ll + (log_silence + (k - 1) * log_gap_sum - x * special.gammaln(k))
    return np.asarray(ll, dtype=np.float64)


def log_odds_dropped(x: Floats, t_x: Floats, T: Floats, *, model: BetaGeo) -> Floats:
    """Log-odds that the customer has dropped out by age T; -inf for BG at x = 0."""
    # delta = ln a - ln(b+x-1+m) + n ln((alpha+T) / (alpha+t_x)) - ln S
    a, b, m = model.a, model.b, model.m
    n = step_count(x, model)
    may_drop = x + m > 0
    odds_last = a / np.where(may_drop, b + x - 1 + m, 1.0)
    delta = np.log(odds_last) + n * np.log1p((T - t_x) / (model.alpha + t_x))
    if model.k > 1:
        delta = delta - np.log(sum(step_terms(n, T - t_x, model.alpha + T, model.k)))
    return np.where(may_drop, delta, -np.inf)


def log_odds_no_purchase(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> Floats:
    """Log-odds of no purchase in (T, T + H]: the churn score of this library."""
    # P(none) = P(dropped) + P(alive) e^-u, u = -ln P(no purchase in (T, T+H] | alive), and
    # P(some) = P(alive) (1 - e^-u). In the ratio P(alive) cancels, so both tails stay exact.
    delta = log_odds_dropped(x, t_x, T, model=model)
    if model.k == 1:
        u = _log_inverse_silence(x, T, horizon=horizon, model=model)
        return np.asarray(np.logaddexp(delta, -u) - np.log(-np.expm1(-u)), dtype=np.float64)
    none, some = _next_gap(x, t_x, T, horizon=horizon, model=model)
    return np.asarray(np.logaddexp(delta, none) - np.log(some), dtype=np.float64)


def expected_purchases_if_any(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> Floats:
    """Expected purchase days in (T, T + H], given that there is at least one (so >= 1)."""
    # E[X | X >= 1] = E[X] / P(X >= 1); P(alive) stands in both and cancels.
    if_alive = expected_purchases_if_alive(x, t_x, T, horizon=horizon, model=model)
    if model.k == 1:
        some = -np.expm1(-_log_inverse_silence(x, T, horizon=horizon, model=model))
    else:
        some = _next_gap(x, t_x, T, horizon=horizon, model=model)[1]
    return np.maximum(if_alive / some, 1.0)


def expected_purchases_if_alive(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> Floats:
    """Expected purchase days in (T, T + H], given that the customer is alive at T.

    Notes
    -----
    Exact in lambda and in the step that the open gap has reached. The mean over p ~
    Beta(a, b+x+m) is Gauss-Jacobi quadrature with 8 nodes: no 2F1, and nothing special at a = 1.
    Relative error below 1e-6 for H <= alpha + T, 1e-4 for twice that, some percent for sixteen
    times that.
    """
    r, alpha, a, b, m, k = model
    x = np.asarray(x, dtype=np.float64)
    kinds, kind = np.unique(x, return_inverse=True)
    nodes, weights = _beta_quadrature(a, b + kinds + m)
    p = nodes[:, kind.ravel()]
    if k == 1:
        means = -np.expm1(-(r + x) * np.log1p(p * (horizon / (alpha + T)))) / p
    else:
        means = _regular_means(x, t_x, T, p, horizon=horizon, model=model)
    terms = weights[:, kind.ravel()] * means
    total = terms[0]
    for term in terms[1:]:  # .sum(axis=0) adds in another order for one customer than for two
        total = total + term
    # Regular gaps: where next to nothing is expected, rounding may leave it below 0.
    return np.maximum(total, 0.0)


def step_count(x: Floats, model: BetaGeo) -> Floats:
    return np.asarray(model.r + x if model.k == 1 else model.r + model.k * x)


def _log_inverse_silence(
    x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> Floats:
    # u = -ln P(no purchase in (T, T+H] | alive) = (r+x) ln(1 + H / (alpha+T)), for k = 1
    return np.asarray((model.r + x) * np.log1p(horizon / (model.alpha + T)), dtype=np.float64)


def step_terms(n: Floats, silent: Floats, age: Floats, k: int) -> list[Floats]:
    # S = sum over j < k of (n)_j / j! (s / (alpha+T))^j, s = T - t_x: in proportion to term j the
    # open gap has made j of its k steps. All terms >= 0, the first is 1.
    share = silent / age
    terms = [np.ones_like(n * share)]
    for j in range(1, k):
        terms.append(terms[-1] * ((n + (j - 1)) / j * share))
    return terms


def _next_gap(
    x: Floats, t_x: Floats, T: Floats, *, horizon: float | Floats, model: BetaGeo
) -> tuple[Floats, Floats]:
    # For k > 1, given alive: ln P(no purchase in the horizon), and P(some) > 0. After j steps,
    # lambda ~ Gamma(n+j, alpha+T), the steps made in H are negative binomial; i = k - j more are
    # a purchase: P = I_z(i, n+j), z = H / (alpha+T+H). Sums of positive terms: nothing cancels.
    n, age = step_count(x, model), model.alpha + T
    terms = step_terms(n, T - t_x, age, model.k)
    later = step_terms(n, T - t_x + horizon, age + horizon, model.k)
    none = np.log(sum(later) / sum(terms)) - n * np.log1p(horizon / age)
    z = horizon / (age + horizon)
    reached = [term * special.betainc(model.k - j, n + j, z) for j, term in enumerate(terms)]
    return np.minimum(none, 0.0), np.maximum(sum(reached) / sum(terms), TINY)


def _regular_means(
    x: Floats,
    t_x: Floats,
    T: Floats,
    p: Floats,
    *,
    horizon: float | Floats,
    model: BetaGeo,
) -> Floats:
    # Mean number of purchases given p, (NODES, n): with N steps in H after j of k, M = floor(
    # (N+j) / k) of them if nobody dropped out, and theta = 1 - p: (1 - E[theta^M]) / p. theta^M
    # has period k in N+j but for the factor w^(N+j), w = theta^(1/k): a sum over the k-th roots
    # of unity z_l, E[(w z_l)^N] = (1 + h (1 - w z_l))^-(n+j), h = H / (alpha+T).
    n, age, k = step_count(x, model), model.alpha + T, model.k
    terms = step_terms(n, T - t_x, age, k)
    total = sum(terms)
    log_w = np.log1p(-np.minimum(p, 1 - TINY_NODE)) / k
    back = [np.expm1(-d * log_w) for d in range(k)]  # w^-d - 1 = O(p)
    out = np.zeros_like(p)
    for turn in range(k):
        root = np.exp(2j * np.pi * turn / k)
        c = sum(back[d] * root ** (-d) for d in range(k)) / k + (1.0 if turn == 0 else 0.0)
        # 1 - w z_l without cancellation where z_l = 1
        left = -np.expm1(log_w) if turn == 0 else 1 - np.exp(log_w) * root
        log_pgf = np.log1p(horizon / age * left)
        for j, term in enumerate(terms):
            factor = c * np.exp(j * log_w) * root**j
            out = out + term / total * np.real(factor * -np.expm1(-(n + j) * log_pgf))
    few = _few_means(n, terms, p, horizon / (age + horizon), k)
    return np.where((n + k) * (horizon / age) < FEW_STEPS, few, out / p)


def _few_means(n: Floats, terms: list[Floats], p: Floats, z: Floats, k: int) -> Floats:
    # The same as a sum over purchases, theta^(i-1) P(at least i k - j steps): three are plenty
    # where a step is rare, and nothing cancels.
    total = sum(terms)
    out = np.zeros_like(p)
    for j, term in enumerate(terms):
        for i in range(1, 4):
            out = out + (1 - p) ** (i - 1) * (term / total * special.betainc(i * k - j, n + j, z))
    return out


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
