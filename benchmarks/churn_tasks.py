"""One automatic method on every task, beside its candidates and beside lifetimes.

Reads  ``Window``.
Gives  tables of log-loss, AUC, Brier score, calibration and the top of the list; the checks.
Never  a candidate fitted on what the automatic method does not see.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from churn_intervals import COLUMNS, interval_bins
from churn_windows import Mask, Task, Window
from numpy.typing import NDArray
from peers.btyd_outside import run_peer
from scipy.special import expit

from anticipate.churn import ChurnModel, purchase_summary
from anticipate.churn.candidates import BTYD, CANDIDATES, candidate_log_odds, fit_members
from anticipate.churn.families import FAMILIES, fit_families
from anticipate.churn.rows import learners, training_rows
from anticipate.evaluation.calibration import expected_calibration_error
from anticipate.evaluation.probability_metrics import (
    auc,
    brier,
    calibration_line,
    lift_at_top,
    log_losses,
    precision_at_n,
)  # fmt: skip
from anticipate.exceptions import MinimumDataWarning
from anticipate.log import History

Floats = NDArray[np.float64]
SEED, OURS = 0, "ours"
RIVALS = ("hiatus", *FAMILIES, "logistic", "boosted", "blend")
LIFETIMES = {"none": "lifetimes BG/NBD, P(none)", "alive": "lifetimes 1 - P(alive)"}
WORSE, AUC_BEHIND, SLOPE, BINS_INSIDE = 0.003, 0.003, (0.9, 1.1), 7  # goals


class Result(NamedTuple):
    """Log-loss per judged customer and plain numbers, by method."""

    task: Task
    losses: dict[str, Floats]
    numbers: dict[str, dict[str, float]]
    chosen: str
    inside: int | None = None  # of ten bins, those whose interval holds the observed rate


def run(wanted: Iterable[Task], *, with_peers: bool = True, interval: bool = False) -> None:
    results = [one(task, with_peers=with_peers, interval=interval) for task in wanted]
    if results:
        show_checks(results)
        show_means(results)


def one(task: Task, *, with_peers: bool, interval: bool) -> Result:
    """Fit, judge and print one task."""
    window = Window.of(task)
    start = time.perf_counter(), time.process_time()
    model = fitted(window.history, task.horizon_days, interval=interval)
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    table = model.predict(window.history)
    said = {OURS: table["p_churn"].to_numpy()[window.judged]}
    said |= candidate_probabilities(model, window)
    if with_peers:
        said |= lifetimes_probabilities(window)
    result = judged(task, window.y, said, model.report_["model"])
    how = f"took {result.chosen} on {model.report_['btyd']}, {wall:.1f} s ({cpu:.1f} CPU)"
    print(
        f"\n{task}: {len(window.y):,} customers, {window.y.mean():.1%} bought nothing after; {how}"
    )
    print(f"  held out: {held_out(model.report_)}")
    show(result)
    return result._replace(inside=shown_bins(window, table))


def shown_bins(window: Window, table: pd.DataFrame) -> int | None:
    """Print the ten bins; None where the model was asked for no interval."""
    if not set(COLUMNS) <= set(table.columns):
        return None
    bins = interval_bins(window.y, table[window.judged])
    for name in ("said", "low", "high", "seen"):
        print(f"  {name:9}" + "".join(f"{share:8.3f}" for share in bins[name]))
    print("  inside   " + "".join(f"{'yes' if inside else 'NO':>8}" for inside in bins["inside"]))
    return int(bins["inside"].sum())


def fitted(history: History, horizon_days: float, *, interval: bool = False) -> ChurnModel:
    more: dict[str, Any] = {"interval": True} if interval else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)  # report_ says so, and it is printed
        return ChurnModel(horizon_days=horizon_days, random_state=SEED, **more).fit(history)


def held_out(report: dict[str, Any]) -> str:
    losses = ", ".join(f"{name} {loss:.4f}" for name, loss in report["log_loss"].items())
    how = f"{losses} by {report['held_out']}" if losses else "; ".join(report["missing"])
    return f"{how}; {len(report['slices'])} slices"


def candidate_probabilities(model: ChurnModel, window: Window) -> dict[str, Floats]:
    """Each candidate as the automatic method would serve it: the only access to its inside."""
    history, horizon = window.history, window.task.horizon_days
    summary = purchase_summary(history)
    said = {
        name: fitted.predict_no_purchase(summary, horizon).to_numpy()
        for name, fitted in fit_families(summary).items()
    }
    members = model.learned_.members
    if members is None:
        data = training_rows(learners(history, SEED), horizon)
        if data is None:
            return said
        members = fit_members(data.rows, data.left, SEED)
    rows = model.describer_.rows(history, model.predict_state(history)).take(window.judged)
    learned = [name for name in CANDIDATES if name != BTYD]
    return said | {name: expit(candidate_log_odds(name, members, rows)) for name in learned}


def lifetimes_probabilities(window: Window) -> dict[str, Floats]:
    given = window.statistics() | {"horizon": window.task.horizon_days}
    found = run_peer("lifetimes", "churn", given)
    if found is None:
        return {}
    penalty = float(found["penalizer"])
    if penalty:
        print(f"  lifetimes: converged only with penalizer_coef={penalty:g}")
    said = {"none": found["none"], "alive": 1.0 - found["alive"]}
    return {LIFETIMES[key]: np.clip(p, 0.0, 1.0) for key, p in said.items()}


def judged(task: Task, y: Mask, said: dict[str, Floats], chosen: str) -> Result:
    losses = {name: log_losses(y, p) for name, p in said.items()}
    numbers = {
        name: {
            "log-loss": losses[name].mean(), "AUC": auc(y, p), "Brier": brier(y, p),
            "ECE": expected_calibration_error(y, p), "slope": calibration_line(y, p)[0],
            "lift 10%": lift_at_top(y, p), "P@500": precision_at_n(y, p),
        }
        for name, p in said.items()
    }  # fmt: skip
    return Result(task, losses, numbers, chosen)


def show(result: Result) -> None:
    columns = list(result.numbers[OURS])
    print(f"  {'':27}{'log-loss':>9}{'- ours':>8}{'± se':>7}"
          + "".join(f"{name:>9}" for name in columns[1:]))  # fmt: skip
    for name, numbers in result.numbers.items():
        gap = result.losses[name] - result.losses[OURS]
        se = gap.std() / np.sqrt(len(gap))
        rest = "".join(f"{numbers[column]:9.4f}" for column in columns[1:])
        print(f"  {name:27}{numbers['log-loss']:9.4f}{gap.mean():+8.4f}{se:7.4f}{rest}")


def show_checks(results: list[Result]) -> None:
    """Per task: how far ours lies behind the best candidate, MBG/NBD and the hiatus rule."""
    print(f"\nOurs less ... (at most +{WORSE}); AUC behind the best (at most {AUC_BEHIND}); "
          f"slope ({SLOPE[0]} to {SLOPE[1]}); bins inside (at least {BINS_INSIDE})")  # fmt: skip
    print(f"{'':35}{'took':10}{'best':10}{'- best':>9}{'- mbg':>9}{'- hiatus':>9}"
          f"{'AUC':>9}{'slope':>8}{'bins':>6}  missed")  # fmt: skip
    for result in results:
        print(check_line(result))


def check_line(result: Result) -> str:
    own, names = result.numbers[OURS], [n for n in RIVALS if n in result.numbers]
    best = min(names, key=lambda name: result.numbers[name]["log-loss"])
    loss = [
        own["log-loss"] - result.numbers[name]["log-loss"] if name in names else np.nan
        for name in (best, "mbg_nbd", "hiatus")
    ]
    behind = max(result.numbers[name]["AUC"] for name in names) - own["AUC"]
    missed = [what for what, bad in (
        ("log-loss", max(x for x in loss if not np.isnan(x)) > WORSE),
        ("AUC", behind > AUC_BEHIND), ("slope", not SLOPE[0] <= own["slope"] <= SLOPE[1]),
        ("bins", result.inside is not None and result.inside < BINS_INSIDE),
    ) if bad]  # fmt: skip
    losses = "".join(f"{x:+9.4f}" for x in loss)
    return (f"{result.task!s:35}{result.chosen:10}{best:10}{losses}{behind:9.4f}"
            f"{own['slope']:8.3f}{'' if result.inside is None else result.inside:>6}"
            f"  {', '.join(missed)}")  # fmt: skip


def show_means(results: list[Result]) -> None:
    """Means over the tasks on which every method has an answer."""
    names = list(max((result.numbers for result in results), key=len))
    full = [result for result in results if len(result.numbers) == len(names)]
    print(f"\nMean over {len(full)} tasks (of {len(results)}: where all methods answer)")
    frame = pd.DataFrame({
        name: pd.DataFrame([result.numbers[name] for result in full]).mean() for name in names
    }).T  # fmt: skip
    print(frame.to_string(float_format="{:.4f}".format))
    gaps = frame.loc[OURS, "log-loss"] - frame["log-loss"].drop(OURS)
    print("ours less each: " + ", ".join(f"{name} {gap:+.4f}" for name, gap in gaps.items()))
