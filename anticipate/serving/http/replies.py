"""What comes back, for the documentation: the answers' JSON Schema.

Reads  nothing.
Gives  models that the answers keep to; tests hold real answers against them.
Never  a check at run time: the scorer's answers are ours.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ...suggestions import KINDS

Fact = str | int | float | None


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReasonReply(_Reply):
    code: str
    facts: dict[str, Fact]
    text: str


class SuggestionReply(_Reply):
    kind: Literal[KINDS]  # type: ignore[valid-type]
    audience: Literal["customer", "staff"]
    customer_id: int | str
    item_id: int | str | None
    probability: float
    due: str | None
    reason: ReasonReply
    evidence: list[dict[str, Any]]
    options: list[str]


class SuggestedTo(_Reply):
    customer_id: int | str
    suggestions: list[SuggestionReply]


class Suggested(SuggestedTo):
    as_of: str
    bundle: str


class SuggestedMany(_Reply):
    as_of: str
    bundle: str
    results: list[SuggestedTo]


class CheckedOf(_Reply):
    customer_id: int | str
    warnings: list[SuggestionReply]


class Checked(CheckedOf):
    as_of: str
    bundle: str


class CheckedMany(_Reply):
    as_of: str
    bundle: str
    results: list[CheckedOf]


class ChurnOf(_Reply):
    customer_id: int | str
    p_churn: float | None
    p_alive: float | None
    expected_purchases: float | None
    expected_value: float | None
    value_at_risk: float | None
    segment: str
    reason: str


class Churn(ChurnOf):
    as_of: str
    bundle: str


class ChurnMany(_Reply):
    as_of: str
    bundle: str
    results: list[ChurnOf]


class BriefOf(BaseModel):
    """As ``Scorer.brief`` gives it: who they are to us, what they own, what is open, and more."""

    customer_id: int | str
    known: bool


class Brief(BriefOf):
    as_of: str
    bundle: str


class BriefMany(_Reply):
    as_of: str
    bundle: str
    results: list[BriefOf]


class Health(_Reply):
    status: Literal["alive"]


class Ready(_Reply):
    status: Literal["ready"]
    bundle: str
    cutoff: str
    stale: bool  # the clock is past the bundle's horizon: save a fresh one
