"""What customers are about to do by mistake, and what they may do instead."""

from .combined import review_cart
from .duplicates import DuplicateGuard
from .fit_guard import FitGuard
from .return_guard import ReturnGuard

__all__ = ["DuplicateGuard", "FitGuard", "ReturnGuard", "review_cart"]
