"""What one should do about it: suggestions with reasons, and the order they come in."""

from .order import BENEFITS, expected_benefit, order_suggestions, sorts_needs_by_chance
from .reason import LANGUAGES, Reason
from .suggestion import CUSTOMER_KINDS, KINDS, SELLING_KINDS, Suggestion

__all__ = [
    "BENEFITS",
    "CUSTOMER_KINDS",
    "KINDS",
    "LANGUAGES",
    "SELLING_KINDS",
    "Reason",
    "Suggestion",
    "expected_benefit",
    "order_suggestions",
    "sorts_needs_by_chance",
]
