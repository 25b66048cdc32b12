"""A large bundle made of synthetic arrays, to measure serving by.

    python benchmarks/serving_bundle.py FOLDER
    python benchmarks/serving_bundle.py FOLDER --customers 20000 --items 8000 --events 1000000

A small made shop (``cart_speed.make_shop``) is learned, so that every table has the shape that
training gives it and the guards of duplicates and returns speak; its tables of items are repeated
up to the number of items asked for. Customers, their events, candidates and offsets are drawn:
50 events a customer in the middle of a long tail, six in ten of them purchases in carts of two or
three, a third of which repeat what was bought before. The fitted parts (``model_part_*``) are left
out: no scorer reads them.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is loaded

import numpy as np  # noqa: E402
from cart_speed import DUPLICATES, make_shop  # noqa: E402

from anticipate import Anticipator, Scorer  # noqa: E402
from anticipate.anticipator.state import make_state  # noqa: E402
from anticipate.bundle import pack_strings, write_bundle  # noqa: E402
from anticipate.guards import DuplicateGuard  # noqa: E402
from anticipate.kernels.events import Events, constant, offsets_of  # noqa: E402
from anticipate.kernels.habits import last_habits  # noqa: E402
from anticipate.kernels.holdings import find_holdings, own_from  # noqa: E402
from anticipate.kernels.ids import build_id_index  # noqa: E402
from anticipate.kernels.next_gap import GapTable  # noqa: E402
from anticipate.kernels.owned import undone_times  # noqa: E402
from anticipate.kernels.returns import match_returns  # noqa: E402
from anticipate.serving.dates import law_of, log_odds_within  # noqa: E402
from anticipate.serving.golden import golden_rows  # noqa: E402
from anticipate.serving.store import STORED_COLUMNS  # noqa: E402

Arrays = dict[str, Any]
SEED, DAYS, MOST, PARTNERS = 0, 730, 32, 8
DAY = 86_400_000_000
KINDS = (3, 0, 2, 4, 6, 9)  # purchase, view, cart, return, contact, rating
SHARES = (0.60, 0.25, 0.10, 0.02, 0.02, 0.01)
OF_ITEMS = ("model_guard__", "model_return_guard__", "model_fit_guard__", "model_timer__")
CODES = ("substitutes", "alternatives")  # of items, so a repeated table shifts them


def customer_id(number: int) -> str:
    return f"customer-{number:07d}"


def item_id(number: int) -> str:
    return f"item-{number:06d}"


def learn() -> tuple[dict[str, Any], Arrays]:
    """Manifest and arrays of the small shop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = make_shop()
        guard = DuplicateGuard(kinds=DUPLICATES)
        model = Anticipator(random_state=0, guards={"guard": guard}).fit(history)
        return make_state(model, history)


def repeated(arrays: Arrays, n_items: int) -> Arrays:
    """The tables by item for more items: rows again and again, the last one last."""
    n = len(arrays["prior__log_odds"]) - 1
    source, block = np.arange(n_items) % n, np.arange(n_items) // n * n
    out: Arrays = {}
    for name, array in arrays.items():
        short = name.partition("__")[2]
        if not name.startswith(OF_ITEMS) or len(array) not in (n, n + 1):
            if name.startswith(("model_", "newcomers__")):
                out[name] = array
            continue
        rows = array[source]
        if short in CODES:
            rows = np.where(rows >= 0, rows + block[:, None], -1)
            rows = np.where(rows < n_items, rows, -1).astype(array.dtype)
        if short == "thing":  # works of one block are not those of another
            rows = rows + 2 * block
        out[name] = rows if len(array) == n else np.concatenate((rows, array[-1:]))
    out["prior__log_odds"] = np.append(
        arrays["prior__log_odds"][source], arrays["prior__log_odds"][-1]
    )
    return out


