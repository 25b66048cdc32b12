"""A bookshop whose truth is known: who wants what, who leaves, which purchases were mistakes.

Reads  nothing but its arguments; every draw comes from one seed.
Gives  tables with the columns of an interaction log, and the truth beside them.
Never  the clock, a file, a log.
"""

from .shop import Frames, simulate

__all__ = ["Frames", "simulate"]
