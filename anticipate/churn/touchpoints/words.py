"""What a row of the touchpoint table says, in a sentence and in a label.

Reads  numbers of one touchpoint.
Gives  English words.
Never  a cause: they say how often two things went together, and among whom.
"""

from __future__ import annotations

from .rows import CHANNEL

_AFTER = {
    "contact": "a contact",
    "complaint_resolved": "a resolved complaint",
    "complaint_open": "an unresolved complaint",
    "return": "a return",
    "cancel": "a cancellation",
    "rating_low": "a low rating",
    "rating_high": "a high rating",
}


def label_touchpoint(touchpoint: str, reference: str | None) -> str:
    """For an axis: "unresolved complaint", "app (against web)"."""
    if touchpoint.startswith(CHANNEL):
        against = "" if reference is None else f" (against {reference})"
        return touchpoint.removeprefix(CHANNEL) + against
    return _AFTER[touchpoint].split(" ", 1)[1] if touchpoint in _AFTER else touchpoint


def say_odds(
    touchpoint: str,
    odds: tuple[float, float, float],
    *,
    reference: str | None,
    horizon_days: float,
    confidence: float,
) -> str:
    """The sentence for an odds ratio (value, low, high)."""
    ratio, low, high = odds
    clear = "" if low > 1 or high < 1 else "; no clear difference"
    return (
        f"After {_name(touchpoint, reference)}, the odds of no purchase in {horizon_days:g} days "
        f"were {show_ratio(ratio)} times those of otherwise similar customers "
        f"({100 * confidence:g} % interval {show_ratio(low)} to {show_ratio(high)}){clear}."
    )


def say_why_not(touchpoint: str, why: str, *, reference: str | None) -> str:
    """The sentence where there is no odds ratio."""
    return f"After {_name(touchpoint, reference)}: no odds ratio, {why}."


def show_ratio(ratio: float) -> str:
    """Three digits or so: 0.85, 2.13, 12.9, 140."""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:.0f}"


def _name(touchpoint: str, reference: str | None) -> str:
    if touchpoint.startswith(CHANNEL):
        return f"using {touchpoint.removeprefix(CHANNEL)} (against {reference} alone)"
    return _AFTER[touchpoint]
