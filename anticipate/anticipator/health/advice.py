"""When to fit again, by rules that are stated.

Reads  judged windows, the table of drift, the bundle's dates.
Gives  "now", "by DATE" or "not yet", with the reasons; what else is to be done.
Never  a rule that chance alone sets off more often than once in a hundred checks.

Now: an answer of a closed window is wrong (see ``outcomes.judge``); a fact or score drifted by
.25 or more, or the volume 2.5-fold; the models are older than two churn horizons. By a date, one
horizon ahead: a drift of .1 or more (volume: 1.5-fold). By the date on which the models will be
two churn horizons old, if it is less than a horizon ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from .drift import GREAT, SOME
from .outcomes import WRONG, Judged

NOW, BY, NOT_YET = "now", "by", "not yet"
AGE = 2.0  # churn horizons


class Dates(NamedTuple):
    """Of one check."""

    as_of: pd.Timestamp
    cutoff: pd.Timestamp
    trained_until: pd.Timestamp
    horizon: pd.Timedelta
    churn_horizon: pd.Timedelta


class Advice(NamedTuple):
    """``by`` is set where ``when`` is "by"."""

    when: str
    by: pd.Timestamp | None
    reasons: tuple[str, ...]
    notes: tuple[str, ...]  # what is to be done beside

    @property
    def text(self) -> str:
        """ "now", "by 2025-07-01", "not yet"."""
        return f"by {self.by:%Y-%m-%d}" if self.by is not None else self.when


def advise(dates: Dates, judged: Sequence[Judged], drift: pd.DataFrame) -> Advice:
    """The first rule that holds, and all reasons of its kind."""
    notes = _notes(dates)
    old = dates.trained_until + AGE * dates.churn_horizon
    reasons = [_wrong(row) for row in judged if row.verdict == WRONG]
    reasons += _drifted(drift, GREAT)
    if dates.as_of >= old:
        reasons.append(
            f"the models saw nothing after {dates.trained_until:%Y-%m-%d}, more than "
            f"{AGE:g} churn horizons ago"
        )
    if reasons:
        return Advice(NOW, None, tuple(reasons), notes)
    reasons = _drifted(drift, SOME)
    if reasons:
        by = min(dates.as_of + dates.horizon, old)
        return Advice(BY, by, tuple(reasons), notes)
    if dates.as_of + dates.horizon >= old:
        soon = f"the models will be {AGE:g} churn horizons old"
        return Advice(BY, old, (soon,), notes)
    return Advice(NOT_YET, None, (), notes)


def _wrong(row: Judged) -> str:
    said = (
        f"{row.name}: {row.seen:,.0f} {row.event} of {row.n:,}, {row.said:,.0f} were expected "
        f"(chance: {row.low:,.0f} to {row.high:,.0f})"
    )
    return said if row.slope != row.slope else f"{said}; calibration slope {row.slope:.2f}"


def _drifted(drift: pd.DataFrame, verdict: str) -> list[str]:
    found = drift[drift["verdict"] == verdict]
    return [
        f"{row.kind} {row.name}: {row.before:.3g} -> {row.now:.3g}, drift {row.drift:.2f} "
        f"(chance stays below {row.by_chance:.2f})"
        for row in found.itertuples(index=False)
    ]


def _notes(dates: Dates) -> tuple[str, ...]:
    if dates.as_of < dates.cutoff + dates.horizon:
        return ()
    days = (dates.as_of - dates.cutoff) / pd.Timedelta(days=1)
    return (
        f"the bundle's cutoff is {days:.0f} days ago, its horizon "
        f"{dates.horizon / pd.Timedelta(days=1):g}: save it again with today's events "
        "(model.save(path, history=...); nothing is fitted). Its scores are not compared",
    )
