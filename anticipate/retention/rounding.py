"""From prices to a plan: whole customers, within every limit.

Reads  what each level is worth to each customer, the prices of the limits, the limits.
Gives  one level per customer.
Never  a broken limit; a level of no worth.
Source The core idea: Pisinger, European Journal of Operational Research 83, 1995.

At the right prices almost every customer's choice is plain. Two kinds are left: the few whose
best two choices are worth nearly the same, and those, perhaps many, to whom they are worth
exactly the same (two levels of equal cost; many equal customers). The former are variables of
their own, the latter are counted by the set of choices they are torn between; a small integer
programme settles both at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from .in_order import serve_in_order
from .prices import Prices, best_at
from .resources import Resources, counts_of, fits

Array = NDArray[Any]
CORE = 40  # customers who are variables of their own, those with the nearest choices
PER_PAIR = 8  # and of each pair of choices: a swap between them may use up a limit exactly
PAIRED = 120  # of all pairs together, where levels are many
TIES = (1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)  # choices this near count as equal, of the highest
CLOSE_ENOUGH = 1e-5  # gap to the bound, relative: wider ties are not tried
SOLVED = 1e-6  # gap of the integer programme, of what is settled outside of it; itself exact
MOST_NODES = 60  # of the integer programme; a count, not a time: the same on every machine


class _Torn(NamedTuple):
    """G groups of customers between whom nothing is to choose but their number."""

    members: list[Array]  # customers of each group
    options: Array  # bool (G, K)
    worth: Array  # (G, K), of one of them on average


def settle(values: Array, prices: Prices, resources: Resources) -> Array:
    """One level per customer, shape (n,), -1 for none."""
    level_prices = prices.per_unit @ resources.use
    choice, best = best_at(values, level_prices)
    if not prices.per_unit.any() and fits(counts_of(choice, len(values)), resources):
        return choice
    margin, rival = _margins(values, level_prices, choice, best)
    core = _find_core(margin, np.stack((choice, rival)))
    highest = float(values.max(initial=0.0))
    found, worth, n_loose = None, -np.inf, -1
    for tie in TIES:
        torn, loose = _find_torn(values, level_prices, margin, core, tie * highest)
        if loose.sum() == n_loose:
            continue
        n_loose = loose.sum()
        other = _settle_torn(choice, torn, loose, resources, prices.bound)
        if other is not None and worth_of(values, other) > worth:
            found, worth = other, worth_of(values, other)
        if loose.all() or prices.bound - worth <= CLOSE_ENOUGH * prices.bound:
            break
    if found is None:  # the solver gave up: the most decided first
        net = values - level_prices[:, None]
        order = np.argsort(-margin, kind="stable")
        return serve_in_order(np.where(net > 0, net, -np.inf), order, resources)
    return found


def worth_of(values: Array, choice: Array) -> float:
    """The sum of what was chosen."""
    rows = np.flatnonzero(choice >= 0)
    return float(values[choice[rows], rows].sum())


def _margins(values: Array, level_prices: Array, choice: Array, best: Array) -> tuple[Array, Array]:
    """How much each customer's choice is worth beyond the next, inf where there is no other.

    And which that next one is, -1 for none.
    """
    second = np.where(choice >= 0, 0.0, -np.inf)
    rival = np.full(len(choice), -1, dtype=np.int8)
    for k, row in enumerate(values):
        net = np.where(choice == k, -np.inf, row - level_prices[k])
        rival[net > second] = k
        np.maximum(second, net, out=second)
    return best - second, rival


def _find_core(margin: Array, pair: Array) -> Array:
    """Positions, ascending: the nearest of all, and of each pair of choices."""
    low, high = pair.min(axis=0).astype(np.int64), pair.max(axis=0)
    kind = (low + 1) * 64 + high
    able = np.isfinite(margin)
    found = [_nearest(margin, np.flatnonzero(able), CORE)]
    kinds = np.unique(kind[able])
    for one in kinds:
        rows = np.flatnonzero(able & (kind == one))
        found.append(_nearest(margin, rows, min(PER_PAIR, PAIRED // len(kinds))))
    return np.unique(np.concatenate(found))


def _nearest(margin: Array, rows: Array, count: int) -> Array:
    """So many of the rows with the least margins; of equal ones the first."""
    if len(rows) <= count or count == 0:
        return rows[:count]
    edge = np.partition(margin[rows], count - 1)[count - 1]
    below, at = rows[margin[rows] < edge], rows[margin[rows] == edge]
    return np.concatenate((below, at[: count - len(below)]))


def _find_torn(
    values: Array, level_prices: Array, margin: Array, core: Array, tie: float
) -> tuple[_Torn, Array]:
    """The core one by one, further ties by the set of their choices; and who is in either."""
    loose = margin <= tie
    rest = loose.copy()
    rest[core] = False
    loose[core] = True
    tied = np.flatnonzero(rest)
    net = values[:, tied] - level_prices[:, None]
    near = (net >= np.maximum(net.max(axis=0, initial=-np.inf), 0.0) - tie) & (net > -np.inf)
    key = (1 << np.arange(len(near))) @ near
    groups = [tied[key == one] for one in np.unique(key)]
    sets = [near[:, key == one][:, 0] for one in np.unique(key)]
    means = [
        np.where(able[:, None], values[:, rows], 0.0).mean(axis=1)
        for able, rows in zip(sets, groups, strict=True)
    ]
    n_levels = len(values)
    options = np.array([*(values[:, core] > 0).T, *sets], dtype=bool).reshape(-1, n_levels)
    worth = np.array([*np.maximum(values[:, core], 0.0).T, *means]).reshape(-1, n_levels)
    return _Torn([*core[:, None], *groups], options, worth), loose


def _settle_torn(
    choice: Array, torn: _Torn, loose: Array, resources: Resources, bound: float
) -> Array | None:
    """The plain choices with the torn customers' best; None if the plain ones fit no plan."""
    n_levels = torn.options.shape[1]
    settled = np.where(loose, -1, choice).astype(np.int8)
    left = resources.most - resources.use @ counts_of(settled, n_levels)
    if (left < -1e-12 * resources.most).any():
        return None
    for tight in (1.0, 1.0 - 3e-6):  # the solver may pass a limit by a millionth; we may not
        numbers = _numbers(torn, np.maximum(left, 0.0) * tight, resources.use, bound)
        if numbers is None:
            return None
        found = settled.copy()
        for rows, counts, able in zip(torn.members, numbers, torn.options, strict=True):
            levels = np.repeat(np.flatnonzero(able), counts[able])
            found[rows[: len(levels)]] = levels
        if fits(counts_of(found, n_levels), resources):
            return found
    return None


