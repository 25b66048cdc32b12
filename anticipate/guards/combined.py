"""Several guards at once, for notebooks: each line gets at most one warning.

Reads  a cart, a history, fitted guards.
Gives  the same lines with the six columns of a review.
Never  two warnings of one line: the costliest mistake speaks, as in ``Scorer.check_cart``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from ..exceptions import ParameterError
from ..kernels.costliest import costliest, rank_of
from ..log import History

COLUMNS = ("verdict", "kind", "probability", "reason", "evidence", "options")


def review_cart(cart: pd.DataFrame, history: History, guards: Iterable[Any]) -> pd.DataFrame:
    """What the guards say of the lines together.

    Parameters
    ----------
    cart : DataFrame
        Lines as every guard's ``review`` takes them.
    history : History
    guards : iterable of fitted guards
        Each with ``review(cart, history)`` and ``saving(probability, kind)``, the expected net
        money of its warnings.

    Returns
    -------
    DataFrame
        The same lines, order and index, with ``verdict``, ``kind``, ``probability``, ``reason``,
        ``evidence`` and ``options`` of the warning that saves most; of a line that none warns of
        those of the largest saving.

    Raises
    ------
    ParameterError
        If there is no guard.

    Examples
    --------
    >>> from anticipate import load_example
    >>> from anticipate.guards import ReturnGuard, review_cart
    >>> history = load_example("bookshop").as_of("2025-03-01")
    >>> cart = pd.DataFrame({"customer_id": ["C042"], "item_id": ["B-1984-ebook"]})
    >>> review_cart(cart, history, [ReturnGuard().fit(history)])["kind"].tolist()
    ['return_risk']
    """
    asked = list(guards)
    if not asked:
        raise ParameterError("guards: there is none; give fitted ones, as [ReturnGuard().fit(h)].")
    found = [guard.review(cart, history)[list(COLUMNS)] for guard in asked]
    savings = [_savings(guard, one) for guard, one in zip(asked, found, strict=True)]
    speaker = costliest(
        np.stack([one["verdict"].to_numpy() == "warn" for one in found]),
        np.stack(savings),
        np.stack([rank_of(one["kind"]) for one in found]),
    )
    return cart.assign(**{name: _said(found, speaker, name) for name in COLUMNS})


def _savings(guard: Any, found: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Of each line; what is no kind saves nothing at all."""
    money = np.full(len(found), -np.inf)
    probability, kinds = found["probability"].to_numpy(np.float64), found["kind"].to_numpy()
    for kind in found["kind"].dropna().unique().tolist():
        money[kinds == kind] = guard.saving(probability[kinds == kind], kind)
    return money


def _said(found: list[pd.DataFrame], speaker: np.ndarray[Any, Any], name: str) -> pd.Series[Any]:
    """A column, each line from the guard that speaks of it."""
    first = found[0][name]
    cells = np.empty((len(found), len(first)), dtype=object)  # lists stay lists
    for row, one in zip(cells, found, strict=True):
        row[:] = one[name].tolist()
    values = pd.Series(cells[speaker, np.arange(len(first))], index=first.index, dtype=object)
    dtypes = {one[name].dtype for one in found}
    return values.astype(dtypes.pop()) if len(dtypes) == 1 else values.infer_objects()
