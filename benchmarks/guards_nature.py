"""Nature's duplicates: bought again within 7 days, and one of the two cancelled within 30.

Reads  Online Retail, every line between a cutoff and the next, as it was bought.
Gives  precision and recall at 1, 5 and 10 warnings per 1,000 other lines and at the guard's own
       verdicts, beside the rules of the trade.
Never  a return before it happened: ``guards_rounds`` reviews with what was known.

Not every true duplicate is sent back: precision here is a lower bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from guards_catches import RATES, WITHIN_DAYS, expected_caught, rule_scores, spoken
from guards_data import CUTOFFS, fitted, local, read_log
from guards_labels import SOON_DAYS, repeat_labels
from guards_rounds import review_live

from anticipate.evaluation.guard_metrics import score_limit

SETTING_DAYS = 30
LAST_DAYS = 15  # after the last cutoff: its labels close before the data end
ROW = "{:<24}{:>9}{:>9}{:>11}{:>9}{:>12}"


def spans(name: str, which: str) -> list[tuple[str, Any]]:
    """Each cutoff and where its lines end: at the next one."""
    starts = [*CUTOFFS[name]["earlier"], *CUTOFFS[name]["last"]]
    end = pd.Timestamp(starts[-1]) + pd.Timedelta(days=LAST_DAYS)
    pairs = list(zip(starts, [*starts[1:], end], strict=True))
    return {"earlier": pairs[:-1], "last": pairs[-1:], "all": pairs}[which]


def run(data: list[str] | None, cutoffs: str, options: dict[str, Any]) -> None:
    for name in data or ["online_retail"]:
        log, parts = read_log(name), []
        labels = repeat_labels(log).set_index("row")
        for start, end in spans(name, cutoffs):
            lines = reviewed(log, labels, start, end, options)
            parts.append(lines)
            show(f"{name} {start}", lines)
        if len(parts) > 1:
            show(f"{name}, {len(parts)} cutoffs together", pd.concat(parts, ignore_index=True))


def reviewed(log: Any, labels: pd.DataFrame, start: Any, end: Any, options: dict) -> pd.DataFrame:
    """Lines with ``true``, ``days``, the guard's answers, and by rate whether it warned at the
    threshold of the 30 days before."""
    at = local(log, start)
    earlier = at - pd.Timedelta(days=SETTING_DAYS)
    old = review_live(log, fitted(log.as_of(earlier), **options), earlier, at)
    lines = review_live(log, fitted(log.as_of(at), **options), at, end)
    lines = lines.join(labels, on="row")
    lines["true"] = lines["undone"] & (lines["days"] <= SOON_DAYS)
    none = np.zeros(len(old), dtype=bool)
    old_score, score = (spoken(table["probability"].to_numpy()) for table in (old, lines))
    for rate in RATES:
        lines[f"set {rate:g}"] = score > score_limit(none, old_score, false_per_1000=rate)
    return lines


def show(heading: str, lines: pd.DataFrame) -> None:
    true = lines["true"].to_numpy()
    repeats = lines["repeats"].to_numpy()
    print(f"\n{heading}: {len(lines)} lines, {int(repeats.sum())} repeats, {int(true.sum())} true "
          f"duplicates ({1000.0 * true.mean():.2f} per 1,000)")  # fmt: skip
    print(ROW.format("", "warned", "true", "precision", "recall", "false/1000"))
    warned = (lines["verdict"] == "warn").to_numpy()
    _row("guard, own verdicts", true, warned)
    for kind in sorted(set(lines.loc[warned, "kind"])):
        _row(f"  {kind}", true, warned & (lines["kind"] == kind).to_numpy())
    for rate in RATES:
        score = spoken(lines["probability"].to_numpy())
        _row(
            f"guard, exactly {rate:g}", true, score > score_limit(true, score, false_per_1000=rate)
        )
        _row(f"guard, set for {rate:g}", true, lines[f"set {rate:g}"].to_numpy())
        for rule, theirs in _rules(lines["days"].to_numpy(np.float64), true, rate).items():
            _expected(f"{rule}, {rate:g}", true, theirs, rate)


def _rules(days: np.ndarray, true: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    rules = rule_scores(days)
    within = {n: np.where(days <= n, 1.0, 0.0) for n in WITHIN_DAYS}
    best = max(within, key=lambda n: expected_caught(true, within[n], rate))
    return {"ever bought": rules["ever bought"], f"within {best} days": within[best],
            "most recent first": rules["most recent first"]}  # fmt: skip


def _row(name: str, true: np.ndarray, warned: np.ndarray) -> None:
    hits, n = int((true & warned).sum()), int(warned.sum())
    precision = f"{hits / n:.3f}" if n else ""
    false = 1000.0 * (n - hits) / max(int((~true).sum()), 1)
    recall = hits / max(int(true.sum()), 1)
    print(ROW.format(name, n, hits, precision, f"{recall:.3f}", f"{false:.2f}"))


def _expected(name: str, true: np.ndarray, score: np.ndarray, rate: float) -> None:
    """Ties by lot: expected counts."""
    recall = expected_caught(true, score, rate)
    hits, spoken_false = recall * true.sum(), float(((score > 0) & ~true).sum())
    false = min(rate * float((~true).sum()) / 1000.0, spoken_false)
    n, per_1000 = hits + false, 1000.0 * false / float((~true).sum())
    precision = f"{hits / n:.3f}" if n else ""
    print(ROW.format(name, f"{n:.1f}", f"{hits:.1f}", precision, f"{recall:.3f}",
                     f"{per_1000:.2f}"))  # fmt: skip
