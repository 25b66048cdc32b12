"""Which facts and scores of the last weeks lie apart from those of the bundle's own days.

Reads  the manifest's reference, the log, the bundle as a scorer.
Gives  a table: one row per fact and score, how far it moved and how far chance would move it.
Never  a window that reaches back before the bundle's cutoff: then both would share events.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from ...evaluation.drift_metrics import GREAT_DRIFT, SOME_DRIFT, population_stability
from ...log import History
from .reference import FEWEST, binned, mean_of
from .windows import (
    DAY,
    SHARE_OF,
    WINDOWS,
    Active,
    Known,
    active_customers,
    events_a_day,
    window_facts,
)

Floats = NDArray[np.float64]
FALSE_ALARMS = 0.01  # of one whole check where nothing changed
VOLUME = "events_a_day"
SOME_RATIO, GREAT_RATIO = 1.5, 2.5  # of events a day
NONE, SOME, GREAT = "none", "some", "great"
COLUMNS = ("kind", "name", "before", "now", "drift", "by_chance", "n", "verdict")


def usual_window(reference: Mapping[str, Any], history: History, cutoff_us: int) -> int | None:
    """The longest window of the reference that lies whole after the cutoff, days; None: none."""
    for days in WINDOWS:
        known, after = str(days) in reference["windows"], history.cutoff_us - days * DAY
        if known and after >= cutoff_us:
            return days
    return None


def find_active(history: History, days: int) -> Active | None:
    """None where too few did anything."""
    active = active_customers(history, days)
    return active if len(active.ids) >= FEWEST else None


def drift_table(
    reference: Mapping[str, Any],
    history: History,
    active: Active,
    older: Known,
    scores: Mapping[str, Floats],
) -> pd.DataFrame:
    """One row per fact and score.

    Returns
    -------
    DataFrame
        ``kind`` (volume, fact, score), ``name``, ``before`` and ``now`` (means of what is
        known; events a day), ``drift`` (population stability index; of the volume the ratio),
        ``by_chance`` (what chance stays below), ``n`` (customers now), ``verdict``: none, some,
        great.
    """
    days = active.days
    facts = window_facts(active, days, older)
    names = [*facts, *(name for name in reference["facts"] if name not in facts)]
    level = 1.0 - FALSE_ALARMS / (len(names) + len(scores) + 1)
    n = len(active.ids)
    rows = [_volume(reference["windows"][str(days)], events_a_day(history, days), level)]
    for name in sorted(names):
        now = facts.get(name, np.zeros(n))  # an event that nobody had has no share
        rows.append(_row("fact", name, reference["facts"].get(name), now, days, level))
    for name, now in scores.items():
        rows.append(_row("score", name, reference["scores"].get(name), now, days, level))
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    return found.sort_values("drift", ascending=False, kind="stable", ignore_index=True)


def _row(
    kind: str, name: str, kept: Mapping[str, Any] | None, now: Floats, days: int, level: float
) -> tuple[Any, ...]:
    edges, before, mean = _kept(name, kept, now, days)
    drift = population_stability(before, binned(now, edges), level=level)
    verdict = NONE
    if drift.psi > drift.by_chance and drift.psi >= SOME_DRIFT:
        verdict = GREAT if drift.psi >= GREAT_DRIFT else SOME
    means = (math.nan if mean is None else mean for mean in (mean, mean_of(now)))
    return (kind, name, *means, drift.psi, drift.by_chance, drift.n, verdict)


def _kept(
    name: str, kept: Mapping[str, Any] | None, now: Floats, days: int
) -> tuple[list[float], list[int], float | None]:
    """Edges, counts, mean of the reference; an event that nobody had was nobody's share."""
    if kept is not None and str(days) in kept["counts"]:
        return kept["edges"], kept["counts"][str(days)], kept["mean"][str(days)]
    return [0.0], [len(now) if name.startswith(SHARE_OF) else 0, 0, 0], 0.0


def _volume(kept: Mapping[str, Any], daily: Floats, level: float) -> tuple[Any, ...]:
    """Ratio of events a day; its noise from how single days differ."""
    before, now = float(kept["events_a_day"]), float(daily.mean())
    if before <= 0 or now <= 0:
        verdict = GREAT if max(before, now) * len(daily) >= FEWEST else NONE
        return ("volume", VOLUME, before, now, math.nan, math.nan, len(daily), verdict)
    spread = [kept["events_a_day_sd"] / before, daily.std(ddof=1) / now]
    noise = math.sqrt(sum(sd**2 for sd in spread) / len(daily))
    chance = math.exp(float(norm.ppf(0.5 + level / 2)) * noise)
    ratio = max(before / now, now / before)
    verdict = NONE
    if ratio > chance and ratio >= SOME_RATIO:
        verdict = GREAT if ratio >= GREAT_RATIO else SOME
    return ("volume", VOLUME, before, now, ratio, chance, len(daily), verdict)
