"""Customer and pair features of ten million purchases: the library beside DuckDB.

    python benchmarks/features.py                        # 10M events, rows shuffled
    python benchmarks/features.py --events 1000000 --in-time-order

Both sides start from the same arrays in memory and run in a process of their own on two
threads; CPU seconds are user + system. DuckDB reads an Arrow table and gives Arrow tables. It
needs no log, so it is compared with our features alone and with log + features. The last
column of the table says whether the numbers themselves agree.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from anticipate.datasets import make_events
from anticipate.features import FeatureBuilder
from anticipate.log import InteractionLog

THREADS = 2
START, END = "2023-01-01", "2025-01-01"
CUTOFF = "2025-01-01"
CUSTOMER_FEATURES = [
    "n_purchases", "days_since_first", "days_since_last", "gap_mean_days", "gap_sd_days",
    "gap_max_days", "overdue_ratio", "spend", "basket_value", "n_purchases_90d", "spend_90d",
    "n_items", "repeat_share",
]  # fmt: skip
PAIR_FEATURES = [
    "n_purchases", "quantity", "days_since_last", "gap_mean_days", "gap_sd_days", "overdue_ratio",
]  # fmt: skip

# The fastest of several ways to say it: (customer, item, day) first, window functions only over
# pairs bought twice, customers' item counts from the pairs. `events` holds purchases before the
# cutoff; $cutoff is in microseconds.
_DAY = "86400000000"
PAIR_SQL = f"""
WITH visit AS MATERIALIZED (
    SELECT customer_id, item_id, epoch_us(timestamp) // {_DAY} AS day,
           min(epoch_us(timestamp)) AS first, max(epoch_us(timestamp)) AS last,
           sum(quantity) AS quantity
    FROM events GROUP BY ALL),
pair AS MATERIALIZED (
    SELECT customer_id, item_id, count(*) AS n, sum(quantity) AS quantity,
           max(last) AS last, (max(first) - min(first)) / {_DAY}.0 AS days
    FROM visit GROUP BY customer_id, item_id),
again AS MATERIALIZED (
    SELECT customer_id, item_id, n - 1 AS n_gaps, days, days / (n - 1) AS mean
    FROM pair WHERE n > 1),
gap AS (
    SELECT customer_id, item_id, (first - lag(first) OVER w) / {_DAY}.0 AS days
    FROM visit SEMI JOIN again USING (customer_id, item_id)
    WINDOW w AS (PARTITION BY customer_id, item_id ORDER BY day)),
spread AS (
    SELECT customer_id, item_id, stddev_samp(days) AS sd FROM gap GROUP BY ALL),
item AS (
    SELECT item_id, sum(days) / sum(n_gaps) AS mean FROM again GROUP BY ALL),
overall AS (
    SELECT sum(days) / sum(n_gaps) AS mean FROM again)
SELECT customer_id, item_id, n AS n_purchases, quantity,
       ($cutoff - last) / {_DAY}.0 AS days_since_last, again.mean AS gap_mean_days,
       sd AS gap_sd_days,
       ($cutoff - last) / {_DAY}.0
           / coalesce(again.mean, item.mean, overall.mean) AS overdue_ratio
FROM pair LEFT JOIN again USING (customer_id, item_id) LEFT JOIN spread USING (customer_id, item_id)
     LEFT JOIN item USING (item_id) CROSS JOIN overall
"""
CUSTOMER_SQL = f"""
WITH basket AS (
    SELECT customer_id, epoch_us(timestamp) // {_DAY} AS day,
           min(epoch_us(timestamp)) AS first, max(epoch_us(timestamp)) AS last,
           sum(quantity * price) AS spend,
           sum(quantity * price) FILTER (epoch_us(timestamp) >= $cutoff - 90 * {_DAY}) AS spend_90d
    FROM events GROUP BY ALL),
visit AS (
    SELECT *, (first - lag(first) OVER w) / {_DAY}.0 AS gap
    FROM basket WINDOW w AS (PARTITION BY customer_id ORDER BY day)),
customer AS (
    SELECT customer_id, count(*) AS n, min(first) AS first, max(last) AS last,
           (max(first) - min(first)) / {_DAY}.0 / nullif(count(*) - 1, 0) AS mean,
           stddev_samp(gap) AS sd, max(gap) AS longest, coalesce(sum(spend), 0) AS spend,
           count(spend) AS n_priced, count(*) FILTER (last >= $cutoff - 90 * {_DAY}) AS n_90d,
           coalesce(sum(spend_90d), 0) AS spend_90d
    FROM visit GROUP BY customer_id),
variety AS (
    SELECT customer_id, count(*) AS n_items, sum(n_purchases) AS n FROM pairs GROUP BY customer_id)
SELECT customer_id, customer.n AS n_purchases, ($cutoff - first) / {_DAY}.0 AS days_since_first,
       ($cutoff - last) / {_DAY}.0 AS days_since_last, mean AS gap_mean_days, sd AS gap_sd_days,
       longest AS gap_max_days, ($cutoff - last) / {_DAY}.0 / mean AS overdue_ratio, spend,
       spend / nullif(n_priced, 0) AS basket_value, n_90d AS n_purchases_90d, spend_90d, n_items,
       1 - n_items / variety.n AS repeat_share
