"""Which kind of blend to trust, judged on a later slice.

Reads  labelled samples: older ones to fit, the newest one to judge.
Gives  a fitted trial blend, and the measured quality of each kind.
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
from .samples import Sample

Array = NDArray[Any]
LEAST_BOUGHT = {RATE: 0, LINEAR: 20, TREES: 500, BOTH: 500}  # bought rows needed to try a kind
CLEAR = 0.005  # gain that decides for a richer kind
LOSS_COUNTS = 2.0  # gain = relative gain of NDCG@10 + this times that of log-loss
KINDS = {"tail": (RATE, LINEAR), "own": tuple(LEAST_BOUGHT), "new": tuple(LEAST_BOUGHT)}


class Trial(NamedTuple):
    """One part's choice."""

    blend: Blend  # fitted on the older slices, at the level of the last of them
    drift: float  # log-odds by which the newest slice lies above that level
    report: dict[str, Any]


def choose(
    kinds: tuple[str, ...], names: tuple[str, ...], older: Sample, newest: Sample, level: Sample,
    seed: np.random.RandomState,
) -> Trial:  # fmt: skip
    """The kind of blend that ranks and predicts the newest slice best.

    Kinds are tried from plain to rich; a richer one must gain ``CLEAR`` over the best so far.
    """
    fitted: dict[str, Blend] = {}
    found: dict[str, dict[str, float]] = {}
    best, quality = RATE, (0.0, np.inf)
    for kind in kinds:
        few = min(older.n_bought, newest.n_bought) < LEAST_BOUGHT[kind]
        if few or (kind != RATE and older.one_sided):
            continue
        blend = _fit_trial(kind, names, older, fitted, seed)
        fitted[kind] = fit_level(blend, names, level)
        log_odds = fitted[kind].log_odds(newest.columns(names, fitted[kind].names))
        ndcg, loss = ranking_quality(newest, log_odds), _loss(newest, log_odds)
        found[kind] = {"ndcg_at_10": round(ndcg, 4), "log_loss": round(loss, 5)}
        if kind == RATE or _gain((ndcg, loss), quality) >= CLEAR:
            best, quality = kind, (ndcg, loss)
    drift = fit_level(fitted[best], names, newest).offset - fitted[best].offset
    report = {"chosen": best, "n_rows": len(older.bought), "drift": round(drift, 4)}
    return Trial(fitted[best], drift, report | {"tried": found})


def _fit_trial(
    kind: str, names: tuple[str, ...], older: Sample, fitted: dict[str, Blend],
    seed: np.random.RandomState,
) -> Blend:  # fmt: skip
    if kind == BOTH:
        return both(fitted[LINEAR], fitted[TREES])
    return fit_blend(kind, names, older.table, older.bought, seed)


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


def calibration(blend: Blend, names: tuple[str, ...], newest: Sample) -> dict[str, Any]:
    """Slope, intercept and error of a trial blend's probabilities on the newest slice."""
    p = to_probability(blend.log_odds(newest.columns(names, blend.names)))
    slope, intercept = calibration_line(newest.bought, p)
    return {
        "slope": round(slope, 3),
        "intercept": round(intercept, 3),
        "error": round(expected_calibration_error(newest.bought, p), 5),
        "mean_probability": round(float(p.mean()), 5) if len(p) else None,
        "share_bought": round(float(newest.bought.mean()), 5) if len(p) else None,
    }


def _loss(sample: Sample, log_odds: Array) -> float:
    return log_loss(sample.bought, to_probability(log_odds)) if len(sample.bought) else 0.0
