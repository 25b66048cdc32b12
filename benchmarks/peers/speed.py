"""How long it takes and how much memory, each in a process of its own.

Reads  Ta-Feng, and a synthetic log made by numpy (Zipf items, half of the lines repeats).
Gives  fit on Ta-Feng; recommend for 100,000 customers × 50,000 items; fit time per event.
Never  anything else of the process's memory: the peak is the child's own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from anticipate.log import History, InteractionLog
from anticipate.needs import NextNeedRanker

from .baskets import Array

N_ITEMS, LINES_EACH, DAYS = 50_000, 20, 365
POOL = 8  # things a customer comes back to
TASTES = 40  # groups of customers with a popularity order of their own
CURVE = (1_000_000, 3_000_000, 10_000_000)
CUTOFF = "2025-01-01"


def synthetic_log(n_events: int, n_customers: int, seed: int = 0) -> InteractionLog:
    """Customers of some taste with a pool of their own, and other lines of that taste.

    Half of all draws follow everybody's Zipf order, half the order of the customer's taste, so
    that there is something to learn from others and the sources that do so are kept.
    """
    draw = np.random.default_rng(seed)
    customer = draw.integers(0, n_customers, n_events)
    owner = np.repeat(np.arange(n_customers), POOL)
    pools = _to_taste(draw, _zipf(draw, n_customers * POOL), owner).reshape(n_customers, POOL)
    item = _to_taste(draw, _zipf(draw, n_events), customer)
    again = draw.random(n_events) < 0.5
    item[again] = pools[customer[again], draw.integers(0, POOL, int(again.sum()))]
    minutes = draw.integers(0, DAYS * 1440, n_events).astype("timedelta64[m]")
    frame = pd.DataFrame({
        "customer_id": customer, "item_id": item,
        "timestamp": np.datetime64("2024-01-02") + minutes,
    })  # fmt: skip
    return InteractionLog.from_frame(frame, timezone="UTC", closed_until=CUTOFF)


def _to_taste(draw: np.random.Generator, item: Array, customer: Array) -> Array:
    """Half of the items moved to where the customer's taste has them."""
    moved = (item * 7 + 1 + (customer % TASTES) * (N_ITEMS // TASTES)) % N_ITEMS
    return np.where(draw.random(len(item)) < 0.5, moved, item)


def _zipf(draw: np.random.Generator, n: int) -> Array:
    """Items 0..N_ITEMS-1 with probability ∝ 1 / (rank + 10)."""
    weight = 1.0 / (np.arange(N_ITEMS) + 10.0)
    edges = np.cumsum(weight / weight.sum())
    return np.minimum(np.searchsorted(edges, draw.random(n)), N_ITEMS - 1)


def child(part: str, n_events: int) -> None:
    """One measurement in this process; a line of JSON tells what it took."""
    steps: dict[str, Any] = {}
    if part == "tafeng":
        from . import tafeng

        log = tafeng.read_fold(0).log(with_targets=True)
        history = log.as_of(str(tafeng.START + np.timedelta64(tafeng.TARGET_DAY + 1, "D")))
        ranker = NextNeedRanker(target="next_basket", random_state=0)
    else:
        n_customers = 100_000 if part == "recommend" else n_events // LINES_EACH
        history = synthetic_log(n_events, n_customers).as_of(CUTOFF)
        ranker = NextNeedRanker(horizon_days=56, random_state=0)
    _measure(steps, "log", lambda: history.n_events)
    _measure(steps, "fit", lambda: ranker.fit(history))
    if part == "recommend":
        lists = _measure(steps, "recommend", lambda: ranker.recommend(history, n=10))
        steps["rows"] = len(lists)
    steps["size"] = _size(history)
    print(json.dumps(steps))


def _measure(steps: dict[str, Any], name: str, work: Callable[[], Any]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # kB on Linux
    steps[name] = (time.perf_counter() - wall, time.process_time() - cpu, peak)
    return result


def _size(history: History) -> list[int]:
    return [history.n_events, history.n_customers, history.n_items]


def _run(part: str, n_events: int = 0) -> dict[str, Any]:
    script = Path(__file__).resolve().parents[1] / "needs.py"
    command = [sys.executable, "-W", "ignore", str(script), "speed", "--child", part, str(n_events)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    steps: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print("\n{}: {:,} events, {:,} customers, {:,} items".format(part, *steps["size"]))
    for name in ("log", "fit", "recommend"):
        if name in steps:
            wall, cpu, peak = steps[name]
            note = "" if name != "log" else "  (peak before fit)"
            print(f"  {name:10}{wall:8.1f} s wall {cpu:8.1f} s CPU   peak {peak:.2f} GB{note}")
    return steps


def run(largest: int = CURVE[-1]) -> None:
    _run("tafeng")
    _run("recommend", 2_000_000)
    first = None
    for n_events in CURVE:
        if n_events <= largest:
            _, cpu, _ = _run("fit", n_events)["fit"]
            each = 1e6 * cpu / n_events
            first = first or each
            print(f"  {each:.2f} µs CPU per event, {each / first:.2f} times that of {CURVE[0]:,}")
