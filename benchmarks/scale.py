"""Features of logs of growing size by the streamed engine: time, CPU and peak memory.

    python benchmarks/scale.py                          # 1M and 10M events
    python benchmarks/scale.py --events 100000000 --memory 4GB

Each size runs in a process of its own (two workers, whose CPU seconds and peak are added).
The events are made in parts of 5 million and written to Parquet, 20 a customer; the 19 features
are those of ``benchmarks/features.py``. Goal: 100M events in 150 s within 4 GB, and time per
event at most 1.3 times that of 10M.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from features import CUSTOMER_FEATURES, CUTOFF, END, PAIR_FEATURES, START

from anticipate.datasets import make_events
from anticipate.engines import partition_events, streamed_features

PART = 5_000_000
JOBS = 2
OPTIONS = {"quantity": "quantity", "price": "price", "timezone": "UTC", "closed_until": CUTOFF}


def write_events(folder: Path, n_events: int) -> None:
    """Shuffled rows in files of ``PART``; every file is of all customers and all days."""
    n_customers, n_items = max(n_events // 20, 1), max(min(n_events // 200, 200_000), 10)
    for number, first in enumerate(range(0, n_events, PART)):
        n = min(PART, n_events - first)
        rows = make_events(n, n_customers, n_items, random_state=number, start=START, end=END)
        order = np.random.default_rng(number).permutation(n)
        table = pa.table({name: column[order] for name, column in rows.items()})
        pq.write_table(table, folder / f"{number:04d}.parquet", row_group_size=1 << 20)


def run(folder: Path, memory: str) -> dict[str, Any]:
    """The job itself, its memory watched."""
    watch = Watch()
    steps, began = {}, time.perf_counter()
    parts = partition_events(
        folder / "events", folder / "work", memory=memory, n_jobs=JOBS, **OPTIONS
    )
    steps["partition"] = time.perf_counter() - began
    for level, features in (("customer", CUSTOMER_FEATURES), ("pair", PAIR_FEATURES)):
        before = time.perf_counter()
        streamed_features(
            parts, CUTOFF, folder / level, level=level, features=features, n_jobs=JOBS
        )
        steps[f"features of {level}s"] = time.perf_counter() - before
    wall = time.perf_counter() - began
    return {"steps": steps, "wall": wall, "n": parts.n, "peak_gb": watch.stop(), "cpu": _cpu()}


class Watch(threading.Thread):
    """Largest sum of unshared memory of this process and its workers, looked at 20 times a s."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.over = 0, threading.Event()
        self.start()

    def run(self) -> None:
        me = psutil.Process()
        while not self.over.wait(0.05):
            sizes = [_unshared(one) for one in (me, *me.children(recursive=True))]
            self.peak = max(self.peak, sum(sizes))

    def stop(self) -> float:
        self.over.set()
        return self.peak / 1e9


def _unshared(process: psutil.Process) -> int:
    try:
        found = process.memory_info()
    except psutil.NoSuchProcess:
        return 0
    return int(found.rss - found.shared)


def _cpu() -> float:
    """Of this process and the workers that have ended."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.folder:
        print(json.dumps(run(asked.folder, asked.memory)))
        return
    print(
        f"{'events':>12}{'parts':>7}{'wall s':>9}{'CPU s':>8}{'peak GB':>9}{'µs/event':>10}  steps"
    )
    for n_events in asked.events:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "events").mkdir()
            write_events(Path(folder) / "events", n_events)
            command = [sys.executable, __file__, "--folder", folder, "--memory", asked.memory]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in found["steps"].items())
        each = found["wall"] / n_events * 1e6
        print(f"{n_events:12,}{found['n']:7}{found['wall']:9.1f}{found['cpu']:8.1f}", end="")
        print(f"{found['peak_gb']:9.2f}{each:10.2f}  {steps}")
    print("goal at 100M: ≤ 150 s, ≤ 4 GB, time per event ≤ 1.3 times that at 10M")


if __name__ == "__main__":
    main()
