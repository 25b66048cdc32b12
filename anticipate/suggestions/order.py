"""Which suggestion comes first: expected net benefit, from one table.

Reads  suggestions and a table kind -> (benefit, cost), in units of one met need.
Gives  the same suggestions in order, one per item.
Never  a hidden rule: replace the table and the order changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ..exceptions import ParameterError
from .suggestion import KINDS, Suggestion

# probability * benefit - cost. A met need counts 1. A duplicate avoided saves a refund, the
# handling and trust; a warning costs a moment's annoyance. Care comes before the next sale.
BENEFITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "follow_up": (100.0, 0.0),
        "duplicate_purchase": (5.0, 1.0),
        "quantity_slip": (5.0, 1.0),
        "return_risk": (2.0, 0.5),
        "better_fit": (1.0, 0.2),
        "restock_due": (1.0, 0.0),
        "next_need": (1.0, 0.0),
        "churn_risk": (0.5, 0.0),
        "win_back": (0.2, 0.0),
    }
)


_PLACE = {kind: place for place, kind in enumerate(KINDS)}


def check_benefits(
    benefits: Mapping[str, tuple[float, float]] | None,
) -> dict[str, tuple[float, float]]:
    """The default table, with the caller's entries in place of ours."""
    if benefits is not None and not isinstance(benefits, Mapping):
        raise ParameterError("benefits must be a mapping kind -> (benefit, cost).")
    given = dict(benefits or {})
    unknown = sorted(set(map(str, given)) - set(KINDS))
    if unknown:
        raise ParameterError(f"benefits: unknown kinds {unknown}; known are {list(KINDS)}.")
    return {kind: _pair(kind, pair) for kind, pair in {**BENEFITS, **given}.items()}


def _pair(kind: str, given: Iterable[float]) -> tuple[float, float]:
    try:
        benefit, cost = map(float, given)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(f"benefits: {kind} must be a pair (benefit, cost).") from None
    if not (math.isfinite(benefit) and math.isfinite(cost)):
        raise ParameterError(f"benefits: {kind} must be finite.")
    return benefit, cost


def sorts_needs_by_chance(benefits: Mapping[str, tuple[float, float]]) -> bool:
    """Whether the more probable need is always the one of more benefit, whatever its kind."""
    pairs = {benefits[kind] for kind in ("restock_due", "next_need")}
    return len(pairs) == 1 and min(pairs)[0] > 0


def expected_benefit(
    suggestion: Suggestion, benefits: Mapping[str, tuple[float, float]] = BENEFITS
) -> float:
    """probability * benefit(kind) - cost(kind)."""
    benefit, cost = benefits[suggestion.kind]
    return suggestion.probability * benefit - cost


def order_suggestions(
    suggestions: Iterable[Suggestion], benefits: Mapping[str, tuple[float, float]] = BENEFITS
) -> list[Suggestion]:
    """Highest expected benefit first, ties by kind and item; one entry per item."""

    def key(one: Suggestion) -> tuple[float, int, str]:
        return -expected_benefit(one, benefits), _PLACE[one.kind], str(one.item_id)

    ranked = sorted(suggestions, key=key)
    seen: set[object] = set()
    kept = []
    for one in ranked:
        if one.item_id is None or one.item_id not in seen:
            kept.append(one)
            seen.add(one.item_id)
    return kept
