"""Golden rows: what this bundle answered on the machine that made it, asked again at load.

Reads  requests of synthetic customers and the answers stored with them.
Gives  the answers at saving; a refusal at loading where they differ.
Never  a real customer's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..exceptions import AnticipateError, BundleError
from .instants import to_datetime

if TYPE_CHECKING:
    from .scorer import Scorer

TOLERANCE = 1e-9  # between machines
_DAYS = (0.0, 7.0)
DAY = 86_400_000_000


def golden_rows(scorer: Scorer) -> list[dict[str, Any]]:
    """Answers to a synthetic customer who bought some items and has the first in the cart."""
    customer_id, items = scorer.stranger()
    start = scorer.cutoff_us
    rows = []
    for days in _DAYS:
        later = round(min(days, scorer.horizon_days / 2) * DAY)  # within what it answers for
        request = {
            "customer_id": customer_id,
            "as_of": to_datetime(start + later + 1).isoformat(),
            "cart": items[:1],
            "recent": [
                {
                    "customer_id": customer_id,
                    "item_id": item,
                    "timestamp": to_datetime(start).isoformat(),
                }
                for item in items
            ],
        }
        rows.append({"request": request, "answer": _answer(scorer, request)})
    return rows


def replay(scorer: Scorer, rows: Iterable[Mapping[str, Any]]) -> None:
    """Ask again.

    Raises
    ------
    BundleError
        If an answer differs: the arrays and this version of the library do not fit together.
    """
    for number, row in enumerate(rows):
        now, then = _answer_again(scorer, row["request"], number), row["answer"]
        same = len(now) == len(then) and all(
            a[:2] == b[:2] and abs(a[2] - b[2]) <= TOLERANCE for a, b in zip(now, then, strict=True)
        )
        if not same:
            raise BundleError(
                f"manifest.json: golden row {number} answers differently than when the bundle was "
                "saved; save it again with this version of the library."
            )


def _answer_again(scorer: Scorer, request: Mapping[str, Any], number: int) -> list[list[Any]]:
    try:
        return _answer(scorer, request)
    except AnticipateError as error:
        raise BundleError(
            f"manifest.json: golden row {number} cannot be asked; save the bundle again."
        ) from error


def _answer(scorer: Scorer, request: Mapping[str, Any]) -> list[list[Any]]:
    suggestions = scorer.suggest(**request, n=5, audience="staff")
    return [[one.kind, one.item_id, one.probability] for one in suggestions]
