"""Risks of returns, written beside the lines: verdict, reason, evidence, options.

Reads  a cart, chances and columns of its lines, the history they rest on.
Gives  a new table, row for row.
Never  a reason of staff in what a customer is shown; a sentence for a line that passes, but for
       staff, who asked for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import NAME
from ..kernels.return_risk import (
    cart_counts,
    is_first_of_category,
    known_before,
    thing_and_category,
)
from ..suggestions.return_words import (
    CUSTOMER,
    OPTIONS,
    OPTIONS_OF_SEVERAL,
    STAFF,
    return_fact,
)
from .lines import ReadLines
from .return_pairs import KeptPairs, mostly_kept
from .return_rows import kinds_of

Array = NDArray[Any]
OFTEN = 1.5  # times the share of all lines from which an item is said to come back often
SEVERAL = ("several_of_one", "others_kept")


class Judged(NamedTuple):
    """Chances of n lines and what they rest on."""

    warn: Array  # bool (n,)
    probability: Array  # (n,)
    share: Array  # (n,): the item's own share
    whole: float  # of all lines
    objects: Array  # bool (n,)
    pair_code: Array  # (n,): the guard's code of the item, -1 never seen


class Cart(NamedTuple):
    """What reasons are made of, (n,)."""

    thing: Array
    n_thing: Array
    n_lines: Array  # own past lines
    n_back: Array  # own past returns
    first: Array  # of its category for this customer


_NOTHING = Cart(*[np.zeros(0, dtype=np.int64)] * 5)


def with_advice(
    cart: pd.DataFrame, read: ReadLines, judged: Judged, pairs: KeptPairs, *, audience: str
) -> pd.DataFrame:
    """The cart with the six columns of a review. A warning without a reason is none."""
    n = len(cart)
    reasons: list[str | None] = [None] * n
    evidence: list[list[dict[str, Any]]] = [[] for _ in range(n)]
    options: list[list[str]] = [[] for _ in range(n)]
    verdict = np.full(n, "pass", dtype=object)
    asked = np.arange(n) if audience == STAFF else np.flatnonzero(judged.warn)
    facts = _cart_facts(read) if len(asked) else _NOTHING
    for i in asked.tolist():  # sentences are made one by one; warnings are rare
        found = list(_reasons(i, read, judged, facts, pairs))
        shown = [one for one in found if one["audience"] == CUSTOMER]
        evidence[i] = found if audience == STAFF else []
        if judged.warn[i] and shown:
            verdict[i], reasons[i] = "warn", shown[0]["text"]
            evidence[i] = found if audience == STAFF else shown
            several = any(one["code"] in SEVERAL for one in shown)
            options[i] = list(OPTIONS_OF_SEVERAL if several else OPTIONS)
    index = cart.index
    return cart.assign(
        verdict=verdict,
        kind=pd.Series(["return_risk"] * n, index=index, dtype=object),
        probability=judged.probability,
        reason=pd.Series(reasons, index=index, dtype=object),
        evidence=pd.Series(evidence, index=index, dtype=object),
        options=pd.Series(options, index=index, dtype=object),
    )


def _cart_facts(read: ReadLines) -> Cart:
    kinds, lines = kinds_of(read.history.items), read.lines
    thing, category = thing_and_category(kinds, lines)
    past = known_before(read.history.events, lines, kinds, thing=thing, category=category)
    n_thing = cart_counts(lines, thing, category)[1]
    first = is_first_of_category(past) & (category >= 0)
    return Cart(thing, n_thing, past.n_lines, past.n_back, first)


def _reasons(
    i: int, read: ReadLines, judged: Judged, facts: Cart, pairs: KeptPairs
) -> Iterator[dict[str, Any]]:
    """Reasons of line i, the most particular first; staff's last."""
    item = _name(read, i)
    if facts.n_thing[i] > 1:
        yield from _kept(i, read, judged, facts, pairs)
        yield return_fact("several_of_one", item=item, n_lines=int(facts.n_thing[i]))
    if judged.share[i] >= OFTEN * judged.whole:
        percent = round(100.0 * float(judged.share[i]))
        yield return_fact("often_returned", item=item, return_percent=max(percent, 1))
    if judged.objects[i]:
        return
    if facts.first[i]:
        yield return_fact("first_of_kind", item=item)
    if facts.n_back[i]:
        counts = {"n_back": int(facts.n_back[i]), "n_lines": int(facts.n_lines[i])}
        yield return_fact("own_returns", **counts)


def _kept(
    i: int, read: ReadLines, judged: Judged, facts: Cart, pairs: KeptPairs
) -> Iterator[dict[str, Any]]:
    """What most who bought both kept, if the log shows it: against one other line at most."""
    lines = read.lines
    same = (lines.customer == lines.customer[i]) & (lines.timestamp == lines.timestamp[i])
    others = np.flatnonzero(same & (facts.thing == facts.thing[i]) & (lines.item != lines.item[i]))
    mine = int(judged.pair_code[i])
    for j in others[np.argsort(judged.pair_code[others], kind="stable")].tolist():
        found = mostly_kept(pairs, mine, int(judged.pair_code[j]))
        if found is not None:
            code, n_kept, n_buyers = found
            kept = _name(read, i if code == mine else j)
            yield return_fact("others_kept", kept=kept, n_kept=n_kept, n_buyers=n_buyers)
            return


def _name(read: ReadLines, i: int) -> str:
    """The item's name, else its id; with the id where editions may share a name."""
    items, item_id = read.history.items, read.item_ids[i]
    if NAME in items.columns and item_id in items.index:
        name: Any = items.at[item_id, NAME]
        return str(item_id) if pd.isna(name) else f"{name} ({item_id})"
    return str(item_id)
