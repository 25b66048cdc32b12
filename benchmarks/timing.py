"""Dates and chances of the next order and of each item, beside two plain rules.

    python benchmarks/timing.py                          # both logs, the last possible windows
    python benchmarks/timing.py retail --earlier 60      # one log, everything 60 days earlier

Complete Journey comes from its package, Online Retail from ``$ANTICIPATE_DATA``
(``online_retail/online_retail.parquet``). Three cutoffs a log: 60 days before its end (only the
60-day window is closed there), 180 and 240 days before. All days are clipped at the horizon, so
that those who do not come back count. Who has not bought anything before is left out.

Columns: mean absolute error and Winkler score (80 %) of ours, of last purchase + mean gap (own,
else the item's, else that of all) and of last purchase + own median gap (same fallbacks);
below: how far ours lies under each. PIT: where the truth falls in our law, the mass past the
horizon spread by a seed; 80 % should fall between .1 and .9. Chances: 15 bins of equal mass;
``floor`` is the calibration error that a perfect model would show with so few rows. Pairs count
from p >= .05.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from complete_journey import read_orders, read_products

from anticipate.evaluation.calibration import expected_calibration_error
from anticipate.evaluation.plain_dates import mean_gap_dates, mean_gap_pair_dates
from anticipate.evaluation.probability_metrics import brier_skill, calibration_line
from anticipate.evaluation.timing_metrics import clipped_errors_days, winkler_scores_days
from anticipate.kernels.pairs import Pairs, find_pairs
from anticipate.log import History, InteractionLog
from anticipate.outcomes import Outcomes, label_outcomes
from anticipate.timing import PurchaseTimer
from anticipate.timing.visits import orders_of

WITHIN_DAYS, LEAST_CHANCE, BINS, SEED = (7, 14, 28), 0.05, 15, 0
ENDS = {"due": 0.5, "due_low": 0.1, "due_high": 0.9}
WINDOWS = ((60, (60,)), (180, (60, 180)), (240, (60, 180)))  # days before the end, horizons
DAY = pd.Timedelta(days=1)


class Case(NamedTuple):
    """Customers or pairs at one cutoff: tables row by row, truth in days (NaN = none)."""

    name: str
    ours: pd.DataFrame
    rules: dict[str, pd.DataFrame]
    wait_days: np.ndarray


def complete_journey() -> InteractionLog:
    return InteractionLog.from_frame(
        read_orders(), customer_id="household_id", item_id="product_id",
        timestamp="transaction_timestamp", quantity="quantity", amount="sales_value",
        order_id="basket_id", timezone="America/New_York", items=read_products(),
        on_bad_rows="quarantine",
    )  # fmt: skip


def online_retail() -> InteractionLog:
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ANTICIPATE_DATA", default))
    path = folder / "online_retail" / "online_retail.parquet"
    if not path.is_file():
        raise SystemExit(f"Online Retail is not at {path}; set ANTICIPATE_DATA")
    return InteractionLog.from_frame(
        pd.read_parquet(path), customer_id="CustomerID", item_id="StockCode",
        timestamp="InvoiceDate", quantity="Quantity", price="UnitPrice", order_id="InvoiceNo",
        timezone="Europe/London", negative_quantity="cancel", on_bad_rows="quarantine",
    )  # fmt: skip


LOGS = {"journey": complete_journey, "retail": online_retail}


def median_gap_dates(pairs: Pairs) -> pd.DataFrame:
    """Last purchase + median gap: own, else the item's, else that of all.

    Ends: 10th and 90th percentile of the same gaps, own ones from two on.
    """
    gaps, offsets = pairs.gaps_days()
    owner = np.repeat(np.arange(pairs.n), np.diff(offsets))
    table = pd.DataFrame({"owner": owner, "item": pairs.item[owner], "gap": gaps})
    levels = {"owner": np.arange(pairs.n), "item": pairs.item}
    last, dates = pd.to_datetime(pairs.last, unit="us", utc=True), {}
    for name, share in ENDS.items():
        days = np.full(pairs.n, np.nan)
        for level, code in levels.items():
            grouped = table.groupby(level)["gap"]
            found = grouped.quantile(share)[grouped.size() >= (1 if share == 0.5 else 2)]
            days = np.where(np.isnan(days), found.reindex(code).to_numpy(), days)
        days = np.where(np.isnan(days), table["gap"].quantile(share), days)
        dates[name] = last + pd.to_timedelta(days, unit="D")
    return pd.DataFrame(dates)


def fitted(history: History) -> PurchaseTimer:
    timer = PurchaseTimer().fit(history)
    for name, law in timer.report_["law"].items():
        gain = f"{law['gain']:+.4f} nats over plain gamma" if "gain" in law else "too few returns"
        print(f"  {name}: {law['chosen']} ({gain})")
    return timer


def cases(timer: PurchaseTimer, outcomes: Outcomes) -> Iterator[Case]:
    history, within = outcomes.history, (*WITHIN_DAYS, outcomes.horizon_days)
    orders = orders_of(history.purchases)
    ids = history.customer_ids[orders.customer]
    yield Case(
        "customers",
        timer.predict(history, within_days=within).loc[ids],
        {"mean": mean_gap_dates(history).loc[ids], "median": median_gap_dates(orders)},
        outcomes.customers.loc[ids, "next_purchase_days"].to_numpy(),
    )
    ours = timer.predict_pairs(history, within_days=within)
    keys = ["customer_id", "item_id"]
    came = ours[keys].merge(outcomes.pairs, on=keys, how="left", validate="1:1")
    plain = ours[keys].merge(mean_gap_pair_dates(history), on=keys, how="left", validate="1:1")
    pairs = find_pairs(history.purchases, history.n_items)
    rules = {"mean": plain, "median": median_gap_dates(pairs)}
    yield Case("pairs", ours, rules, came["next_purchase_days"].to_numpy())


def show_dates(case: Case, cutoff: pd.Timestamp, horizon_days: int) -> None:
    tables = {"ours": case.ours, **case.rules}
    errors, winkler = [], []
    for table in tables.values():
        due, low, high = (((table[name] - cutoff) / DAY).to_numpy() for name in ENDS)
        errors.append(clipped_errors_days(due, case.wait_days, horizon_days).mean())
        scores = winkler_scores_days(low, high, case.wait_days, horizon_days=horizon_days)
        winkler.append(scores.mean())
    head = f"{case.name:10}{horizon_days:4} d{len(case.wait_days):9,}"
    mae, wide = ("".join(f"{x:9.2f}" for x in row) for row in (errors, winkler))
    below = "".join(f"{1 - errors[0] / plain:8.0%}" for plain in errors[1:])
    low, high = outside(case, cutoff, horizon_days)
    print(f"{head}{mae}{below}{wide}   {low:.3f} {1 - low - high:.3f} {high:.3f}")


def outside(case: Case, cutoff: pd.Timestamp, horizon_days: int) -> tuple[float, float]:
    """Shares of the truth below our 10th and above our 90th percentile."""
    low, high = (((case.ours[name] - cutoff) / DAY).to_numpy() for name in ("due_low", "due_high"))
    inside = case.ours[f"p_within_{horizon_days:g}d"].to_numpy()
    u = inside + (1.0 - inside) * np.random.default_rng(SEED).random(len(inside))
    came = ~np.isnan(case.wait_days)
    # A missing end lies past every day: what came was earlier.
    below = np.where(came, ~(case.wait_days >= low), u < 0.1)
    above = np.where(came, case.wait_days > high, u > 0.9)
    return float(below.mean()), float(above.mean())


def show_chances(case: Case) -> None:
    for days in WITHIN_DAYS:
        p = case.ours[f"p_within_{days}d"].to_numpy()
        keep = p >= LEAST_CHANCE if case.name == "pairs" else np.full(len(p), True)
        p, came = p[keep], case.wait_days[keep] < days
        slope = calibration_line(came, p)[0]
        error, best = expected_calibration_error(came, p, bins=BINS), perfect_error(p)
        print(
            f"{case.name:10}{days:4} d{len(p):9,}{came.mean():9.3f}{p.mean():9.3f}"
            f"{brier_skill(came, p):9.3f}{error:9.4f}{best:9.4f}{slope:9.3f}"
        )


def perfect_error(p: np.ndarray, draws: int = 20) -> float:
    """Mean calibration error if the truth were drawn from ``p`` itself."""
    rng = np.random.default_rng(SEED)
    some = [expected_calibration_error(rng.random(len(p)) < p, p, bins=BINS) for _ in range(draws)]
    return float(np.mean(some))


def show(name: str, *, earlier_days: int) -> None:
    log = LOGS[name]()
    end = log.closed_until.tz_convert(log.timezone).tz_localize(None).normalize()
    end -= pd.Timedelta(days=earlier_days)  # midnight there: nobody is in the middle of a day
    for back, horizons in WINDOWS:
        cutoff = end - pd.Timedelta(days=back)
        print(f"\n{name}, before {cutoff:%Y-%m-%d}")
        history = log.as_of(cutoff)
        timer = fitted(history)
        found = [
            (days, case)
            for days in horizons
            for case in cases(timer, label_outcomes(log, cutoff, days))
        ]
        print(f"{'':26}   MAE: ours    mean   median   below   Winkler: ours, mean, median"
              "    PIT < .1, inside, > .9")  # fmt: skip
        for days, case in found:
            show_dates(case, history.cutoff, days)
        print(f"{'':16}{'rows':>9}{'came':>9}{'said':>9}{'skill':>9}{'ECE':>9}{'floor':>9}"
              f"{'slope':>9}")  # fmt: skip
        for days, case in found:
            if days == horizons[0]:
                show_chances(case)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("logs", nargs="*", metavar="journey | retail", default=list(LOGS))
    parser.add_argument("--earlier", type=int, default=0, metavar="DAYS")
    given = parser.parse_args()
    for name in given.logs:
        show(name, earlier_days=given.earlier)


if __name__ == "__main__":
    main()
