"""Learning what the sources are worth: choose on the newest slice, then fit on all.

Reads  earlier slices of a history.
Gives  ``Learned``: the sources kept, a blend for each kind of candidate, what signals add, and
       a report.
Never  a label at or after the history's cutoff.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from ..log import History
from .blend import LINEAR, RATE, Blend, fit_blend, fit_shifts
from .candidates import NEW_NAMES, OWN_NAMES, names_of
from .choice import KINDS as BLENDS
from .choice import LEAST_BOUGHT, Trial, calibration, choose, fit_level
from .learned import Learned
from .said import PRIOR, SAID, fit_said
from .samples import Sample, Samples, sample_slice
from .selection import helpful_sources
from .shoppers import HORIZON
from .slices import Slice, slices_of
from .source import Clock
from .sources import EVERY

Array = NDArray[Any]
MAX_ROWS = 400_000  # of the second stage, over all slices
DAMPING = 0.25  # of the drift between the last two slices, carried on
NEWCOMER_PRIOR = (np.array([0.0, 0.5]), np.array([2.0, 0.5]))  # means and sds of the weights


def learn(
    history: History, clock: Clock, seed: np.random.RandomState, n_jobs: int | None = None
) -> Learned:
    """Everything that needs labels; ``n_jobs`` processes describe a slice each."""
    slices = slices_of(history, clock)
    report: dict[str, Any] = {
        "target": clock.target,
        "horizon": clock.horizon,
        "slices": [part.name for part in slices],
    }
    n_bought = sum(len(part.item) for part in slices[-2:])
    if n_bought < LEAST_BOUGHT[LINEAR]:
        return _plain(clock, n_bought, report)
    parts, sources, cost = _sampled(slices, clock, seed, n_jobs)
    report["sources"] = ["repeats", "popular", *sources]
    report["log_loss_cost_without_source"] = cost
    names = names_of(sources)
    older, newest, level = _split(parts)
    trials = {}
    for name, kinds in BLENDS.items():
        train, test, last = (getattr(part, name) for part in (older, newest, level))
        trials[name] = choose(kinds, names[name], train, test, last, seed)
        report[name] = trials[name].report
    report["calibration_on_newest_slice"] = {
        name: calibration(trials[name].blend, names[name], getattr(newest, name)) for name in BLENDS
    }
    return _fit_all(trials, parts, tuple(sources), report, seed)


def _sampled(
    slices: list[Slice], clock: Clock, seed: np.random.RandomState, n_jobs: int | None
) -> tuple[list[Samples], list[str], dict[str, float]]:
    """Samples of all slices with the columns of the sources that help, oldest first.

    The newest two decide which ones do; the others ask only those.
    """
    share = MAX_ROWS // len(slices)
    ask = delayed(sample_slice)
    seeds = [np.random.RandomState(seed.randint(2**31 - 1)) for _ in slices]
    described = Parallel(n_jobs=n_jobs)(
        ask(part, clock, share, own) for part, own in zip(slices[-2:], seeds[-2:], strict=True)
    )
    first = list(described)
    older, newest, _ = _split(first)
    kept, cost = helpful_sources(tuple(EVERY), older, newest)
    if newest.newcomers.table[:, 1].any():
        kept = [name for name in EVERY if name in kept or name == "traits"]
    rest = Parallel(n_jobs=n_jobs)(
        ask(part, clock, share, own, only=kept)
        for part, own in zip(slices[:-2], seeds[:-2], strict=True)
    )
    return [*rest, *(_narrowed(part, kept) for part in first)], kept, cost


def _narrowed(part: Samples, kept: list[str]) -> Samples:
    """The same rows without the columns of other sources."""
    every, fewer = names_of(EVERY), names_of(kept)
    return part._replace(**{
        name: (sample := getattr(part, name))._replace(
            table=sample.columns(every[name], fewer[name])
        )
        for name in ("own", "new")
    })  # fmt: skip


def _fit_all(
    trials: dict[str, Trial], parts: list[Samples], sources: tuple[str, ...],
    report: dict[str, Any], seed: np.random.RandomState,
) -> Learned:  # fmt: skip
    """The chosen kinds on all slices, at the level of the newest."""
    names, whole = names_of(sources), Samples.joined(parts)
    blends = {}
    for name, trial in trials.items():
        sample, chosen = getattr(whole, name), trial.blend
        table = sample.columns(names[name], chosen.names)
        blend = fit_blend(chosen.kind, chosen.names, table, sample.bought, seed)
        blend = fit_level(blend, names[name], getattr(parts[-1], name))
        # Levels that moved from one slice to the next go on moving: a damped trend.
        blends[name] = blend.with_offset(blend.offset + (len(parts) > 1) * DAMPING * trial.drift)
    shifts = _said_weights(blends, names, whole)
    newcomer = _newcomer_weights(whole.newcomers, shifts)
    report["signals"] = dict(zip(SAID, shifts.round(3).tolist(), strict=True))
    report["newcomers"] = {
        "log_odds_shift": round(float(newcomer[0]), 3),
        "weight_of_group": round(float(newcomer[1]), 3),
        "n_rows": len(whole.newcomers.bought),
        "n_bought": whole.newcomers.n_bought,
    }
    return Learned(**blends, shifts=shifts, newcomer=newcomer, sources=sources, report=report,
                   missing="")  # fmt: skip


def _plain(clock: Clock, n_bought: int, report: dict[str, Any]) -> Learned:
    window = f"{clock.horizon:g}-day windows" if clock.target == HORIZON else "last baskets"
    missing = (
        f"needs: {n_bought} candidates were bought in closed {window} before the cutoff, "
        f"{LEAST_BOUGHT[LINEAR]} are needed to weigh the sources; scores are plain purchase rates."
    )
    own, new = (Blend(RATE, (names[0],), {}, 0.0) for names in (OWN_NAMES, NEW_NAMES))
    report |= {name: {"chosen": RATE} for name in BLENDS} | {"missing": missing}
    report["sources"] = ["repeats", "popular"]
    none = np.array([0.0, 0.0])
    return Learned(own, own, new, PRIOR.copy(), none, (), report, missing)


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


def _said_weights(
    blends: dict[str, Blend], names: dict[str, tuple[str, ...]], whole: Samples
) -> Array:
    """What each word said adds, around a prior; its sign is given."""
    spoken, log_odds = [], []
    for name, blend in blends.items():
        sample: Sample = getattr(whole, name)
        some = sample.take(np.flatnonzero(sample.said.any(axis=1)))
        spoken.append(some)
        log_odds.append(blend.log_odds(some.columns(names[name], blend.names)))
    said = np.concatenate([some.said for some in spoken])
    bought = np.concatenate([some.bought for some in spoken])
    return fit_said(said, np.concatenate(log_odds), bought)


def _newcomer_weights(sample: Sample, shifts: Array) -> Array:
    """How much less (or more) newcomers buy than those who shop, and what their group says."""
    if not len(sample.bought):
        return np.zeros(2)
    log_odds = sample.table[:, 0] + (sample.said * shifts).sum(axis=1)
    columns = np.column_stack((np.ones(len(sample.bought)), sample.table[:, 1]))
    shift, weight = fit_shifts(columns, log_odds, sample.bought, *NEWCOMER_PRIOR)
    return np.array([shift, max(float(weight), 0.0)])
