"""A campaign's effect in words and as JSON.

Reads  a ``CampaignEffect``.
Gives  sentences with the counts and intervals behind them; plain numbers, None for unknown.
Never  a customer: only groups are told.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from .effect_asked import BOUGHT
from .effect_money import N_UNPRICED
from .effect_table import NO_PRICE

if TYPE_CHECKING:
    from .effect import CampaignEffect

_SAID = {
    "n_override_contacted_holdout": "held out, but contacted",
    "n_override_contacted_unplanned": "not in the plan, but contacted",
    "n_not_carried_out": "planned, but never contacted",
    "n_other_level": "contacted with another level",
}


def effect_text(effect: CampaignEffect) -> str:
    """One line on the campaign, one per level, one on what staff did otherwise."""
    head = (
        f"From {effect.as_of:%Y-%m-%d}, {effect.horizon_days:g} days; "
        f"{effect.confidence:.0%} intervals."
    )
    did = "bought" if effect.retained_is == BOUGHT else "retained"
    levels = [_level_text(str(name), row, did) for name, row in effect.table.iterrows()]
    return "\n".join([head, *levels, _override_text(effect)])


def json_ready(effect: CampaignEffect) -> dict[str, Any]:
    """Built-in types only."""
    rows = [
        {"level": str(name)} | {str(key): _plain(value) for key, value in row.items()}
        for name, row in effect.table.iterrows()
    ]
    return {
        "as_of": effect.as_of.isoformat(),
        "horizon_days": float(effect.horizon_days),
        "confidence": float(effect.confidence),
        "retained_is": effect.retained_is,
        "levels": rows,
        "overrides": dict(effect.overrides),
        "n_unknown": effect.n_unknown,
    }


def _level_text(name: str, row: pd.Series[Any], did: str) -> str:
    sizes = f"{name}: {row['n_treated']} treated, {row['n_holdout']} held out"
    if math.isnan(row["gain"]):
        return f"{sizes}; too few to measure."
    kept = (
        f"{row['retained_treated']:.1%} against {row['retained_holdout']:.1%} {did}, "
        f"{row['gain'] * 100:+.1f} points ({row['gain_low'] * 100:+.1f} to "
        f"{row['gain_high'] * 100:+.1f}): {row['verdict']}"
    )
    return f"{sizes}; {kept}; {_money_text(row)}."


def _money_text(row: pd.Series[Any]) -> str:
    unpriced = int(row[N_UNPRICED])
    if row["spend_verdict"] == NO_PRICE:
        return f"spend {NO_PRICE}, of {unpriced} payment(s); cost {row['cost']:.2f}"
    told = (
        f"spend {row['spend_gain']:+.2f} each ({row['spend_gain_low']:+.2f} to "
        f"{row['spend_gain_high']:+.2f}): {row['spend_verdict']}; "
        f"net of a cost of {row['cost']:.2f}: {row['net']:+.2f}"
    )
    return f"{told}; without a price, counted as 0: {unpriced} payment(s)" if unpriced else told


def _override_text(effect: CampaignEffect) -> str:
    known = {name: count for name, count in effect.overrides.items() if count is not None}
    if not known:
        return "No contact was logged: what was carried out is not known."
    told = ", ".join(f"{count} {_SAID[name]}" for name, count in known.items())
    return f"Staff did otherwise: {told}. Everybody stays in the arm that was drawn."


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and not math.isfinite(number) else number


__all__ = ["effect_text", "json_ready"]
