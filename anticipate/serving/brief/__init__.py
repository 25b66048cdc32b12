"""What staff should see before the customer arrives; nobody has to tell their story twice."""

from .card import brief_card
from .make import make_brief

__all__ = ["brief_card", "make_brief"]
