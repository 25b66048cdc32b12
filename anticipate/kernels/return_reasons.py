"""Which reasons are said of a line that may come back: codes and numbers, no words.

Reads  what is known of the cart's lines, and which of two things their buyers kept.
Gives  reasons of a line, the most particular first; what only staff may read comes last.
Never  a customer's past for those who object to profiling; an advice that the log does not show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .return_risk import LineFacts

Array = NDArray[Any]
OFTEN = 1.5  # times the share of all lines from which an item is said to come back often
LEAST_PAIRS, LEAST_SHARE = 5, 0.6


class KeptPairs(NamedTuple):
    """Distinct (kept, back) pairs of item codes and how often, (p,), sorted."""

    kept: Array  # int64
    back: Array  # int64
    n: Array  # int64


class Said(NamedTuple):
    """One reason."""

    code: str
    line: int  # whose item is named in it
    numbers: Mapping[str, int]


def reasons_of(
    i: int, facts: LineFacts, pairs: KeptPairs, *, pair_code: Array, objects: bool, own: bool
) -> Iterator[Said]:
    """Reasons of line ``i``.

    ``pair_code`` (n,) is each line's item as ``pairs`` counts it, -1 none. ``own``: with the
    customer's own returns, which are for staff.
    """
    n_thing = int(facts.counts[1][i])
    share = float(facts.items.share[facts.row[i]])
    if n_thing > 1:
        yield from _kept(i, facts, pairs, pair_code)
        yield Said("several_of_one", i, {"n_lines": n_thing})
    if share >= OFTEN * facts.whole:
        yield Said("often_returned", i, {"return_percent": max(round(100.0 * share), 1)})
    if objects:
        return
    if facts.category[i] >= 0 and facts.past.is_first_of_category[i]:
        yield Said("first_of_kind", i, {})
    if own and facts.past.n_back[i]:
        counts = {"n_back": int(facts.past.n_back[i]), "n_lines": int(facts.past.n_lines[i])}
        yield Said("own_returns", i, counts)


def mostly_kept(pairs: KeptPairs, first: int, second: int) -> tuple[int, int, int] | None:
    """(the one kept, how often, of how many); None where the log does not tell."""
    forward, backward = _count(pairs, first, second), _count(pairs, second, first)
    total, most = forward + backward, max(forward, backward)
    if total < LEAST_PAIRS or most < LEAST_SHARE * total:
        return None
    return (first if forward > backward else second), most, total


def _kept(i: int, facts: LineFacts, pairs: KeptPairs, pair_code: Array) -> Iterator[Said]:
    """What most who bought both kept, if the log shows it: against one other line at most."""
    lines = facts.lines
    same = (lines.customer == lines.customer[i]) & (lines.timestamp == lines.timestamp[i])
    others = np.flatnonzero(same & (facts.thing == facts.thing[i]) & (lines.item != lines.item[i]))
    mine = int(pair_code[i])
    codes, first = np.unique(pair_code[others], return_index=True)  # of equal lines the first
    for other, j in zip(codes.tolist(), others[first].tolist(), strict=True):
        found = mostly_kept(pairs, mine, other)
        if found is not None:
            code, n_kept, n_buyers = found
            numbers = {"n_kept": n_kept, "n_buyers": n_buyers}
            yield Said("others_kept", i if code == mine else j, numbers)
            return


def _count(pairs: KeptPairs, kept: int, back: int) -> int:
    start, end = pairs.kept.searchsorted([kept, kept + 1])
    return int(pairs.n[start:end][pairs.back[start:end] == back].sum())
