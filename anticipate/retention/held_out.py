"""What the held out would have got: the prices' answer, and where that is open the others' share.

Reads  what each level is worth to each customer, who got which, the prices they paid.
Gives  a level per held-out customer, -1 for none.
Never  a contact; a level by a rule that the contacted were not chosen by.

Many customers may be worth exactly the price, or the same at two levels: of these the limits
serve some, of many the first ones. Of the held out with the same open choice the same share, the
first ones as there, would have been served.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .prices import best_at
from .rounding import TIES

Array = NDArray[Any]


def would_be_at(worth: Array, level: Array, held_out: Array, paid: Array) -> Array:
    """Levels of the held out, int8 (n,), -1 for none and for everybody else.

    Parameters
    ----------
    worth : float64 array of shape (K, n)
    level : int8 array of shape (n,)
        What the others got.
    held_out : bool array of shape (n,)
    paid : float64 array of shape (K,)
        The price of each level, of all limits together.
    """
    able = worth.max(axis=0, initial=-np.inf) > 0
    held, others = np.flatnonzero(held_out & able), np.flatnonzero(~held_out & able)
    would_be = np.full(worth.shape[1], -1, dtype=np.int8)
    would_be[held] = best_at(worth[:, held], paid)[0]
    choice, best = best_at(worth[:, others], paid)
    moved = choice != level[others]
    if not moved.any():  # the prices alone say who gets what
        return would_be
    highest = float(worth.max(initial=0.0))
    given_up = best[moved] - _net_of(worth[:, others[moved]], level[others[moved]], paid)
    close = TIES[0] * highest + min(float(given_up.max()), TIES[-1] * highest)
    key, key_of_others = (_open_choices(worth[:, who], paid, close) for who in (held, others))
    for one in np.unique(key[_is_open(key)]):
        peers = level[others[key_of_others == one]]
        if len(peers):
            mine = held[key == one]
            would_be[mine] = _in_shares(np.bincount(peers + 1, minlength=len(paid) + 1), len(mine))
    return would_be


def share_first(n: int, served: Array) -> Array:
    """The first of n, as many as the share of the others who were served: bool (n,)."""
    return np.arange(n) < round(n * float(served.mean())) if len(served) else np.zeros(n, bool)


def _net_of(worth: Array, level: Array, paid: Array) -> Array:
    """Worth beyond the price of what each got; 0 for none."""
    columns = np.arange(len(level))
    return np.where(level >= 0, worth[level, columns] - paid[level], 0.0)


def _open_choices(worth: Array, paid: Array, close: float) -> Array:
    """Which levels, and none, are as good as the best, one bit each: int64 (n,)."""
    net = np.vstack([np.zeros(worth.shape[1]), np.where(worth > 0, worth - paid[:, None], -np.inf)])
    near = net >= net.max(axis=0) - close
    return np.asarray((np.int64(1) << np.arange(len(net), dtype=np.int64)) @ near)


def _is_open(key: Array) -> Array:
    """Whether more than one bit is set."""
    return np.asarray((key & (key - 1)) != 0)


def _in_shares(counts: Array, n: int) -> Array:
    """The peers' levels in their shares, n of them, levels first and none last."""
    shares = np.cumsum(np.roll(counts, -1)) / counts.sum()
    ends = np.rint(n * shares).astype(np.int64)
    levels = np.append(np.arange(len(counts) - 1), -1)
    return np.repeat(levels, np.diff(ends, prepend=0)).astype(np.int8)