def make_events(rng: np.random.Generator, n: int, m: int, n_items: int, cutoff: int) -> Events:
    """n events of m customers, sorted."""
    sizes = rng.lognormal(0.0, 1.0, m)
    counts = np.maximum(1, (sizes * (n / sizes.sum())).astype(np.int64))
    counts[: max(n - int(counts.sum()), 0)] += 1
    n = int(counts.sum())
    customer = np.repeat(np.arange(m, dtype=np.int32), counts)
    cart = np.cumsum(rng.random(n, dtype=np.float32) < 0.4)  # new instants begin at these rows
    time = rng.integers(0, DAYS * DAY, int(cart[-1]) + 1)[cart]
    order = np.lexsort((time, customer))
    time, cart = time[order], cart[order].astype(np.int32)
    item = (n_items * rng.random(n, dtype=np.float32) ** 2).astype(np.int32)
    start = np.repeat(np.cumsum(counts) - counts, counts)
    again = rng.random(n, dtype=np.float32) < 0.35  # one of the customer's own, bought earlier
    back = start + (rng.random(n, dtype=np.float32) * (np.arange(n) - start)).astype(np.int64)
    item[again] = item[back[again]]
    event = rng.choice(np.array(KINDS, dtype=np.int8), n, p=SHARES)
    timestamp = cutoff - DAYS * DAY + time
    price = 5.0 + (item % 97).astype(np.float64)
    return Events(
        offsets=offsets_of(customer, m),
        customer=customer,
        item=item,
        timestamp=timestamp,
        known_at=timestamp,
        day=(timestamp // DAY).astype(np.int32),
        event=event,
        quantity=constant(1.0, np.float64, n),
        price=price,
        value=constant(np.nan, np.float64, n),
        order=cart,
        event_id=constant(-1, np.int32, n),
        gift=constant(False, bool, n),
        channel=constant(-1, np.int16, n),
        reason=constant(-1, np.int32, n),
    )


def of_customers(events: Events, gaps: GapTable, horizon_days: float, cutoff: int) -> Arrays:
    """What a save makes of the events."""
    undone = undone_times(events, match_returns(events))
    held = find_holdings(events, undone)
    customer = np.repeat(np.arange(events.n_customers), np.diff(held.offsets))
    log_odds = np.empty(len(held.item))
    for first in range(0, len(customer), 1 << 20):
        rows = slice(first, first + (1 << 20))
        place = np.arange(len(customer))[rows]
        own = own_from(held, place, events.offsets[customer[rows]], events.timestamp)
        at, law = np.full(len(place), cutoff), law_of(gaps, held.item[rows], own)
        log_odds[rows] = log_odds_within(law, own.last, at, horizon_days)
    arrays = {f"holdings__{name}": column for name, column in held._asdict().items()}
    arrays |= {f"habits__{name}": column for name, column in last_habits(events)._asdict().items()}
    stored = {name: getattr(events, name) for name in STORED_COLUMNS} | {"undone_at": undone}
    short = {n: c[:1] if c.strides == (0,) else c for n, c in stored.items()}
    arrays |= {f"events__{name}": column for name, column in short.items()}
    return arrays | {"events__offsets": events.offsets, "holdings__log_odds": log_odds}


def make_candidates(rng: np.random.Generator, arrays: Arrays, m: int, n_items: int) -> Arrays:
    """32 a customer: up to ten they bought, else what sells; most probable first."""
    offsets, held = arrays["holdings__offsets"], arrays["holdings__item"]
    item = (n_items * rng.random((m, MOST), dtype=np.float32) ** 2).astype(np.int32)
    n_own = np.minimum(np.diff(offsets), 10)
    for place in range(10):
        has = n_own > place
        item[has, place] = held[offsets[:-1][has] + place]
    item.sort(axis=1)
    twice = np.zeros_like(item, dtype=bool)
    twice[:, 1:] = item[:, 1:] == item[:, :-1]
    kept = ~twice
    source = rng.choice(np.array([3, 4, 7], dtype=np.int8), (m, MOST))
    log_odds = rng.normal(-4.0, 1.0, (m, MOST))
    n = int(kept.sum())
    return {
        "candidates__offsets": np.concatenate(([0], np.cumsum(kept.sum(axis=1)))),
        "candidates__item": item[kept],
        "candidates__log_odds": log_odds[kept],
        "candidates__source": source[kept],
        "candidates__fact": np.full(n, 0.125),
        "candidates__because": np.full(n, -1, dtype=np.int32),
    }


def make_bundle(folder: Path, m: int, n_items: int, n: int) -> Path:
    """Write it; a few minutes and 10 GB of memory at full size."""
    rng = np.random.default_rng(SEED)
    manifest, learned = learn()
    arrays = repeated(learned, n_items)
    cutoff, horizon = int(manifest["cutoff_us"]), float(manifest["horizon_days"])
    gaps = GapTable(*(arrays[f"model_timer__{name}"] for name in GapTable._fields))
    events = make_events(rng, n, m, n_items, cutoff)
    arrays |= of_customers(events, gaps, horizon, cutoff)
    arrays |= make_candidates(rng, arrays, m, n_items)
    arrays |= {
        "customer__flags": np.zeros(m, dtype=np.uint8),
        "churn__offset": rng.normal(0.0, 0.5, m),
        "churn__offset_later": rng.normal(0.0, 0.5, m),
        "neighbours__offsets": np.arange(n_items + 1, dtype=np.int64) * PARTNERS,
        "neighbours__item": rng.integers(0, n_items, n_items * PARTNERS).astype(np.int32),
        "neighbours__weight": rng.gamma(2.0, 0.5, n_items * PARTNERS),
    }
    indexes: dict[str, Any] = {
        "customers": [customer_id(i) for i in range(m)],
        "items": [item_id(i) for i in range(n_items)],
        "orders": np.arange(int(events.order.max()) + 1),
        "channels": [],
        "reasons": [],
    }
    for name, ids in indexes.items():
        arrays |= {f"{name}__{key}": array for key, array in build_id_index(ids).items()}
    names = pack_strings([f"Item number {i}" for i in range(n_items)])
    arrays |= dict(zip(("item_names__offsets", "item_names__bytes"), names, strict=True))
    manifest |= {"n_customers": m, "n_items": n_items, "n_events": events.n, "report": {}}
    manifest["golden"] = golden_rows(Scorer(manifest, arrays))
    return write_bundle(folder, manifest, arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=50_000_000)
    given = parser.parse_args()
    start = time.perf_counter()
    make_bundle(given.folder, given.customers, given.items, given.events)
    size = sum(file.stat().st_size for file in given.folder.rglob("*.npy"))
    print(f"{given.folder}: {size / 1e9:.2f} GB in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
