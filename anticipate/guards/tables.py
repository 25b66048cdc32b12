"""Everything a duplicate guard learns of one history: laws, rates, shares and rules by item.

Reads  a History.
Gives  ``Tables`` for the kernel, aligned with the history's items, and what they rest on.
Never  anything after the history's cutoff.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from ..exceptions import MinimumDataWarning
from ..kernels.clicks import QUICK_MINUTES, QuickRates
from ..kernels.gap_learning import gap_data, plain_table, refine_by_item
from ..kernels.next_gap import GapTable
from ..kernels.pairs import find_pairs
from ..kernels.rules import ItemRules, Tables
from ..log import History
from . import learning
from .answered import Answered, accepted_share, answers_of, item_factors
from .bought import Bought, bought_of, kept_only
from .contrast import examples, windows
from .forgotten import Forgotten, learn_other, learn_own
from .items import category_codes, is_consumable, lifetime_days, substitutes, work_codes
from .repeat_items import repeat_items

Array = NDArray[Any]
Floats = NDArray[np.float64]
FEWEST_UNDONE = 10


class Learned(NamedTuple):
    """Tables, and the counts they rest on."""

    tables: Tables
    repeat_share: Floats  # (n_items + 1,): of an item's buyers, who bought it on two days or more
    report: dict[str, Any]


def learn_tables(history: History, timing: Any, random_state: int | None) -> Learned:
    """All rates. Where nothing ever comes back nothing is told, and the priors stand."""
    bought, items, n_items = bought_of(history), history.items, history.n_items
    category, answered = category_codes(items), answers_of(history)
    nothing = np.zeros(n_items + 1)
    rules = ItemRules(
        mistake_rate=nothing,
        substitute_rate=nothing,
        consumable=is_consumable(items),
        lifetime_days=lifetime_days(items),
        usual_quantity=learning.usual_quantities(bought, n_items),
        substitutes=substitutes(items),
    )
    found = examples(
        bought,
        gaps=_gaps_before(bought, n_items, category),
        rules=rules,
        category=category,
        rng=np.random.default_rng(random_state or 0),
    )
    group = np.zeros(n_items, np.int64) if category is None else category
    own = learn_own(bought, found.take(~found.is_other), group, answered)
    other = learn_other(bought, found.take(found.is_other), work_codes(items), group, answered)
    usual = learning.usual_returns(bought, n_items)
    same = learning.find_repeats(bought, bought.events.item)
    quick = same.take((same.minutes <= QUICK_MINUTES) & same.apart)
    factors = item_factors(answered, n_items)
    tables = Tables(
        gaps=_wishes(kept_only(history, bought), timing),
        rules=rules._replace(mistake_rate=own.rate * factors, substitute_rate=other.rate * factors),
        items=repeat_items(bought, n_items, category, int(bought.cutoffs.max(initial=0))),
        own=own.model,
        other=other.model,
        quick=learning.quick_rates(quick, usual, bought.events.n, told=bought.any_undone),
        accepted_share=accepted_share(answered),
    )
    report = _report(same, answered, quick=tables.quick, own=own, other=other)
    return Learned(tables, learning.repeat_shares(bought, n_items), report)


def _report(
    same: learning.Repeats,
    answered: Answered,
    *,
    quick: QuickRates,
    own: Forgotten,
    other: Forgotten,
) -> dict[str, Any]:
    """The counts that the tables rest on, and what is missing."""
    report = {
        "n_repeats": len(same.item),
        "n_undone": int(same.undone.sum()),
        "n_answered": len(answered.accepted),
        "n_accepted": int(answered.accepted.sum()),
        "learned": {"already_owned": own.report, "substitute_owned": other.report},
        "quick": quick._asdict(),
    }
    return {**report, "missing": _missing(report)}


def _missing(report: dict[str, Any]) -> list[str]:
    if report["n_undone"] + report["n_answered"] >= FEWEST_UNDONE:
        return []
    return [
        f"duplicates: {report['n_undone']} of {report['n_repeats']} repeats were returned or "
        f"cancelled, fewer than {FEWEST_UNDONE}; what a mistake looks like is mostly assumed."
    ]


def _gaps_before(bought: Bought, n_items: int, category: Array | None) -> GapTable:
    """The law of gaps as it was known before the first window of examples."""
    spans = windows(bought)
    at = spans[0][0] if spans else int(bought.cutoffs.max(initial=0))
    kept = (bought.events.timestamp < at) & (bought.undone_at > at) & ~bought.events.gift
    events = bought.events.take(kept)
    data = gap_data(find_pairs(events, n_items), np.full(events.n_customers, at))
    return refine_by_item(data, plain_table(data, n_items), category)


def _wishes(kept: History, timing: Any) -> GapTable:
    """The law of wanted repeats by item."""
    if timing is not None and kept.n_events:
        with warnings.catch_warnings():  # the timer's own minimum is told when it is fitted alone
            warnings.simplefilter("ignore", MinimumDataWarning)
            fitted = clone(timing).fit(kept)
        return GapTable.from_mapping(fitted.item_table(kept.item_ids))
    data = gap_data(find_pairs(kept.purchases, kept.n_items), kept.cutoffs)
    return refine_by_item(data, plain_table(data, kept.n_items), category_codes(kept.items))
