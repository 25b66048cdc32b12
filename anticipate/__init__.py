"""Anticipatory customer service: what customers need next, who is leaving, what to warn about."""

from ._version import __version__

__all__ = ["__version__"]
