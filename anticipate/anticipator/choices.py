"""What training chose: the words of a bundle's reports, without their numbers.

Reads  the report of a manifest.
Gives  candidates that won, sources that are asked, kinds of warnings that speak, by name.
Never  a figure, an id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_CHOICES = ("btyd", "chosen", "learned", "model", "sources", "speaks")


def choices(report: Any) -> dict[str, Any]:
    """By dotted name: text, yes or no, or a list of texts.

    Examples
    --------
    >>> choices({"churn": {"model": "blend", "log_loss": {"blend": 0.2}}})
    {'churn.model': 'blend'}
    """
    return dict(sorted(_found(report, ())))


def _found(report: Any, above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if not isinstance(report, Mapping):
        return
    for name, value in report.items():
        place = (*above, str(name))
        if isinstance(value, Mapping):
            yield from _found(value, place)
        elif name in _CHOICES and _is_word(value):
            yield ".".join(place), value


def _is_word(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, str) for one in value)
    return isinstance(value, (str, bool))


__all__ = ["choices"]
