"""Returns foreseen: the guard's chances beside the item's share of returns alone.

    python benchmarks/guards_returns.py                      # Online Retail, earlier cutoffs
    python benchmarks/guards_returns.py --windows all        # the last one too
    python benchmarks/guards_returns.py --return-days 30     # more cutoffs fit in
    python benchmarks/guards_returns.py --cost-return 10     # when would it speak?

Every line of the 28 days after a cutoff is reviewed as it was bought: fitted before the cutoff,
the customer's own past known up to the line. Returned = any piece of it cancelled within 60
(or 30) days; the window of the last line closes before the data end. Beside it the item's shrunken
share, with the customer's past as of the cutoff ("stale"), and what warnings would have been
worth. The data is ``$ANTICIPATE_DATA/online_retail`` (default: ``shared/data`` beside the
project). Nothing may be tuned on the last cutoff.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import NamedTuple

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is loaded

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from anticipate import InteractionLog  # noqa: E402
from anticipate.evaluation.calibration import expected_calibration_error  # noqa: E402
from anticipate.evaluation.probability_metrics import (  # noqa: E402
    auc,
    brier_skill,
    calibration_line,
)
from anticipate.guards.return_guard import ReturnGuard  # noqa: E402
from anticipate.guards.return_rows import closed_lines  # noqa: E402
from anticipate.log import History  # noqa: E402

DAYS = 28  # of lines after each cutoff
# By the days within which a line counts as returned. Labels of the earlier ones are closed
# eight weeks before the data end.
WINDOWS = {
    60: {"earlier": ("2011-06-15", "2011-07-01", "2011-07-15"), "last": ("2011-09-10",)},
    30: {"earlier": ("2011-04-15", "2011-05-15", "2011-06-15", "2011-07-15", "2011-08-15"),
         "last": ("2011-10-10",)},
}  # fmt: skip
ROW = "{:<12}{:<22}{:>7}{:>9}{:>8}{:>8}{:>8}{:>8}{:>8}"


class Case(NamedTuple):
    """Lines after a cutoff and what became of them."""

    cart: pd.DataFrame
    returned: np.ndarray
    before: History  # as of the cutoff
    live: History  # as of the end of the span: what came before each line is taken by the guard


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


def case_of(log: InteractionLog, cutoff: str, return_days: int) -> Case:
    start = pd.Timestamp(cutoff, tz=log.timezone)
    end = start + pd.Timedelta(days=DAYS)
    known = log.as_of(end + pd.Timedelta(days=return_days))
    closed, events = closed_lines(known, return_days), known.events
    first, last = (int(at.tz_convert("UTC").value // 1000) for at in (start, end))
    time_us = events.timestamp[closed.row]
    inside = (time_us >= first) & (time_us < last)
    rows = closed.row[inside]
    cart = pd.DataFrame({
        "customer_id": known.customer_ids[events.customer[rows]],
        "item_id": known.item_ids[events.item[rows]],
        "timestamp": pd.to_datetime(events.timestamp[rows], unit="us", utc=True),
        "quantity": events.quantity[rows],
        "price": events.price[rows],
    })  # fmt: skip
    return Case(cart, closed.returned[inside], log.as_of(start), log.as_of(end))


def show(name: str, what: str, y: np.ndarray, p: np.ndarray, base: float) -> float:
    found = auc(y, p)
    numbers = (found, found - base, calibration_line(y, p)[0], expected_calibration_error(y, p),
               brier_skill(y, p))  # fmt: skip
    print(ROW.format(name, what, len(y), int(y.sum()), *(f"{one:.3f}" for one in numbers)))
    return found - base


def run(log: InteractionLog, cutoff: str, options: dict[str, float]) -> dict[str, float]:
    case = case_of(log, cutoff, int(options["return_window_days"]))
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        guard = ReturnGuard(**options).fit(case.before)
    fitted = time.perf_counter()
    place = pd.Index(case.before.item_ids).get_indexer(case.cart["item_id"])
    share = guard.items_.share[place]
    base = auc(case.returned, share)
    show(cutoff, "item share alone", case.returned, share, base)
    gains = {}
    for who in ("customer", "staff"):
        for state, history in (("", case.live), (", stale", case.before)):
            found = guard.review(case.cart, history, audience=who)
            p = found["probability"].to_numpy()
            gains[who + state] = show(cutoff, who + state, case.returned, p, base)
            if who + state == "customer":
                warned = (found["verdict"] == "warn").to_numpy()
    report = guard.report_
    chosen = {level: one["columns"] for level, one in report.get("levels", {}).items()}
    print(f"  columns {chosen}; fit {fitted - began:.1f} s; threshold {guard.threshold_:.3f}")
    if warned.any():
        print(f"  {int(warned.sum())} warnings, {case.returned[warned].mean():.3f} right")
    else:
        print(f"  silent: {report['silent_because']}")
    return gains


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", choices=("earlier", "last", "all"), default="earlier")
    parser.add_argument("--return-days", type=int, choices=tuple(WINDOWS), default=60)
    parser.add_argument("--cost-return", type=float, default=1.0)
    parser.add_argument("--cost-annoyance", type=float, default=1.0)
    asked = parser.parse_args()
    names = ("earlier", "last") if asked.windows == "all" else (asked.windows,)
    options = {"return_window_days": float(asked.return_days), "cost_return": asked.cost_return,
               "cost_annoyance": asked.cost_annoyance}  # fmt: skip
    log = online_retail()
    print(ROW.format("cutoff", "", "lines", "returned", "AUC", "gain", "slope", "ECE", "skill"))
    for name in names:
        gains = pd.DataFrame(
            [run(log, cutoff, options) for cutoff in WINDOWS[asked.return_days][name]]
        )
        print(f"{name}: mean AUC above item share alone: {gains.mean().round(3).to_dict()}\n")


if __name__ == "__main__":
    main()
