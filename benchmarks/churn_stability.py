"""Who to call, from one day to the next, if nothing happens.

Reads  a log cut at the cutoff and closed a week later: silence, and nothing else, is new.
Gives  how much of the top 500 stays, from each day to the next and over the week.
Never  an event at or after the cutoff.

Two roads: ``predict`` describes every customer anew each day; the stored bundle keeps each
customer's offsets from the base model, today's and that after two weeks of silence, and moves the
purchase state, as the scorer does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from churn_tasks import fitted
from churn_windows import Task, whole_log

from anticipate.churn import ChurnModel
from anticipate.evaluation.churn_section import list_length
from anticipate.evaluation.stability_metrics import top_overlap
from anticipate.kernels.churn import AGEING_DAYS, DEPARTED, ChurnTable, aged_offset, churn_table
from anticipate.log import History

DAYS, GOAL = 7, 0.95
DAY_US = 86_400_000_000
SCORES = ("value at risk", "p_churn")  # the first without the departed, as the list is served


def run(wanted: Iterable[Task]) -> None:
    print(f"Top 500: share that stays (goal from day to day: at least {GOAL})")
    print(f"{'':35}{'road':9}{'score':15}{'day 1':>7}{'least':>7}{'mean':>7}{'7 days':>8}")
    for task in wanted:
        for road, days in roads(task).items():
            for score in SCORES:
                show(task, road, score, days)


def roads(task: Task) -> dict[str, list[pd.DataFrame]]:
    """Tables of each of the eight days, by both roads."""
    log = whole_log(task.data)
    history = log.as_of(task.cutoff)
    at = history.cutoff_us
    until = at + round(AGEING_DAYS * DAY_US)
    closed = replace(log.between(log.start, history.cutoff), closed_until_us=until)
    later = [closed.before(at + day * DAY_US) for day in range(DAYS + 1)]
    model = fitted(history, task.horizon_days)
    whole = closed.before(until)
    offsets = model.predict_offsets(later[0]), model.predict_offsets(whole)
    return {
        "predict": [frame(model.predict_table(h), h) for h in later],
        "bundle": [frame(stored(model, h, offsets, day), h) for day, h in enumerate(later)],
    }


def stored(
    model: ChurnModel, history: History, offsets: tuple[np.ndarray, np.ndarray], day: float
) -> ChurnTable:
    state, offset = model.predict_state(history), aged_offset(*offsets, np.asarray(day))
    return churn_table(state, offset, parameters=model.parameters_)


def frame(table: ChurnTable, history: History) -> pd.DataFrame:
    called = np.where(table.segment == DEPARTED, np.nan, table.value_at_risk)
    columns = dict(zip(SCORES, (called, table.p_churn), strict=True))
    return pd.DataFrame(columns, index=history.customer_ids)


def show(task: Task, road: str, score: str, days: list[pd.DataFrame]) -> None:
    n = list_length(len(days[0]))
    lists = [table[score] for table in days]
    steps = [top_overlap(a, b, n) for a, b in pairwise(lists)]
    week = top_overlap(lists[0], lists[-1], n)
    missed = "" if min(steps) >= GOAL else "  missed"
    print(f"{task!s:35}{road:9}{score:15}{steps[0]:7.3f}{min(steps):7.3f}{np.mean(steps):7.3f}"
          f"{week:8.3f}{missed}")  # fmt: skip
