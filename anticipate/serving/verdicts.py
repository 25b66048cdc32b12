"""What a guard says of a cart's lines.

Reads  nothing; a container.
Gives  ``Verdicts``, which all guards of the scorer answer with.
Never  a sentence before it is asked for: most lines pass, and of a warned one one guard speaks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..suggestions import Suggestion


class Verdicts(NamedTuple):
    """Of n lines."""

    warn: NDArray[np.bool_]  # (n,)
    saving: NDArray[np.float64]  # (n,): expected net money of the warning
    rank: NDArray[Any]  # (n,): place of the line's kind in ``kernels.costliest.KINDS``
    write: Callable[[int, str], Suggestion]  # the warning of a line, for an audience
