"""The whole job on Complete Journey: training, one bundle, batch and on-line answers, imports.

    python benchmarks/whole.py                  # everything
    python benchmarks/whole.py --bundle FOLDER  # keep the bundle there; use it if it is there

Training runs in a process of its own, so that its peak is its own; answers come from the bundle
it saved, as a service gives them. Requests are random households with random carts and
sessions, half of them from what the household bought before. Wall seconds depend on what else
runs on the machine, so CPU seconds stand beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from complete_journey import read_orders, read_products

from anticipate.log import InteractionLog
from anticipate.serving import Scorer

CUTOFF, MOMENT = "2018-01-02", "2018-01-09T10:00:00-05:00"
SESSION = "2018-01-09T09:30:00-05:00"
REQUESTS, STARTS, SEED = 2_000, 9, 0
ROW = "{:46}{:>10}{:>10}   {}"


def read_history() -> Any:
    log = InteractionLog.from_frame(
        read_orders(), customer_id="household_id", item_id="product_id",
        timestamp="transaction_timestamp", quantity="quantity", amount="sales_value",
        order_id="basket_id", timezone="America/New_York", items=read_products(),
        on_bad_rows="quarantine",
    )  # fmt: skip
    return log.as_of(CUTOFF)


def train(folder: str) -> None:
    """Fit and save, in this process; a line of JSON tells how long it took."""
    from anticipate import Anticipator

    steps: dict[str, Any] = {}
    history = _timed(steps, "read and build the log", read_history)
    model = _timed(steps, "Anticipator.fit", lambda: Anticipator(random_state=0).fit(history))
    steps["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # kB on Linux
    _timed(steps, "save", lambda: model.save(folder))
    steps["size"] = [history.n_events, history.n_customers, history.n_items]
    print(json.dumps(steps))


def _timed(steps: dict[str, Any], name: str, work: Callable[[], Any]) -> Any:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    steps[name] = (time.perf_counter() - wall, time.process_time() - cpu)
    return result


def show_training(folder: Path) -> None:
    command = [sys.executable, "-W", "ignore", __file__, "--train", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    steps = json.loads(done.stdout)
    print("{:,} events, {:,} households, {:,} products".format(*steps.pop("size")))
    peak = steps.pop("peak_gb")
    for name, (wall, cpu) in steps.items():
        _row(name, wall, cpu, "s", "≤ 180 s" if name == "Anticipator.fit" else "")
    print(ROW.format("peak memory of read and fit", f"{peak:.2f} GB", "", "≤ 6 GB"))


def show_answers(folder: Path) -> None:
    steps: dict[str, Any] = {}
    scorer = _timed(steps, "load (verify=full)", lambda: Scorer.load(folder))
    n = len(scorer.customer_ids())
    table = _timed(steps, f"suggest_many, {n:,} households", lambda: _all(scorer))
    _timed(steps, "rank_at_risk, top 500", lambda: scorer.rank_at_risk(as_of=MOMENT))
    for name, (wall, cpu) in steps.items():
        _row(name, wall, cpu, "s", "≤ 5 s" if name.startswith("suggest") else "")
    assert len(table) >= n, "every household gets an answer"
    for name, requests in make_requests(scorer).items():
        _show_requests(scorer, name, requests)


def _all(scorer: Scorer) -> Any:
    return scorer.suggest_many(as_of=MOMENT)


def make_requests(scorer: Scorer) -> dict[str, list[tuple[Any, dict[str, Any]]]]:
    """Random households: alone, and with a cart of two and a session of three events."""
    draw = random.Random(SEED)
    ids = [draw.choice(scorer.customer_ids().tolist()) for _ in range(REQUESTS)]
    history = read_history()
    sold = history.item_ids[np.unique(history.events.item)].tolist()
    full = []
    for id_ in ids:
        start, end = _rows_of(history, id_)
        own = history.item_ids[history.events.item[start:end]].tolist() or sold
        cart = [draw.choice(own), draw.choice(sold)]
        seen = [draw.choice(own), draw.choice(sold), draw.choice(sold)]
        recent = [
            {"customer_id": id_, "item_id": item, "timestamp": SESSION, "event": event}
            for item, event in zip(seen, ("purchase", "view", "view"), strict=True)
        ]
        full.append((id_, {"cart": cart, "recent": recent}))
    return {"suggest": [(id_, {}) for id_ in ids], "suggest, cart of 2, recent of 3": full}


def _rows_of(history: Any, id_: Any) -> tuple[int, int]:
    code = int(np.searchsorted(history.customer_ids, id_))
    start, end = history.events.offsets[code : code + 2].tolist()
    return start, end


def _show_requests(scorer: Scorer, name: str, requests: list[tuple[Any, dict[str, Any]]]) -> None:
    walls, cpus = [], []
    for number, (id_, given) in enumerate(requests):
        cpu, wall = time.thread_time(), time.perf_counter()
        scorer.suggest(id_, as_of=MOMENT, **given)
        if number >= REQUESTS // 10:  # the first ones warm the caches
            walls.append(1e3 * (time.perf_counter() - wall))
            cpus.append(1e3 * (time.thread_time() - cpu))
    _row(f"{name}, median", statistics.median(walls), statistics.median(cpus), "ms", "≤ 1 ms")
    high = [float(np.percentile(times, 99)) for times in (walls, cpus)]
    _row(f"{name}, 99 of 100 within", *high, "ms", "")


def show_imports() -> None:
    for module, goal in (("anticipate", "≤ .1 s"), ("anticipate.serving", "≤ .2 s")):
        code = (
            "import time; w, c = time.perf_counter(), time.process_time(); "
            f"import {module}; print(time.perf_counter() - w, time.process_time() - c)"
        )
        command = [sys.executable, "-c", code]
        found = [subprocess.check_output(command, text=True).split() for _ in range(STARTS)]
        wall, cpu = (statistics.median(map(float, times)) for times in zip(*found, strict=True))
        _row(f"import {module}, median of {STARTS}", wall, cpu, "s", goal)


def _row(name: str, wall: float, cpu: float, unit: str, goal: str) -> None:
    print(ROW.format(name, f"{wall:.3f} {unit}", f"{cpu:.3f} {unit}", goal))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bundle", type=Path, help="a folder to keep the bundle in")
    parser.add_argument("--train", metavar="FOLDER", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if asked.train:
        train(asked.train)
        return
    print(f"Complete Journey; {os.cpu_count()} processors")
    print(ROW.format("", "wall", "CPU", "goal"))
    show_imports()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.bundle or Path(scratch) / "bundle"
        if not (folder / "CURRENT").exists():
            show_training(folder)
        show_answers(folder)


if __name__ == "__main__":
    main()
