"""Golden rows: what this bundle answered on the machine that made it, asked again at load.

Reads  requests of synthetic customers and the answers stored with them.
Gives  the answers at saving; a refusal at loading where they differ.
Never  a real customer's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..bundle.layout import MANIFEST, damaged
from ..exceptions import AnticipateError, BundleError
from ..kernels.ids import lookup
from .instants import to_datetime
from .overlay import index_size

if TYPE_CHECKING:
    from .scorer import Scorer

_STRANGER = 2**62  # far from where shops count
TOLERANCE = 1e-9  # between machines
Array = NDArray[Any]
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
            raise _differs(number, "is answered otherwise here than where the bundle was saved")


def _answer_again(scorer: Scorer, request: Mapping[str, Any], number: int) -> list[list[Any]]:
    try:
        return _answer(scorer, request)
    except AnticipateError as error:
        raise _differs(number, "cannot be asked") from error


def _differs(number: int, problem: str) -> BundleError:
    return damaged(
        Path(MANIFEST),
        f"its golden row {number} {problem}: the bundle and this version of the library do not "
        "fit together",
        "Fit and save it again with this version, or read it with the version that saved it.",
    )


def stranger_id(customers: Mapping[str, Array]) -> int | str:
    """An id that is not in an index of customers, made of none that is: it is stored."""
    if "ids" in customers:
        return next(number for number in count(_STRANGER) if lookup(customers, number) < 0)
    return next(
        "~" * n for n in count(1) if not index_size(customers) or lookup(customers, "~" * n) < 0
    )


def renamed(
    rows: Sequence[Mapping[str, Any]], customers: Mapping[str, Array]
) -> list[dict[str, Any]]:
    """The same rows asked by a stranger to other customers; the answers do not depend on it."""
    name = {"customer_id": stranger_id(customers)}
    requests = [
        {**row["request"], **name, "recent": [one | name for one in row["request"]["recent"]]}
        for row in rows
    ]
    return [{**row, "request": asked} for row, asked in zip(rows, requests, strict=True)]


def _answer(scorer: Scorer, request: Mapping[str, Any]) -> list[list[Any]]:
    suggestions = scorer.suggest(**request, n=5, audience="staff")
    return [[one.kind, one.item_id, one.probability] for one in suggestions]
