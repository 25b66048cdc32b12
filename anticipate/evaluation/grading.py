"""How good a number is, said as its distance to the best plain baseline.

Reads  our number and the plain baselines' numbers for the same customers.
Gives  the best baseline, the relative improvement over it and a grade A to D.
Never  data: these are sums on finished numbers.
Source Dynamics 365 Customer Insights grades its models against a stated simple baseline,
       A from 10 % better; the same is done here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

GRADES = {
    "A": "at least 10 % better than the best plain rule",
    "B": "at least 5 % better",
    "C": "better",
    "D": "not better",
}
_STEPS = (("A", 0.10), ("B", 0.05))
_SLACK = 1e-12  # .1 computed as .09999999999999998 is still a tenth


def improvement(ours: float, baseline: float, *, higher_is_better: bool) -> float:
    """Relative improvement over a baseline: positive is better.

    Parameters
    ----------
    ours, baseline : float
        The same metric of both; NaN when it does not exist.
    higher_is_better : bool
        False for errors and losses.

    Returns
    -------
    float
        ``(ours - baseline) / |baseline|``, sign turned for losses; ``inf`` or ``-inf`` when
        the baseline is 0 and ours is not, NaN when either number is missing.

    Examples
    --------
    >>> improvement(0.33, 0.30, higher_is_better=True)
    0.10000000000000009
    >>> improvement(3.0, 4.0, higher_is_better=False)
    0.25
    """
    gained = ours - baseline if higher_is_better else baseline - ours
    if math.isnan(gained):
        return math.nan
    if gained == 0:
        return 0.0
    return gained / abs(baseline) if baseline else math.copysign(math.inf, gained)


def grade(ours: float, baseline: float, *, higher_is_better: bool) -> str:
    """A (at least 10 % better), B (at least 5 %), C (better) or D (not better).

    Parameters
    ----------
    ours, baseline : float
        The same metric of both; the baseline is the *best* plain one.
    higher_is_better : bool
        False for errors and losses.

    Returns
    -------
    str
        One letter; empty when either number is missing, for then nothing was shown.

    Examples
    --------
    >>> grade(0.22, 0.20, higher_is_better=True), grade(0.95, 1.0, higher_is_better=False)
    ('A', 'B')
    >>> grade(0.201, 0.20, higher_is_better=True), grade(0.20, 0.20, higher_is_better=True)
    ('C', 'D')
    """
    gained = improvement(ours, baseline, higher_is_better=higher_is_better)
    if math.isnan(gained):
        return ""
    for letter, step in _STEPS:
        if gained >= step - _SLACK:
            return letter
    return "C" if gained > 0 else "D"


def best_baseline(
    values: Mapping[str, float], *, higher_is_better: bool
) -> tuple[str, float] | tuple[None, float]:
    """Name and value of the strongest baseline; ties go to the first named.

    Parameters
    ----------
    values : mapping of str to float
        Baseline name to its number; NaN takes no part.
    higher_is_better : bool
        False for errors and losses.

    Returns
    -------
    tuple of (str or None, float)
        ``(None, nan)`` when there is no baseline with a number.

    Examples
    --------
    >>> best_baseline({"popularity": 0.1, "own frequency": 0.2}, higher_is_better=True)
    ('own frequency', 0.2)
    """
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    if not known:
        return None, math.nan
    best = max if higher_is_better else min
    name = best(known, key=lambda key: known[key])
    return name, known[name]
