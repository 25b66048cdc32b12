"""The guard of duplicates, proven on past carts.

    python benchmarks/guards.py injection                       # mistakes put into real carts
    python benchmarks/guards.py precision --data online_retail  # at set prevalences, in money
    python benchmarks/guards.py truth                           # a simulator's own mistakes
    python benchmarks/guards.py nature                          # bought twice, one sent back
    python benchmarks/guards.py wanted                          # is P(wanted again) right?
    python benchmarks/guards.py speed
    python benchmarks/guards.py injection --cutoffs all --guard cost_annoyance=2

Legitimate is every real line that was not injected, also one later sent back. Thresholds come
from carts before the cutoff; the rates they gave after it stand beside. Nothing may be tuned
on the last cutoff: the default is the earlier ones.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import time
import warnings
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is loaded

PARTS = ("injection", "precision", "truth", "nature", "wanted", "speed")
DATA = ("online_retail", "complete_journey", "complete_journey_hidden", "bookshop")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--data", nargs="+", choices=DATA, default=None)
    parser.add_argument("--cutoffs", choices=("earlier", "last", "all"), default="earlier")
    parser.add_argument("--guard", nargs="*", default=[], metavar="name=value",
                        help="arguments of DuplicateGuard")  # fmt: skip
    asked = parser.parse_args()
    began = time.perf_counter()
    module = "guards_injected" if asked.part == "injection" else f"guards_{asked.part}"
    importlib.import_module(module).run(asked.data, asked.cutoffs, _options(asked.guard))
    print(f"\n{asked.part}: {time.perf_counter() - began:.0f} s")


def _options(given: list[str]) -> dict[str, Any]:
    pairs = (one.partition("=") for one in given)
    return {name: _value(text) for name, _, text in pairs}


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
