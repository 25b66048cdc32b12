"""Lines that are likely to come back.

Reads  the cart's lines, the moment's events, the guard's tables.
Gives  ``Verdicts`` of kind ``return_risk``.
Never  a verdict that knows the customer's own returns; a reason of them but to staff.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import special
from ..kernels.costliest import RETURN_RISK, saving
from ..kernels.return_reasons import Said, reasons_of
from ..kernels.return_risk import LineFacts, is_worth_saying, lines_log_odds
from ..suggestions import Reason, Suggestion
from ..suggestions.return_words import (
    AUDIENCES,
    CUSTOMER,
    STAFF,
    facts_said,
    options_of,
    return_fact,
)
from .cart import CartRows
from .moment import Moment
from .names import item_name_and_id
from .store import ReturnTables, Store
from .verdicts import Verdicts

Array = NDArray[Any]


def judge_returns(store: Store, moment: Moment, cart: CartRows) -> Verdicts | None:
    """What the return guard says of each line; a warning without a reason is none."""
    guard = store.return_guard
    if guard is None or not np.isfinite(guard.threshold):
        return None
    lines = cart.lines
    facts = LineFacts(moment.events, lines, cart.price, items=guard.items, kinds=guard.kinds)
    objects = moment.profiling[lines.customer]
    probability = _chances(guard, facts, objects)
    warn = is_worth_saying(probability, facts.share, guard.threshold, guard.least_lift)
    pair_code = np.where(lines.item < store.n_items, lines.item, -1)

    def said(i: int, audience: str) -> Iterator[Said]:
        own, silent = audience == STAFF, bool(objects[i])
        return reasons_of(i, facts, guard.pairs, pair_code=pair_code, objects=silent, own=own)

    def write(i: int, audience: str) -> Suggestion:
        return _warning(store, moment, cart, i, list(said(i, audience)), float(probability[i]))

    for i in warn.nonzero()[0].tolist():
        warn[i] = next(said(i, CUSTOMER), None) is not None
    return Verdicts(
        warn=warn,
        saving=saving(probability, guard.cost_return, guard.cost_annoyance),
        rank=np.full(len(warn), RETURN_RISK),
        write=write,
    )


def _chances(guard: ReturnTables, facts: LineFacts, objects: Array) -> Array:
    """P(comes back) by item and cart alone for those who object, else with their habits."""
    if not objects.any():
        return np.asarray(special.expit(lines_log_odds(guard.models["customer"], facts)))
    odds = lines_log_odds(guard.models["cart"], facts)
    if not objects.all():
        odds = np.where(objects, odds, lines_log_odds(guard.models["customer"], facts))
    return np.asarray(special.expit(odds))


def _warning(
    store: Store, moment: Moment, cart: CartRows, i: int, said: list[Said], probability: float
) -> Suggestion:
    told = [
        (one.code, facts_said(one, item_name_and_id(store, moment, int(cart.lines.item[one.line]))))
        for one in said
    ]
    shown = [(code, facts) for code, facts in told if AUDIENCES[code] == CUSTOMER]
    return Suggestion(
        kind="return_risk",
        audience=CUSTOMER if len(shown) == len(told) else STAFF,
        customer_id=moment.ids[int(cart.lines.customer[i])],
        item_id=moment.words["items"].id(int(cart.lines.item[i])),
        probability=probability,
        due=None,
        reason=Reason(*shown[0]),
        evidence=tuple(return_fact(code, **facts) for code, facts in told),
        options=options_of(code for code, _ in shown),
    )
