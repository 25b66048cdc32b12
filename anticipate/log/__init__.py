"""The log and its histories: sorted once, then slices of time."""

from .history import History, check_history
from .interaction_log import InteractionLog

__all__ = ["History", "InteractionLog", "check_history"]
