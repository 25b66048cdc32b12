"""The log and its histories: sorted once, then slices of time."""

from .history import History
from .interaction_log import InteractionLog

__all__ = ["History", "InteractionLog"]
