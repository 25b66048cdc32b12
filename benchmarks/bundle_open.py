"""How long a bundle takes to open, against SHA-256 over the same bytes.

    python benchmarks/serving_bundle.py FOLDER              # a million customers, 50 million events
    python benchmarks/bundle_open.py FOLDER                 # then this, five rounds
    python benchmarks/bundle_open.py FOLDER --rounds 3

Each number is of a process of its own, which opens the bundle once with the page cache warm; the
kinds take turns, so that whatever else the machine does meets all of them. ``sha256`` reads every
file through ``hashlib.file_digest`` and nothing else. ``resident`` is the most that the process
held at once, pages of mapped files included; ``own`` (USS) is what it alone holds when the bundle
is open. What importing the library takes is shown apart and not counted.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROW = "{:26} {:>9} {:>9} {:>12} {:>8}"


def sha256(folder: Path) -> None:
    """Every byte of the generation in use, file after file."""
    generation = folder / (folder / "CURRENT").read_text().split()[0]
    for file in sorted(generation.iterdir()):
        with file.open("rb") as handle:
            hashlib.file_digest(handle, "sha256")


def sha256_on_two(folder: Path) -> None:
    """The same by two threads."""
    from concurrent.futures import ThreadPoolExecutor

    def one(file: Path) -> None:
        with file.open("rb") as handle:
            hashlib.file_digest(handle, "sha256")

    generation = folder / (folder / "CURRENT").read_text().split()[0]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, sorted(generation.iterdir())))


def full(folder: Path) -> object:
    from anticipate.serving import Scorer

    return Scorer.load(folder, verify="full")


def full_on_one(folder: Path) -> object:
    """All by one thread."""
    from anticipate.bundle import reader

    reader._THREADS = 1
    return full(folder)


def checks(folder: Path) -> object:
    """What "full" does beside hashing."""
    from anticipate.bundle import open_bundle
    from anticipate.serving.checks import content_faults

    manifest, arrays = open_bundle(folder, verify="structure")
    start = time.perf_counter()
    faults = list(content_faults(manifest, arrays, True))
    return time.perf_counter() - start, faults


def structure(folder: Path) -> object:
    from anticipate.serving import Scorer

    return Scorer.load(folder, verify="structure")


KINDS: dict[str, Callable[[Path], object]] = {
    "sha256": sha256,
    "sha256, two threads": sha256_on_two,
    "full": full,
    "full, one thread": full_on_one,
    "checks of contents": checks,
    "structure": structure,
}


def alone(kind: str, folder: Path) -> None:
    """One opening in this process; prints seconds and megabytes."""
    if kind not in ("sha256", "sha256, two threads"):
        import anticipate.kernels.special
        import anticipate.serving

        anticipate.kernels.special.expit(0.0)  # else loading scipy would be counted
        assert anticipate.serving.Scorer
    start = time.perf_counter()
    held = KINDS[kind](folder)
    took = held[0] if isinstance(held, tuple) else time.perf_counter() - start
    own = psutil.Process().memory_full_info().uss / 1e6
    print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, own)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alone", choices=KINDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        alone(arguments.alone, arguments.folder)
        return
    size = sum(file.stat().st_size for file in arguments.folder.glob("gen-*/*"))
    print(f"{size / 1e9:.2f} GB, {os.cpu_count()} cores, {arguments.rounds} rounds")
    seen: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for _ in range(arguments.rounds):
        for kind, found in seen.items():
            command = [sys.executable, __file__, str(arguments.folder), "--alone", kind]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append([float(word) for word in done.stdout.split()])
    print(ROW.format("", "median s", "best s", "resident MB", "own MB"))
    for kind, found in seen.items():
        times, resident, own = zip(*found, strict=True)
        print(ROW.format(kind, f"{statistics.median(times):.3f}", f"{min(times):.3f}",
                         f"{max(resident):,.0f}", f"{max(own):,.0f}"))  # fmt: skip
    for kind in ("full", "full, one thread"):
        ratios = [a[0] / b[0] for a, b in zip(seen[kind], seen["sha256"], strict=True)]
        print(f"{kind} / sha256, round by round: {', '.join(f'{one:.2f}' for one in ratios)}; "
              f"median {statistics.median(ratios):.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
