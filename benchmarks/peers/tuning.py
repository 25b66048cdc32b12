"""Settings found on a validation window: one knob at a time, until nothing improves.

Reads  a grid, a starting setting and a function from setting to quality.
Gives  the best setting seen.
Never  the window that is reported: the caller judges on an earlier one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Setting = dict[str, Any]


def tuned(
    grid: dict[str, tuple[Any, ...]],
    start: Setting,
    quality: Callable[[Setting], float],
    passes: int = 2,
) -> tuple[Setting, float]:
    """Coordinate ascent over the grid; every setting is judged once."""
    seen: dict[tuple[Any, ...], float] = {}

    def judged(setting: Setting) -> float:
        key = tuple(setting[name] for name in grid)
        if key not in seen:
            seen[key] = quality(setting)
        return seen[key]

    best, best_quality = dict(start), judged(start)
    for _ in range(passes):
        before = best_quality
        for name, values in grid.items():
            for value in values:
                tried = best | {name: value}
                if judged(tried) > best_quality:
                    best, best_quality = tried, judged(tried)
        if best_quality == before:
            break
    return best, best_quality
