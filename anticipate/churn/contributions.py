"""What pushes a customer's log-odds of leaving up or down, in themes that add up.

Reads  a table of customers, one reference customer, and any function from such tables to log-odds.
Gives  per customer and theme its share of the distance to the reference customer.
Never  a cause: it says what the model leans on, not what would happen if it were changed.
Source Shapley values against one baseline: Sundararajan and Najmi, "The many Shapley values for
       model explanation", ICML 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROWS_AT_ONCE = 65_536  # rows scored in one go: bounds the memory

PATTERN, CONTRACT, SILENCE = "buying_pattern", "contract", "silence"
OTHER = "interest_and_variety"
FEATURES: dict[str, tuple[str, ...]] = {  # theme -> features; the rest are OTHER
    SILENCE: ("days_since_last", "days_since_last_event", "overdue_ratio"),
    "frequency": ("n_events", "n_purchases", "n_lines", "n_purchases_30d", "n_purchases_90d",
                  "n_purchases_365d"),
    "rhythm": ("gap_mean_days", "gap_sd_days", "gap_max_days"),
    "tenure": ("days_since_first", "days_since_first_event"),
    "value": ("spend", "basket_value", "spend_30d", "spend_90d", "spend_365d"),
    "service": ("n_returns", "n_cancels", "return_share", "n_contacts", "n_complaints",
                "n_complaints_resolved", "n_complaints_open", "n_ratings", "rating_mean",
                "rating_last"),
}  # fmt: skip


def themes_of(features: list[str]) -> list[str]:
    """The theme of each feature."""
    named = {name: theme for theme, names in FEATURES.items() for name in names}
    return [named.get(feature, OTHER) for feature in features]


def middle(table: Floats) -> Floats:
    """The reference customer: each column's median, shape (k,); NaN where nothing is known."""
    known = ~np.isnan(table).all(axis=0)
    reference = np.full(table.shape[1], np.nan)
    reference[known] = np.nanmedian(table[:, known], axis=0)
    return reference


def contributions(
    score: Callable[[Floats], Floats], table: Floats, reference: Floats, themes: list[str]
) -> dict[str, Floats]:
    """Shapley value of each theme, arrays of shape (n,).

    Parameters
    ----------
    score : callable
        Table (m, k) to log-odds (m,), each row on its own.
    table : array of shape (n, k)
    reference : array of shape (k,)
        One customer; every theme is worth nothing to whoever equals it.
    themes : list of str, length k
        Theme of each column; t different ones.

    Returns
    -------
    dict of str to array
        Over the themes they sum to ``score(table) - score(reference)``.

    Notes
    -----
    Exact: 2^t scores a customer, so meant for a list of customers, not for all.
    """
    names = list(dict.fromkeys(themes))
    number = np.array([names.index(theme) for theme in themes], dtype=np.int64)
    n_at_once = max(ROWS_AT_ONCE >> len(names), 1)
    blocks = [table[at : at + n_at_once] for at in range(0, len(table), n_at_once)]
    parts = [_of_block(score, block, reference, number, len(names)) for block in blocks]
    values = np.concatenate(parts) if parts else np.empty((0, len(names)))
    return dict(zip(names, values.T, strict=True))


def contributions_of(
    score: Callable[[Floats], Floats],
    table: Floats,
    reference: Floats,
    themes: list[str],
    *,
    log_odds: Floats,
    described: NDArray[np.bool_],
) -> tuple[Floats, dict[str, Floats]]:
    """Where each row starts from, and its contributions, arrays of shape (n,).

    Rows that the score does not describe have all their ``log_odds`` in the start, and zeros.
    """
    start = np.where(described, score(reference[None]), log_odds)
    shares = {}
    for theme, values in contributions(score, table[described], reference, themes).items():
        shares[theme] = np.zeros(len(table))
        shares[theme][described] = values
    return start, shares


def _of_block(
    score: Callable[[Floats], Floats],
    table: Floats,
    reference: Floats,
    number: NDArray[np.int64],
    k: int,
) -> Floats:
    members = (np.arange(1 << k)[:, None] >> np.arange(k)) & 1 == 1  # coalitions x themes
    # Every customer in every coalition: own values in it, the reference's outside.
    mixed = np.where(members[:, None, number], table[None], reference[None, None])
    values = score(mixed.reshape(-1, table.shape[1])).reshape(1 << k, len(table))
    # phi_t = sum over coalitions S without t of |S|! (k-|S|-1)! / k! (v(S + t) - v(S))
    size = members.sum(axis=1)
    weight = [factorial(s) * factorial(k - s - 1) / factorial(k) for s in range(k)]
    out = np.zeros((len(table), k))
    for theme in range(k):
        for without in np.flatnonzero(~members[:, theme]):  # one order of addition for every n
            gain = values[without | (1 << theme)] - values[without]
            out[:, theme] += weight[size[without]] * gain
    return out
