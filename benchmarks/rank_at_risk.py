"""``anticipate rank-at-risk`` over a million customers: seconds, and how much memory.

    python benchmarks/rank_at_risk.py                       # 250,000 and a million customers
    python benchmarks/rank_at_risk.py --customers 100000    # fewer
    python benchmarks/rank_at_risk.py --folder DIR          # keep the bundles there, use them again

A model is fitted on 3,000 simulated customers of one year. Their stored states, one after the
other under new ids, are the bundle of n customers: prices and churn offsets are moved at random
(fixed seed), so that customers differ. Customers' attributes stand in a Parquet file: channel,
objections, entitled levels. Each command runs in a process of its own, with
``--verify structure``: a full check reads every byte of the bundle and counts it as resident.

``resident`` is the most that the process held at once, files included that are mapped and not
copied: the system takes those pages back when it needs them. ``own`` is the most that it had for
itself, seen every 20 ms. ``events`` is what all stored events take as arrays.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from anticipate import Anticipator
from anticipate.anticipator.state import make_state
from anticipate.bundle import open_bundle, write_bundle
from anticipate.datasets import make_log
from anticipate.kernels.ids import build_id_index
from anticipate.serving import Scorer
from anticipate.serving.golden import golden_rows

FITTED, SEED = 3_000, 0
CUTOFF, MOMENT = "2025-03-01", "2025-03-08"
PLAN = """
[plan]
budget = {budget}
holdout = 0.05
cool_down_days = 14
max_contacts = 3
eligible = "service"

[[level]]
name = "Basic"
cost = 0.5
save_probability = 0.05
channel = "email"

[[level]]
name = "Enhanced"
cost = 2.0
save_probability = 0.12
channel = "phone"

[[level]]
name = "Premium"
cost = 6.0
save_probability = 0.25
"""
ROW = "{:34}{:>9}{:>9}{:>12}{:>9}"


class Used(NamedTuple):
    """By one process."""

    wall: float  # seconds
    cpu: float
    resident: float  # MB
    own: float


def make_bundles(folder: Path, sizes: list[int]) -> None:
    """Fit once, write a bundle and an attribute file for each number of customers."""
    log = make_log(FITTED, start="2024-03-01", end=CUTOFF, random_state=SEED)
    model = Anticipator(random_state=SEED).fit(log.as_of(CUTOFF))
    manifest, arrays = make_state(model, model.history_, with_models=True)
    for n in sizes:
        ids = np.array([f"C{i:07d}" for i in range(n)], dtype=object)
        state = {**manifest, "n_customers": n}
        large = many(arrays, ids)
        state["n_events"] = int(large["events__offsets"][-1])
        state["golden"] = golden_rows(Scorer(state, large))
        write_bundle(folder / f"{n}.bundle", state, large)
        attributes(ids).to_parquet(folder / f"{n}.parquet", index=False)
        text = PLAN.format(budget=0.1 * n)
        (folder / f"{n}.toml").write_text(text, encoding="utf-8")


def many(arrays: dict[str, Any], ids: np.ndarray) -> dict[str, Any]:
    """The states of few customers again and again, under these ids."""
    rng = np.random.default_rng(SEED)
    who = np.arange(len(ids)) % (len(arrays["events__offsets"]) - 1)
    out = dict(arrays)
    out |= {f"customers__{name}": part for name, part in build_id_index(ids).items()}
    for group in ("events", "candidates"):
        offsets = arrays[f"{group}__offsets"]
        counts = np.diff(offsets)[who]
        ends = np.cumsum(counts)
        rows = np.arange(ends[-1]) + np.repeat(offsets[who] - ends + counts, counts)
        for name, column in arrays.items():
            if name.startswith(f"{group}__") and len(column) == offsets[-1]:
                out[name] = column[rows]
        out[f"{group}__offsets"] = np.append(0, ends)
    dearer = np.repeat(rng.lognormal(0, 0.5, len(ids)), np.diff(out["events__offsets"]))
    out["events__price"] = out["events__price"] * dearer
    shift = rng.normal(0, 0.2, len(ids))
    for name in ("churn__offset", "churn__offset_later"):
        out[name] = arrays[name][who] + shift
    out["customer__flags"] = arrays["customer__flags"][who]
    return out


def attributes(ids: np.ndarray) -> pd.DataFrame:
    rng = np.random.default_rng(SEED)

    def some(words: list[Any], share: list[float]) -> np.ndarray:
        return np.array(words, dtype=object)[rng.choice(len(words), len(ids), p=share)]

    return pd.DataFrame(
        {"customer_id": ids,
         "preferred_channel": some(["email", "phone", None], [0.3, 0.1, 0.6]),
         "objects_to": some(["marketing", "profiling", "phone", None], [0.02, 0.02, 0.02, 0.94]),
         "service": some(["Basic", "Basic,Enhanced", "Basic,Enhanced,Premium"], [0.3, 0.4, 0.3])}
    )  # fmt: skip


def run(command: list[str], account: bool = False) -> Used:
    """One process to its end; its last words are shown if asked for."""
    start = time.perf_counter()
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as words:
        child = subprocess.Popen(command, stderr=words, stdout=words, env=environment)
        own, done = 0.0, 0
        while not done:
            time.sleep(0.02)
            own = max(own, own_memory(child.pid))
            done, status, usage = os.wait4(child.pid, os.WNOHANG)
        child.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        told = words.read()
    if child.returncode:
        sys.exit(told)
    if account:
        print("".join(f"    {line}\n" for line in told.splitlines()), end="")
    wall, cpu = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    return Used(wall, cpu, usage.ru_maxrss / 1e3, own)


def own_memory(pid: int) -> float:
    """Memory that no file stands behind, MB; Linux."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1e3


