"""What a score catches at a price, beside rules that every checkout could have.

Reads  injected lines (``injected_kind, owned, days``) and a score per line; NaN or 0 = never warn.
Gives  shares caught at 1, 5 and 10 warnings per 1,000 legitimate lines, and who is disturbed.
Never  a tie resolved by luck: a rule that must choose among equals is given its expected share;
       ours, at the exact rate, is given none of the last tie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from anticipate.evaluation.guard_metrics import score_limit

RATES = (1.0, 5.0, 10.0)  # warnings per 1,000 legitimate lines
SHARES = (0.5, 0.8)  # of the injected caught: how many true repeats are disturbed?
WITHIN_DAYS = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)
RULES = ("ever bought", "within N days", "most recent first", "longest ago first")
Floats = np.ndarray


def spoken(score: Floats) -> Floats:
    """Scores of 0 or NaN as -inf: the guard would not warn there at any price."""
    values = np.asarray(score, dtype=np.float64)
    return np.where(np.isnan(values) | (values <= 0), -np.inf, values)


def caught_above(mistake: np.ndarray, score: Floats, rate: float) -> float:
    """Share caught at the realised rate or a little below it: the last tie is left out."""
    wrong, values = np.asarray(mistake, dtype=bool), spoken(score)
    limit = score_limit(wrong, values, false_per_1000=rate)
    return float((values[wrong] > limit).mean()) if wrong.any() else math.nan


def expected_caught(mistake: np.ndarray, score: Floats, rate: float) -> float:
    """Share caught at the rate when lines of the border's score are warned about by lot."""
    wrong, values = np.asarray(mistake, dtype=bool), spoken(score)
    allowed = rate * float((~wrong).sum()) / 1000.0
    good = np.sort(values[~wrong & (values > -np.inf)])[::-1]
    if not wrong.any():
        return math.nan
    if len(good) <= allowed:
        return float((values[wrong] > -np.inf).mean())
    border = good[math.floor(allowed)]
    above, tied = float((good > border).sum()), float((good == border).sum())
    share = (allowed - above) / tied
    return float((values[wrong] > border).mean() + share * (values[wrong] == border).mean())


def disturbed(mistake: np.ndarray, owned: np.ndarray, score: Floats, share: float) -> float:
    """Share of the true repeats (legitimate lines of an owned item) warned about when ``share``
    of the mistakes are caught; NaN where the score never gets there. Ties by lot."""
    wrong, values = np.asarray(mistake, dtype=bool), spoken(score)
    repeats = values[~wrong & np.asarray(owned, dtype=bool)]
    ranked = np.sort(values[wrong])[::-1]
    needed = share * len(ranked)
    if not len(ranked) or not len(repeats):
        return math.nan
    border = ranked[max(math.ceil(needed - 1e-9) - 1, 0)]
    if border == -np.inf:
        return math.nan
    above, tied = float((ranked > border).sum()), float((ranked == border).sum())
    lot = (needed - above) / tied
    return float((repeats > border).mean() + lot * (repeats == border).mean())


def rule_scores(days: Floats) -> dict[str, Floats]:
    """Scores of the plain rules but "within N days", from days since the last purchase."""
    known = np.where(np.isnan(days), 0.0, 1.0)
    return {
        "ever bought": known,
        "most recent first": known / (1.0 + np.nan_to_num(days)),
        "longest ago first": known * (1e-6 + np.nan_to_num(days)),
    }


def best_within(tables: Sequence[pd.DataFrame], rate: float) -> tuple[float, int]:
    """The mean catch of "bought within N days" at its best N, and that N; chosen in hindsight."""
    found = {}
    for limit in WITHIN_DAYS:
        found[limit] = np.mean([
            expected_caught(lines["injected_kind"].notna().to_numpy(),
                            (lines["days"] <= limit).to_numpy(np.float64), rate)
            for lines in tables
        ])  # fmt: skip
    best = max(found, key=found.__getitem__)
    return float(found[best]), best


def catch_table(
    tables: Sequence[pd.DataFrame],
    scores: Sequence[Floats],
    *,
    before: tuple[Sequence[pd.DataFrame], Sequence[Floats]] | None = None,
    name: str = "guard",
) -> pd.DataFrame:
    """Ours and the rules, one row each, mean over the tables (one table per seed).

    Columns: ``1, 5, 10`` (catches at that realised rate), ``best N`` (of the rule within N days),
    ``half`` and ``0.8`` (share of true repeats disturbed then). With ``before``, tables and scores
    of an earlier cutoff: ``1 set .. 10 set`` (catches at thresholds chosen there, over all its
    tables) and ``1 real .. 10 real`` (the rates that this gave here).
    """
    row = {f"{rate:g}": _mean(caught_above, tables, scores, rate) for rate in RATES} | _disturbed(
        tables, scores
    )
    if before is not None:
        row |= _as_set(tables, scores, *before)
    rows = {name: row, f"{name}, ties by lot": {
        f"{rate:g}": _mean(expected_caught, tables, scores, rate) for rate in RATES
    }}  # fmt: skip
    for rule in RULES:
        if rule == "within N days":
            best = {f"{rate:g}": best_within(tables, rate) for rate in RATES}
            rows[rule] = {rate: caught for rate, (caught, _) in best.items()}
            rows[rule]["best N"] = "/".join(str(limit) for _, limit in best.values())
            continue
        theirs = [rule_scores(lines["days"].to_numpy(np.float64))[rule] for lines in tables]
        rows[rule] = {
            f"{rate:g}": _mean(expected_caught, tables, theirs, rate) for rate in RATES
        } | _disturbed(tables, theirs)
    return pd.DataFrame.from_dict(rows, orient="index")


def _wrong(lines: pd.DataFrame) -> np.ndarray:
    return lines["injected_kind"].notna().to_numpy()


def _mean(measure, tables, scores, rate: float) -> float:
    pairs = zip(tables, scores, strict=True)
    return float(np.mean([measure(_wrong(lines), score, rate) for lines, score in pairs]))


def _disturbed(tables, scores) -> dict[str, float]:
    found = {}
    for share in SHARES:
        each = [disturbed(_wrong(lines), lines["owned"].to_numpy(), score, share)
                for lines, score in zip(tables, scores, strict=True)]  # fmt: skip
        found[f"disturbed {share:g}"] = float(np.mean(each))
    return found


def _as_set(tables, scores, old_tables, old_scores) -> dict[str, float]:
    """Thresholds from the legitimate lines of the earlier cutoff, and what they do here."""
    wrong = np.concatenate([_wrong(lines) for lines in old_tables])
    values = spoken(np.concatenate(list(old_scores)))
    caught, real = {}, {}
    for rate in RATES:
        limit = score_limit(wrong, values, false_per_1000=rate)
        here = [(_wrong(lines), spoken(score) > limit)
                for lines, score in zip(tables, scores, strict=True)]  # fmt: skip
        caught[f"{rate:g} set"] = float(np.mean([warned[bad].mean() for bad, warned in here]))
        real[f"{rate:g} real"] = float(
            np.mean([1000.0 * warned[~bad].mean() for bad, warned in here])
        )
    return caught | real
