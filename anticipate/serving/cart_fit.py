"""Lines for which something fits better, or whose pieces are hardly meant.

Reads  the cart's lines, the moment's events, the guard's tables.
Gives  ``Verdicts`` of kinds ``better_fit`` and ``quantity_slip``.
Never  an answer that ``FitGuard.review`` would not give: the rules are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels import costliest
from ..kernels.fit import (
    BETTER_FIT,
    KINDS,
    QUANTITY_SLIP,
    FitFindings,
    FitItems,
    check_fit,
    offer_of,
)
from ..suggestions import Reason, Suggestion
from ..suggestions.fit_words import better_fit_facts, fit_options, quantity_facts
from .cart import CartRows
from .moment import Moment
from .names import event_evidence, item_name_and_id
from .store import Store
from .verdicts import Verdicts

_RANKS = np.full(len(KINDS), len(costliest.KINDS))
_RANKS[[BETTER_FIT, QUANTITY_SLIP]] = costliest.BETTER_FIT, costliest.QUANTITY_SLIP
Told = tuple[Reason, dict[str, Any], list[str]]


def judge_fit(store: Store, moment: Moment, cart: CartRows) -> Verdicts | None:
    """What the fit guard says of each line."""
    guard = store.fit_guard
    if guard is None or not np.isfinite(guard.tables.slip.threshold[1:]).any():
        return None
    found = check_fit(
        moment.events,
        moment.returns.returned,
        cart.lines,
        cart.price,
        tables=guard.tables,
        objects=moment.profiling,
        marketing=moment.marketing,
    )

    def write(i: int, audience: str) -> Suggestion:
        return _warning(store, moment, cart, found, i, guard.tables.items)

    cost = np.where(found.kind == QUANTITY_SLIP, guard.cost_slip, guard.cost_misfit)
    return Verdicts(
        warn=found.warn,
        saving=costliest.saving(found.probability, cost, guard.cost_annoyance),
        rank=_RANKS[found.kind],
        write=write,
    )


def _warning(
    store: Store, moment: Moment, cart: CartRows, found: FitFindings, i: int, items: FitItems
) -> Suggestion:
    is_fit = found.kind[i] == BETTER_FIT
    reason, fact, options = (
        _better_fit(store, moment, cart, found, i, items)
        if is_fit
        else _quantity(store, moment, cart, found, i)
    )
    return Suggestion(
        kind=str(KINDS[found.kind[i]]),
        audience="customer",
        customer_id=moment.ids[int(cart.lines.customer[i])],
        item_id=moment.words["items"].id(int(cart.lines.item[i])),
        probability=float(found.probability[i]),
        due=None,
        reason=reason,
        evidence=(fact,),
        options=tuple(options),
    )


def _better_fit(
    store: Store, moment: Moment, cart: CartRows, found: FitFindings, i: int, items: FitItems
) -> Told:
    item, other = int(cart.lines.item[i]), int(found.alternative[i])
    offer = offer_of(items, item, other, float(cart.price[i]))
    fact = {"item_id": moment.words["items"].id(other), **offer.evidence}
    name, other_name = (item_name_and_id(store, moment, code) for code in (item, other))
    facts = better_fit_facts(
        item=name, alternative=other_name, shares=offer.shares, prices=offer.prices
    )
    return Reason("better_fit", facts), fact, fit_options("better_fit", alternative=other_name)


def _quantity(store: Store, moment: Moment, cart: CartRows, found: FitFindings, i: int) -> Told:
    item, row, usual = int(cart.lines.item[i]), int(found.row[i]), float(found.usual[i])
    pieces = float(cart.lines.quantity[i])
    name = item_name_and_id(store, moment, item)
    facts = quantity_facts(item=name, pieces=pieces, usual=usual)
    reason = Reason("quantity_of_customer" if row >= 0 else "quantity_of_item", facts)
    fact: dict[str, Any] = {
        "item_id": moment.words["items"].id(item), "pieces": pieces, "usual": usual,
    }  # fmt: skip
    if row >= 0:  # the customer's latest line of it
        latest = event_evidence(moment, row)
        fact |= {"date": latest["date"], "order_id": latest["order_id"]}
        fact["pieces_then"] = float(moment.events.quantity[row])
    return reason, fact, fit_options("quantity_slip", **facts)
