"""Cutoffs in the past whose outcome windows are closed: for training, and for comparing models.

Reads  the span of the data, or a History.
Gives  cutoffs, oldest first; a History and its Outcomes at each of them.
Never  a window that runs past the data's end: silence there is not absence.
"""

from __future__ import annotations

import pandas as pd

from .._checks import check_count, check_positive
from ..exceptions import TimeError
from ..log import History
from ..outcomes import Outcomes, label_outcomes


def rolling_cutoffs(
    start: pd.Timestamp,
    end: pd.Timestamp,
    horizon_days: float,
    n: int,
    *,
    step_days: float | None = None,
) -> list[pd.Timestamp]:
    """Up to n cutoffs whose windows of ``horizon_days`` end by ``end``, newest last.

    Parameters
    ----------
    start : Timestamp
        Cutoffs lie strictly after it: usually the first event, plus the history that a model
        needs.
    end : Timestamp
        The data are complete up to here; the newest window ends exactly here.
    horizon_days : float
        Length of an outcome window (> 0).
    n : int
        Most cutoffs wanted (>= 1).
    step_days : float or None
        Days between cutoffs; None = the horizon, so that windows do not overlap.

    Returns
    -------
    list of Timestamp
        Ascending; shorter than n, or empty, when the span does not allow more.

    Raises
    ------
    TimeError
        If one of the two names a timezone and the other does not, or one is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> cutoffs = rolling_cutoffs(
    ...     pd.Timestamp("2025-01-01"), pd.Timestamp("2025-04-01"), horizon_days=30, n=5)
    >>> [f"{cutoff:%m-%d}" for cutoff in cutoffs]
    ['01-31', '03-02']
    """
    if pd.isna(start) or pd.isna(end) or (start.tzinfo is None) != (end.tzinfo is None):
        raise TimeError("rolling_cutoffs: start and end must both be times, both with a timezone.")
    horizon = pd.Timedelta(days=check_positive("horizon_days", horizon_days))
    step = horizon if step_days is None else pd.Timedelta(days=check_positive("step", step_days))
    newest = end - horizon
    candidates = [newest - step * back for back in range(check_count("n", n))]
    return [cutoff for cutoff in reversed(candidates) if cutoff > start]


def training_slices(
    history: History,
    horizon_days: float,
    n_slices: int,
    *,
    min_history_days: float | None = None,
    step_days: float | None = None,
) -> list[tuple[History, Outcomes]]:
    """Earlier histories with the outcomes that followed, for training and model choice.

    Parameters
    ----------
    history : History
        What ``fit`` was given; nothing outside it is read.
    horizon_days : float
        Length of an outcome window (> 0).
    n_slices : int
        Most slices wanted (>= 1).
    min_history_days : float or None
        Days of data that a slice needs before its cutoff; None = the horizon.
    step_days : float or None
        Days between cutoffs; None = the horizon: windows do not overlap.

    Returns
    -------
    list of (History, Outcomes)
        Oldest first; each history is exactly what was known at its cutoff. Shorter than
        asked, or empty, when the history is too short: say so, and fall back.

    Examples
    --------
    >>> from anticipate.log import InteractionLog
    >>> log = InteractionLog.from_frame(
    ...     {"customer_id": [1, 1, 1], "item_id": [7, 7, 7],
    ...      "timestamp": ["2025-01-01", "2025-02-10", "2025-03-01"]}, timezone="UTC",
    ...     closed_until="2025-03-03")
    >>> slices = training_slices(log.as_of("2025-03-03"), horizon_days=20, n_slices=2)
    >>> [(past.n_events, bool(labels.customers["purchased"].iloc[0])) for past, labels in slices]
    [(1, True), (2, True)]
    """
    if not history.n_events:
        return []
    wanted = horizon_days if min_history_days is None else min_history_days
    needed = check_positive("min_history_days", wanted)
    start = pd.Timestamp(int(history.events.timestamp.min()), unit="us", tz="UTC")
    end = pd.Timestamp(_known_until(history), unit="us", tz="UTC")
    cutoffs = rolling_cutoffs(
        start + pd.Timedelta(days=needed) - pd.Timedelta(microseconds=1),
        end,
        horizon_days,
        n_slices,
        step_days=step_days,
    )
    labels = [label_outcomes(history, at, horizon_days) for at in cutoffs]
    return [(outcomes.history, outcomes) for outcomes in labels]


def _known_until(history: History) -> int:
    """Microseconds up to which windows are closed: the cutoff, or an earlier stated end."""
    closed = history.closed_until_us
    return history.cutoff_us if closed is None else min(history.cutoff_us, closed)