def _numbers(torn: _Torn, left: Array, use: Array, bound: float) -> Array | None:
    """How many of each group get each level, int (G, K): an integer programme."""
    n_groups, n_levels = torn.options.shape
    sizes = np.array([len(rows) for rows in torn.members], dtype=np.float64)
    once = sparse.kron(sparse.eye_array(n_groups), np.ones((1, n_levels)))
    scale = np.where(left > 0, left, 1.0)
    taken = np.tile(use, n_groups) / scale[:, None]
    # The lower ends say nothing new, but without them HiGHS 1.12 now and then prints a line of
    # its own to standard output.
    limits = [LinearConstraint(once, 0, sizes), LinearConstraint(taken, 0, left / scale)]
    most = np.where(torn.options, sizes[:, None], 0.0).ravel()
    worth = torn.worth.ravel()
    ahead = max(float(worth @ most), 1e-300)
    gap = min(1e-8 + SOLVED * max(bound / ahead - 1.0, 0.0), 1e-3)
    unit = max(float(worth.max(initial=0.0)), 1e-300)
    solved = milp(
        -worth / unit, integrality=np.ones(len(worth), dtype=np.int64),
        bounds=Bounds(0.0, most), constraints=limits,
        options={"mip_rel_gap": gap, "node_limit": MOST_NODES, "presolve": False},
    )  # fmt: skip
    if solved.x is None:
        return None
    return np.rint(solved.x).astype(np.int64).reshape(n_groups, n_levels)
