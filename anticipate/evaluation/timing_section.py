"""Predicted dates, judged by when the customer (or the customer for that item) came back.

Reads  ``PurchaseTimer``'s tables, plain baselines' dates, the Outcomes.
Gives  a Section: clipped error, interval score, coverage; the errors' histogram.
Never  returners alone: a customer who did not come back counts with the horizon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import check_columns
from ..columns import CUSTOMER, ITEM
from ..log import History
from ..log.clock import to_timestamps
from ..outcomes import Outcomes
from . import timing_metrics as metrics
from .probability_metrics import log_losses
from .sections import GroupRow, MetricRow, Section, group_rows, mean_row

Floats = npt.NDArray[np.float64]
DUE = ("due", "due_low", "due_high")
LEVEL = 0.8  # due_low and due_high are the 10th and 90th percentile
_DAY = pd.Timedelta(days=1)


def evaluate_timing(
    predictions: pd.DataFrame,
    history: History,
    outcomes: Outcomes,
    *,
    baselines: Mapping[str, pd.DataFrame],
    groups: pd.DataFrame | None = None,
) -> Section:
    """Predicted dates against real ones.

    Parameters
    ----------
    predictions : DataFrame
        ``due, due_low, due_high`` (UTC; NaT = may never) and optionally ``p_within_<h>d``.
        Indexed by customer_id, or with columns ``customer_id, item_id``: then judged per pair.
    history : History
        As of the cutoff.
    outcomes : Outcomes
        Of the window after it; ``next_purchase_days`` is read, dates are clipped at its end.
    baselines : mapping of str to DataFrame
        Tables like ``predictions`` of plain rules.
    groups : DataFrame or None
        See ``customer_groups``.

    Returns
    -------
    Section
        Named ``"timing"`` (or ``"item_timing"``); headline ``MAE clipped``; curve ``errors``.
    """
    per_pair = ITEM in predictions.columns
    keys = [CUSTOMER, ITEM] if per_pair else [CUSTOMER]
    tables = {"": predictions, **baselines}
    days = {name: _days(table, keys, history) for name, table in tables.items()}
    actual = _actual(outcomes, keys)
    rows = _common(actual.index, days)
    came = actual.loc[rows].to_numpy(dtype=np.float64)
    judged = Judged({name: table.loc[rows] for name, table in days.items()}, came, outcomes)
    headline, by_group = _errors(judged, rows.get_level_values(CUSTOMER), groups)
    return Section(
        name="item_timing" if per_pair else "timing",
        title="When an item is needed again" if per_pair else "When customers come back",
        rows=(headline, *_interval_rows(judged), *_chance_rows(judged)),
        groups=by_group,
        curves={"errors": _histogram(judged, headline.baseline_name)},
        notes=(
            _describe(judged, len(actual), "pairs" if per_pair else "customers"),
            _never(judged, headline),
        ),
    )


@dataclass(frozen=True)
class Judged:
    """Rows that every side dated: ours under ``""``, baselines by name, and what came."""

    days: dict[str, pd.DataFrame]
    came: Floats  # days to the next purchase, NaN = none in the window
    outcomes: Outcomes

    @property
    def horizon_days(self) -> float:
        return self.outcomes.horizon_days


_MEANING = "days off, those who did not return counting with the horizon"


def _actual(outcomes: Outcomes, keys: list[str]) -> pd.Series:
    if keys == [CUSTOMER]:
        return outcomes.customers["next_purchase_days"]
    known = outcomes.pairs[outcomes.pairs["in_history"]]  # nothing dates a pair never seen
    return _keyed(known, keys)["next_purchase_days"]


def _keyed(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The table indexed by its keys, whether they came as columns or as the index."""
    return table if list(table.index.names) == keys else table.set_index(keys)


def _common(index: pd.Index, days: Mapping[str, pd.DataFrame]) -> pd.Index:
    for table in days.values():
        index = index[index.isin(table.index)]
    return index


