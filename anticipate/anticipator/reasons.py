"""Are the reasons true: every fact stated, beside the same fact recomputed from the log.

Reads  suggestions and churn reasons of a sample of customers, and the events as a table.
Gives  one row per fact: its name, as stated, as recomputed.
Never  the kernels: the second road is plain pandas, so a shared mistake cannot hide.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..columns import CUSTOMER, EVENT, ITEM, PURCHASE, TIMESTAMP
from ..log import History
from ..log.clock import to_timestamp
from ..serving import Scorer

SAMPLE = 200


def stated_facts(scorer: Scorer, history: History, n_customers: int = SAMPLE) -> pd.DataFrame:
    """Facts of the own-purchase and silence reasons of evenly spread customers."""
    ids = history.customer_ids[:: max(1, history.n_customers // n_customers)][:n_customers]
    bought = history.select(ids).to_pandas()
    bought = bought[bought[EVENT] == PURCHASE]
    local = bought[TIMESTAMP].dt.tz_convert(history.timezone).dt.tz_localize(None)
    bought = bought.assign(day=local.dt.normalize())
    by_customer = dict(tuple(bought.groupby(CUSTOMER)))
    at = to_timestamp(history.cutoff_us)
    rows: list[dict[str, Any]] = []
    for id_ in ids.tolist():
        own = by_customer.get(id_, bought.iloc[:0])
        for one in scorer.suggest(id_, as_of=at, n=5, audience="staff"):
            facts = _recomputed(one.reason.code, one.item_id, own, at, history.timezone)
            rows += [
                {"fact": name, "stated": one.reason.facts[name], "recomputed": value}
                for name, value in facts.items()
                if name in one.reason.facts
            ]
    return pd.DataFrame(rows, columns=["fact", "stated", "recomputed"])


def _recomputed(
    code: str, item: Any, own: pd.DataFrame, at: pd.Timestamp, timezone: str
) -> dict[str, Any]:
    """The facts of one reason, from one customer's purchases."""
    if code in ("repeat", "bought_before"):
        return _item_facts(own[own[ITEM] == item], at)
    if "silent" in code or "regular" in code or code in ("one_purchase", "returned"):
        today = at.tz_convert(timezone).tz_localize(None).normalize()
        days = own["day"].drop_duplicates().sort_values()
        return {
            "silent_days": (today - days.iloc[-1]).days,
            "n_purchases": len(days),
            "n_gaps": len(days) - 1,
        }
    return {}


def _item_facts(lines: pd.DataFrame, at: pd.Timestamp) -> dict[str, Any]:
    visits = lines.groupby("day")[TIMESTAMP].min().sort_values()
    day = pd.Timedelta(days=1)
    facts: dict[str, Any] = {
        "n_purchases": len(visits),
        "days_since_last": round((at - visits.iloc[-1]) / day, 1),
    }
    if len(visits) > 1:
        facts["gap_days"] = round((visits.iloc[-1] - visits.iloc[0]) / day / (len(visits) - 1), 1)
    return facts
