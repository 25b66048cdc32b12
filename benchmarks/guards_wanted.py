"""P(wanted again) = 1 - P(mistake) on lines of an item that the customer has: is it right?

Reads  injected repeat lines (the share of mistakes is known), and nature's labels.
Gives  Brier skill above the base rate, slope of the calibration line, ECE in 15 equal-mass bins.
Never  a constant chosen on the lines that are judged: the guard's odds are moved from the rate it
       learned to the rate at hand by one constant, chosen on carts of the 30 days before.

Goals: slope .9-1.1, ECE <= .02.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from guards_data import DATA, cutoffs_of, fitted, local, read_log
from guards_injection import Before
from guards_labels import UNDO_DAYS, repeat_labels
from guards_nature import spans
from guards_rounds import review_live
from scipy.optimize import brentq
from scipy.special import expit, logit

from anticipate.evaluation.calibration import expected_calibration_error
from anticipate.evaluation.probability_metrics import brier_skill, calibration_line
from anticipate.guards.align import align_tables
from anticipate.guards.bought import bought_of
from anticipate.guards.contrast import one_window
from anticipate.guards.items import category_codes
from anticipate.kernels.repeats import repeat_log_odds

SEEDS = range(5)
KINDS = ("low", "any")
PREVALENCE = 0.1  # of mistakes among repeat lines; injected ones are thinned to it, by lot
SETTING_DAYS = 30
HEAD = ("", "lines", "unwanted", "at P=0", "shift", "skill", "slope", "ECE")
ROW = "{:<38}{:>8}{:>10}{:>8}{:>8}{:>8}{:>8}{:>8}"


def run(data: list[str] | None, cutoffs: str, options: dict[str, Any]) -> None:
    print("lines, unwanted: counts (injected: over 5 seeds); at P=0: unwanted, cleared by a rule")
    print(ROW.format(*HEAD))
    for name in data or DATA:
        for cutoff in cutoffs_of(name, cutoffs):
            injected(name, cutoff, options)
            every_cart(name, cutoff, options)
    for name in data or ["online_retail"]:
        if not name.startswith("complete_journey"):  # nothing comes back there
            natural(name, cutoffs, options)


def injected(name: str, cutoff: str, options: dict[str, Any]) -> None:
    log = read_log(name)
    at = local(log, cutoff)
    sides = []
    for moment in (at - pd.Timedelta(days=SETTING_DAYS), at):
        before = Before.at(log, moment)
        sides.append((before, fitted(before.history, **options)))
    for kind in KINDS:
        (old_bad, old_p), (bad, p) = (_repeats(*side, kind) for side in sides)
        if bad.any():
            show(f"{name} {cutoff} {kind}", bad, p, shift_to(old_bad, old_p))
            old, now = old_p > 0, p > 0
            shift = shift_to(old_bad[old], old_p[old])
            show("  lines that no rule clears", bad[now], p[now], shift)


def every_cart(name: str, cutoff: str, options: dict[str, Any]) -> None:
    """Not the first cart of each customer alone: a draw of what is owned beside every cart."""
    log = read_log(name)
    at, month = local(log, cutoff), pd.Timedelta(days=SETTING_DAYS)
    (old_bad, old_p), (bad, p) = (
        _beside_carts(log, first, first + month, options) for first in (at - month, at)
    )
    show(f"{name} {cutoff} any, every cart", bad, p, shift_to(old_bad, old_p))


def _beside_carts(log: Any, first: Any, last: Any, options: dict[str, Any]) -> Any:
    """Real repeats and draws of a span, by a guard fitted before it."""
    before, after = log.as_of(first), log.as_of(last)
    guard, bought = fitted(before, **options), bought_of(after)
    tables = align_tables(guard.tables_, before.item_ids, after.item_ids, after.items)
    span = tuple(int(moment.tz_convert("UTC").value // 1000) for moment in (first, last))
    rng, category = np.random.default_rng(0), category_codes(after.items)
    found = one_window(
        bought, span, 0, gaps=tables.gaps, rules=tables.rules, category=category, rng=rng
    )
    found = found.take(~found.is_other)
    odds = repeat_log_odds(tables.own, found.X) + np.log(tables.rules.mistake_rate[found.item])
    kept = thinned(found.is_draw, np.random.default_rng(0))
    return found.is_draw[kept], expit(odds)[kept]


def _repeats(before: Before, guard: Any, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Of all seeds' lines of an owned item: injected, and the guard's probability."""
    bad, p = [], []
    for seed in SEEDS:
        lines = before.inject(kind, seed)
        lines = guard.review(lines, before.history)[lines["owned"].to_numpy()]
        wrong = lines["injected_kind"].notna().to_numpy()
        kept = thinned(wrong, np.random.default_rng(seed))
        bad.append(wrong[kept])
        p.append(lines["probability"].to_numpy(np.float64)[kept])
    return np.concatenate(bad), np.nan_to_num(np.concatenate(p))


