"""Does a function of a history see what came later?

Reads  a function, a log, a cutoff.
Gives  nothing, or an ``AssertionError`` that says which change of the future it noticed.
Never  a tolerance.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd

from .._checks import check_option
from ..exceptions import AnticipateWarning
from ..log import History, InteractionLog
from ..log.clock import Instant, to_microseconds, to_timestamp
from .compare import difference
from .futures import full_table, other_futures, remade, shuffled


def check_no_leak(
    compute: Callable[..., Any],
    log: InteractionLog,
    cutoff: Instant,
    *,
    takes: str = "history",
) -> None:
    """Check that nothing at or after the cutoff, or not yet known at it, changes an answer.

    The answer is computed on logs that agree before the cutoff and differ after it (events
    deleted, changed, appended, not known yet; attributes valid later; rows in another order)
    and must be the same, bit for bit.

    Parameters
    ----------
    compute : callable
        Of a History; with ``takes="log"`` of ``(log, cutoff)``: for functions that do their own
        cutting. It gives a table, an array, a number, text, or a list or mapping of these.
    log : InteractionLog
        With events on both sides of the cutoff. It is not changed.
    cutoff : datetime-like
    takes : {"history", "log"}

    Raises
    ------
    AssertionError
        If an answer differs: what was done to the future, and where the answer differs.

    Examples
    --------
    >>> from anticipate.testing import random_log
    >>> log = random_log(0)
    >>> check_no_leak(lambda history: history.n_events, log, "2024-10-01")
    >>> check_no_leak(lambda log, cutoff: log.n_events, log, "2024-10-01", takes="log")
    Traceback (most recent call last):
        ...
    AssertionError: leak: deleting all that came later changes the past: the answer differs
    """
    check_option("takes", takes, ("history", "log"))
    at = to_timestamp(to_microseconds(cutoff, log.timezone))
    log = remade(log, full_table(log))
    answer = _asking(compute, at, takes)
    expected = answer(log)
    _expect_same(expected, answer(log), "random: the same log gives two answers")
    for change, other in other_futures(log, at).items():
        _expect_same(expected, answer(other), f"leak: {change} changes the past")
    order = "row order: giving the rows in another order changes the answer"
    _expect_same(expected, answer(shuffled(log)), order)


def _asking(
    compute: Callable[..., Any], cutoff: pd.Timestamp, takes: str
) -> Callable[[InteractionLog], Any]:
    def answer(log: InteractionLog) -> Any:
        if takes == "log":
            return compute(log, cutoff)
        return compute(history_of(log, cutoff))

    return answer


def history_of(log: InteractionLog, cutoff: pd.Timestamp) -> History:
    """``log.as_of`` without a word about cutoffs past the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnticipateWarning)
        return log.as_of(cutoff)


def _expect_same(expected: Any, found: Any, law: str) -> None:
    where = difference(expected, found)
    if where:
        raise AssertionError(f"{law}: {where}")


__all__ = ["check_no_leak", "history_of"]
