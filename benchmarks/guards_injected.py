"""Injection: what the guard catches at 1, 5 and 10 warnings per 1,000 legitimate lines.

Reads  cases of ``guards_injection`` at each cutoff, and 30 days before it for the thresholds.
Gives  a table per data set, cutoff and kind of mistake; means over cutoffs at the end.
Never  a threshold from the lines it is judged on, except where the heading says "exactly".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from guards_catches import catch_table
from guards_data import DATA, cutoffs_of, fitted, local, read_log
from guards_injection import KINDS, Before

SEEDS = range(5)
MISTAKE = {"low": "already_owned", "any": "already_owned", "double": "double_submit",
           "other": "substitute_owned"}  # fmt: skip
SETTING_DAYS = 30  # the thresholds' carts lie in so many days before the cutoff
pd.options.display.width = 220


def run(data: list[str] | None, cutoffs: str, options: dict[str, Any]) -> None:
    print(f"means over {len(SEEDS)} injection seeds; caught exactly at a rate | at thresholds set")
    print("on carts of the 30 days before (set) and the rates those gave (real)")
    for name in data or DATA:
        tables: dict[str, list[pd.DataFrame]] = {}
        for cutoff in cutoffs_of(name, cutoffs):
            for kind, table in run_cutoff(name, cutoff, options).items():
                tables.setdefault(kind, []).append(table)
        for kind, each in tables.items():
            numbers = [table.drop(columns="best N") for table in each]
            mean = sum(numbers[1:], start=numbers[0]) / len(numbers)
            print(f"\n{name}, {kind}: mean over {len(each)} cutoffs")
            print(mean.round(3).to_string(na_rep=""))


def run_cutoff(name: str, cutoff: str, options: dict[str, Any]) -> dict[str, pd.DataFrame]:
    log = read_log(name)
    at = local(log, cutoff)
    sides = []
    for moment in (at - pd.Timedelta(days=SETTING_DAYS), at):
        before = Before.at(log, moment)
        sides.append((before, fitted(before.history, **options)))
    print(f"\n{name} {cutoff}: {len(sides[1][0].low)} items are the lowest third")
    found = {}
    for kind in KINDS:
        scored = [reviewed(before, guard, kind) for before, guard in sides]
        (old_lines, old_scores), (lines, scores) = scored
        if not sum(table["injected_kind"].notna().sum() for table in lines):
            continue
        table = catch_table(lines, scores, before=(old_lines, old_scores))
        injected = lines[0]["injected_kind"].notna()
        n_repeats = int((lines[0]["owned"] & ~injected).sum())
        n_bad, n_good = int(injected.sum()), int((~injected).sum())
        print(f"\n{name} {cutoff} {kind}: {n_bad} injected, {n_good} legitimate lines, "
              f"{n_repeats} of them true repeats")  # fmt: skip
        print(table.round(3).to_string(na_rep=""))
        found[kind] = table
    return found


def reviewed(before: Before, guard: Any, kind: str) -> tuple[list[pd.DataFrame], list[np.ndarray]]:
    """Injected lines and the guard's probabilities of that kind, one of each per seed."""
    lines = [before.inject(kind, seed) for seed in SEEDS]
    return lines, [score_of(guard.review(table, before.history), kind) for table in lines]


def score_of(reviewed: pd.DataFrame, kind: str) -> np.ndarray:
    """The probability where the guard sees this kind of mistake; 0 elsewhere."""
    same = (reviewed["kind"] == MISTAKE[kind]).to_numpy()
    return np.where(same, reviewed["probability"].to_numpy(np.float64), 0.0)
