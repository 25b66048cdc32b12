"""Why: a code and its facts; the sentence comes from a template.

Reads  a code and numbers, dates and names that can be recomputed from the log.
Gives  ``Reason.text(language)``.
Never  urgency or scarcity: no wording hurries a customer.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from ..exceptions import ParameterError
from .templates import TEMPLATES

LANGUAGES = ("en", "ko")
Fact = str | int | float | datetime | None


@dataclass(frozen=True)
class Reason:
    """A reason code and the facts it rests on.

    Examples
    --------
    >>> Reason("repeat", {"item": "coffee", "gap_days": 21, "days_since_last": 24}).text()
    'coffee: bought every 21 days, last 24 days ago'
    """

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.code not in TEMPLATES:
            raise ParameterError(f"unknown reason code {self.code!r}; see suggestions.templates.")
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    def __reduce__(self) -> tuple[Any, ...]:  # a mapping proxy does not pickle
        return (Reason, (self.code, dict(self.facts)))

    def __hash__(self) -> int:
        return hash((self.code, tuple(self.facts.items())))

    def text(self, language: str = "en") -> str:
        """The sentence in ``"en"`` or ``"ko"``."""
        if language not in LANGUAGES:
            raise ParameterError(f"language must be one of {list(LANGUAGES)}; got {language!r}.")
        return sentence(self.code, self.facts, language)

    def to_dict(self) -> dict[str, Any]:
        return {"code": self.code, "facts": {k: _plain(v) for k, v in self.facts.items()}}


def sentence(code: str, facts: Mapping[str, Fact], language: str = "en") -> str:
    """The sentence of a known code; what the caller must know to be right is not checked."""
    return "".join([
        words if fact is None else words + _shown(facts[fact])
        for words, fact in _parsed(code, language)
    ])  # fmt: skip


def _shown(value: Any) -> str:
    """Numbers without needless digits, dates as days; independent of the locale."""
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0") if abs(value) < 10 else f"{value:.0f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d")
    return str(value)


@functools.cache
def _parsed(code: str, language: str) -> tuple[tuple[str, str | None], ...]:
    """A template as words and the facts that follow them."""
    template = string.Formatter().parse(TEMPLATES[code][language])
    return tuple((words, fact) for words, fact, _, _ in template)


def _plain(value: Any) -> Any:
    """JSON-ready: datetimes as ISO text, NumPy numbers as Python's."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
