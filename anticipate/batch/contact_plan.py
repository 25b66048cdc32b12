"""``anticipate rank-at-risk --levels plan.toml``: a contact plan over all customers of a bundle.

Reads  the plan's file, the bundle part by part, attributes of the customers.
Gives  whom to contact at which level and whom to hold out; an account in a few lines.
Never  a customer who objects to profiling or marketing: they are only counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..columns import CUSTOMER, MARKETING, PROFILING
from ..exceptions import ColumnError, IdTypeError, ParameterError
from ..log import History
from ..log.clock import to_timestamp
from ..retention import ContactPlan, read_plan
from ..serving import Scorer
from ..serving.instants import to_microseconds
from ..serving.moments import churn_and_limits
from .arguments import log_of_customers, read_later, say
from .output import PART, check_output, parts_of, write_parts
from .progress import show_steps

Array = NDArray[Any]
_PLAN = ("level", "expected_saved_value", "evidence", "cost", "net_value", "shadow_price",
         "holdout", "would_be", "channel")  # fmt: skip
_WORDS = ("level", "evidence", "would_be", "channel")


def contact_plan(arguments: argparse.Namespace) -> None:
    check_output(arguments.win_back, "--win-back")
    if arguments.out and arguments.win_back and Path(arguments.out) == Path(arguments.win_back):
        raise ParameterError("--out and --win-back name the same file; give two.")
    plan = read_plan(arguments.levels)
    scorer = Scorer.load(arguments.bundle, verify=arguments.verify)
    recent = read_later(arguments, scorer)
    log = log_of_customers(arguments, scorer) if recent is None else recent
    history = log.before(to_microseconds(arguments.as_of, scorer.manifest["timezone"]))
    _check_customers(plan, history, scorer)
    with show_steps("rank-at-risk"):
        predictions, limits = churn_and_limits(
            scorer, as_of=arguments.as_of, recent=recent, window_days=plan.contact_window_days
        )
    table = plan.assign(predictions, history, limits=limits)
    gone = plan.win_back(predictions, history, limits=limits)
    as_of = to_timestamp(history.cutoff_us)
    order = _order(table, plan.objective, everybody=arguments.everybody)
    write_parts(_rows(table, predictions, order, as_of), arguments.out)
    if arguments.win_back is not None:
        gone.insert(0, "as_of", as_of)
        write_parts(parts_of(gone.reset_index()), arguments.win_back)
    for line in account(plan.report_, set(table["evidence"].dropna()), len(gone)):
        say(line)


def account(report: Mapping[str, Any], evidence: set[str], n_gone: int) -> list[str]:
    """What the plan spends and saves, whom it leaves alone and why."""
    contacts = ", ".join(f"{name} {n:,}" for name, n in report["contacts"].items())
    budget = "no budget" if report["budget"] is None else f"budget {report['budget']:,.2f}"
    known = ", ".join(sorted(evidence)) or "nothing"
    others = {k: n for k, n in report["reasons"].items() if k not in ("chosen", "by_risk")}
    because = ", ".join(f"{name} {n:,}" for name, n in others.items() if name != "held_out")
    return [
        f"{budget}, spent {report['spent']:,.2f} on {report['n_contacted']:,} of "
        f"{report['n_customers']:,} customers: {contacts}",
        f"expected saved value {report['expected_saved_value']:,.2f} ({known}), net value "
        f"{report['net_value']:,.2f}; one more to spend would save {report['shadow_price']:.3g}",
        f"held out at random, to measure the effect: {report['n_held_out']:,}",
        f"not contacted: {because or 'nobody'}",
        f"to win back: {n_gone:,} departed customers",
    ]


def _check_customers(plan: ContactPlan, history: History, scorer: Scorer) -> None:
    """The columns that the plan names are there, before a million customers are gone through."""
    theirs = history.customer_ids
    if len(theirs) and scorer.has_text_ids != (theirs.dtype == object):
        kind = "text" if scorer.has_text_ids else "whole numbers"
        raise IdTypeError(f"customers: the bundle's ids are {kind}; convert those given.")
    usual = ContactPlan(plan.levels).channel_column
    wanted = {"eligible": plan.eligible, "channel_column": plan.channel_column}
    for key, column in wanted.items():
        known = column is None or column in history.customers.columns
        if not known and (key, column) != ("channel_column", usual):
            raise ColumnError(
                f"[plan] {key}: the customers have no column {column!r}; found "
                f"{sorted(map(str, history.customers.columns))}. Give one: --customers FILE."
            )


def _order(table: pd.DataFrame, objective: str, *, everybody: bool) -> Array:
    """Rows to write: to be contacted, held out, then the rest; most worth first, ties by id."""
    contacted, held_out = table["level"].notna().to_numpy(), table["holdout"].to_numpy()
    group = np.where(contacted, 0, np.where(held_out, 1, 2))
    in_money = objective == "value"
    worth = table["net_value" if in_money else "expected_saved_customers"].to_numpy()
    order = np.lexsort((-worth, group))  # stable, and the table is sorted by id
    silent = table["reason_code"].isin((PROFILING, MARKETING)).to_numpy()
    shown = (group < 2) | (everybody & ~silent)
    return order[shown[order]]


def _rows(
    table: pd.DataFrame, predictions: pd.DataFrame, order: Array, as_of: pd.Timestamp
) -> Iterator[pd.DataFrame]:
    """The rows in this order, part by part; words as text, so that all parts are alike."""
    for start in range(0, max(len(order), 1), PART):
        rows = order[start : start + PART]
        plan = table.iloc[rows].reset_index()
        risk = predictions.iloc[rows].reset_index(drop=True)
        columns = {
            CUSTOMER: plan[CUSTOMER],
            "as_of": pd.DatetimeIndex([as_of]).repeat(len(rows)),
            "rank": np.arange(start + 1, start + len(rows) + 1),
            **{name: plan[name].astype("str") if name in _WORDS else plan[name] for name in _PLAN},
            **{name: risk[name] for name in ("p_churn", "value_at_risk")},
            "segment": risk["segment"].astype("str"),
            "reason": plan["reason"].astype("str"),
        }
        yield pd.DataFrame(columns)
