"""Are the reasons true: every fact stated, beside the same fact recomputed from the log.

Reads  suggestions and churn reasons of a sample of customers, and the events as a table.
Gives  one row per fact: its name, as stated, as recomputed.
Never  the kernels: the second road is plain pandas, so a shared mistake cannot hide.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..columns import (
    COMPLAINT,
    CUSTOMER,
    EVENT,
    ITEM,
    ORDER,
    PURCHASE,
    RESOLVED,
    RETURN,
    TIMESTAMP,
    WISH,
)
from ..log import History
from ..log.clock import to_timestamp
from ..serving import Scorer
from ..suggestions import Suggestion

SAMPLE = 200
DAY = pd.Timedelta(days=1)
_SINCE = {
    "open_complaint": ("since", COMPLAINT),
    "open_return": ("since", RETURN),
    "recheck": ("resolved_on", RESOLVED),
}


def stated_facts(scorer: Scorer, history: History, n_customers: int = SAMPLE) -> pd.DataFrame:
    """Facts of suggestions and warnings given to evenly spread customers.

    Each customer is asked once without a cart and once with the latest thing they bought in it.
    Shares learned over all customers are the models' own and not recomputed here.
    """
    ids = history.customer_ids[:: max(1, history.n_customers // n_customers)][:n_customers]
    events = history.select(ids).to_pandas()
    local = events[TIMESTAMP].dt.tz_convert(history.timezone).dt.tz_localize(None)
    events = events.assign(day=local.dt.normalize())
    by_customer = dict(tuple(events.groupby(CUSTOMER)))
    at = to_timestamp(history.cutoff_us)
    rows: list[dict[str, Any]] = []
    for id_ in ids.tolist():
        own = by_customer.get(id_, events.iloc[:0])
        bought = own[own[EVENT] == PURCHASE]
        given = scorer.suggest(id_, as_of=at, n=5, audience="staff")
        given += scorer.check_cart(id_, bought[ITEM].tail(1).tolist(), as_of=at)
        for one in given:
            facts = _recomputed(one, own, bought, at, history.timezone)
            rows += [
                {"fact": name, "stated": one.reason.facts[name], "recomputed": value}
                for name, value in facts.items()
                if name in one.reason.facts
            ]
    return pd.DataFrame(rows, columns=["fact", "stated", "recomputed"])


def _recomputed(
    one: Suggestion, own: pd.DataFrame, bought: pd.DataFrame, at: pd.Timestamp, timezone: str
) -> dict[str, Any]:
    """The facts of one reason, from one customer's events."""
    code = one.reason.code
    if code in ("repeat", "bought_before"):
        return _item_facts(bought[bought[ITEM] == one.item_id], at)
    if code in ("already_owned", "substitute_owned", "double_submit"):
        return _warning_facts(one, bought)
    if code in _SINCE:
        name, event = _SINCE[code]
        return {name: own.loc[own[EVENT] == event, TIMESTAMP].max().to_pydatetime()}
    if code == "wished":
        wishes = own[(own[EVENT] == WISH) & (own[ITEM] == one.item_id)]
        return {"since": wishes[TIMESTAMP].max().to_pydatetime()}
    if "silent" in code or "regular" in code or code in ("one_purchase", "returned"):
        return _silence_facts(bought, at.tz_convert(timezone).tz_localize(None).normalize())
    return {}


def _silence_facts(bought: pd.DataFrame, today: pd.Timestamp) -> dict[str, Any]:
    days = bought["day"].drop_duplicates().sort_values()
    return {
        "silent_days": (today - days.iloc[-1]).days,
        "n_purchases": len(days),
        "n_gaps": len(days) - 1,
    }


def _warning_facts(one: Suggestion, bought: pd.DataFrame) -> dict[str, Any]:
    """The purchase that the evidence names: is there one, of that order, at that time?"""
    evidence = one.evidence[0]
    when = pd.Timestamp(evidence["date"])
    found = bought[(bought[ITEM] == evidence["item_id"]) & (bought[TIMESTAMP] == when)]
    orders = found[ORDER].tolist() if ORDER in found else []
    stated = one.reason.facts.get("order")
    return {
        "bought_on": when.to_pydatetime() if len(found) else None,
        "order": stated if stated in orders or not orders else None,
    }


def _item_facts(lines: pd.DataFrame, at: pd.Timestamp) -> dict[str, Any]:
    visits = lines.groupby("day")[TIMESTAMP].min().sort_values()
    facts: dict[str, Any] = {
        "n_purchases": len(visits),
        "days_since_last": round((at - visits.iloc[-1]) / DAY, 1),
    }
    if len(visits) > 1:
        facts["gap_days"] = round((visits.iloc[-1] - visits.iloc[0]) / DAY / (len(visits) - 1), 1)
    return facts
