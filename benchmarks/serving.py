"""Serving, measured: one customer, many, memory, beside other libraries.

    python benchmarks/serving_bundle.py FOLDER      # once; a few minutes, 10 GB of memory
    python benchmarks/serving.py FOLDER             # one, check, cold, many, memory, peers
    python benchmarks/serving.py FOLDER one peers   # only these
    python benchmarks/bundle_open.py FOLDER         # how long it takes to open, against SHA-256

``one``: ``suggest`` with a cart of 2 and 3 recent events, n = 3, sentences included, 10,000
random customers, page cache warm, one thread; then without cart, without recent events. The guards
of duplicates and returns speak in this bundle. ``check``: ``check_cart`` with 20 lines. ``cold``:
the first question about a customer whose pages are not in memory. ``many``: ``suggest_many``, two
processes. ``memory``: what four processes hold on their own after 10,000 requests. ``peers``:
implicit's ``recommend`` for one user (100,000 x 10,000, 64 factors, one BLAS thread), turn and
turn about with ours in one process; LensKit and RecTools in environments of their own.

Goals: .15 ms in the middle and 1 ms at 99 % for ``one``; .3 and 1 ms for ``check``; 42,000
customers a second for ``many``; 150 MB for ``memory``; no slower than implicit, 20 times faster
than the others.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is loaded

import numpy as np  # noqa: E402
from peers.outside import environment  # noqa: E402
from serving_bundle import customer_id, item_id  # noqa: E402

from anticipate.serving import Scorer  # noqa: E402
from anticipate.serving.instants import to_datetime  # noqa: E402

DAY, MINUTE, SEED = 86_400_000_000, 60_000_000, 1
REQUESTS, COLD, MANY = 10_000, 300, 60_000
Ask = Callable[[Any], Any]


class Shop:
    """A scorer, and random questions to it."""

    def __init__(self, folder: Path, n: int = REQUESTS, seed: int = SEED) -> None:
        self.scorer = Scorer.load(folder, verify="structure")
        self.as_of = to_datetime(self.scorer.cutoff_us + 3 * DAY)
        self.requests = self.draw(n, seed)

    def draw(self, n: int, seed: int) -> list[dict[str, Any]]:
        manifest, rng = self.scorer.manifest, np.random.default_rng(seed)
        seen = [to_datetime(self.scorer.cutoff_us + 2 * DAY + i * MINUTE) for i in range(3)]
        who = rng.integers(0, manifest["n_customers"], n)
        what = rng.integers(0, manifest["n_items"], (n, 25))
        return [
            self._request(customer_id(c), [item_id(i) for i in items], seen)
            for c, items in zip(who.tolist(), what.tolist(), strict=True)
        ]

    def _request(self, customer: str, items: list[str], seen: list[Any]) -> dict[str, Any]:
        events = ("purchase", "view", "view")
        recent = [
            {"customer_id": customer, "item_id": item, "timestamp": at, "event": event}
            for item, at, event in zip(items[:3], seen, events, strict=True)
        ]
        return {"customer_id": customer, "cart": items[3:5], "recent": recent, "lines": items[5:]}

    def suggest(self, q: dict[str, Any], *, cart: bool = True, recent: bool = True) -> list[str]:
        found = self.scorer.suggest(
            q["customer_id"],
            as_of=self.as_of,
            cart=q["cart"] if cart else (),
            recent=q["recent"] if recent else None,
            n=3,
        )
        return [one.reason.text() for one in found]

    def check(self, q: dict[str, Any]) -> list[Any]:
        return self.scorer.check_cart(q["customer_id"], q["lines"], as_of=self.as_of)


def show(name: str, took: list[float], note: str = "") -> float:
    middle = statistics.median(took)
    print(f"  {name:44}{middle:8.3f} ms {np.percentile(took, 99):8.3f} ms at 99 %  {note}")
    return middle


def times(asked: list[Any], *asks: Ask) -> list[list[float]]:
    """Milliseconds of each way of asking, turn and turn about."""
    took: list[list[float]] = [[] for _ in asks]
    for ask in asks:
        for one in asked[:200]:
            ask(one)
    for one in asked:
        for ask, mine in zip(asks, took, strict=True):
            start = time.perf_counter()
            ask(one)
            mine.append(1e3 * (time.perf_counter() - start))
    return took


def one(folder: Path) -> None:
    shop = Shop(folder)
    for request in shop.requests:  # the page cache is warm
        shop.suggest(request)
    ways: tuple[tuple[str, Ask], ...] = (
        ("suggest, cart of 2, 3 recent", shop.suggest),
        ("  without recent events", lambda q: shop.suggest(q, recent=False)),
        ("  without a cart", lambda q: shop.suggest(q, cart=False)),
        ("  without both", lambda q: shop.suggest(q, cart=False, recent=False)),
    )
    took = times(shop.requests, *(ask for _, ask in ways))
    for (name, _), mine in zip(ways, took, strict=True):
        show(name, mine)


def check(folder: Path) -> None:
    shop = Shop(folder)
    for request in shop.requests:
        shop.check(request)
    (took,) = times(shop.requests, shop.check)
    show("check_cart, 20 lines", took)


def cold(folder: Path) -> None:
    for file in folder.rglob("*.npy"):
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    shop = Shop(folder, COLD, seed=SEED + 1)
    shop.suggest(shop.requests[0])  # what all requests share
    took = []
    for request in shop.requests[1:]:
        start = time.perf_counter()
        shop.suggest(request)
        took.append(1e3 * (time.perf_counter() - start))
    show("suggest, first touch of a cold customer", took)


def many(folder: Path) -> None:
    """Two processes, each half of the customers."""
    workers = [_child(folder, "many-child", str(part)) for part in range(2)]
    for worker in workers:  # both have the bundle open
        assert worker.stdout is not None
        worker.stdout.readline()
    start = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    rows = [int(_said(worker)) for worker in workers]
    took = time.perf_counter() - start
    print(f"  suggest_many, two processes: {2 * MANY / took:,.0f} customers/s ({sum(rows):,} rows)")


def many_child(folder: Path, part: str) -> None:
    scorer = Scorer.load(folder, verify="structure")
    as_of, first = to_datetime(scorer.cutoff_us + 3 * DAY), int(part) * MANY
    ids = [customer_id(i) for i in range(first, first + MANY)]
    scorer.suggest_many(ids[:1000], as_of=as_of)
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(scorer.suggest_many(ids, as_of=as_of)), flush=True)


def memory(folder: Path) -> None:
    workers = [_child(folder, "memory-child", str(seed)) for seed in range(4)]
    for worker in workers:
        print(f"  {_said(worker)}")
    for worker in workers:
        worker.communicate("done\n")


def memory_child(folder: Path, seed: str) -> None:
    import psutil

    shop, parts = Shop(folder, 0), REQUESTS // 100
    for part in range(parts):  # questions are not kept: only the answering process is weighed
        for request in shop.draw(100, int(seed) * parts + part):
            shop.suggest(request)
    held = psutil.Process().memory_full_info()
    print(
        f"after {REQUESTS:,} requests: own (USS) {held.uss / 1e6:.0f} MB, "
        f"share (PSS) {held.pss / 1e6:.0f} MB, resident {held.rss / 1e6:.0f} MB",
        flush=True,
    )
    sys.stdin.readline()  # until all four were measured


def peers(folder: Path) -> None:
    shop = Shop(folder, 1_000)
    model, pairs, n_items = _implicit()
    number = iter(range(10**9))

    def recommend(_: Any) -> Any:
        user = next(number) % pairs.shape[0]
        return model.recommend(user, pairs[user], N=10)

    for request in shop.requests:
        shop.suggest(request)
    bare: Ask = lambda q: shop.suggest(q, cart=False, recent=False)  # noqa: E731
    ours, plain, theirs = times(shop.requests, shop.suggest, bare, recommend)
    a, b = show("suggest, cart of 2, 3 recent", ours), show("suggest, without both", plain)
    c = show(f"implicit ALS, recommend, one of {pairs.shape[0]:,} x {n_items:,}", theirs)
    print(
        f"  implicit takes {c / a:.2f} times ours, {c / b:.2f} times ours without cart and recent"
    )
    for package in ("lenskit", "rectools"):
        script = Path(__file__).parent / "peers" / f"one_user_{package}.py"
        done = subprocess.run(
            [environment(package), "-W", "ignore", script], capture_output=True, text=True
        )
        if done.returncode:
            print(f"  {package} failed: {done.stderr.strip().splitlines()[-1:]}")
        for line in done.stdout.splitlines():
            name, _, number_ = line.rpartition(" ")
            print(f"  {name:44}{float(number_):8.3f} ms   {float(number_) / a:.0f} times ours")


def _implicit() -> tuple[Any, Any, int]:
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    rng, m, n_items, n = np.random.default_rng(SEED), 100_000, 10_000, 1_300_000
    item = (n_items * rng.random(n) ** 2).astype(np.int32)
    pairs = csr_matrix((np.ones(n, np.float32), (rng.integers(0, m, n), item)), (m, n_items))
    model = AlternatingLeastSquares(factors=64, iterations=1, random_state=0, num_threads=2)
    model.fit(pairs, show_progress=False)
    return model, pairs, n_items


def _child(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, str(folder), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _said(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


PARTS = {"one": one, "check": check, "cold": cold, "many": many, "memory": memory, "peers": peers}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*", default=[])
    given = parser.parse_args()
    if given.parts[:1] == ["many-child"]:
        many_child(given.folder, given.parts[1])
    elif given.parts[:1] == ["memory-child"]:
        memory_child(given.folder, given.parts[1])
    else:
        for name in given.parts or PARTS:
            print(name)
            PARTS[name](given.folder)


if __name__ == "__main__":
    main()
