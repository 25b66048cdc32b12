"""Which sources and which kind of blend to trust, judged on a later slice.

Reads  labelled samples: older ones to fit, the newest one to judge.
Gives  a fitted trial blend, the measured quality of each kind, and sources that do not help.
Never  a choice judged on rows that it was fitted on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..evaluation.calibration import expected_calibration_error
from ..evaluation.matching import match_codes
from ..evaluation.probability_metrics import calibration_line, log_loss
from ..evaluation.ranking_metrics import ndcg_at_k
from ..kernels.needs import to_probability
from ..kernels.ranking import rank_within_group
from .blend import BOTH, LINEAR, RATE, TREES, Blend, both, fit_blend, fit_shifts
from .samples import NEW_NAMES, OWN_NAMES, Sample, Samples

Array = NDArray[Any]
LEAST_BOUGHT = {RATE: 0, LINEAR: 20, TREES: 500, BOTH: 500}  # bought rows needed to try a kind
CLEAR = 0.005  # gain that decides for a richer kind
LOSS_COUNTS = 2.0  # gain = relative gain of NDCG@10 + this times that of log-loss
CHECK_ROWS = 100_000  # rows for the question which sources help
HELP = 1e-4  # relative gain of log-loss that keeps a source
OPTIONAL = ("goes_with", "people_like_you")
NAMES = {"own": OWN_NAMES, "new": NEW_NAMES}


class Trial(NamedTuple):
    """One part's choice."""

    blend: Blend  # fitted on the older slices
    report: dict[str, Any]


def unhelpful_sources(older: Samples, newest: Samples) -> tuple[frozenset[str], dict[str, Any]]:
    """Optional sources without which a linear blend predicts the newest slice as well."""
    gains: dict[str, dict[str, float]] = {source: {} for source in OPTIONAL}
    for name, names in NAMES.items():
        train, test = _head(getattr(older, name)), _head(getattr(newest, name))
        if min(train.n_bought, test.n_bought) < LEAST_BOUGHT[LINEAR]:
            continue
        whole = _linear_loss(names, names, train, test)
        for source in OPTIONAL:
            fewer = tuple(column for column in names if column != source)
            gains[source][name] = _linear_loss(fewer, names, train, test) / whole - 1.0
    dropped = frozenset(s for s, found in gains.items() if max(found.values(), default=1.0) < HELP)
    return dropped, {s: {k: round(v, 5) for k, v in found.items()} for s, found in gains.items()}


def choose(
    names: tuple[str, ...], kept: tuple[str, ...], older: Sample, newest: Sample, level: Sample,
    seed: np.random.RandomState,
) -> Trial:  # fmt: skip
    """The kind of blend that ranks and predicts the newest slice best.

    Kinds are tried from plain to rich; a richer one must gain ``CLEAR`` over the best so far.
    """
    fitted: dict[str, Blend] = {}
    found: dict[str, dict[str, float]] = {}
    best, quality = RATE, (0.0, np.inf)
    for kind, least in LEAST_BOUGHT.items():
        if min(older.n_bought, newest.n_bought) < least:
            continue
        blend = _fit_trial(kind, names, kept, older, fitted, seed)
        fitted[kind] = fit_level(blend, names, level)
        log_odds = fitted[kind].log_odds(newest.columns(names, fitted[kind].names))
        ndcg, loss = ranking_quality(newest, log_odds), _loss(newest, log_odds)
        found[kind] = {"ndcg_at_10": round(ndcg, 4), "log_loss": round(loss, 5)}
        if kind == RATE or _gain((ndcg, loss), quality) >= CLEAR:
            best, quality = kind, (ndcg, loss)
    return Trial(fitted[best], {"chosen": best, "n_rows": len(older.bought), "tried": found})


def _fit_trial(
    kind: str, names: tuple[str, ...], kept: tuple[str, ...], older: Sample,
    fitted: dict[str, Blend], seed: np.random.RandomState,
) -> Blend:  # fmt: skip
    if kind == BOTH:
        return both(fitted[LINEAR], fitted[TREES])
    return fit_blend(kind, kept, older.columns(names, kept), older.bought, seed)


def _gain(new: tuple[float, float], old: tuple[float, float]) -> float:
    """Relative gain in (NDCG, log-loss); positive is better."""
    ranks = new[0] / max(old[0], 1e-12) - 1.0
    predicts = 1.0 - new[1] / max(old[1], 1e-12)
    return ranks + LOSS_COUNTS * predicts


def fit_level(blend: Blend, names: tuple[str, ...], level: Sample) -> Blend:
    """The blend with its level moved to that of the newest rows it may see."""
    if not len(level.bought):
        return blend
    log_odds = blend.log_odds(level.columns(names, blend.names))
    always = np.ones((len(level.bought), 1), dtype=bool)
    shift = fit_shifts(always, log_odds, level.bought, np.zeros(1), 0.5)
    return blend.with_offset(blend.offset + float(shift[0]))


def ranking_quality(sample: Sample, log_odds: Array) -> float:
    """Mean NDCG@10 over customers with a bought candidate."""
    if not sample.n_bought:
        return 0.0
    order = np.argsort(sample.customer, kind="stable")
    customer, item, score = sample.customer[order], sample.item[order], log_odds[order]
    offsets = np.searchsorted(customer, np.arange(customer.max() + 2))
    rank = rank_within_group(offsets, score, item)
    n_items = int(item.max()) + 1
    key, top = customer * n_items + item, rank <= 10
    lists = match_codes(key[top], rank[top], key[sample.bought[order]], n_items=n_items, width=10)
    return float(ndcg_at_k(lists, 10, ideal="cut").mean())


def calibration(trials: dict[str, Trial], newest: Samples) -> dict[str, Any]:
    """Slope, intercept and error of the trial blends' probabilities on the newest slice."""
    found = {}
    for name, names in NAMES.items():
        sample, blend = getattr(newest, name), trials[name].blend
        p = to_probability(blend.log_odds(sample.columns(names, blend.names)))
        slope, intercept = calibration_line(sample.bought, p)
        found[name] = {
            "slope": round(slope, 3),
            "intercept": round(intercept, 3),
            "error": round(expected_calibration_error(sample.bought, p), 5),
            "mean_probability": round(float(p.mean()), 5) if len(p) else None,
            "share_bought": round(float(sample.bought.mean()), 5) if len(p) else None,
        }
    return found


def _linear_loss(
    kept: tuple[str, ...], names: tuple[str, ...], train: Sample, test: Sample
) -> float:
    no_seed = np.random.RandomState(0)  # the linear fit draws nothing
    blend = fit_blend(LINEAR, kept, train.columns(names, kept), train.bought, no_seed)
    return _loss(test, blend.log_odds(test.columns(names, kept)))


def _loss(sample: Sample, log_odds: Array) -> float:
    return log_loss(sample.bought, to_probability(log_odds)) if len(sample.bought) else 0.0


def _head(sample: Sample) -> Sample:
    return sample.take(np.arange(min(len(sample.bought), CHECK_ROWS)))
