"""How well an uplift score ranks: curves, Qini and AUUC, with bootstrap intervals.

Reads  an experiment: outcome, score and treatment of n customers.
Gives  the two curves of the field as one table, the area of each, an interval of each.
Never  the order of rows: equal scores are one group, and a resample is drawn from sorted rows.
Source Radcliffe, Using control groups to target on predicted lift, Direct Marketing Analytics
       Journal, 2007 (Qini); Gutierrez & Gérardy, Causal inference and uplift modelling, PMLR 67,
       2017 (cumulative gain); Efron & Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_confidence, check_count
from ..exceptions import ParameterError
from .uplift_input import numbers_of, outcome_of, treatment_of

Array = NDArray[Any]


def uplift_curve(y: Any, uplift: Any, treatment: Any) -> pd.DataFrame:
    """What contacting only the best-scored share of the customers would have gained.

    Parameters
    ----------
    y : array-like of shape (n,)
        Outcome: 0/1, or any finite number such as spend.
    uplift : array-like of shape (n,)
        Score; the highest are contacted first. Only its order counts, equal scores are one
        group and enter together.
    treatment : array-like of shape (n,)
        1 or True for the treated, 0 for the hold-out, drawn at random.

    Returns
    -------
    DataFrame of shape (n distinct scores + 1, 5), the first row all 0
        ``share`` of all customers reached so far; ``n_treated`` and ``n_holdout`` among them,
        n_t and n_c, with outcomes summing to y_t and y_c; ``gain`` = share · (y_t/n_t − y_c/n_c),
        per customer of all; ``qini`` = (y_t − y_c · n_t/n_c) / N_t, per treated customer, N_t
        being all of them. A ratio over nobody counts 0. Both end in the difference of the means.

    Raises
    ------
    ParameterError
        If a column is not of finite numbers, is of another length, or the treatment has one arm.

    Examples
    --------
    >>> uplift_curve([1, 0, 0, 1], [0.9, 0.9, 0.1, 0.1], [1, 0, 1, 0])["qini"].tolist()
    [0.0, 0.5, 0.0]
    """
    rows = _sorted(y, uplift, treatment)
    share, treated, holdout, gain, qini_gain = _curves(rows, np.ones(len(rows.y)))
    return pd.DataFrame(
        {
            "share": share,
            "n_treated": treated.astype(np.int64),
            "n_holdout": holdout.astype(np.int64),
            "gain": gain,
            "qini": qini_gain,
        }
    )


def qini(y: Any, uplift: Any, treatment: Any) -> float:
    """Area between the Qini curve and the straight line to its end; 0 for a random order.

    Q = ∫₀¹ q(s) ds − q(1)/2, with s = ``share`` and q = ``qini`` of ``uplift_curve``, joined by
    straight lines. In outcomes per treated customer: .01 means that, averaged over how many are
    contacted, the score gains one more outcome per hundred treated than a random choice does.
    Not divided by a "perfect" curve's area: that one depends on the data alone (so the order of
    two scores is the same) and on whether losses are allowed. Times n · N_t it is the area that
    scikit-uplift's ``qini_auc_score`` has above its fraction line.

    Parameters and errors are those of ``uplift_curve``.

    Examples
    --------
    >>> qini([1, 0, 0, 1], [0.9, 0.9, 0.1, 0.1], [1, 0, 1, 0])
    0.25
    """
    rows = _sorted(y, uplift, treatment)
    return _qini_area(rows, np.ones(len(rows.y)))


def auuc(y: Any, uplift: Any, treatment: Any) -> float:
    """Area under the cumulative gain: ∫₀¹ g(s) ds, with g = ``gain`` of ``uplift_curve``.

    In outcomes per customer of all. A random order has half the difference of the means, so
    compare it on the same customers only. Times n² it is the area under scikit-uplift's
    ``uplift_curve``.

    Examples
    --------
    >>> auuc([1, 0, 0, 1], [0.9, 0.9, 0.1, 0.1], [1, 0, 1, 0])
    0.25
    """
    rows = _sorted(y, uplift, treatment)
    return _gain_area(rows, np.ones(len(rows.y)))


def qini_interval(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    confidence: float = 0.9,
    n_bootstrap: int = 200,
    random_state: int | None = 0,
) -> tuple[float, float]:
    """``qini`` of customers drawn again, within each arm, with replacement: (low, high).

    Percentiles (1 ∓ confidence)/2 of ``n_bootstrap`` draws. The score is taken as given: what a
    model fitted on other customers would have scored is not in the interval. It holds for one
    score; for two, take the difference on the same draws (the same ``random_state`` does not
    pair them).

    Examples
    --------
    Four customers tell next to nothing:

    >>> qini_interval([1, 0, 0, 1], [0.9, 0.9, 0.1, 0.1], [1, 0, 1, 0])
    (0.0, 0.5)
    """
    rows = _sorted(y, uplift, treatment)
    return _interval(rows, _qini_area, confidence, n_bootstrap, random_state)


def auuc_interval(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    confidence: float = 0.9,
    n_bootstrap: int = 200,
    random_state: int | None = 0,
) -> tuple[float, float]:
    """``auuc`` of customers drawn again, as in ``qini_interval``: (low, high).

    Examples
    --------
    >>> auuc_interval([1, 0, 0, 1], [0.9, 0.9, 0.1, 0.1], [1, 0, 1, 0])
    (-0.5, 0.5)
    """
    rows = _sorted(y, uplift, treatment)
    return _interval(rows, _gain_area, confidence, n_bootstrap, random_state)


@dataclass(frozen=True)
class _Rows:
    """Customers by falling score; which of the equal ones comes first never matters."""

    y: Array  # (n,)
    treated: Array  # (n,), 0.0 or 1.0
    ends: Array  # last row of each group of equal scores


def _sorted(y: Any, uplift: Any, treatment: Any) -> _Rows:
    treated = treatment_of(treatment)
    outcome = outcome_of(y, len(treated))
    score = numbers_of("uplift", uplift)
    if len(score) != len(treated):
        raise ParameterError(f"uplift has {len(score)} values for {len(treated)} customers.")
    order = np.lexsort((outcome, treated, -score))
    score = score[order]
    ends = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    return _Rows(outcome[order], treated[order], ends)


def _curves(rows: _Rows, counts: Array) -> tuple[Array, Array, Array, Array, Array]:
    """share, n_t, n_c, gain, qini at the end of each group, from 0; ``counts`` per row (n,)."""
    of_treated = counts * rows.treated
    n_t, n_all = _reached(of_treated, rows), _reached(counts, rows)
    y_t, y_all = _reached(of_treated * rows.y, rows), _reached(counts * rows.y, rows)
    n_c, y_c = n_all - n_t, y_all - y_t
    share = n_all / n_all[-1]
    gain = share * (_ratio(y_t, n_t) - _ratio(y_c, n_c))
    return share, n_t, n_c, gain, (y_t - _ratio(y_c * n_t, n_c)) / n_t[-1]


def _reached(values: Array, rows: _Rows) -> Array:
    return np.append(0.0, np.cumsum(values)[rows.ends])


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _qini_area(rows: _Rows, counts: Array) -> float:
    share, _, _, _, gained = _curves(rows, counts)
    return float(np.trapezoid(gained, share) - gained[-1] / 2)


def _gain_area(rows: _Rows, counts: Array) -> float:
    share, _, _, gain, _ = _curves(rows, counts)
    return float(np.trapezoid(gain, share))


def _interval(
    rows: _Rows,
    area: Callable[[_Rows, Array], float],
    confidence: float,
    n_bootstrap: int,
    random_state: int | None,
) -> tuple[float, float]:
    level = check_confidence(confidence)
    draws = check_count("n_bootstrap", n_bootstrap, least=2)
    if random_state is not None:
        check_count("random_state", random_state, least=0)
    rng = np.random.default_rng(random_state)
    arms = [np.flatnonzero(rows.treated == arm) for arm in (0.0, 1.0)]
    found = [area(rows, _drawn(arms, len(rows.y), rng)) for _ in range(draws)]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _drawn(arms: list[Array], n: int, rng: np.random.Generator) -> Array:
    """How often each row was drawn (n,); each arm keeps its size."""
    counts = np.zeros(n)
    for arm in arms:
        drawn = rng.integers(0, len(arm), len(arm))
        counts[arm] = np.bincount(drawn, minlength=len(arm))
    return counts


__all__ = ["auuc", "auuc_interval", "qini", "qini_interval", "uplift_curve"]