def _days(table: pd.DataFrame, keys: list[str], history: History) -> pd.DataFrame:
    """Dates as days from each customer's cutoff; probabilities as they are."""
    keyed = _keyed(table, keys)
    check_columns("timing", DUE[:1], keyed.columns, hint="PurchaseTimer.predict gives it.")
    chances = [name for name in keyed.columns if re.fullmatch(r"p_within_\d+d", str(name))]
    at = pd.Series(to_timestamps(history.cutoffs), index=history.customer_ids)
    of_row = at.reindex(keyed.index.get_level_values(CUSTOMER)).set_axis(keyed.index)
    days = {name: (keyed[name] - of_row) / _DAY for name in DUE if name in keyed.columns}
    return pd.DataFrame({**days, **{str(name): keyed[name] for name in chances}})


def _errors(
    judged: Judged, customers: pd.Index, groups: pd.DataFrame | None
) -> tuple[MetricRow, tuple[GroupRow, ...]]:
    errors = {
        name: metrics.clipped_errors_days(table["due"], judged.came, judged.horizon_days)
        for name, table in judged.days.items()
    }
    ours = errors.pop("")
    row = mean_row("MAE clipped", ours, errors, better="lower", meaning=_MEANING)
    if groups is None:
        return row, ()
    return row, group_rows(
        groups, customers, row.metric, ours, errors, better="lower", meaning=_MEANING
    )


def _interval_rows(judged: Judged) -> list[MetricRow]:
    if not set(DUE) <= set(judged.days[""].columns):
        return []
    horizon = judged.horizon_days
    scores, hits = {}, {}
    for name, table in judged.days.items():
        if set(DUE) <= set(table.columns):
            ends = table["due_low"], table["due_high"], judged.came
            scores[name] = metrics.winkler_scores_days(*ends, horizon_days=horizon, level=LEVEL)
            hits[name] = metrics.covered(*ends, horizon_days=horizon)
    meaning = "width of the 80 % interval plus ten times what it missed by, days"
    coverage = "share inside the 80 % interval (clipped, so above 80 % is no fault)"
    return [
        mean_row("Winkler 80 %", scores.pop(""), scores, better="lower", meaning=meaning),
        mean_row("Coverage 80 %", hits[""], {}, better="none", meaning=coverage),
    ]


def _chance_rows(judged: Judged) -> list[MetricRow]:
    """P(returns within h days) against a base rate that already knows the outcome."""
    rows = []
    for name in (name for name in judged.days[""] if name not in DUE):
        within = float(str(name).removeprefix("p_within_").removesuffix("d"))
        if within > judged.horizon_days or not judged.came.size:
            continue
        y = judged.came < within  # NaN, never, is False
        losses = log_losses(y, judged.days[""][name])
        base = {"base rate": log_losses(y, np.full(y.size, y.mean()))}
        meaning = f"surprise at who came within {within:g} days; base rate in hindsight"
        label = f"Log-loss {within:g} d"
        rows.append(mean_row(label, losses, base, better="lower", meaning=meaning))
    return rows


def _histogram(judged: Judged, best: str | None) -> pd.DataFrame:
    """Share of rows by signed error (predicted - real, both clipped): early is negative."""
    horizon = judged.horizon_days
    edges = np.linspace(-horizon, horizon, 22)
    shown = {"ours": ""} | ({best: best} if best is not None else {})
    came = metrics.clip_days(judged.came, horizon)
    shares = {
        label: np.histogram(metrics.clip_days(judged.days[name]["due"], horizon) - came, edges)[0]
        / max(came.size, 1)
        for label, name in shown.items()
    }
    return pd.DataFrame({"left_days": edges[:-1], "right_days": edges[1:], **shares})


def _never(judged: Judged, headline: MetricRow) -> str:
    """What an empty answer would score: the honest floor of a clipped error."""
    nobody = np.full(judged.came.size, np.nan)
    errors = metrics.clipped_errors_days(nobody, judged.came, judged.horizon_days)
    score = f"{errors.mean():.2f}" if errors.size else "nothing"
    return f'saying "not in this window" of everybody would score {headline.metric} {score}'


def _describe(judged: Judged, n_all: int, kind: str) -> str:
    back = int((~np.isnan(judged.came)).sum())
    return (
        f"{judged.came.size:,} of {n_all:,} {kind} have a date of every side; {back:,} of them "
        f"came back within {judged.horizon_days:g} days"
    )
