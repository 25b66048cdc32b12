"""Learning what the sources are worth: choose on the newest slice, then fit on all.

Reads  earlier slices of a history.
Gives  ``Learned``: a blend for own items and one for new ones, what signals add, and a report.
Never  a label at or after the history's cutoff.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.needs import linear_log_odds
from ..log import History
from .blend import LINEAR, RATE, Blend, fit_blend, fit_shifts
from .choice import (
    LEAST_BOUGHT,
    NAMES,
    OPTIONAL,
    Trial,
    calibration,
    choose,
    fit_level,
    unhelpful_sources,
)
from .samples import MAX_ROWS, NEW_NAMES, OWN_NAMES, Sample, Samples, sample_slice
from .shoppers import HORIZON
from .signals import AGAINST, KINDS, LEAST, PRIOR, PRIOR_SD
from .slices import slices_of
from .tables import Clock

Array = NDArray[Any]


class Learned(NamedTuple):
    own: Blend
    new: Blend
    shifts: Array  # float64 (6,): what each signal adds to the log-odds
    newcomer_shift: float  # what being a newcomer adds to the log-odds of a popular item
    dropped: frozenset[str]  # sources that did not help
    report: dict[str, Any]
    missing: str  # which data were missing, in one sentence; empty if none


def learn(history: History, clock: Clock, seed: np.random.RandomState) -> Learned:
    """Everything that needs labels."""
    slices = slices_of(history, clock)
    parts = [sample_slice(part, clock, MAX_ROWS // len(slices), seed) for part in slices]
    report: dict[str, Any] = {
        "target": clock.target,
        "horizon": clock.horizon,
        "slices": [part.name for part in slices],
    }
    n_bought = sum(part.own.n_bought + part.new.n_bought for part in parts)
    if n_bought < LEAST_BOUGHT[LINEAR]:
        return _plain(clock, n_bought, report)
    older, newest, level = _split(parts)
    dropped, report["log_loss_gain_by_source"] = unhelpful_sources(older, newest)
    trials = {
        name: choose(
            names, tuple(n for n in names if n not in dropped), getattr(older, name),
            getattr(newest, name), getattr(level, name), seed,
        )
        for name, names in NAMES.items()
    }  # fmt: skip
    report |= {name: trial.report for name, trial in trials.items()}
    report["calibration_on_newest_slice"] = calibration(trials, newest)
    report["sources"] = [s for s in ("repeats", "popular", *OPTIONAL) if s not in dropped]
    return _fit_all(trials, parts, dropped, report, seed)


def _fit_all(
    trials: dict[str, Trial], parts: list[Samples], dropped: frozenset[str],
    report: dict[str, Any], seed: np.random.RandomState,
) -> Learned:  # fmt: skip
    """The chosen kinds on all slices, at the level of the newest."""
    whole, blends = Samples.joined(parts), {}
    for name, names in NAMES.items():
        sample, trial = getattr(whole, name), trials[name].blend
        table = sample.columns(names, trial.names)
        blend = fit_blend(trial.kind, trial.names, table, sample.bought, seed)
        blends[name] = fit_level(blend, names, getattr(parts[-1], name))
    shifts = _signal_shifts(blends, whole)
    newcomer = _newcomer_shift(whole.newcomers, shifts)
    report["signals"] = dict(zip(KINDS, shifts.round(3).tolist(), strict=True))
    report["newcomers"] = {
        "log_odds_shift": round(newcomer, 3),
        "n_rows": len(whole.newcomers.bought),
        "n_bought": whole.newcomers.n_bought,
    }
    return Learned(blends["own"], blends["new"], shifts, newcomer, dropped, report, "")


def _plain(clock: Clock, n_bought: int, report: dict[str, Any]) -> Learned:
    window = f"{clock.horizon:g}-day windows" if clock.target == HORIZON else "last baskets"
    missing = (
        f"needs: {n_bought} candidates were bought in closed {window} before the cutoff, "
        f"{LEAST_BOUGHT[LINEAR]} are needed to weigh the sources; scores are plain purchase rates."
    )
    own, new = (Blend(RATE, (names[0],), {}, 0.0) for names in (OWN_NAMES, NEW_NAMES))
    report |= {"own": {"chosen": RATE}, "new": {"chosen": RATE}, "missing": missing}
    report["sources"] = ["repeats", "popular"]
    return Learned(own, new, PRIOR.copy(), 0.0, frozenset(OPTIONAL), report, missing)


def _split(parts: list[Samples]) -> tuple[Samples, Samples, Samples]:
    """Older rows, the newest slice, and whose level the older may know.

    With a single slice: two halves of its customers.
    """
    if len(parts) > 1:
        return Samples.joined(parts[:-1]), parts[-1], parts[-2]
    first, second = (
        Samples(*(kind.take(kind.customer % 2 == half) for kind in parts[0])) for half in (0, 1)
    )
    return first, second, first


def _signal_shifts(blends: dict[str, Blend], whole: Samples) -> Array:
    """What each signal adds, around a prior; its sign is given."""
    flagged, log_odds = [], []
    for name, names in NAMES.items():
        sample: Sample = getattr(whole, name)
        some = sample.take(np.flatnonzero(sample.flags.any(axis=1)))
        flagged.append(some)
        log_odds.append(blends[name].log_odds(some.columns(names, blends[name].names)))
    flags = np.concatenate([some.flags for some in flagged])
    bought = np.concatenate([some.bought for some in flagged])
    shifts = fit_shifts(flags, np.concatenate(log_odds), bought, PRIOR, PRIOR_SD)
    return np.where(AGAINST, np.minimum(shifts, -LEAST), np.maximum(shifts, LEAST))


def _newcomer_shift(sample: Sample, shifts: Array) -> float:
    """How much less (or more) newcomers buy than those who shop; 0 without evidence."""
    if not len(sample.bought):
        return 0.0
    log_odds = sample.table[:, 0] + linear_log_odds(sample.flags, shifts, 0.0)
    always = np.ones((len(sample.bought), 1), dtype=bool)
    return float(fit_shifts(always, log_odds, sample.bought, np.zeros(1), 2.0)[0])