def thinned(mistake: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows to keep so that at most ``PREVALENCE`` of them are mistakes."""
    wrong = np.flatnonzero(mistake)
    n = int((~mistake).sum() * PREVALENCE / (1.0 - PREVALENCE))
    kept = rng.permutation(wrong)[:n]
    return np.sort(np.concatenate([np.flatnonzero(~mistake), kept]))


def natural(name: str, which: str, options: dict[str, Any]) -> None:
    """Repeats as they came: unwanted = one of the two was sent back within 30 days."""
    log = read_log(name)
    labels = repeat_labels(log).set_index("row")
    for start, end in spans(name, which):
        at = local(log, start)
        closed = at - pd.Timedelta(days=UNDO_DAYS)  # labels of the setting lines are known by then
        old_at = closed - pd.Timedelta(days=SETTING_DAYS)
        sides = ((old_at, closed), (at, local(log, end)))
        (old_bad, old_p), (bad, p) = (
            _undone(log, labels, fitted(log.as_of(first), **options), first, last)
            for first, last in sides
        )
        show(f"{name} {start} kept or undone", bad, p, shift_to(old_bad, old_p))
        show("  as the guard says it", bad, p, 0.0)


def _undone(log: Any, labels: pd.DataFrame, guard: Any, first: Any, last: Any) -> Any:
    lines = review_live(log, guard, first, last).join(labels, on="row")
    lines = lines[lines["repeats"].astype(bool)]
    undone = lines["undone"].to_numpy(dtype=bool)
    return undone, np.nan_to_num(lines["probability"].to_numpy(np.float64))


def shift_to(mistake: np.ndarray, probability: np.ndarray) -> float:
    """The constant on the log-odds that makes the mean probability the share of mistakes.

    Lines of probability 0 stay there; if even certainty elsewhere falls short, 0.
    """
    share, rows = float(np.mean(mistake)), probability[probability > 0]
    if not 0 < share * len(mistake) < len(rows):
        return 0.0

    def short(constant: float) -> float:
        return float(moved(rows, constant).sum()) - share * len(mistake)

    return float(brentq(short, -60.0, 60.0))


def moved(probability: np.ndarray, constant: float) -> np.ndarray:
    """Odds times exp(constant): Bayes' rule for another share of mistakes."""
    p = np.clip(probability, 0.0, 1.0 - 1e-12)
    with np.errstate(divide="ignore"):
        return np.asarray(expit(logit(p) + constant))


def show(heading: str, mistake: np.ndarray, probability: np.ndarray, constant: float) -> None:
    wanted, p = ~mistake, 1.0 - moved(probability, constant)
    numbers = (brier_skill(wanted, p), calibration_line(wanted, p)[0],
               expected_calibration_error(wanted, p))  # fmt: skip
    unseen = int((mistake & (probability <= 0)).sum())
    print(ROW.format(heading, len(p), int(mistake.sum()), unseen, f"{constant:.2f}",
                     *(f"{one:.3f}" for one in numbers)))  # fmt: skip