def show(folder: Path, n: int) -> None:
    manifest, arrays = open_bundle(folder / f"{n}.bundle", verify="structure")
    n_events = int(arrays["events__offsets"][-1])
    size = sum(part.nbytes for name, part in arrays.items() if name.startswith("events__"))
    print(f"\n{n:,} customers, {n_events:,} events: events {size / 1e6:,.0f} MB, bundle "
          f"{sum(one['size'] for one in manifest['files'].values()) / 1e6:,.0f} MB")  # fmt: skip
    print(ROW.format("", "wall s", "cpu s", "resident MB", "own MB"))
    where = ["--bundle", str(folder / f"{n}.bundle"), "--as-of", MOMENT, "--verify", "structure"]
    plan = ["--levels", str(folder / f"{n}.toml"), "--customers", str(folder / f"{n}.parquet")]
    command = [sys.executable, "-m", "anticipate", "rank-at-risk", *where]
    cases = {
        "--top 500 to CSV": ["--top", "500", "--out", str(folder / "out.csv")],
        "--top 500 --explain": ["--top", "500", "--explain", "--out", str(folder / "out.csv")],
        "--levels to CSV": [*plan, "--out", str(folder / "out.csv")],
        "--levels --everybody to Parquet": [
            *plan, "--everybody", "--out", str(folder / "out.parquet")],
        "--levels --everybody to JSON": [*plan, "--everybody", "--out", str(folder / "out.json")],
    }  # fmt: skip
    for name, options in cases.items():
        used = run(command + options, account=name == "--levels to CSV")
        numbers = (f"{used.wall:.1f}", f"{used.cpu:.1f}", f"{used.resident:,.0f}")
        print(ROW.format(name, *numbers, f"{used.own:,.0f}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, nargs="+", default=[250_000, 1_000_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--make", action="store_true", help="write the bundles alone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        missing = [n for n in arguments.customers if not (folder / f"{n}.toml").exists()]
        if arguments.make:
            make_bundles(folder, missing)
            return
        if missing:
            sizes = ["--customers", *map(str, missing)]
            run([sys.executable, __file__, "--make", "--folder", str(folder), *sizes])
        for n in arguments.customers:
            show(folder, n)


if __name__ == "__main__":
    main()
