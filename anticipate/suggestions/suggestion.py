"""One suggestion: what, for whom, how sure, why, and which choices are left.

Reads  plain values.
Gives  ``Suggestion`` and its JSON-ready dictionary.
Never  decides: the choice is the customer's, so a warning carries at least two options.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..exceptions import ParameterError
from .reason import Reason

SELLING_KINDS = ("better_fit", "restock_due", "next_need")
CUSTOMER_KINDS = ("duplicate_purchase", "quantity_slip", "return_risk", *SELLING_KINDS)
STAFF_KINDS = ("follow_up", "churn_risk", "win_back")
KINDS = CUSTOMER_KINDS + STAFF_KINDS
WARNING_KINDS = ("duplicate_purchase", "quantity_slip", "return_risk", "better_fit")


@dataclass(frozen=True)
class Suggestion:
    """What to do or say next, with its reason.

    Attributes
    ----------
    kind : str
        One of ``KINDS``.
    audience : {"customer", "staff"}
        Who may see it.
    customer_id, item_id : int, str or None
        Ids as they stand in the log.
    probability : float
        Of the need, of the mistake, or of leaving.
    due : datetime or None
        When it falls due (UTC).
    reason : Reason
        A code and its facts; ``reason.text("en")``.
    evidence : tuple of dict
        Dates and orders it rests on.
    options : tuple of str
        What may be chosen; at least two for a warning.
    """

    kind: str
    audience: str
    customer_id: Any
    item_id: Any
    probability: float
    due: datetime | None
    reason: Reason
    evidence: tuple[Mapping[str, Any], ...] = ()
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ParameterError(f"kind must be one of {list(KINDS)}; got {self.kind!r}.")
        if self.kind in WARNING_KINDS and len(self.options) < 2:
            raise ParameterError(f"a {self.kind} needs at least two options: it is a choice.")

    def __hash__(self) -> int:  # evidence holds dictionaries, which have no hash
        return hash((self.kind, self.customer_id, self.item_id, self.probability, self.reason))

    def __str__(self) -> str:
        item = "" if self.item_id is None else f" {self.item_id}"
        return f"{self.kind}{item} ({self.probability:.2f}): {self.reason.text()}"

    def to_dict(self, language: str = "en") -> dict[str, Any]:
        """JSON-ready."""
        return {
            "kind": self.kind,
            "audience": self.audience,
            "customer_id": self.customer_id,
            "item_id": self.item_id,
            "probability": round(self.probability, 4),
            "due": None if self.due is None else self.due.isoformat(),
            "reason": {**self.reason.to_dict(), "text": self.reason.text(language)},
            "evidence": [dict(one) for one in self.evidence],
            "options": list(self.options),
        }
