"""Other libraries, each in an environment of its own: made once, then run as a subprocess.

Reads  a ``Window``: its pairs go over as arrays, nothing of ours is imported there.
Gives  lists per library and model.
Never  touches the environment that runs the benchmark.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from .baskets import Array, Visits

PEERS = {"LensKit": "lenskit", "RecTools": "rectools", "implicit": "implicit"}
THREADS = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "2",
           "RAYON_NUM_THREADS": "2", "LK_NUM_THREADS": "2"}  # fmt: skip


def environment(package: str) -> Path:
    """The interpreter of the package's environment, made and filled if it is not there."""
    default = Path.home() / ".cache" / "anticipate-bench"
    folder = Path(os.environ.get("ANTICIPATE_BENCH_CACHE", default)) / package
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / ".installed"
    if not done.exists():
        print(f"  making {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
        done.touch()
    return python


def version(package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.check_output([environment(package), "-c", code], text=True).strip()


def peer_lists(visits: Visits, asked: Array, n: int = 10) -> dict[str, Array]:
    """Lists of every peer's every model, named ``library: model``."""
    found: dict[str, Array] = {}
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "pairs.npz", Path(scratch) / "lists.npz"
        _write(source, visits, asked)
        for name, package in PEERS.items():
            script = Path(__file__).with_name(f"{package}_run.py")
            command = [environment(package), "-W", "ignore", script, source, target, str(n)]
            done = subprocess.run(
                command, env=os.environ | THREADS, capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"  {name} failed: {done.stderr.strip().splitlines()[-1:]}")
                continue
            with np.load(target) as lists:
                found |= {f"{name}: {model}": lists[model] for model in lists.files}
    return found


def _write(path: Path, visits: Visits, asked: Array) -> None:
    """Distinct pairs with the number of days and the last day."""
    pair, days = np.unique(visits.customer * visits.n_items + visits.item, return_counts=True)
    order = np.lexsort((visits.day, visits.customer * visits.n_items + visits.item))
    last_day = visits.day[order][np.cumsum(days) - 1]
    customer, item = np.divmod(pair, visits.n_items)
    np.savez(path, customer=customer, item=item, days=days, last_day=last_day, asked=asked)
