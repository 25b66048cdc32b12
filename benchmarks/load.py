"""Load on ``anticipate serve``: bundles are replaced, clients misbehave, every answer is checked.

Reads  two bundles of the bookshop: one model at two cutoffs.
Gives  a table; exit 1 on a wrong answer, a 5xx, a lost connection, a worker that died, an error
       in the log, or private memory that grew by more than 5 % after the warm-up.
Never  an answer compared with another generation's: each is checked against the scorer that it
       names, asked in process beforehand.

    make load                                    # ten minutes
    python benchmarks/load.py --minutes 1
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
from load_clients import Load, Tally, run_clients, summary
from load_questions import bad_requests, make_questions

from anticipate import Anticipator, load_example
from anticipate.bundle.layout import read_pointer
from anticipate.serving import Scorer

CUTOFFS = ("2025-02-15", "2025-03-01")
MOST_GROWTH, SHORTEST_SECONDS = 0.05, 120.0  # a shorter run says nothing about memory
N_QUESTIONS, SAMPLE_SECONDS, END_SECONDS = 300, 2.0, 60.0
Save = Callable[[Path], object]


class Result(NamedTuple):
    rows: list[tuple[str, object]]
    violations: dict[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--refresh-seconds", type=float, default=20)
    given = parser.parse_args()
    result = run(_saves(), 60 * given.minutes, given.refresh_seconds, given.workers)
    for name, value in result.rows:
        print(f"{name:<34}{value}")
    for name, n in result.violations.items():
        print(f"VIOLATION {n:>6} x {name}")
    print("nothing went wrong" if not result.violations else "some things went wrong")
    sys.exit(1 if result.violations else 0)


def _saves() -> list[Save]:
    """One model at two cutoffs: the bundle that a nightly refresh makes."""
    log = load_example("bookshop")
    model = Anticipator(random_state=0).fit(log.as_of(CUTOFFS[0]))
    later = log.as_of(CUTOFFS[1])
    return [lambda folder: model.save(folder), lambda folder: model.save(folder, history=later)]


def run(saves: Sequence[Save], seconds: float, refresh_seconds: float, workers: int) -> Result:
    """Serve what ``saves`` write in turn, and load it."""
    with tempfile.TemporaryDirectory() as scratch:
        scorers = {}
        for number, save in enumerate(saves):
            save(folder := Path(scratch) / str(number))
            scorers[read_pointer(folder).generation] = Scorer.load(folder)
        if len(scorers) < len(saves):
            sys.exit("the bundles are the same: nothing would be seen of a refresh.")
        questions = make_questions(scorers, N_QUESTIONS)
        saves[0](served := Path(scratch) / "served")
        with open(Path(scratch) / "log", "w+", encoding="utf-8") as log:
            server = Server(served, workers, log)
            load = Load(server.port, questions, bad_requests(), time.monotonic() + seconds)
            with Refresher(saves, served, refresh_seconds) as refresher:
                memory = Memory(server, seconds, 2 * refresh_seconds)
                with memory:
                    tally = asyncio.run(run_clients(load))
            ended = server.end()
        return _judged(tally, refresher, memory, ended, len(scorers), seconds)


def _judged(
    tally: Tally, refresher: Refresher, memory: Memory, ended: list[str], n: int, seconds: float
) -> Result:
    violations = tally.violations
    for said in (*ended, *refresher.errors, *memory.violations(seconds)):
        violations[said] += 1
    if refresher.n_saved > 1 and len(tally.generations) < n:  # one may come too late to be seen
        violations["a saved bundle was never served"] += 1
    rows = [
        *summary(tally, seconds),
        ("bundles saved meanwhile", refresher.n_saved),
        *memory.rows(),
    ]
    return Result(rows, dict(violations))


class Server:
    """``anticipate serve`` in a process of its own."""

    def __init__(self, folder: Path, workers: int, log: object) -> None:
        self._log, self._workers = log, workers
        command = [sys.executable, "-m", "anticipate", "serve", str(folder), "--port", "0"]
        options = ["--workers", str(workers), "--refresh-seconds", "1", "--log-level", "warning"]
        self.process = subprocess.Popen([*command, *options], stderr=log)
        self.port = int(_wait(lambda: re.search(r"http://[\w.]+:(\d+)", self.said()))[1])
        _wait(self._is_ready)
        self.pids = sorted(one.pid for one in self.workers())

    def said(self) -> str:
        return Path(self._log.name).read_text(encoding="utf-8")

    def _is_ready(self) -> bool:
        """Asked so often that each worker is met."""
        try:
            for _ in range(20 * self._workers):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).close()
        except OSError:
            return False
        return len(self.workers()) == self._workers

    def workers(self) -> list[psutil.Process]:
        me = psutil.Process(self.process.pid)
        if self._workers == 1:
            return [me]
        return [one for one in me.children() if "spawn_main" in " ".join(one.cmdline())]

    def end(self) -> list[str]:
        """What was wrong with its life and its end."""
        found = [] if sorted(one.pid for one in self.workers()) == self.pids else ["a worker died"]
        self.process.send_signal(signal.SIGTERM)
        try:
            if self.process.wait(END_SECONDS) != 0:
                found.append(f"the server ended with {self.process.returncode}")
        except subprocess.TimeoutExpired:
            self.process.kill()
            found.append("the server did not end on SIGTERM")
        logged = self.said()
        if "Traceback" in logged or " ERROR " in logged:
            sys.stderr.write(logged[-4000:])
            found.append("an error in the server's log")
        return found


class Refresher(threading.Thread):
    """Saves one bundle after the other into the served folder."""

    def __init__(self, saves: Sequence[Save], folder: Path, seconds: float) -> None:
        super().__init__()
        self._saves, self._folder, self._seconds = saves, folder, seconds
        self._over = threading.Event()
        self.n_saved, self.errors = 0, []

    def run(self) -> None:
        while not self._over.wait(self._seconds):
            try:
                self._saves[(self.n_saved + 1) % len(self._saves)](self._folder)
            except Exception as error:
                self.errors.append(f"saving failed: {type(error).__name__}")
            self.n_saved += 1

    def __enter__(self) -> Refresher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


class Memory(threading.Thread):
    """Private memory (USS) of each worker over time."""

    def __init__(self, server: Server, seconds: float, window_seconds: float) -> None:
        super().__init__()
        self._server, self._over = server, threading.Event()
        self._warm_seconds = seconds / 5
        self._n = max(int(window_seconds / SAMPLE_SECONDS), 1)  # samples to take a median of
        self._samples: list[tuple[float, dict[int, int]]] = []

    def run(self) -> None:
        started = time.monotonic()
        while not self._over.wait(SAMPLE_SECONDS):
            try:
                used = {one.pid: one.memory_full_info().uss for one in self._server.workers()}
            except psutil.NoSuchProcess:
                continue
            self._samples.append((time.monotonic() - started, used))

    def __enter__(self) -> Memory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def found(self) -> list[tuple[float, float]]:
        """(before, after) of each worker, in bytes: after the warm-up, and at the end."""
        warm = [used for at, used in self._samples if at >= self._warm_seconds]
        return [
            tuple(statistics.median(used.get(pid, 0) for used in part)
                  for part in (warm[: self._n], warm[-self._n :]))
            for pid in self._server.pids if warm
        ]  # fmt: skip

    def rows(self) -> list[tuple[str, str]]:
        return [
            (f"memory of worker {number}", f"{a / 1e6:.1f} -> {b / 1e6:.1f} MB ({b / a - 1:+.1%})")
            for number, (a, b) in enumerate(self.found(), 1)
        ]

    def violations(self, seconds: float) -> list[str]:
        if seconds < SHORTEST_SECONDS:
            return []
        return [f"memory grew by more than {MOST_GROWTH:.0%}" for a, b in self.found()
                if b > a * (1 + MOST_GROWTH)]  # fmt: skip


def _wait(holds: Callable[[], object]) -> object:
    until = time.monotonic() + END_SECONDS
    while not (value := holds()):
        if time.monotonic() > until:
            sys.exit("the server did not come up.")
        time.sleep(0.1)
    return value


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