FROM customer JOIN variety USING (customer_id)
"""


def duckdb_features(connection: Any, cutoff_us: int) -> tuple[Any, Any]:
    """(customers, pairs) as Arrow tables; ``events`` is registered."""
    pairs = connection.sql(PAIR_SQL, params={"cutoff": cutoff_us}).to_arrow_table()
    connection.register("pairs", pairs)
    customers = connection.sql(CUSTOMER_SQL, params={"cutoff": cutoff_us}).to_arrow_table()
    return customers, pairs


def our_features(history: Any) -> tuple[Any, Any]:
    builders = (
        FeatureBuilder("customer", CUSTOMER_FEATURES, n_jobs=THREADS),
        FeatureBuilder("pair", PAIR_FEATURES, n_jobs=THREADS),
    )
    customers, pairs = (builder.fit(history).transform(history) for builder in builders)
    return customers, pairs


def run_ours(events: dict[str, Any]) -> dict[str, Any]:
    steps: dict[str, Any] = {}
    options = {"quantity": "quantity", "price": "price", "timezone": "UTC", "closed_until": CUTOFF}
    log = _timed(steps, "log", lambda: InteractionLog.from_frame(events, **options))
    history = _timed(steps, "as_of", lambda: log.as_of(CUTOFF))
    customers, pairs = _timed(steps, "19 features", lambda: our_features(history))
    sums = _sums(customers, CUSTOMER_FEATURES) | _sums(pairs, PAIR_FEATURES, "pair ")
    peak_gb = _peak_gb()
    del customers, pairs
    for level in ("customer", "pair", "item"):
        builder = FeatureBuilder(level, n_jobs=THREADS)
        _timed(steps, f"all of {level}", lambda b=builder: b.fit(history).transform(history).shape)
    return {"steps": steps, "sums": sums, "peak_gb": peak_gb, "peak_all_gb": _peak_gb()}


def run_duckdb(events: dict[str, Any]) -> dict[str, Any]:
    import duckdb
    import pyarrow as pa

    steps: dict[str, Any] = {}
    connection = duckdb.connect(config={"threads": THREADS})
    connection.register("events", pa.table(events))
    cutoff = int(np.datetime64(CUTOFF, "us").astype(np.int64))
    customers, pairs = _timed(steps, "19 features", lambda: duckdb_features(connection, cutoff))
    frames = customers.to_pandas(), pairs.to_pandas()
    sums = _sums(frames[0], CUSTOMER_FEATURES) | _sums(frames[1], PAIR_FEATURES, "pair ")
    return {"steps": steps, "sums": sums, "peak_gb": _peak_gb()}


def _timed(steps: dict[str, Any], name: str, work: Callable[[], Any]) -> Any:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    steps[name] = (time.process_time() - cpu, time.perf_counter() - wall)
    return result


def _sums(table: Any, names: list[str], prefix: str = "") -> dict[str, float]:
    return {prefix + name: float(np.nansum(table[name].to_numpy(np.float64))) for name in names}


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # kilobytes on Linux


def _write_events(folder: Path, n_events: int, in_time_order: bool) -> None:
    n_customers, n_items = max(n_events // 10, 1), max(min(n_events // 200, 50_000), 10)
    events = make_events(n_events, n_customers, n_items, start=START, end=END)
    rows = np.random.default_rng(1).permutation(n_events)
    for name, column in events.items():
        np.save(folder / f"{name}.npy", column if in_time_order else column[rows])


def _run_side(side: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--side", side, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _child(side: str, folder: Path) -> None:
    warnings.simplefilter("ignore")
    events = {path.stem: np.load(path) for path in sorted(folder.glob("*.npy"))}
    print(json.dumps({"ours": run_ours, "duckdb": run_duckdb}[side](events)))


def _report(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    print(f"{'':24}{'CPU s':>8}{'wall s':>8}")
    for side, found in (("anticipate", ours), ("DuckDB", theirs)):
        for name, (cpu, wall) in found["steps"].items():
            print(f"{side + ': ' + name:24}{cpu:8.2f}{wall:8.2f}")
    mine, duck = ours["steps"], theirs["steps"]["19 features"]
    built = np.sum([mine[name] for name in ("log", "as_of", "19 features")], axis=0)
    whole = sum(mine[f"all of {level}"][0] for level in ("customer", "pair", "item"))
    rows = [
        ("features / DuckDB, CPU", mine["19 features"][0] / duck[0], "≤ .5"),
        ("log + features / DuckDB, CPU", built[0] / duck[0], "≤ .75"),
        ("log + features / DuckDB, wall", built[1] / duck[1], "≤ 1"),
        ("all features / the 19, CPU", whole / mine["19 features"][0], "≤ 3"),
        ("peak GB, log + 19 features", ours["peak_gb"], "≤ 3"),
        ("peak GB, with all features", ours["peak_all_gb"], "≤ 3"),
        ("peak GB, DuckDB", theirs["peak_gb"], ""),
        ("largest relative difference", _largest_difference(ours, theirs), "≤ 1e-9"),
    ]
    for name, value, goal in rows:
        print(f"{name:34}{value:10.3g}  {goal}")


def _largest_difference(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    pairs = [(ours["sums"][name], theirs["sums"][name]) for name in ours["sums"]]
    return max(abs(a - b) / max(abs(b), 1e-300) for a, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--in-time-order", action="store_true")
    parser.add_argument("--side", choices=("ours", "duckdb"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        _child(asked.side, asked.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        _write_events(Path(folder), asked.events, asked.in_time_order)
        order = "in time order" if asked.in_time_order else "shuffled"
        print(f"{asked.events:,} events, {order}; {THREADS} threads of {os.cpu_count()}")
        _report(_run_side("ours", Path(folder)), _run_side("duckdb", Path(folder)))


if __name__ == "__main__":
    main()
