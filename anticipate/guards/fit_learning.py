"""How chances are learned, and from which one a word pays: on older slices, judged on newer ones.

Reads  slices of past lines, oldest first, and what mistakes and needless words cost.
Gives  additive log-odds, a threshold by kind (inf = silent) and what was measured.
Never  a threshold judged on the lines it was chosen on, or chances on those they were learned on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ..evaluation.calibration import expected_calibration_error
from ..evaluation.probability_metrics import auc, calibration_line
from ..kernels.fit import FitItems
from ..kernels.return_risk import log_odds
from .bounds import lower_bound
from .costs import Costs
from .fit_items import Fits
from .fit_rows import Rows, Slice

Floats = NDArray[np.float64]
FEWEST_SLICES, FEWEST_HITS = 3, 15  # hits in the older slices
FEWEST_WARNED = 10  # lines of a slice that a threshold is chosen or judged on
SURE_SWAPS = 5.0  # avoided returns by which a difference is taken as it stands
SHARE_MEMORY = 2  # newest slices: shares rest on more lines from slice to slice
SHRINK = 0.1  # scikit-learn's C: few positives stay close to the base rate
STEPS = 9  # thresholds tried
MOST_SHIFT, BISECTIONS = 8.0, 60


class Line(NamedTuple):
    """Log-odds = intercept + X coefficient."""

    coefficient: Floats  # (k,)
    intercept: float
    kept: float = 1.0  # share of a difference of two chances that comes true

    def odds(self, X: Floats) -> Floats:
        return np.asarray(self.intercept + (X * self.coefficient).sum(axis=1))

    def fewer(self, odds: Floats, other: Floats) -> Floats:
        """Difference of two chances, from log-odds of shares; at least 0."""
        p, q = (expit(self.intercept + self.coefficient[0] * one) for one in (odds, other))
        return np.maximum(self.kept * (p - q), 0.0)


class Judged(NamedTuple):
    """Chances of held-out lines; what came; what would have come with the alternative."""

    p: Floats
    hit: NDArray[np.bool_]
    anyway: Floats  # chance that taking the advice would not have helped


class Learned(NamedTuple):
    """Of one kind."""

    line: Line | None  # None: too little to learn from
    threshold: float
    report: dict[str, Any]


def learn_slips(past: list[Slice], costs: Costs, *, prior: float) -> Learned:
    """P(nearly all pieces come back | far above the usual)."""

    def judged(one: Slice, line: Line) -> Judged:
        rows = one.slips
        return Judged(expit(line.odds(rows.X)), rows.hit, np.zeros(len(rows.hit)))

    def fit(some: list[Slice]) -> Line:
        return fit_line([one.slips for one in some], prior)

    return _learn(past, [one.slips for one in past], judged, fit, costs=costs)


def learn_swaps(past: list[Slice], costs: Costs, *, prior: float) -> Learned:
    """P(comes back) - P(the alternative does), lowered by how much of it came true."""

    def fit(some: list[Slice]) -> Line:
        newest = some[-SHARE_MEMORY:]
        line = fit_share_line([one.returns for one in newest], prior)
        return line._replace(kept=share_that_came_true(newest, line))

    def judged(one: Slice, line: Line) -> Judged:
        swaps = one.swaps
        return Judged(line.fewer(swaps.odds, swaps.other), swaps.hit, swaps.anyway)

    return _learn(past, [one.returns for one in past], judged, fit, costs=costs)


def with_chances(fits: Fits, learned: Learned) -> FitItems:
    """The table with P(item comes back) - P(alternative does); not learned: of plain shares."""
    items, line = fits.items, learned.line or Line(np.ones(1), 0.0)
    odds = log_odds(items.share)
    fewer = line.fewer(odds[:, None], odds[items.alternatives])
    told = (items.alternatives >= 0) & fits.knows_returns
    return items._replace(chance=np.where(told, fewer, 0.0))


def share_that_came_true(past: list[Slice], line: Line) -> float:
    """Of the differences foreseen: alternatives are chosen for what looked best, so it is less."""
    expected, real = SURE_SWAPS, SURE_SWAPS
    for one in past:
        swaps = one.swaps
        expected += float(line.fewer(swaps.odds, swaps.other).sum())
        real += float(swaps.hit.sum() - swaps.anyway.sum())
    return min(max(real / expected, 0.0), 1.0)


def fit_line(rows: list[Rows], prior: float) -> Line:
    """Logistic regression on standardised columns, folded. The first column never speaks against:
    with more of it a mistake is not less likely.
    """
    X, y = np.concatenate([one.X for one in rows]), np.concatenate([one.hit for one in rows])
    if not 0 < y.sum() < len(y):
        return Line(np.zeros(X.shape[1]), _log_odds(prior))
    centre, spread = X.mean(axis=0), X.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    table = np.where(spread > 1e-9, (X - centre) / scale, 0.0)
    model = _logistic(table, y)
    if model.coef_[0, 0] < 0:
        table[:, 0] = 0.0
        model = _logistic(table, y)
    coefficient = np.where(table.any(axis=0), model.coef_[0] / scale, 0.0)
    return Line(coefficient, float(model.intercept_[0] - (coefficient * centre).sum()))


def fit_share_line(rows: list[Rows], prior: float) -> Line:
    """The same for log-odds of shares, no steeper than 1: that would only undo their shrinkage."""
    line = fit_line(rows, prior)
    if line.coefficient[0] <= 1.0:
        return line
    x = np.concatenate([one.X[:, 0] for one in rows])
    n_hits = float(sum(one.hit.sum() for one in rows))
    low, high = -MOST_SHIFT, MOST_SHIFT
    for _ in range(BISECTIONS):  # the shift at which as many are expected as came back
        middle = 0.5 * (low + high)
        low, high = (middle, high) if expit(x + middle).sum() < n_hits else (low, middle)
    return Line(np.ones(1), low)


def _logistic(X: Floats, y: NDArray[np.bool_]) -> LogisticRegression:
    with threadpool_limits(1):
        return LogisticRegression(C=SHRINK, solver="newton-cholesky", max_iter=200).fit(X, y)


def _log_odds(p: float) -> float:
    return math.log(p / (1.0 - p))


def _learn(
    past: list[Slice],
    rows: list[Rows],
    judged: Callable[[Slice, Line], Judged],
    fit: Callable[[list[Slice]], Line],
    *,
    costs: Costs,
) -> Learned:
    """Fitted on ever more slices: to choose the threshold, to judge it, to be used."""
    n_hits = [int(one.hit.sum()) for one in rows]
    counts = {"n_lines": sum(len(one.hit) for one in rows), "n_hits": sum(n_hits)}
    if len(past) < FEWEST_SLICES or sum(n_hits[:-2]) < FEWEST_HITS or min(n_hits[-2:]) < 1:
        because = (
            f"{sum(n_hits)} such lines in {len(past)} past slices are too few to learn from "
            f"({FEWEST_SLICES} slices with {FEWEST_HITS} in the older ones are needed)"
        )
        return Learned(None, math.inf, {**counts, "learned": False, **_silence(because)})
    middle = judged(past[-2], fit(past[:-2]))
    older = fit(past[:-1])
    newest = judged(past[-1], older)
    threshold, told = _threshold(middle, newest, costs)
    p, line = expit(older.odds(rows[-1].X)), fit(past)
    both = bool(0 < rows[-1].hit.sum() < len(rows[-1].hit))
    measured = {
        "auc": auc(rows[-1].hit, p) if both else math.nan,
        "slope": calibration_line(rows[-1].hit, p)[0] if both else math.nan,
        "calibration_error": expected_calibration_error(rows[-1].hit, p),
        "coefficients": [*line.coefficient.tolist(), line.intercept],
        "came_true": line.kept,
    }
    return Learned(line, threshold, {**counts, "learned": True, **measured, **told})


def _threshold(middle: Judged, newest: Judged, costs: Costs) -> tuple[float, dict[str, Any]]:
    """Chosen on the second newest slice, judged on the newest: the 90 % bound must pay."""
    need, best = costs.break_even, best_threshold(middle, costs.break_even)
    if best is None:
        because = f"fewer than {FEWEST_WARNED} past lines had a chance of {need:.2f} or more"
        return math.inf, {"threshold": None, "n_warned": 0, **_silence(because)}
    warned = newest.p >= best
    n, hits = int(warned.sum()), int(newest.hit[warned].sum())
    anyway = float(newest.anyway[warned].mean()) if n else 0.0
    right, low = (hits / n - anyway if n else math.nan), lower_bound(hits, n) - anyway
    told = {
        "threshold": best, "n_warned": n, "precision": right, "precision_low": low,
        "break_even": need, "net_money": n * float(costs.saving(right)) if n else 0.0,
        "net_money_low": n * float(costs.saving(low)),
    }  # fmt: skip
    if n < FEWEST_WARNED or low <= need:
        because = (
            f"on the newest past slice {right:.3f} of {n} warnings would have helped (90 % bound "
            f"{low:.3f}); {need:.3f} is needed"
        )
        return math.inf, {**told, **_silence(because)}
    return best, {**told, "speaks": True, "silent_because": None}


def best_threshold(one: Judged, break_even: float) -> float | None:
    """Of a few steps from break-even up, the lowest that would have brought as much as the best.

    But for one standard error: with few lines the very best is luck. None with too few lines.
    """
    gain, found = one.hit - one.anyway - break_even, []
    for tried in np.linspace(break_even, max(float(one.p.max(initial=0.0)), break_even), STEPS):
        said = gain[one.p >= tried]
        if len(said) >= FEWEST_WARNED:
            error = float(said.std()) * math.sqrt(len(said))
            found.append((float(tried), float(said.sum()), error))
    if not found:
        return None
    _, most, error = max(found, key=lambda step: step[1])
    return next(tried for tried, net, _ in found if net >= most - error)


def _silence(because: str) -> dict[str, Any]:
    return {"speaks": False, "silent_because": because}
