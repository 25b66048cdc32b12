"""How risks are learned: on older slices, chosen and calibrated on newer ones.

Reads  slices of past lines, oldest first.
Gives  one model per audience, the chance from which a customer is warned, and what was measured.
Never  a threshold that was judged on the lines it was chosen on.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ..evaluation.calibration import expected_calibration_error
from ..evaluation.probability_metrics import auc, calibration_line, log_losses
from ..kernels.return_risk import (
    COLUMNS,
    FAR,
    OF_CART,
    OF_HABIT,
    RiskModel,
    is_worth_saying,
    risk_log_odds,
)
from .bounds import lower_bound
from .return_rows import FEWEST_RETURNED, FEWEST_SLICES, Slice, are_too_few

Floats = NDArray[np.float64]
LEVELS = ("cart", "customer", "staff")  # who objects; what customers may read; staff
WIDTHS = {"item": 1, "cart": len(OF_CART), "habit": len(OF_CART) + len(OF_HABIT),
          "returns": len(COLUMNS)}  # fmt: skip
CANDIDATES = {"cart": ("item", "cart"), "customer": ("item", "cart", "habit"),
              "staff": ("item", "cart", "habit", "returns")}  # fmt: skip
SHRINK = 0.1  # scikit-learn's C: a few positives stay close to the base rate
FEWEST_WARNED, STEPS = 20, 40
SLOPE = (0.7, 1.4)  # of a calibration line that lets warnings be trusted


class Speaking(NamedTuple):
    """When a warning pays."""

    break_even: float  # precision from which warnings pay
    least_lift: float  # over the item's own share


class Learned(NamedTuple):
    """What ``fit`` keeps."""

    models: dict[str, RiskModel]
    threshold: float  # inf: silent
    report: dict[str, Any]


def learn_risks(past: list[Slice], speaking: Speaking) -> Learned:
    """Models by level; where there is too little to learn, the item's share and silence."""
    n_back = [int(one.returned.sum()) for one in past]
    if are_too_few(n_back):
        because = (
            f"{sum(n_back)} returned lines in {len(past)} past slices are too few to learn from "
            f"({FEWEST_SLICES} slices with {FEWEST_RETURNED} in the older ones are needed)"
        )
        return Learned(dict.fromkeys(LEVELS, item_share_alone()), math.inf, _silence(because))
    models, report = {}, {}
    for level in LEVELS:
        models[level], report[level] = _learn_level(past, CANDIDATES[level])
    threshold, warnings = _threshold(past, report["customer"].pop("held_out"), speaking)
    for level in ("cart", "staff"):
        report[level].pop("held_out")
    return Learned(models, threshold, {"levels": report, **warnings})


def item_share_alone() -> RiskModel:
    """The model that says the item's share of returns."""
    k = len(COLUMNS)
    one = np.zeros(k)
    one[COLUMNS.index("item_odds")] = 1.0
    return RiskModel(np.zeros(k), np.zeros(k), np.full(k, 10.0), 10.0 * one, np.zeros(1))


def _learn_level(past: list[Slice], names: tuple[str, ...]) -> tuple[RiskModel, dict[str, Any]]:
    """Columns chosen on the second newest slice; the line drawn on the two newest ones."""
    middle, newest = past[-2], past[-1]
    trials = {name: fit_risk(past[:-2], WIDTHS[name]) for name in names}
    losses = {
        name: log_losses(middle.returned, expit(risk_log_odds(model, middle.X)))
        for name, model in trials.items()
    }
    chosen = narrowest(losses)
    model = fit_risk(past[:-1], WIDTHS[chosen])
    odds = [risk_log_odds(trials[chosen], middle.X), risk_log_odds(model, newest.X)]
    held = [expit(_line(odds[:1], [middle.returned])(each)) for each in odds]
    slope, offset = _slope_and_offset(odds, [middle.returned, newest.returned])
    final = model._replace(
        coefficient=slope * model.coefficient, intercept=slope * model.intercept + offset
    )
    measured = {
        "columns": chosen,
        "auc": auc(newest.returned, held[1]),
        "auc_item_share": auc(newest.returned, newest.base),
        "slope": calibration_line(newest.returned, held[1])[0],
        "calibration_error": expected_calibration_error(newest.returned, held[1]),
        "coefficients": dict(zip(COLUMNS, final.coefficient.tolist(), strict=True)),
    }
    return final, {**measured, "held_out": held}


