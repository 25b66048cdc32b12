"""Can the answers be trusted: do they hold still, and are their reasons true?

Reads  risk scores of two moments without an event between them; stated and recomputed facts.
Gives  Sections ``stability`` and ``reasons``.
Never  our own word for it: facts are recomputed from the log by the caller.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .._checks import check_columns
from .churn_section import list_length
from .sections import Section, mean_row, number_row
from .stability_metrics import top_overlap


def evaluate_stability(
    before: pd.Series,
    after: pd.Series,
    *,
    baselines: Mapping[str, tuple[pd.Series, pd.Series]] | None = None,
    top: int = 500,
) -> Section:
    """Overlap of the most at risk of two moments without new events between them.

    Parameters
    ----------
    before, after : Series
        A risk score per customer, indexed by customer_id.
    baselines : mapping of str to (Series, Series), optional
        The same two scores by plain rules.
    top : int, default=500
        Length of the list; see ``list_length``.

    Returns
    -------
    Section
        Named ``"stability"``; headline ``Overlap@top``.
    """
    n = list_length(len(before), top)
    theirs = {name: top_overlap(*pair, n=n) for name, pair in (baselines or {}).items()}
    row = number_row(
        f"Overlap@{n}",
        top_overlap(before, after, n=n),
        theirs,
        better="higher",
        n=len(before),
        meaning=f"share of the {n} most at risk who are still among them a day later",
    )
    return Section(name="stability", title="Does the list hold still", rows=(row,))


def evaluate_reasons(facts: pd.DataFrame) -> Section:
    """Facts given as reasons against the same facts recomputed from the log.

    Parameters
    ----------
    facts : DataFrame
        One row per fact: ``fact`` (its name), ``stated``, ``recomputed``.

    Returns
    -------
    Section
        Named ``"reasons"``; headline ``Facts true`` (share), then one row per fact with an
        untrue statement. Numbers are equal within 1e-9 relative, dates and text exactly.

    Examples
    --------
    >>> facts = pd.DataFrame(
    ...     {"fact": ["n_purchases", "n_purchases"], "stated": [3, 4], "recomputed": [3, 5]})
    >>> [(row.metric, row.ours) for row in evaluate_reasons(facts).rows]
    [('Facts true', 0.5), ('n_purchases', 0.5)]
    """
    check_columns("reasons", ("fact", "stated", "recomputed"), facts.columns, hint="One per fact.")
    pairs = zip(facts["stated"], facts["recomputed"], strict=True)
    true = np.array([_same(stated, found) for stated, found in pairs], dtype=np.float64)
    meaning = "share of the facts in reasons that the log confirms"
    rows = [mean_row("Facts true", true, {}, better="none", meaning=meaning)]
    names = facts["fact"].to_numpy()
    for name in sorted(set(names[true == 0])):
        of_name = true[names == name]
        rows.append(mean_row(str(name), of_name, {}, better="none", meaning="of this fact"))
    return Section(name="reasons", title="Are the reasons true", rows=tuple(rows))


def _same(stated: Any, found: Any) -> bool:
    missing = [pd.api.types.is_scalar(value) and bool(pd.isna(value)) for value in (stated, found)]
    if any(missing):
        return all(missing)
    if isinstance(stated, numbers.Real) and isinstance(found, numbers.Real):
        return math.isclose(stated, found, rel_tol=1e-9, abs_tol=1e-12)
    return bool(stated == found)
