"""Speed: a cart of 20 lines checked at the till, and many carts reviewed at once.

Reads  a made-up shop: customers of 1,000 past lines each, items by popularity, a few returns.
Gives  ``Scorer.check_cart`` (median, 99 of 100) from a bundle on disk; ``review`` lines a second.
Never  a warm answer for the first calls: so many are left out.

Goals: ``review`` >= 100,000 lines a second. Wall and CPU: other work on the machine shows.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from guards_data import fitted

from anticipate import Anticipator, InteractionLog
from anticipate.log import History
from anticipate.serving import Scorer

N_CUSTOMERS, PAST_LINES, N_ITEMS, CART_LINES = 300, 1_000, 5_000, 20
CALLS, WARM_UP = 5_000, 500
BATCH_LINES, ROUNDS = 200_000, 5
START, DAYS, CUTOFF, MOMENT = "2023-01-01", 730, "2025-01-01", "2025-01-02T12:00:00+00:00"
ROW = "{:<46}{:>14}{:>14}"


def run(data: list[str] | None, cutoffs: str, options: dict[str, Any]) -> None:
    history = make_history()
    print(f"{N_CUSTOMERS} customers of {PAST_LINES:,} lines, {history.n_items:,} items")
    print(ROW.format("", "wall", "CPU"))
    show_batch(history, options)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        Anticipator(random_state=0).fit(history).save(folder)
        show_calls(Scorer.load(folder), history)


def make_history() -> History:
    """1 % of lines come back within ten days; a basket holds five lines."""
    rng = np.random.default_rng(0)
    n = N_CUSTOMERS * PAST_LINES
    basket = np.arange(n) // 5
    day = np.repeat(rng.random(n // 5) * (DAYS - 12), 5)
    lines = pd.DataFrame({
        "customer_id": np.repeat([f"C{i:04d}" for i in range(N_CUSTOMERS)], PAST_LINES),
        "item_id": [f"I{i:05d}" for i in popular(rng, n)],
        "timestamp": pd.Timestamp(START) + pd.to_timedelta(np.round(day * 86_400), unit="s"),
        "order_id": [f"O{i:06d}" for i in basket],
        "event": "purchase", "quantity": 1.0, "price": rng.integers(1, 50, n).astype(float),
    })  # fmt: skip
    back = lines[rng.random(n) < 0.01].copy()
    back["event"] = "return"
    back["timestamp"] += pd.to_timedelta(rng.integers(1, 11, len(back)), unit="D")
    log = InteractionLog.from_frame(
        pd.concat([lines, back]), event="event", order_id="order_id", quantity="quantity",
        price="price", timezone="UTC", closed_until=CUTOFF,
    )  # fmt: skip
    return log.as_of(CUTOFF)


def popular(rng: np.random.Generator, n: int) -> np.ndarray:
    weight = 1.0 / (10.0 + np.arange(N_ITEMS))
    return rng.choice(N_ITEMS, size=n, p=weight / weight.sum())


def show_batch(history: History, options: dict[str, Any]) -> None:
    guard, rng = fitted(history, **options), np.random.default_rng(1)
    customers = np.repeat(history.customer_ids, BATCH_LINES // N_CUSTOMERS + 1)[:BATCH_LINES]
    cart = pd.DataFrame({
        "customer_id": customers,
        "item_id": history.item_ids[popular(rng, BATCH_LINES) % history.n_items],
        "timestamp": pd.Timestamp(MOMENT),
    })  # fmt: skip
    times = [_timed(lambda: guard.review(cart, history)) for _ in range(ROUNDS)]
    wall, cpu = (BATCH_LINES / np.median(each) for each in zip(*times, strict=True))
    name = f"review, {BATCH_LINES:,} lines, a second"
    print(ROW.format(name, f"{wall:,.0f}", f"{cpu:,.0f}"))


def show_calls(scorer: Scorer, history: History) -> None:
    rng, walls, cpus = np.random.default_rng(2), [], []
    ids, items = scorer.customer_ids(), history.item_ids
    bought, starts = history.events.item, history.events.offsets
    n_warnings = 0
    for number in range(WARM_UP + CALLS):
        code = int(rng.integers(len(ids)))
        own = bought[starts[code] : starts[code + 1]]
        half = [rng.choice(own, CART_LINES // 2), rng.integers(0, len(items), CART_LINES // 2)]
        cart = items[np.concatenate(half)].tolist()
        wall, cpu = time.perf_counter(), time.thread_time()
        found = scorer.check_cart(ids[code], cart, as_of=MOMENT)
        if number >= WARM_UP:
            walls.append(1e3 * (time.perf_counter() - wall))
            cpus.append(1e3 * (time.thread_time() - cpu))
            n_warnings += len(found)
    for name, share in (("median", 50), ("99 of 100 within", 99)):
        cells = (f"{np.percentile(times, share):.3f} ms" for times in (walls, cpus))
        print(ROW.format(f"check_cart, {CART_LINES} lines, {name}", *cells))
    print(f"{n_warnings} warnings in {CALLS:,} calls")


def _timed(work: Any) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu
