"""Precision where it counts: at set prevalences, at the guard's own verdicts, and in money.

Reads  injected lines of ``guards_injection``, the guard's verdicts with the costs below.
Gives  per kind: share caught, false alarms, precision, warnings a customer and quarter, net money
       per 1,000 carts - and the same with the guard forced to speak at its money threshold.
Never  injected lines' own share as a prevalence: half mistakes would flatter any guard. Mistakes
       that the bookshop's simulator is known to have made count as neither.

    net = caught * HANDLING - false * (ANNOYANCE + LOST_SHARE * MARGIN), in the log's currency

Forced: a warning wherever HANDLING * P > (ANNOYANCE + LOST_SHARE * MARGIN) * (1 - P).
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import numpy as np
from guards_data import (
    DATA,
    bookshop_with,
    cutoffs_of,
    fitted,
    known_mistakes,
    local,
    read_log,
)
from guards_injection import KINDS, NAMES, Before

from anticipate import InteractionLog
from anticipate.guards.duplicates import DuplicateGuard
from anticipate.log import History

HANDLING = 4.0  # a refund and its handling, per mistake avoided
ANNOYANCE = 0.5  # per wrong warning
MARGIN, LOST_SHARE = 3.0, 0.1  # of a wanted sale, lost in so many of the wrong warnings
PREVALENCES = (0.5, 1.0, 5.0)  # mistakes per 1,000 legitimate lines
SEEDS = range(5)
QUARTER_DAYS = 91.3125
WORST = ANNOYANCE + LOST_SHARE * MARGIN
ROW = "{:<9}{:<8}{:>9}{:>8}{:>7}{:>7}{:>7}  {:>16}  {:>17}  {:>22}"


class Rates(NamedTuple):
    """Of one kind of mistake at one set of verdicts."""

    caught: float  # share of the injected
    false: float  # warnings of this kind per legitimate line
    n_caught: int
    n_false: int


def costs(options: dict[str, Any]) -> dict[str, Any]:
    """The costs above in the words of the guard at hand; ``options`` go before."""
    known = inspect.signature(DuplicateGuard).parameters
    if "lost_sale_share" in known:
        ours = {"cost_duplicate": HANDLING, "cost_annoyance": ANNOYANCE, "margin": MARGIN,
                "lost_sale_share": LOST_SHARE}  # fmt: skip
    else:
        ours = {"cost_duplicate": HANDLING, "cost_annoyance": WORST}
    return ours | options


def run(data: list[str] | None, cutoffs: str, options: dict[str, Any]) -> None:
    print(f"handling {HANDLING:g} a mistake, annoyance {ANNOYANCE:g}, margin {MARGIN:g} lost in "
          f"{LOST_SHARE:.0%} of wrong warnings: money threshold "
          f"{WORST / (HANDLING + WORST):.3f}")  # fmt: skip
    print(f"the last three columns: at {PREVALENCES} mistakes per 1,000 legitimate lines; caught "
          f"and false are counts over {len(SEEDS)} seeds")  # fmt: skip
    for name in data or DATA:
        for cutoff in cutoffs_of(name, cutoffs):
            run_cutoff(name, cutoff, costs(options), read_log(name))
            if name == "bookshop":
                print("\nthe same with 1 mistake of its own per 1,000 lines, as learned from")
                run_cutoff(name, cutoff, costs(options), bookshop_with(1.0))


def run_cutoff(name: str, cutoff: str, options: dict[str, Any], log: InteractionLog) -> None:
    before = Before.at(log, local(log, cutoff))
    guard = fitted(before.history, **options)
    a_quarter, a_cart = lines_a_quarter(before.history), lines_a_cart(before)
    print(f"\n{name} {cutoff}: {a_cart:.1f} lines a cart, {a_quarter:.1f} a customer and quarter")
    for kind, said in guard.report_.get("kinds", {}).items():
        print(f"  {kind}: speaks {said.get('speaks')}, threshold {said.get('threshold')}, "
              f"silent because {said.get('silent_because')}")  # fmt: skip
    print(ROW.format("kind", "verdict", "injected", "caught", "share", "false", "/1000",
                     "precision", "warned a quarter", "net a 1000 carts"))  # fmt: skip
    for kind in KINDS:
        for verdict, rates, n in judged(name, before, guard, kind):
            each = [worth(rates, per_1000) for per_1000 in PREVALENCES]
            print(ROW.format(
                kind, verdict, n, rates.n_caught, f"{rates.caught:.3f}", rates.n_false,
                f"{1000.0 * rates.false:.2f}",
                " ".join(f"{precision:.3f}" for precision, _, _ in each),
                " ".join(f"{warned * a_quarter:.3f}" for _, warned, _ in each),
                " ".join(f"{net * a_cart * 1000.0:.1f}" for _, _, net in each),
            ))  # fmt: skip


def judged(name: str, before: Before, guard: Any, kind: str) -> list[tuple[str, Rates, int]]:
    """At own verdicts and forced; seeds pooled, so every real line counts once a seed."""
    counts = {"own": np.zeros(2, np.int64), "forced": np.zeros(2, np.int64)}
    n_bad = n_good = 0
    for seed in SEEDS:
        lines = before.inject(kind, seed)
        lines = lines[~known_mistakes(name, lines) | lines["injected_kind"].notna()]
        bad = lines["injected_kind"].notna().to_numpy()
        if not bad.any():
            return []
        found = guard.review(lines, before.history)
        p = found["probability"].to_numpy(np.float64)
        mine = (found["kind"] == NAMES[kind]).to_numpy()
        verdicts = {"own": (found["verdict"] == "warn").to_numpy(), "forced": money_says(p)}
        for said, warned in verdicts.items():
            counts[said] += (int((warned & bad).sum()), int((warned & mine & ~bad).sum()))
        n_bad, n_good = n_bad + int(bad.sum()), n_good + int((~bad).sum())
    return [
        (said, Rates(caught / n_bad, false / n_good, int(caught), int(false)), n_bad)
        for said, (caught, false) in counts.items()
    ]


def money_says(probability: np.ndarray) -> np.ndarray:
    return HANDLING * probability > WORST * (1.0 - probability)


def worth(rates: Rates, per_1000: float) -> tuple[float, float, float]:
    """Precision, warnings a line and net money a line, at a prevalence."""
    right = per_1000 / 1000.0 * rates.caught
    warned = right + rates.false
    precision = right / warned if warned > 0 else np.nan
    return precision, warned, right * HANDLING - rates.false * WORST


def lines_a_cart(before: Before) -> float:
    return len(before.carts) / max(before.carts["customer_id"].nunique(), 1)


def lines_a_quarter(history: History) -> float:
    """Lines of each customer who bought in the quarter before the cutoff."""
    bought = history.purchases
    recent = bought.timestamp >= history.cutoff_us - int(QUARTER_DAYS * 86_400e6)
    return float(recent.sum()) / max(len(np.unique(bought.customer[recent])), 1)
