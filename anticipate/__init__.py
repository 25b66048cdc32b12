"""Anticipatory customer service.

From the history of what customers did: what they will need next and when, whether they are
leaving, what they are about to do by mistake, and what one should do about it, with reasons.

Four names are taught, ``InteractionLog``, ``Anticipator``, ``Scorer`` and ``Suggestion``
(and ``load_example``); everything else is imported from its part. They load on first use, so
that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .anticipator import Anticipator
    from .datasets import load_example
    from .log import InteractionLog
    from .serving import Scorer
    from .suggestions import Suggestion

logging.getLogger("anticipate").addHandler(logging.NullHandler())

_HOMES = {
    "Anticipator": "anticipator",
    "InteractionLog": "log",
    "Scorer": "serving",
    "Suggestion": "suggestions",
    "load_example": "datasets",
}
__all__ = [
    "Anticipator",
    "InteractionLog",
    "Scorer",
    "Suggestion",
    "__version__",
    "load_example",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'anticipate' has no attribute {name!r}")
    found = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
