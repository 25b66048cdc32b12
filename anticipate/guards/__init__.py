"""What customers are about to do by mistake, and what they may do instead."""

from .duplicates import DuplicateGuard

__all__ = ["DuplicateGuard"]
