"""Lines that the customer has already, or has just ordered.

Reads  the cart's lines, the moment's events, the guard's tables.
Gives  ``Verdicts`` of kind ``duplicate_purchase``.
Never  an answer that ``DuplicateGuard.review`` would not give: the rules are the same.
"""

from __future__ import annotations

import numpy as np

from ..kernels.costliest import saving
from ..kernels.owned import MINUTE
from ..kernels.rules import ALREADY_OWNED, KINDS, Findings, check_lines, look_up_by
from ..kernels.verdicts import choose_warnings
from ..suggestions import Suggestion
from ..suggestions.duplicate_words import duplicate_reason, options_of
from .cart import CartRows
from .instants import to_datetime
from .moment import Moment
from .names import event_evidence, item_name
from .store import GuardTables, Store
from .verdicts import Verdicts


def judge_duplicates(store: Store, moment: Moment, cart: CartRows) -> Verdicts | None:
    """What the duplicate guard says of each line."""
    guard = store.guard
    if guard is None or not np.isfinite(guard.speaking.thresholds).any():
        return None
    looked = look_up_by(moment.find_kept, moment.events.timestamp, cart.lines, guard.tables.rules)
    if looked is None:  # a cart of one moment repeats nothing of its own
        return None
    found = check_lines(
        moment.events,
        None,
        cart.lines,
        tables=guard.tables,
        objects=moment.profiling,
        habits=moment.habits(cart.lines),
        looked=looked,
        late=bool(np.isfinite(guard.speaking.thresholds[ALREADY_OWNED:]).any()),
    )

    def write(i: int, audience: str) -> Suggestion:
        return _warning(store, guard, moment, cart, found, i)

    return Verdicts(
        warn=choose_warnings(found, cart.lines, guard.speaking),
        saving=saving(found.probability, *guard.speaking.costs),
        rank=found.kind - 1,  # its kinds come first, after "none"
        write=write,
    )


def _warning(
    store: Store, guard: GuardTables, moment: Moment, cart: CartRows, found: Findings, i: int
) -> Suggestion:
    kind = str(KINDS[found.kind[i]])
    request, item, row = int(cart.lines.customer[i]), int(cart.lines.item[i]), int(found.row[i])
    shares, covers = guard.repeat_share, guard.tables.rules.substitutes
    has_editions = bool((covers[min(item, len(covers) - 1)] >= 0).any())
    evidence = event_evidence(moment, row)
    bought_us = int(moment.events.timestamp[row])
    return Suggestion(
        kind="duplicate_purchase",
        audience="customer",
        customer_id=moment.ids[request],
        item_id=moment.words["items"].id(item),
        probability=float(found.probability[i]),
        due=None,
        reason=duplicate_reason(
            kind,
            item=item_name(store, moment, item),
            owned=item_name(store, moment, int(moment.events.item[row])),
            bought_on=to_datetime(bought_us, store.timezone),
            minutes=(int(moment.as_of[request]) - bought_us) / MINUTE,
            order=evidence["order_id"],
            repeat_share=float(shares[min(item, len(shares) - 1)]),
            ids=(moment.words["items"].id(item), evidence["item_id"]),
            has_editions=has_editions,
        ),
        evidence=(evidence,),
        options=options_of(kind, has_editions=has_editions),
    )
