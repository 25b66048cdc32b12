"""Is a bundle still right? Drift, closed windows, and when to fit again.

Reads  a bundle; a log of what came since its cutoff (what it holds already is not counted anew).
Gives  ``Health``.
Never  a change of the bundle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from ...bundle import open_bundle
from ...columns import CUSTOMER, ITEM, KNOWN_AT, TIMESTAMP
from ...exceptions import BundleError, CutoffError, EmptyHistoryError, IdTypeError, ParameterError
from ...log import InteractionLog
from ...log.clock import Instant, to_microseconds, to_timestamp
from ...serving import Scorer
from ...serving.checks import content_faults
from ...serving.overlay import index_size
from ...serving.store import Store
from ..state import load_models
from .advice import Advice, Dates, advise
from .closed import Bundle, judge_windows
from .compare import compare, in_timezone, unknown_shares
from .outcomes import Judged
from .text import health_text


@dataclass(frozen=True)
class Health:
    """What ``bundle_health`` found.

    Attributes
    ----------
    refit : str
        "now", "by 2025-07-01" or "not yet".
    reasons, notes : tuple of str
        Why; what else is to be done or could not be told.
    drift : DataFrame
        ``kind, name, before, now, drift, by_chance, n, verdict``, most drifted first.
    judged : DataFrame
        ``name, event, closes, n, said, seen, low, high, ratio, slope, slope_low, slope_high,
        brier_skill, verdict``.
    window_days : int or None
        Whole weeks compared; None where nothing could be.
    unknown : dict
        ``customers`` and ``items``: shares of the events since the cutoff whose id the bundle
        does not know.
    """

    dates: Dates
    advice: Advice
    drift: pd.DataFrame
    judged: pd.DataFrame
    window_days: int | None
    unknown: Mapping[str, float]
    n_events: int

    @property
    def refit(self) -> str:
        return self.advice.text

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.advice.reasons

    @property
    def notes(self) -> tuple[str, ...]:
        return self.advice.notes

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: times as ISO 8601, what is not known as None."""
        return {
            "as_of": self.dates.as_of.isoformat(),
            "cutoff": self.dates.cutoff.isoformat(),
            "trained_until": self.dates.trained_until.isoformat(),
            "refit": {
                "when": self.advice.when,
                "by": None if self.advice.by is None else self.advice.by.isoformat(),
                "reasons": list(self.reasons),
            },
            "notes": list(self.notes),
            "window_days": self.window_days,
            "n_events": self.n_events,
            "unknown": {name: _plain(share) for name, share in self.unknown.items()},
            "drift": _records(self.drift),
            "judged": _records(self.judged),
        }

    def __str__(self) -> str:
        return health_text(self)


def bundle_health(
    path: str | Path,
    log: InteractionLog,
    as_of: Instant | None = None,
    *,
    verify: Literal["full", "structure"] = "full",
) -> Health:
    """Drift against the bundle's own days, calibration of closed windows, when to fit again.

    Parameters
    ----------
    path : str or Path
        A bundle's folder.
    log : InteractionLog
        What happened since the bundle's cutoff, all of it; it may begin earlier. Its
        ``closed_until`` says up to when nothing is missing.
    as_of : datetime-like, optional
        The moment of the check; by default the log's ``closed_until``.
    verify : {"full", "structure"}
        As of ``Scorer.load``.

    Returns
    -------
    Health

    Raises
    ------
    BundleError
        If the bundle is damaged, or was saved by a version that kept no reference.
    EmptyHistoryError
        If the log holds no event at or after the bundle's cutoff.
    CutoffError
        If ``as_of`` lies before the bundle's cutoff or after the log's end.
    IdTypeError
        If ids are text on one side and whole numbers on the other.
    """
    if not isinstance(log, InteractionLog):
        raise ParameterError(f"log must be an InteractionLog; got {type(log).__name__}.")
    manifest, arrays = open_bundle(path, verify=verify, check=content_faults)
    if "reference" not in manifest:
        raise BundleError(
            f"bundle {path}: it was saved without a reference of its days, so no drift can be "
            "told. Save it again: Anticipator.load(path).save(path, history=...)."
        )
    bundle = Bundle(
        Scorer(manifest, arrays), Store(manifest, arrays), load_models(arrays)["timing_"]
    )
    at = _moment(bundle, log, as_of)
    _check_ids(bundle.store, log)
    log = log if at >= log.end_us else log.between(log.start, to_timestamp(at))
    lines = _since(log, bundle.cutoff_us)
    judged = judge_windows(bundle, log, lines)
    history = in_timezone(log.before(at), bundle.store.timezone)
    drift, days, missing = compare(bundle, history, lines)
    dates = _dates(manifest, at)
    advice = advise(dates, judged, drift)
    return Health(
        dates, advice._replace(notes=(*missing, *advice.notes)), drift, _table(judged), days,
        unknown_shares(bundle, lines), len(lines),
    )  # fmt: skip


def _moment(bundle: Bundle, log: InteractionLog, as_of: Instant | None) -> int:
    """The moment of the check, between the bundle's cutoff and the log's end."""
    cutoff, end = bundle.cutoff_us, log.end_us
    if not log.n_events or log.end.value // 1000 < cutoff:
        raise EmptyHistoryError(
            f"events: none at or after the bundle's cutoff {to_timestamp(cutoff)}; give what came "
            "since."
        )
    at = max(end, cutoff) if as_of is None else to_microseconds(as_of, bundle.store.timezone)
    if not cutoff <= at <= end:
        raise CutoffError(
            f"as_of {to_timestamp(at)} is not between the bundle's cutoff {to_timestamp(cutoff)} "
            f"and the end of the events {to_timestamp(end)}. If nothing is missing up to a later "
            "moment, say closed_until."
        )
    return at


def _check_ids(store: Store, log: InteractionLog) -> None:
    words = log.vocabulary
    for name, index, ids in (
        (CUSTOMER, store.customers, words.customer_ids),
        (ITEM, store.items, words.item_ids),
    ):
        text = "ids" not in index
        if len(ids) and index_size(index) and (ids.dtype == object) != text:
            kind = "text" if text else "whole numbers"
            raise IdTypeError(f"events: {name}: the bundle's ids are {kind}; convert those given.")


def _since(log: InteractionLog, cutoff: int) -> pd.DataFrame:
    """The log's events that the bundle cannot know, as a table."""
    table, start = log.to_pandas(), to_timestamp(cutoff)
    later = table[TIMESTAMP] >= start
    return table[later | (table[KNOWN_AT] >= start) if KNOWN_AT in table else later]


def _dates(manifest: Mapping[str, Any], at: int) -> Dates:
    return Dates(
        to_timestamp(at),
        to_timestamp(int(manifest["cutoff_us"])),
        to_timestamp(int(manifest["trained_until_us"])),
        pd.Timedelta(days=float(manifest["horizon_days"])),
        pd.Timedelta(days=float(manifest["churn_horizon_days"])),
    )


def _table(judged: Sequence[Judged]) -> pd.DataFrame:
    table = pd.DataFrame(judged, columns=list(Judged._fields))
    table.insert(8, "ratio", [row.ratio for row in judged])
    return table


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value
