"""The plan as a table, and its account.

Reads  what was offered, what was chosen, why not.
Gives  one row per customer in the order of their ids; a dictionary of totals.
Never  a sentence or a name made twice: columns of words are categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import CUSTOMER
from .choosing import Chosen
from .levels import ASSUMED, MEASURED
from .limits import Channels
from .offers import Offers, picked
from .people import People
from .reasons import CODES, REASONS, named, sentences

Array = NDArray[Any]


def plan_table(
    people: People,
    offers: Offers,
    chosen: Chosen,
    why_not: tuple[Array, Array],
    facts: Mapping[str, Any],
    *,
    by_risk: bool,
    language: str,
) -> pd.DataFrame:
    """One row per customer; ``why_not`` is a code per customer, -1 for none, and its number."""
    level, would_be = chosen.level, chosen.would_be
    names = [one.name for one in offers.levels]
    code, number = _reasons(offers, chosen, *why_not, by_risk=by_risk)
    evidence = [one.evidence for one in offers.levels]
    said = np.array([[ASSUMED, MEASURED].index(one) for one in evidence] + [-1])
    saved, cost = picked(offers.saved, level), np.append(offers.costs, 0.0)[level]
    columns = {
        "level": named(level, names),
        "expected_saved_value": saved,
        "expected_saved_customers": picked(offers.gain, level),
        "evidence": named(said[level], [ASSUMED, MEASURED]),
        "cost": cost,
        "net_value": saved - cost,
        "shadow_price": np.full(len(level), chosen.money_price),
        "holdout": would_be >= 0,
        "would_be": named(would_be, names),
        "channel": channel_names(level, [one.channel for one in offers.levels], offers.channels),
        "reason_code": named(code, REASONS),
        "reason": sentences(
            code, number, levels=list(zip(names, evidence, strict=True)), facts=facts,
            language=language,
        ),
    }  # fmt: skip
    return pd.DataFrame(columns, index=pd.Index(people.ids, name=CUSTOMER))


def channel_names(level: Array, own: list[str | None], channels: Channels) -> Any:
    """The channel of each contact: the level's, else the customer's unless they refuse it."""
    place = np.full(len(level), -1, dtype=np.int64)
    for k, name in enumerate(own):
        rows = np.flatnonzero(level == k)
        if name is not None:
            place[rows] = channels.names.index(name)
            continue
        wanted = channels.preferred[rows]
        refused = (wanted >= 0) & channels.refused[wanted, rows] if len(channels.names) else False
        place[rows] = np.where(refused, -1, wanted)
    return named(place, channels.names)


def plan_report(
    table: pd.DataFrame, offers: Offers, chosen: Chosen, *, budget: float | None
) -> dict[str, Any]:
    """Totals of the plan."""
    counts = np.bincount(chosen.level[chosen.level >= 0], minlength=len(offers.levels))
    names = [one.name for one in offers.levels]
    worth = offers.worth_of(chosen.level)
    reasons = table["reason_code"].value_counts()
    return {
        "budget": budget,
        "spent": float(offers.costs @ counts),
        "n_customers": len(table),
        "n_contacted": int(counts.sum()),
        "contacts": dict(zip(names, counts.tolist(), strict=True)),
        "n_held_out": int((chosen.would_be >= 0).sum()),
        "reasons": {str(name): int(n) for name, n in reasons.items() if n},
        "expected_saved_value": float(table["expected_saved_value"].sum()),
        "expected_saved_customers": float(table["expected_saved_customers"].sum()),
        "net_value": float(table["net_value"].sum()),
        "shadow_price": chosen.money_price,
        "capacity_price": chosen.contact_price,
        "level_prices": dict(zip(names, chosen.level_prices.tolist(), strict=True)),
        "bound": chosen.bound,
        "gap": max(chosen.bound - worth, 0.0) / chosen.bound if chosen.bound > 1e-9 else 0.0,
    }


def _reasons(
    offers: Offers, chosen: Chosen, why_not: Array, number: Array, *, by_risk: bool
) -> tuple[Array, Array]:
    """The reason of each row: those ruled out keep theirs."""
    code, number = why_not.copy(), number.copy()
    scarce = "budget" if chosen.money_price > 0 else "capacity"
    behind = CODES["behind_by_risk" if by_risk else scarce]
    worth_it = offers.worth.max(axis=0) > 0
    free = code < 0
    code[free] = np.where(worth_it[free] | by_risk, behind, CODES["not_worth"])
    level_of = {"by_risk" if by_risk else "chosen": chosen.level, "held_out": chosen.would_be}
    for name, level in level_of.items():
        code[level >= 0] = CODES[name]
        number[level >= 0] = level[level >= 0]
    return code, number
