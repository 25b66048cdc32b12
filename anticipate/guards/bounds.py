"""How large a share surely is: the lower bound that a warning's proof rests on.

Reads  how many of n were hits.
Gives  Wilson's one-sided lower 90 % bound.
Never  a bound above the share seen; more than 0 from nothing.
Source E. B. Wilson, Probable inference, the law of succession, and statistical inference,
       Journal of the American Statistical Association, 1927.
"""

from __future__ import annotations

import math

Z90 = 1.2815515655446004  # one-sided 90 %


def lower_bound(hits: int, n: int) -> float:
    """Wilson's lower 90 % bound of a share; 0 without lines."""
    if not n:
        return 0.0
    share, scale = hits / n, 1.0 + Z90**2 / n
    half = Z90 * math.sqrt(share * (1.0 - share) / n + Z90**2 / (4.0 * n * n))
    return max((share + Z90**2 / (2.0 * n) - half) / scale, 0.0)
