"""Ours, by the same jobs as the others: a process of its own, the same file of arrays.

    python btyd_ours_run.py job given.npz found.npz

Jobs: ``fit``, ``predict``, ``summary``, ``small``; as in ``btyd_lifetimes_run.py``.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from anticipate import churn as ours
from anticipate.churn import purchase_summary
from anticipate.log import InteractionLog

MODELS: dict[str, Callable[[], Any]] = {
    "BG/NBD": ours.BetaGeoModel,
    "MBG/NBD": ours.ModifiedBetaGeoModel,
    "MBG/CNBD-k": ours.RegularBetaGeoModel,
    "Pareto/NBD": ours.ParetoNBDModel,
    "Gamma-Gamma": ours.GammaGammaModel,
}


def table(given: dict[str, Any]) -> pd.DataFrame:
    """The summary that the models take."""
    if "m" in given and "t_x" not in given:
        return pd.DataFrame({"n_priced_days": given["x"], "mean_spend": given["m"]})
    names = {"n_repeats": "x", "last_repeat_days": "t_x", "age_days": "T", "log_gap_sum": "litt"}
    return pd.DataFrame({name: given[key] for name, key in names.items() if key in given})


def fit(given: dict[str, Any]) -> dict[str, Any]:
    """Best of ``repeats`` fits of one model, seconds and CPU seconds of that one."""
    summary, make = table(given), MODELS[str(given["model"])]
    model, wall, cpu = best_of(lambda: make().fit(summary), int(given["repeats"]))
    rows = summary.drop_duplicates()
    found = {
        "parameters": np.array(list(model.params_.values()), dtype=float),
        "names": np.array(list(model.params_)), "log_likelihood": model.log_likelihood_,
        "wall": wall, "cpu": cpu, "n_cells": len(rows),
    }  # fmt: skip
    if "ages" in given:
        found["expected"] = np.array([model.expected_repeats(age) for age in given["ages"]])
    if "ask" in given:
        one = pd.DataFrame([given["ask"][:3]], columns=summary.columns[:3])
        found["asked"] = float(model.predict_purchases(one, float(given["ask"][3])).iloc[0])
        found["asked_alive"] = float(model.predict_alive(one).iloc[0])
    return found


def predict(given: dict[str, Any]) -> dict[str, Any]:
    """P(alive) and E[X] of every customer after a fit that is not timed."""
    summary, horizon = table(given), float(given["horizon"])
    model = ours.BetaGeoModel().fit(summary)

    def both() -> tuple[Any, Any]:
        alive = model.predict_alive(summary)
        return alive.to_numpy(), model.predict_purchases(summary, horizon).to_numpy()

    (alive, number), wall, cpu = best_of(both, int(given["repeats"]))
    parameters = np.array([model.params_[name] for name in ("r", "alpha", "a", "b")])
    return {"alive": alive, "number": number, "wall": wall, "cpu": cpu, "parameters": parameters}


def summary(given: dict[str, Any]) -> dict[str, Any]:
    """Events to n_repeats, last_repeat_days, age_days; the log's own making apart."""
    frame = pd.DataFrame({
        "customer_id": given["customer"], "item_id": 0, "timestamp": given["date"],
    })  # fmt: skip
    end = pd.Timestamp(str(given["end"]))

    def whole() -> tuple[Any, float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        log = InteractionLog.from_frame(frame, timezone="UTC", closed_until=end)
        return log, time.perf_counter() - wall, time.process_time() - cpu

    (log, *building), _, _ = best_of(whole, int(given["repeats"]))
    found, wall, cpu = best_of(lambda: purchase_summary(log.as_of(end)), int(given["repeats"]))
    names = {"x": "n_repeats", "t_x": "last_repeat_days", "T": "age_days"}
    arrays = {short: found[name].to_numpy() for short, name in names.items()}
    return arrays | {"wall": wall, "cpu": cpu, "log_wall": building[0], "log_cpu": building[1]}


def small(given: dict[str, Any]) -> dict[str, Any]:
    """Per model and unit, the samples whose fit fails or is not finite."""
    size = given["rows"].shape[0]
    return {
        f"{name}|{unit:g}": np.array([not finite_fit(name, given, i, unit) for i in range(size)])
        for unit in given["units"].tolist()
        for name in MODELS
    }


def finite_fit(name: str, given: dict[str, Any], i: int, unit: float) -> bool:
    """Parameters, log-likelihood and answers are all finite."""
    rows = given["rows"][i][: given["sizes"][i]]
    x, t_x, T, m = (given[key][rows] for key in ("x", "t_x", "T", "m"))
    # A change of unit takes ln(unit) from each of the x gaps.
    chosen = {"x": x, "m": m} if name == "Gamma-Gamma" else {
        "x": x, "t_x": t_x / unit, "T": T / unit, "litt": given["litt"][rows] - x * np.log(unit),
    }  # fmt: skip
    summary = table(chosen)
    try:
        model = MODELS[name]().fit(summary)
        numbers = [*model.params_.values(), model.log_likelihood_]
        if name == "Gamma-Gamma":
            numbers += model.predict_spend(summary).tolist()
        else:
            numbers += model.predict_no_purchase(summary, 90 / unit).tolist()
            numbers += model.predict_purchases(summary, 90 / unit).tolist()
    except Exception as error:
        print(f"{name}, sample {i}, unit {unit}: {error!r}", file=sys.stderr)
        return False
    return bool(np.isfinite(np.array(numbers, dtype=float)).all())


def best_of(make: Callable[[], Any], repeats: int) -> tuple[Any, float, float]:
    """The last result, and the least wall and the least CPU seconds of all runs."""
    runs = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        result = make()
        runs.append((time.perf_counter() - wall, time.process_time() - cpu))
    return (result, *np.min(runs, axis=0).tolist())


def main() -> None:
    warnings.simplefilter("ignore")
    job, source, target = sys.argv[1:4]
    jobs = {"fit": fit, "predict": predict, "summary": summary, "small": small}
    with np.load(source) as given:
        arrays = {name: given[name] for name in given.files}
    np.savez(target, **jobs[job](arrays))


if __name__ == "__main__":
    main()