def narrowest(losses: dict[str, Floats]) -> str:
    """The first name (few columns first) whose mean loss is within a standard error of the best."""
    best = min(losses, key=lambda name: float(losses[name].mean()))

    def is_near(name: str) -> bool:
        more = losses[name] - losses[best]
        return bool(more.mean() <= more.std() / math.sqrt(len(more)))

    return next(name for name in losses if is_near(name))


def fit_risk(past: list[Slice], width: int) -> RiskModel:
    """Logistic regression on the first ``width`` columns; the rest weigh nothing."""
    X = np.concatenate([one.X for one in past])
    y = np.concatenate([one.returned for one in past])
    fill = np.nanmedian(np.where(np.isnan(X).all(axis=0), 0.0, X), axis=0)
    full = np.where(np.isnan(X), fill, X)
    spread = full.std(axis=0)
    centre, scale = full.mean(axis=0), np.where(spread > 1e-12, spread, 1.0)
    table = np.clip((full - centre) / scale, -FAR, FAR)[:, :width]
    with threadpool_limits(1):
        fitted = LogisticRegression(C=SHRINK, solver="newton-cholesky", max_iter=200).fit(table, y)
    coefficient = np.zeros(X.shape[1])
    coefficient[:width] = fitted.coef_[0]
    return RiskModel(fill, centre, scale, coefficient, fitted.intercept_)


def _slope_and_offset(odds: list[Floats], returned: list[Any]) -> tuple[float, float]:
    """Platt's line through held-out log-odds; never turned around."""
    x, y = np.concatenate(odds), np.concatenate(returned)
    with threadpool_limits(1):
        line = LogisticRegression(C=1.0, solver="newton-cholesky").fit(x.reshape(-1, 1), y)
    slope = max(float(line.coef_[0, 0]), 0.0)
    return slope, float(line.intercept_[0])


def _line(odds: list[Floats], returned: list[Any]) -> Any:
    slope, offset = _slope_and_offset(odds, returned)
    return lambda x: slope * x + offset


def _threshold(
    past: list[Slice], held: list[Floats], speaking: Speaking
) -> tuple[float, dict[str, Any]]:
    """Chosen on the second newest slice, judged on the newest: the 90 % bound must pay."""
    middle, newest = past[-2], past[-1]
    slope = calibration_line(newest.returned, held[1])[0]
    if not SLOPE[0] <= slope <= SLOPE[1]:
        return math.inf, _silence(
            f"chances are not calibrated on the newest past slice: slope {slope:.2f}"
        )
    best = best_threshold(middle, held[0], speaking)
    if best is None:
        return math.inf, _silence(
            f"fewer than {FEWEST_WARNED} past lines had a chance of {speaking.break_even:.2f} and "
            f"{speaking.least_lift:g} times their item's share"
        )
    warned = worth_saying(newest, held[1], best, speaking.least_lift)
    n, hits = int(warned.sum()), int(newest.returned[warned].sum())
    low = lower_bound(hits, n)
    told = {"threshold": best, "n_warned": n, "precision": hits / n if n else math.nan,
            "precision_low": low, "break_even": speaking.break_even}  # fmt: skip
    if n < FEWEST_WARNED or low <= speaking.break_even:
        because = (
            f"on the newest past slice {hits} of {n} warnings would have been right (90 % bound "
            f"{low:.2f}); {speaking.break_even:.2f} is needed"
        )
        return math.inf, {**told, **_silence(because)}
    return best, {**told, "speaks": True, "silent_because": None}


def best_threshold(one: Slice, p: Floats, speaking: Speaking) -> float | None:
    """The chance from which warnings would have brought most; None with too few lines."""
    able = np.sort(p[worth_saying(one, p, speaking.break_even, speaking.least_lift)])[::-1]
    if len(able) < FEWEST_WARNED:
        return None
    places = np.unique(np.linspace(FEWEST_WARNED - 1, len(able) - 1, STEPS).astype(int))
    tried = able[places].tolist()

    def net(threshold: float) -> float:
        warned = worth_saying(one, p, threshold, speaking.least_lift)
        return float((one.returned[warned] - speaking.break_even).sum())

    return float(max(tried, key=net))  # first of equals: the highest


def worth_saying(one: Slice, p: Floats, threshold: float, least_lift: float) -> NDArray[np.bool_]:
    return is_worth_saying(p, one.base, threshold, least_lift)


def _silence(because: str) -> dict[str, Any]:
    return {"speaks": False, "silent_because": because}
