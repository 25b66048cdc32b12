"""What a bundle loses as it ages: lists of the old one beside those of one saved anew.

    python benchmarks/staleness.py                           # three cutoffs of Complete Journey
    python benchmarks/staleness.py --cutoffs 2017-09-04
    python benchmarks/staleness.py --bundles FOLDER          # keep fitted bundles there

At each cutoff T everything is fitted and saved once. At T + 7, 14 and 28 days the same fitted
models are asked three ways: the old bundle with ``recent`` = all events since T, the old bundle
alone, and a bundle saved at that moment (``save(history=...)``: trees run again, nothing is
fitted). Judged are all who bought before that moment and again within the window after it:
Recall@10 of what they bought in 30 days, and of their next basket. The loss is
``1 - old / anew`` with a 95 % interval from 2,000 bootstrap samples of customers.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from complete_journey import read_orders, read_products

from anticipate import Anticipator
from anticipate.evaluation import MatchedLists, match_lists, recall_at_k
from anticipate.log import InteractionLog
from anticipate.serving import Scorer

CUTOFFS = ("2017-07-03", "2017-09-04", "2017-10-30")
AGES, WINDOW_DAYS, N, STORED = (7, 14, 28), 30, 10, 32
DRAWS, SEED, GOAL = 2_000, 0, 0.02
NEEDS = ("next_need", "restock_due")


def read_log() -> InteractionLog:
    return InteractionLog.from_frame(
        read_orders(), customer_id="household_id", item_id="product_id",
        timestamp="transaction_timestamp", quantity="quantity", amount="sales_value",
        order_id="basket_id", timezone="America/New_York", items=read_products(),
        on_bad_rows="quarantine",
    )  # fmt: skip


def fitted(log: InteractionLog, cutoff: str, folder: Path) -> Path:
    """The bundle of this cutoff; made if it is not there."""
    if not (folder / "CURRENT").exists():
        Anticipator(random_state=0).fit(log.as_of(cutoff)).save(folder)
    return folder


def lists_of(scorer: Scorer, ids: list[Any], as_of: Any, recent: Any = None) -> pd.DataFrame:
    """Ranked needs, as the customer would be shown them: up to 32 a customer."""
    table = scorer.suggest_many(ids, as_of=as_of, recent=recent, n=STORED, audience="customer")
    return table[table["kind"].isin(NEEDS)]


def bought_after(log: InteractionLog, moment: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """What known customers bought in the window, and in the first basket of it."""
    end = moment + pd.Timedelta(days=WINDOW_DAYS)
    lines = log.between(moment, end).to_pandas()
    known = log.before(moment.value // 1000).customer_ids
    lines = lines[lines["customer_id"].isin(known)].sort_values("timestamp", kind="stable")
    day = lines["timestamp"].dt.tz_convert(log.timezone).dt.date
    first = day == day.groupby(lines["customer_id"]).transform("min")
    pairs = ["customer_id", "item_id"]
    tables = {f"{WINDOW_DAYS} days": lines, "next basket": lines[first]}
    return {name: table[pairs].drop_duplicates() for name, table in tables.items()}


def relative_loss(
    old: MatchedLists, anew: MatchedLists
) -> tuple[float, float, float, float, float]:
    """Recall of both, the loss, and its 95 % interval over customers."""
    pair = np.stack([recall_at_k(old, N), recall_at_k(anew, N)])
    draw = np.random.default_rng(SEED)
    losses = np.empty(DRAWS)
    for number in range(DRAWS):
        means = pair[:, draw.integers(0, pair.shape[1], pair.shape[1])].mean(axis=1)
        losses[number] = 1 - means[0] / means[1]
    recall_old, recall_anew = pair.mean(axis=1)
    low, high = np.quantile(losses, (0.025, 0.975))
    return recall_old, recall_anew, 1 - recall_old / recall_anew, low, high


def run(cutoff: str, folder: Path) -> None:
    log = read_log()
    bundle = fitted(log, cutoff, folder / cutoff)
    old, model = Scorer.load(bundle), Anticipator.load(bundle)
    start = log.as_of(cutoff).cutoff
    for age in AGES:
        moment = start + pd.Timedelta(days=age)
        truth = bought_after(log, moment)
        ids = sorted(truth[f"{WINDOW_DAYS} days"]["customer_id"].unique().tolist())
        with tempfile.TemporaryDirectory() as scratch:
            anew = Scorer.load(model.save(scratch, log.as_of(moment)))
            fresh = lists_of(anew, ids, moment)
        since = log.between(start, moment)
        ways = {"old, with recent": lists_of(old, ids, moment, since),
                "old alone": lists_of(old, ids, moment)}  # fmt: skip
        for window, bought in truth.items():
            best = match_lists(fresh, bought, width=N)
            for way, table in ways.items():
                show(cutoff, age, f"{way}, {window}", match_lists(table, bought, width=N), best)
        show_where(ways["old, with recent"], fresh, truth[f"{WINDOW_DAYS} days"], since)


def show(cutoff: str, age: int, name: str, old: MatchedLists, anew: MatchedLists) -> None:
    recall_old, recall_anew, loss, low, high = relative_loss(old, anew)
    verdict = "" if "alone" in name else "kept" if loss <= GOAL else "MISSED"
    print(
        f"{cutoff}  {age:>2} d  {name:30}{recall_old:8.4f}{recall_anew:8.4f}"
        f"{100 * loss:+8.2f} %  [{100 * low:+.2f}, {100 * high:+.2f}]  {verdict}",
        flush=True,
    )


def show_where(
    old: pd.DataFrame, anew: pd.DataFrame, bought: pd.DataFrame, since: InteractionLog
) -> None:
    """Hits that only one of the two lists has: what the old bundle knew of them."""
    pairs = ["customer_id", "item_id"]
    hits = {
        name: table[table["rank"] <= N].merge(bought, on=pairs)
        for name, table in (("old", old), ("anew", anew))
    }
    recently = since.to_pandas()[pairs].drop_duplicates().assign(recently=True)
    for name, other, lists in (("lost", "anew", old), ("gained", "old", anew)):
        mine, theirs = hits[other], hits["old" if other == "anew" else "anew"]
        only = mine.merge(theirs[pairs], on=pairs, how="left", indicator=True)
        only = only[only.pop("_merge") == "left_only"].merge(recently, on=pairs, how="left")
        place = only[pairs].merge(lists[[*pairs, "rank"]], on=pairs, how="left")["rank"]
        why = pd.Series(np.where(place.isna(), "not among its 32", "ranked lower"))
        why += np.where(only["recently"].notna(), ", bought since", "")
        counts = (only["reason_code"].reset_index(drop=True) + ": " + why).value_counts()
        most = "; ".join(f"{n} {text}" for text, n in counts.head(6).items())
        print(f"    {name} {len(only)} of {len(mine)} hits: {most}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cutoffs", nargs="+", default=CUTOFFS)
    parser.add_argument("--bundles", type=Path, help="a folder to keep fitted bundles in")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"Recall@{N}, old bundle and one saved anew; loss with 95 % interval; goal ≤ {GOAL:.0%}")
    with tempfile.TemporaryDirectory() as scratch:
        for cutoff in asked.cutoffs:
            run(cutoff, asked.bundles or Path(scratch))


if __name__ == "__main__":
    main()
