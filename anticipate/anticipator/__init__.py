"""The whole: every part trained on one history, asked together."""

from .model import Anticipator

__all__ = ["Anticipator"]
