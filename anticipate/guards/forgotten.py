"""Forgotten repeats of what is owned, and of other editions of it: model and rate of each.

Reads  purchases, examples of one kind, answers to warnings.
Gives  ``Forgotten``: a model, mistakes per unit of exposure by item, what they rest on.
Never  a model from a handful of examples: then the law of gaps, or a share, speaks alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ..kernels.gap_learning import GroupSums
from ..kernels.owned import DAY, MINUTE
from ..kernels.repeats import COLUMNS, RepeatModel, by_law_alone, repeat_log_odds
from . import learning
from .answered import Answered
from .bought import Bought
from .contrast import Examples
from .repeat_learning import is_enough, learn_repeats
from .undone import Judged, correct, corrected

Array = NDArray[Any]
Floats = NDArray[np.float64]
PER_CART, PER_DAY = 0.002, 3e-6  # mistakes, where nothing was ever sent back
ACCEPTED_WEIGHT = 5.0  # mistakes in each group, before accepted warnings raise its rate
LEAST_USUAL = 1e-4  # share of wanted lines that come back, where none was seen to


class Forgotten(NamedTuple):
    """What is known of one kind of forgotten repeat."""

    model: RepeatModel
    rate: Floats  # (n_items + 1,)
    report: dict[str, Any]


def learn_own(bought: Bought, found: Examples, group: Array, answered: Answered) -> Forgotten:
    """Of the same item; with few examples by the law of gaps, per day that it is owned."""
    accepted = answered.counts(len(group), own=True)[0]
    if is_enough(found):
        return _from_carts(bought, found, group, accepted)
    found = found.take(~found.is_draw)
    report = _report("the law of gaps alone", found)
    return _with_rates(bought, found, by_law_alone(), group, accepted, PER_DAY, report)


def learn_other(
    bought: Bought, found: Examples, work: Array, group: Array, answered: Answered
) -> Forgotten:
    """Of another edition; with few examples by the share of those that came back."""
    n_items = len(group)
    accepted, asked = answered.counts(n_items, own=False)
    if is_enough(found):
        return _from_carts(bought, found, group, accepted)
    share = np.full(n_items + 1, learning.SUBSTITUTE_SHARE)
    if bought.any_undone or accepted.any():
        thing = np.where(work >= 0, work + n_items, -1)[bought.events.item]
        repeats = learning.find_repeats(bought, thing)
        share = learning.substitute_shares(
            repeats.take(repeats.other_item),
            learning.usual_returns(bought, n_items),
            group,
            n_accepted=accepted,
            n_answered=asked,
        )
    flat = RepeatModel(np.tile([0.0, 1.0], (len(COLUMNS), 1)), np.zeros((len(COLUMNS), 2)),
                       np.zeros(1))  # fmt: skip
    report = _report("the share that came back", found)
    odds = share / (1.0 - share)
    return Forgotten(flat, odds, {**report, "mistake_share": float(share[-1])})


def _from_carts(bought: Bought, found: Examples, group: Array, accepted: Floats) -> Forgotten:
    undone = _judged(bought, found, group).undone & ~found.is_draw
    model, report = learn_repeats(found, undone), _report("past carts", found)
    real = found.take(~found.is_draw)
    return _with_rates(bought, real, model, group, accepted, PER_CART, report)


def _with_rates(
    bought: Bought,
    real: Examples,
    model: RepeatModel,
    group: Array,
    accepted: Floats,
    prior: float,
    report: dict[str, Any],
) -> Forgotten:
    """The model corrected by what came back, and the rates; without returns the prior."""
    n_groups = int(group.max(initial=-1)) + 1
    log_odds = repeat_log_odds(model, real.X)
    rate = np.full(n_groups + 1, prior)
    if bought.any_undone and len(real.row):
        judged = _judged(bought, real, group)
        found = correct(log_odds, real.X, judged, n_groups=n_groups, log_rate=np.log(prior))
        model = corrected(model, found)
        log_odds = repeat_log_odds(model, real.X)
        rate = np.exp(found.log_rate + np.append(found.by_group, 0.0))
    if accepted.any():  # mistakes that a warning prevented are among those that would be made
        p = expit(log_odds + np.log(rate)[group[real.item]])
        made = np.bincount(group[real.item], p, minlength=n_groups) + ACCEPTED_WEIGHT
        more = np.append(1.0 + _by_group(group, accepted) / made, 1.0 + accepted.sum() / made.sum())
        rate = rate * more
    by_item = np.append(rate[:-1][group], rate[-1])
    chances = expit(log_odds + np.log(by_item[real.item]))
    share = float(chances.mean()) if len(chances) else 0.0
    return Forgotten(model, by_item, {**report, "mistake_share": share})


def _judged(bought: Bought, found: Examples, group: Array) -> Judged:
    """A real line is undone if it, or what it repeats, came back within 30 days after it."""
    events, undone_at = bought.events, bought.undone_at
    usual = learning.usual_returns(bought, len(group))
    at = events.timestamp[found.row]
    back_at = np.minimum(undone_at[found.row], undone_at[found.source])
    minutes = (at - events.timestamp[found.source]) / MINUTE
    return Judged(
        undone=back_at < at + np.int64(learning.UNDO_DAYS * DAY),
        usual=np.maximum(learning.usually_undone(usual[found.item], minutes), LEAST_USUAL),
        group=group[found.item],
    )


def _by_group(group: Array, values: Floats) -> Floats:
    return GroupSums(group, int(group.max(initial=-1)) + 1).add(values)


def _report(how: str, found: Examples) -> dict[str, Any]:
    return {"from": how, "n_examples": int((~found.is_draw).sum())}


__all__ = ["Forgotten", "learn_other", "learn_own"]
