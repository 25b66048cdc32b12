"""Known truth: the mistakes of a simulator, and an oracle that knows its parameters.

Reads  bookshops of several seeds; every line after a cutoff, reviewed as it was bought.
Gives  catches at 1 warning per 1,000 legitimate lines of the guard and of the oracle, by kind;
       precision of the guard's verdicts for double submits and for digital editions.
Never  slips of quantity: no guard here looks for them, so their lines are left out.

"Under our rules" the oracle is silent where the contract forbids a warning: of what a customer
waved away within 180 days, and (double submits aside) of who objects to profiling.

Goals: the guard catches >= 90 % of what the oracle does; verdicts are right in >= 90 %.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from guards_catches import RATES, caught_above, expected_caught
from guards_data import fitted
from guards_oracle import oracle_scores
from guards_rounds import review_live

from anticipate import InteractionLog
from anticipate.datasets import make_log
from anticipate.kernels.answers import DISMISSED_DAYS

SEEDS = (21, 22)
N_CUSTOMERS = 4000
CUTOFFS = ("2024-07-01", "2024-10-01", "2025-01-01", "2025-04-01", "2025-07-01")
KINDS = ("double_submit", "already_owned", "substitute_owned")
SLIP = "quantity_slip"
ROW = "{:<26}{:>10}" + "{:>12}" * len(RATES)


def run(data: list[str] | None, cutoffs: str, options: dict[str, Any]) -> None:
    spans = list(pairwise(CUTOFFS))
    spans = {"earlier": spans[:-1], "last": spans[-1:], "all": spans}[cutoffs]
    lines = pd.concat([lines_of(seed, spans, options) for seed in SEEDS], ignore_index=True)
    true = lines["true"].notna().to_numpy()
    print(f"bookshops {SEEDS} of {N_CUSTOMERS} customers, {len(spans)} cutoffs each: "
          f"{int((~true).sum())} legitimate lines, {int(true.sum())} mistakes")  # fmt: skip
    show_catches(lines, true)
    show_verdicts(lines, true)


def lines_of(seed: int, spans: list[tuple[str, str]], options: dict[str, Any]) -> pd.DataFrame:
    """Reviewed lines with ``true`` (kind of mistake, None) and the oracle's scores."""
    log, truth = make_log(N_CUSTOMERS, random_state=seed, return_truth=True)
    parts = [
        review_live(log, fitted(log.as_of(start), **options), start, end) for start, end in spans
    ]
    lines = pd.concat(parts, ignore_index=True)
    lines = lines.merge(oracle_scores(log, truth), on="row", how="left")
    key = ["customer_id", "item_id", "timestamp"]
    told = truth["accidental"][[*key, "kind"]].rename(columns={"kind": "true"})
    lines = lines.merge(told, on=key, how="left").astype({"true": object})
    lines["true"] = lines["true"].where(lines["true"].notna(), None)
    lines["bound"] = lines["oracle"].where(~forbidden(lines, log), 0.0)
    return lines[lines["true"] != SLIP]


def forbidden(lines: pd.DataFrame, log: InteractionLog) -> np.ndarray:
    """Lines that no guard may warn of: who objects to profiling, and what was waved away lately."""
    events = log.to_pandas()
    waved = events[events["event"] == "warning_dismissed"]
    keys = ["customer_id", "item_id"]
    asked = lines[[*keys, "timestamp"]].assign(n=np.arange(len(lines)))
    found = asked.merge(waved[[*keys, "timestamp"]], on=keys, suffixes=("", "_waved"))
    wait = found["timestamp"] - found["timestamp_waved"]
    lately = found["n"][(wait > pd.Timedelta(0)) & (wait <= pd.Timedelta(days=DISMISSED_DAYS))]
    people = log.as_of(log.end).customers
    objects = people.index[people["objects_to"].astype(str).str.contains("profiling")]
    late = (lines["true"] != "double_submit").to_numpy()
    dismissed = np.isin(np.arange(len(lines)), lately)
    return late & (dismissed | lines["customer_id"].isin(objects).to_numpy())


def show_catches(lines: pd.DataFrame, true: np.ndarray) -> None:
    print("\nshare caught at so many warnings per 1,000 legitimate lines, ties by lot")
    print(ROW.format("", "mistakes", *(f"{rate:g}" for rate in RATES)))
    scores = {"guard": lines["probability"], "oracle": lines["oracle"],
              "oracle under our rules": lines["bound"],
              "oracle, cart unseen": lines["plain"]}  # fmt: skip
    found = {}
    for name, column in scores.items():
        score = column.to_numpy(np.float64)
        found[name] = [expected_caught(true, score, rate) for rate in RATES]
        print(ROW.format(name, int(true.sum()), *(f"{one:.3f}" for one in found[name])))
        for kind in KINDS:
            mine = (lines["true"] == kind).to_numpy()
            rows = mine | ~true  # the threshold is set by the legitimate lines alone
            cells = [expected_caught(mine[rows], score[rows], rate) for rate in RATES]
            print(ROW.format(f"  {kind}", int(mine.sum()), *(f"{one:.3f}" for one in cells)))
    exact = [caught_above(true, lines["probability"].to_numpy(), rate) for rate in RATES]
    print(ROW.format("guard, last tie left out", "", *(f"{one:.3f}" for one in exact)))
    for name in ("oracle", "oracle under our rules", "oracle, cart unseen"):
        share = [a / b for a, b in zip(found["guard"], found[name], strict=True)]
        print(ROW.format(f"guard / {name}", "", *(f"{one:.3f}" for one in share)))


def show_verdicts(lines: pd.DataFrame, true: np.ndarray) -> None:
    warned = (lines["verdict"] == "warn").to_numpy()
    digital = lines["item_id"].astype(str).str.endswith("-ebook").to_numpy()
    late = (lines["kind"] != "double_submit").to_numpy()
    sets = {"all": warned, **{kind: warned & (lines["kind"] == kind).to_numpy() for kind in KINDS},
            "digital editions": warned & digital,
            "  of them no double submit": warned & digital & late}  # fmt: skip
    print(f"\n{'verdicts':<28}{'warned':>8}{'right':>8}{'precision':>11}{'oracle says':>13}")
    oracle = lines["oracle"].to_numpy()
    for name, rows in sets.items():
        n, right = int(rows.sum()), int((rows & true).sum())
        said = f"{oracle[rows].mean():.3f}" if n else ""
        print(f"{name:<28}{n:>8}{right:>8}{right / max(n, 1):>11.3f}{said:>13}")
