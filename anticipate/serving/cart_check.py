"""The cart at the moment of truth: of all guards' warnings of a line, the costliest one.

Reads  the lines of each request, what each guard says of them.
Gives  warnings with evidence and options, at most one a line.
Never  drops or blocks a line: the choice is the customer's.

A guard joins by one function ``(store, moment, cart) -> Verdicts | None`` in ``GUARDS``; None is
silence, as of a bundle without its tables.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..kernels.costliest import BETTER_FIT, costliest
from ..suggestions import Suggestion
from .care import find_open, is_open
from .cart import CartLine, CartRows, side_by_side
from .cart_duplicates import judge_duplicates
from .cart_fit import judge_fit
from .cart_returns import judge_returns
from .moment import Moment
from .store import Store
from .verdicts import Verdicts

GUARDS: tuple[Callable[[Store, Moment, CartRows], Verdicts | None], ...] = (
    judge_duplicates,
    judge_returns,
    judge_fit,
)


def check_carts(
    store: Store,
    moment: Moment,
    carts: list[list[CartLine]],
    audience: str,
) -> list[list[Suggestion]]:
    """Warnings of each request's cart, in the cart's order."""
    warnings: list[list[Suggestion]] = [[] for _ in carts]
    if not any(carts):
        return warnings
    cart = side_by_side(carts, moment.as_of)
    owner = cart.lines.customer
    said = [one for judge in GUARDS if (one := judge(store, moment, cart)) is not None]
    if not any(one.warn.any() for one in said):
        return warnings
    ranks, warns = np.stack([one.rank for one in said]), np.stack([one.warn for one in said])
    offers = warns & (ranks == BETTER_FIT)
    if offers.any():  # a better fit is offered, so care and objections come first
        withheld = is_open(find_open(moment)) | moment.marketing
        warns &= ~(offers & withheld[owner])
    speaker = costliest(warns, np.stack([one.saving for one in said]), ranks)
    for i in np.flatnonzero(warns.any(axis=0)).tolist():
        warnings[owner[i]].append(said[speaker[i]].write(i, audience))
    return warnings
