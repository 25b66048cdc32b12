"""Does it pay? Warnings that would have been said on past carts, and what became of the lines.

Reads  tables learned before a past moment; carts and answers after it.
Gives  per kind: how many warnings, how many right, net money with a lower 90 % bound, verdict.
Never  a cart that the tables have seen, or whose returns may still come.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..columns import EVENT_CODES, PURCHASE
from ..kernels.events import Events
from ..kernels.owned import DAY, MINUTE, Lines, undone_times
from ..kernels.rules import KINDS, UNDONE_SHARE, Findings
from ..log import History
from ..log.ids import lookup_codes
from ..log.objections import objectors
from .align import align_tables
from .answered import answers_of
from .bought import bought_of
from .bounds import lower_bound
from .costs import Costs
from .learning import UNDO_DAYS, usual_returns, usually_undone
from .looking_back import check_as_known
from .tables import learn_tables

Array = NDArray[Any]
Floats = NDArray[np.float64]
LONGEST_DAYS, SHORTEST_DAYS = 365.0, 28.0  # of past carts
MOST_LINES = 300_000  # the newest
SPOKEN = KINDS[1:]


class Trial(NamedTuple):
    """Past lines as the guard would have seen them, (n,)."""

    found: Findings
    undone: Array  # bool: the line, or what it repeats, came back soon after
    usual: Floats  # how often that happens to wanted lines
    answer: Array  # int8: 1 accepted, 0 dismissed, -1 a purchase


def try_on_past(history: History, random_state: int | None) -> Trial | None:
    """Tables of an earlier moment on the carts that followed; None where there are too few."""
    span = _span(history)
    if span is None:
        return None
    start, end = span
    before = history.before(start)
    bought_before = bought_of(before)
    if bought_before.events.n == 0:
        return None
    learned = learn_tables(before, None, random_state)
    facts = before.items.reindex(history.item_ids)  # as the shop knew its items then
    tables = align_tables(learned.tables, before.item_ids, history.item_ids, facts)
    rows = _past_rows(history, start, end)
    if not len(rows):
        return None
    events, undone_at = history.events, undone_times(history.events, history.returns)
    answered = answers_of(history)
    answered = answered.take(answered.lines.timestamp >= start)
    bought, objects = _lines(events, rows), objectors(history)
    made = check_as_known(events, undone_at, bought, tables=tables, objects=objects)
    # Answers stand in the carts that were bought, but a warning answered a minute before a
    # purchase is no earlier line of it: purchases are checked without them.
    both = Lines(*(np.concatenate(two) for two in zip(bought, answered.lines, strict=True)))
    asked = check_as_known(events, undone_at, both, tables=tables, objects=objects)
    source = np.where(made.line >= 0, rows[made.line], made.row)
    limit = bought.timestamp + np.int64(UNDO_DAYS * DAY)
    undone = (undone_at[rows] < limit) | ((undone_at[source] < limit) & (source >= 0))
    share = usual_returns(bought_before, before.n_items)
    place = np.append(share, share.mean() if len(share) else 0.0)
    item = lookup_codes(history.item_ids, before.item_ids)[bought.item]
    minutes = np.where(source >= 0, (bought.timestamp - events.timestamp[source]) / MINUTE, 0.0)
    n = len(answered.accepted)
    return Trial(
        found=Findings(*(np.append(a, b[len(rows) :]) for a, b in zip(made, asked, strict=True))),
        undone=np.append(undone, np.zeros(n, dtype=bool)),
        usual=np.append(usually_undone(place[item], minutes), np.zeros(n)),
        answer=np.append(np.full(len(rows), -1), answered.accepted.astype(np.int64)),
    )


def _span(history: History) -> tuple[int, int] | None:
    """The newer half of what is closed, at most a year."""
    bought = history.purchases.timestamp
    if not len(bought):
        return None
    end = int(history.cutoffs.min()) - round(UNDO_DAYS * DAY)
    days = min((end - int(bought.min())) / DAY / 2.0, LONGEST_DAYS)
    return None if days < SHORTEST_DAYS else (end - round(days * DAY), end)


def _past_rows(history: History, start: int, end: int) -> Array:
    """Purchases of the span, the newest where there are many; positions in the events."""
    events = history.events
    mine = (events.event == EVENT_CODES[PURCHASE]) & (events.timestamp >= start)
    rows = np.flatnonzero(mine & (events.timestamp < end) & ~objectors(history)[events.customer])
    newest = np.argsort(events.timestamp[rows], kind="stable")[-MOST_LINES:]
    return np.sort(rows[newest])


def _lines(events: Events, rows: Array) -> Lines:
    return Lines(
        events.customer[rows].astype(np.int64), events.item[rows].astype(np.int64),
        events.timestamp[rows], events.quantity[rows], np.array(events.gift[rows]),
    )  # fmt: skip


def ceiling(trial: Trial | None, kinds: list[int], per_1000: float) -> float:
    """The probability that no more than so many of 1,000 past lines exceed by these kinds."""
    if trial is None:
        return math.inf
    mine = np.isin(trial.found.kind, kinds)
    p = np.sort(np.where(mine, trial.found.probability, 0.0)[trial.answer < 0])[::-1]
    allowed = math.floor(per_1000 * len(p) / 1000.0 + 1e-9)
    return float(p[allowed]) if allowed < len(p) else 0.0


def judge(trial: Trial | None, kind: int, threshold: float, costs: Costs) -> dict[str, Any]:
    """What warnings of one kind above a threshold would have brought."""
    empty = {"n_warned": 0, "n_undone": 0, "n_answered": 0, "n_accepted": 0, "precision": math.nan,
             "precision_low": 0.0, "net_money": 0.0, "net_money_low": 0.0}  # fmt: skip
    if trial is None:
        return empty
    warned = (trial.found.kind == kind) & (trial.found.probability > threshold)
    made, asked = warned & (trial.answer < 0), warned & (trial.answer >= 0)
    n, n_undone = int(made.sum()), int(trial.undone[made].sum())
    n_asked, n_yes = int(asked.sum()), int((trial.answer[asked] == 1).sum())
    if n + n_asked == 0:
        return empty
    b = float(trial.usual[made].mean()) if n else 0.0
    parts = [(n, _as_mistakes(n_undone / max(n, 1), b), _as_mistakes(lower_bound(n_undone, n), b)),
             (n_asked, n_yes / max(n_asked, 1), lower_bound(n_yes, n_asked))]  # fmt: skip
    size = float(n + n_asked)
    right, low = (sum(part[0] * part[k] for part in parts) / size for k in (1, 2))
    net, net_low = (size * costs.saving(np.array([right, low]))).tolist()
    return {"n_warned": n, "n_undone": n_undone, "n_answered": n_asked, "n_accepted": n_yes,
            "precision": right, "precision_low": low, "net_money": net, "net_money_low": net_low,
            }  # fmt: skip


def _as_mistakes(share_undone: float, usual: float) -> float:
    """Share of mistakes behind a share of undone lines; some returns have other causes."""
    return min(max((share_undone - usual) / (UNDONE_SHARE - usual), 0.0), 1.0)


def why_silent(judged: dict[str, Any], trial: Trial | None, told: bool) -> str | None:
    """One sentence; None where the proof is there."""
    if not told:
        return "the log knows no return, cancellation or accepted warning: nothing tells mistakes"
    if trial is None:
        return "the history is too short to try warnings on past carts"
    if judged["n_warned"] + judged["n_answered"] == 0:
        return "on past carts no line was likely enough to be one"
    if judged["net_money_low"] <= 0:
        return (
            f"on past carts {judged['n_undone']} of {judged['n_warned']} lines came back and "
            f"{judged['n_accepted']} of {judged['n_answered']} warnings were accepted; the lower "
            f"90 % bound of the net money is {judged['net_money_low']:.2f}"
        )
    return None


__all__ = ["Trial", "ceiling", "judge", "try_on_past", "why_silent"]
