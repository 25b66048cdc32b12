"""When next: dates and chances of the next purchase."""

from .timer import PurchaseTimer

__all__ = ["PurchaseTimer"]
