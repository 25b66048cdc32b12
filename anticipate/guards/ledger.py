"""What happened next to lines that were doubted: kept, sent back, bought elsewhere, or not at all.

Reads  reviewed lines, and a log that goes on after them.
Gives  a ledger by kind: lines, their money, and what warning of them brings or would have.
Never  a line whose 30 days are not over in the log as "kept": it is open.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_columns
from ..columns import CANCEL, CUSTOMER, EVENT_CODES, ITEM, PRICE, QUANTITY, TIMESTAMP
from ..kernels.events import PURCHASE_CODE
from ..kernels.owned import DAY
from ..kernels.returns import NEVER
from ..kernels.rules import UNDONE_SHARE
from ..log import History, InteractionLog
from ..log.clock import read_times
from ..log.ids import check_ids, lookup_codes
from .costs import Costs
from .learning import UNDO_DAYS

Array = NDArray[Any]
FATES = ("kept", "returned", "cancelled", "bought_elsewhere", "not_bought", "open")
KEPT, RETURNED, CANCELLED, ELSEWHERE, NOT_BOUGHT, OPEN = range(len(FATES))


def what_followed(reviewed: pd.DataFrame, log: InteractionLog, costs: Costs) -> pd.DataFrame:
    """A ledger of the lines that have a reason.

    Parameters
    ----------
    reviewed : DataFrame
        ``customer_id, item_id, timestamp, kind, reason``, and ``quantity, price`` for money.
    log : InteractionLog
    costs : Costs

    Returns
    -------
    DataFrame indexed by kind, last row "all"
        ``n_lines``; the numbers of ``FATES`` (within a day of the review bought and kept, sent
        back or cancelled within 30 days; not then, but later within 30 days: elsewhere; not at
        all; open: the log ends too soon); ``money_*`` the same in price times quantity;
        ``net_money``: sent back and cancelled lines as mistakes, kept and bought elsewhere as
        wishes; ``net_money_expected`` counts the mistakes that were kept, too (three in ten are,
        as the guard assumes). Lines not bought count as neither.
    """
    wanted = (CUSTOMER, ITEM, TIMESTAMP, "kind", "reason")
    check_columns("reviewed", wanted, reviewed.columns, hint="Give what review(...) returned.")
    lines = reviewed[reviewed["reason"].notna().to_numpy()]
    history = log.as_of(log.closed_until) if log.n_events else None
    fate = np.full(len(lines), OPEN)
    if history is not None and history.n_events:
        fate = _fates(lines, history)
    money = _money(lines)
    rows = {}
    kinds = lines["kind"].to_numpy(dtype=object)
    for kind in sorted(set(kinds.tolist())):
        rows[kind] = _row(fate[kinds == kind], money[kinds == kind], costs)
    nothing = _row(fate[:0], money[:0], costs)
    rows["all"] = {name: sum((row[name] for row in rows.values()), start=nothing[name])
                   for name in nothing}  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("kind")


def _row(fate: Array, money: Array, costs: Costs) -> dict[str, Any]:
    n = {name: int((fate == code).sum()) for code, name in enumerate(FATES)}
    sums = {f"money_{name}": float(money[fate == code].sum()) for code, name in enumerate(FATES)}
    mistakes, wishes = n["returned"] + n["cancelled"], n["kept"] + n["bought_elsewhere"]
    hidden = min(mistakes / UNDONE_SHARE - mistakes, wishes)
    net = mistakes * costs.mistake - wishes * costs.doubt
    expected = net + hidden * (costs.mistake + costs.doubt)
    nets = {"net_money": float(net), "net_money_expected": float(expected)}
    return {"n_lines": len(fate), **n, **sums, **nets}


def _money(lines: pd.DataFrame) -> Array:
    """Price times pieces; 0 where the price is unknown."""
    if PRICE not in lines.columns:
        return np.zeros(len(lines))
    pieces = lines[QUANTITY].fillna(1.0) if QUANTITY in lines.columns else 1.0
    return (lines[PRICE] * pieces).fillna(0.0).to_numpy(dtype=np.float64)


def _fates(lines: pd.DataFrame, history: History) -> Array:
    """A position in ``FATES`` per line."""
    events, match = history.events, history.returns
    customer = lookup_codes(check_ids(lines[CUSTOMER], history.customer_ids, CUSTOMER),
                            history.customer_ids)  # fmt: skip
    item = lookup_codes(check_ids(lines[ITEM], history.item_ids, ITEM), history.item_ids)
    times = lines[TIMESTAMP].reset_index(drop=True)
    at = read_times(times, history.timezone, TIMESTAMP).microseconds
    bought = np.flatnonzero(events.event == PURCHASE_CODE)
    span = np.int64(history.n_items + 1)
    key = events.customer[bought].astype(np.int64) * span + events.item[bought]
    order = np.lexsort((events.timestamp[bought], key))
    key, bought = key[order], bought[order]
    asked = customer * span + item
    place, last = key.searchsorted(asked), key.searchsorted(asked, side="right")
    time = np.append(events.timestamp[bought], NEVER)
    while (early := (place < last) & (time[np.minimum(place, last)] < at)).any():
        place = place + early
    found = (place < last) & (customer >= 0) & (item >= 0)
    wait = np.where(found, time[place] - at, NEVER)
    row = bought[np.minimum(place, max(len(bought) - 1, 0))] if len(bought) else place
    limit = np.int64(UNDO_DAYS * DAY)
    back = found & (match.returned_at[row] < events.timestamp[row] + limit)
    back &= match.returned[row] >= events.quantity[row]  # of a part the rest was kept
    fate = np.full(len(lines), NOT_BOUGHT)
    fate[at + limit > history.cutoff_us] = OPEN
    fate[found & (wait < limit)] = ELSEWHERE
    fate[found & (wait < DAY)] = OPEN
    fate[found & (wait < DAY) & (events.timestamp[row] + limit <= history.cutoff_us)] = KEPT
    soon = back & (wait < DAY)
    by_cancel = np.isin(row, _cancelled(history))
    fate[soon] = np.where(by_cancel[soon], CANCELLED, RETURNED)
    return fate


def _cancelled(history: History) -> Array:
    events, match = history.events, history.returns
    rows = (events.event == EVENT_CODES[CANCEL]) & (match.purchase_row >= 0)
    return np.asarray(match.purchase_row[rows])


__all__ = ["FATES", "what_followed"]
