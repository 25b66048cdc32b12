"""Seconds to fit and to answer, side by side: each package in a process of its own, one thread.

Reads  CDNOW's sample and simulated customers; everybody gets the same file of arrays.
Gives  wall and CPU seconds, ratios, goals, and the log-likelihoods that were reached.
Never  the time to start an interpreter, to import, or to read the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from churn_samples import beta_geo_days, cdnow_sample, events, in_weeks, pareto_days
from peers.btyd_outside import run_peer

ROW = "{:40}{:>10}{:>9}{:>11}{:>9}{:>8}{:>8}  {}"
WEEKS_27, WEEKS_39, TWO_YEARS = 27 * 7, 39 * 7, 730
MILLION = 1_000_000


def run(*, with_peers: bool = True) -> None:
    print("Best of several runs where short; seconds, one thread")
    print(ROW.format("", "ours wall", "CPU", "theirs", "CPU", "ratio", "of CPU", "goal"))
    sample = in_weeks(cdnow_sample())
    for model in ("BG/NBD", "Pareto/NBD"):
        name = f"{model}, CDNOW sample, {len(sample['x']):,}"
        mine = fits(name, model, sample, (20, 5), 15, with_peers)
        if with_peers and mine is not None:
            pymc(model, sample, mine)
    million = in_weeks(beta_geo_days(MILLION, (WEEKS_27, WEEKS_39)))
    days = beta_geo_days(MILLION, (1, TWO_YEARS))
    fits("Pareto/NBD, 50,000 simulated", "Pareto/NBD", pareto_50k(), (3, 1), 60, with_peers)
    fits("BG/NBD, 1M, 27-39 weeks", "BG/NBD", million, (3, 1), 40, with_peers)
    fits("BG/NBD, 1M, two years of days", "BG/NBD", days, (3, 1), 15, with_peers)
    predictions(million, with_peers)
    summaries(with_peers)


def pareto_50k() -> dict[str, Any]:
    return in_weeks(pareto_days(50_000, (WEEKS_27, WEEKS_39)))


def fits(
    name: str, model: str, arrays: Mapping[str, Any], repeats: tuple[int, int], goal: int,
    with_peers: bool,
) -> dict[str, Any] | None:  # fmt: skip
    given = {key: arrays[key] for key in ("x", "t_x", "T")} | {"model": model}
    mine = run_peer("ours", "fit", given | {"repeats": repeats[0]})
    theirs = run_peer("lifetimes", "fit", given | {"repeats": repeats[1]}) if with_peers else None
    if mine is None:
        return None
    row(name, mine, theirs, f">= {goal}")
    told = f"  {int(mine['n_cells']):,} cells; log-likelihood {mine['log_likelihood']:.3f}"
    print(told + (f" / {theirs['log_likelihood']:.3f}" if theirs else ""))
    return mine


def pymc(model: str, sample: Mapping[str, Any], mine: Mapping[str, Any]) -> None:
    given = {key: sample[key] for key in ("x", "t_x", "T")} | {"model": model, "repeats": 2}
    theirs = run_peer("pymc-marketing", "fit", given)
    if theirs is not None:
        row("  pymc-marketing, MAP, a later fit", mine, theirs, "")
        print(f"  its first fit in a process: {theirs['first']:.1f} s")


def predictions(arrays: Mapping[str, Any], with_peers: bool) -> None:
    given = {key: arrays[key] for key in ("x", "t_x", "T")} | {"horizon": 13.0, "repeats": 3}
    mine = run_peer("ours", "predict", given)
    if mine is None:
        return
    more = {"parameters": mine["parameters"]}
    theirs = run_peer("lifetimes", "predict", given | more) if with_peers else None
    row("P(alive) and E[X], 1M", mine, theirs, "ours <= .5 s")
    if theirs:
        apart = [np.abs(mine[key] - theirs[key]).max() for key in ("alive", "number")]
        print(f"  largest difference: P(alive) {apart[0]:.1e}, E[X] {apart[1]:.1e}")


def summaries(with_peers: bool) -> None:
    given = events(MILLION, 100_000) | {"repeats": 3}
    mine = run_peer("ours", "summary", given)
    if mine is None:
        return
    theirs = run_peer("lifetimes", "summary", given) if with_peers else None
    row("1M events, 100,000 customers: summary", mine, theirs, ">= 10")
    log = {"wall": mine["log_wall"], "cpu": mine["log_cpu"]}
    row("  our log's own making", log, None, "")
    row("  both", {key: mine[key] + log[key] for key in log}, theirs, "")
    if theirs:
        same = all(np.array_equal(mine[key], theirs[key]) for key in ("x", "t_x", "T"))
        print(f"  the same x, t_x and T: {'yes' if same else 'NO'}")


def row(name: str, mine: Mapping[str, Any], theirs: Mapping[str, Any] | None, goal: str) -> None:
    own = float(mine["wall"]), float(mine["cpu"])
    cells = [f"{own[0]:.4f}", f"{own[1]:.4f}", "", "", "", ""]
    if theirs is not None:
        other = float(theirs["wall"]), float(theirs["cpu"])
        cells[2:4] = f"{other[0]:.4f}", f"{other[1]:.3f}"
        cells[4:] = f"{other[0] / own[0]:.1f}", f"{other[1] / own[1]:.1f}"
    print(ROW.format(name, *cells, goal), flush=True)
