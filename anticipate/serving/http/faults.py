"""The service's log, and what it says of an error that nobody meant.

Reads  an exception.
Gives  its type and the way to it.
Never  its message: it may hold what was submitted.
"""

from __future__ import annotations

import logging
import traceback

LOG = logging.getLogger("anticipate.serve")
_DEEPEST = 6  # calls shown


def where(error: BaseException) -> str:
    """Type and place, from the outside in."""
    frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
    places = [f"{_short(frame.filename)}:{frame.lineno}" for frame in frames]
    return f"{type(error).__name__} at {' > '.join(places)}"


def _short(file: str) -> str:
    """The last three steps of a path: which file of which package."""
    return "/".join(file.replace("\\", "/").split("/")[-3:])
