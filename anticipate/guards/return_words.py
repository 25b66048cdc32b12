"""Risks of returns, written beside the lines: verdict, reason, evidence, options.

Reads  a cart, chances and facts of its lines, the history they rest on.
Gives  a new table, row for row.
Never  a reason of staff in what a customer is shown; a sentence for a line that passes, but for
       staff, who asked for them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..kernels.return_reasons import KeptPairs, reasons_of
from ..kernels.return_risk import LineFacts
from ..suggestions.return_words import CUSTOMER, STAFF, facts_said, options_of, return_fact
from .lines import ReadLines
from .names import name_and_id

Array = NDArray[Any]


class Judged(NamedTuple):
    """Chances of n lines and what they rest on."""

    warn: Array  # bool (n,)
    probability: Array  # (n,)
    objects: Array  # bool (n,)
    facts: LineFacts
    pairs: KeptPairs
    pair_code: Array  # (n,): the guard's code of the item, -1 never seen


def with_advice(
    cart: pd.DataFrame, read: ReadLines, judged: Judged, *, audience: str
) -> pd.DataFrame:
    """The cart with the six columns of a review. A warning without a reason is none."""
    n = len(cart)
    reasons: list[str | None] = [None] * n
    evidence: list[list[dict[str, Any]]] = [[] for _ in range(n)]
    options: list[list[str]] = [[] for _ in range(n)]
    verdict = np.full(n, "pass", dtype=object)
    asked = np.arange(n) if audience == STAFF else np.flatnonzero(judged.warn)
    for i in asked.tolist():  # sentences are made one by one; warnings are rare
        evidence[i] = _evidence(i, read, judged, audience)
        shown = [one for one in evidence[i] if one["audience"] == CUSTOMER]
        if judged.warn[i] and shown:
            verdict[i], reasons[i] = "warn", shown[0]["text"]
            options[i] = list(options_of([one["code"] for one in shown]))
    index = cart.index
    return cart.assign(
        verdict=verdict,
        kind=pd.Series(["return_risk"] * n, index=index, dtype=object),
        probability=judged.probability,
        reason=pd.Series(reasons, index=index, dtype=object),
        evidence=pd.Series(evidence, index=index, dtype=object),
        options=pd.Series(options, index=index, dtype=object),
    )


def _evidence(i: int, read: ReadLines, judged: Judged, audience: str) -> list[dict[str, Any]]:
    """All that may be said of line i to the audience."""
    found = reasons_of(
        i, judged.facts, judged.pairs, pair_code=judged.pair_code,
        objects=bool(judged.objects[i]), own=audience == STAFF,
    )  # fmt: skip
    return [
        return_fact(said.code, **facts_said(said, name_and_id(read, read.item_ids[said.line])))
        for said in found
    ]
