"""The tasks: which log, which horizon, which cutoffs, and who left.

Reads  CDNOW (package ``lifetimes``), Complete Journey (package) and Online Retail
       (``ANTICIPATE_DATA``).
Gives  ``Window``: the history at a cutoff, who had bought by then, and who bought nothing after.
Never  an event at or after the cutoff in ``history``.

The last windows end where the data end and are only reported. On Complete Journey and Online
Retail the earlier ones end 56 days before that. CDNOW has 18 months: its earlier windows overlap
the last one of 180 days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from cdnow_csv import read_cdnow
from numpy.typing import NDArray
from peers.protocols import read_log

from anticipate.churn import purchase_summary
from anticipate.log import History, InteractionLog
from anticipate.outcomes import label_outcomes

Mask = NDArray[np.bool_]


class Task(NamedTuple):
    """One window of one log."""

    data: str
    horizon_days: int
    cutoff: str
    is_last: bool

    def __str__(self) -> str:
        return f"{self.data} {self.horizon_days} d {self.cutoff}"


CUTOFFS = {  # the last one last
    ("CDNOW", 90): ("1998-01-02", "1998-04-02"),
    ("CDNOW", 180): ("1997-10-04", "1998-01-02"),
    ("Complete Journey", 30): ("2017-06-08", "2017-08-07", "2017-10-06", "2017-12-02"),
    ("Complete Journey", 60): ("2017-05-10", "2017-07-09", "2017-09-07", "2017-11-02"),
    ("Online Retail", 30): ("2011-05-17", "2011-07-16", "2011-09-14", "2011-11-09"),
    ("Online Retail", 60): ("2011-04-17", "2011-06-16", "2011-08-15", "2011-10-10"),
}
DATA = tuple(dict.fromkeys(data for data, _ in CUTOFFS))


def tasks(which: str = "all", data: tuple[str, ...] = DATA) -> Iterator[Task]:
    """Tasks of these logs; ``which`` is ``earlier``, ``last`` or ``all``."""
    for (name, horizon_days), cutoffs in CUTOFFS.items():
        for cutoff in cutoffs:
            task = Task(name, horizon_days, cutoff, cutoff == cutoffs[-1])
            if name in data and which in ("all", "last" if task.is_last else "earlier"):
                yield task


@cache
def whole_log(data: str) -> InteractionLog:
    """Every line of a data set."""
    if data != "CDNOW":
        return read_log(data)
    return InteractionLog.from_frame(
        read_cdnow(), quantity="quantity", amount="amount", timezone="UTC",  # dates, no clock
        closed_until="1998-07-01", on_bad_rows="quarantine",
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Window:
    """A task with its history; masks and arrays have one entry per customer of the history."""

    task: Task
    log: InteractionLog
    history: History
    judged: Mask  # a purchase before the cutoff
    left: Mask  # none in the horizon after it

    @classmethod
    def of(cls, task: Task) -> Window:
        log = whole_log(task.data)
        outcomes = label_outcomes(log, task.cutoff, task.horizon_days)
        history = log.as_of(task.cutoff)
        buyers = purchase_summary(history).index
        judged = np.isin(history.customer_ids, buyers.to_numpy())
        left = ~outcomes.customers["purchased"].to_numpy(dtype=bool)
        return cls(task, log, history, judged, left)

    @property
    def y(self) -> Mask:
        return self.left[self.judged]

    def statistics(self) -> dict[str, Any]:
        """x, t_x, T in days of the judged customers, as BTYD packages take them."""
        summary = purchase_summary(self.history)
        names = {"x": "n_repeats", "t_x": "last_repeat_days", "T": "age_days"}
        return {short: summary[name].to_numpy(dtype=float) for short, name in names.items()}
