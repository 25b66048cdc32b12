"""What a bundle's manifest keeps of its days, so that later days can be told from them.

Reads  the history and the scorer of a bundle.
Gives  of each fact and score: bins at the deciles, and how many customers fall in each.
Never  an id; a value to more than three digits; anything where fewer than 50 customers speak.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...log import History
from ...serving import Scorer
from ...timing import PurchaseTimer
from .scores import scores_of
from .windows import (
    DAY,
    WINDOWS,
    Active,
    Known,
    active_customers,
    active_in,
    events_a_day,
    items_before,
    window_facts,
)

Array = NDArray[Any]
Floats = NDArray[np.float64]
FEWEST = 50  # customers
DECILES = np.arange(1, 10) / 10
_DIGITS = 3


def make_reference(
    history: History, scorer: Scorer | None, timer: PurchaseTimer | None
) -> dict[str, Any]:
    """JSON-ready; ``windows`` is empty where the history is too short or too small.

    Parameters
    ----------
    history : History
        Whose customers the bundle serves.
    scorer, timer : Scorer, PurchaseTimer
        Of the bundle; facts alone without.

    Returns
    -------
    dict
        ``windows``: by days, ``n_customers, events_a_day, events_a_day_sd``; ``facts`` and
        ``scores``: by name, ``edges`` (at most nine); by days ``counts`` (rows up to each edge,
        above the last, and unknown) and ``mean`` (of the known; None without).
    """
    reference: dict[str, Any] = {"windows": {}, "facts": {}, "scores": {}}
    days = [days for days in WINDOWS if _reaches(history, days)]
    if not days:
        return reference
    active = active_customers(history, days[0])
    days = [length for length in days if active_in(active, length).sum() >= FEWEST]
    if not days:
        return reference
    scores = {} if scorer is None or timer is None else scores_of(scorer, timer, active.history)
    for length in days:
        _add(reference, history, active, length, scores)
    return reference


def binned(values: Floats, edges: list[float]) -> list[int]:
    """Rows up to each edge, above the last, and unknown."""
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, known), minlength=len(edges) + 1)
    return [*counts.tolist(), int(len(values) - len(known))]


def mean_of(values: Floats) -> float | None:
    """Of what is known, to three digits."""
    known = values[np.isfinite(values)]
    return _rounded(float(known.mean())) if len(known) else None


def _add(
    reference: dict[str, Any],
    history: History,
    active: Active,
    days: int,
    scores: dict[str, Floats],
) -> None:
    daily, whose = events_a_day(history, days), active_in(active, days)
    reference["windows"][str(days)] = {
        "n_customers": int(whose.sum()),
        "events_a_day": _rounded(daily.mean()),
        "events_a_day_sd": _rounded(daily.std(ddof=1)),
    }
    facts = window_facts(
        active, days, Known(_none_of(history.customer_ids), items_before(history, days))
    )
    mine = {name: values[whose] for name, values in scores.items()}
    for place, tables in (("facts", facts), ("scores", mine)):
        for name, values in tables.items():
            empty = {"edges": _edges(values), "counts": {}, "mean": {}}
            kept = reference[place].setdefault(name, empty)
            kept["counts"][str(days)] = binned(values, kept["edges"])
            kept["mean"][str(days)] = mean_of(values)


def _edges(values: Floats) -> list[float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return []
    found = np.quantile(known, DECILES, method="inverted_cdf")
    return sorted({_rounded(value) for value in found.tolist()})


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _reaches(history: History, days: int) -> bool:
    """Whether the history is as long as the window."""
    first = history.events.timestamp.min(initial=history.cutoff_us)
    return bool(first <= history.cutoff_us - days * DAY)


def _none_of(ids: Array) -> Array:
    return ids[:0]
