"""A cart check on line: 20 lines for a customer of 1,000 past lines, all guards together.

    python benchmarks/cart_speed.py                  # train, save, ask
    python benchmarks/cart_speed.py --bundle FOLDER  # keep the bundle there; use it if it is there

A made shop of 4,000 items in works and categories: one line in twelve comes back, and of two sizes
in one cart the larger one mostly, so that the return guard speaks. One customer bought 1,000 lines
and sent 80 of them back. Goal: .3 ms in the middle, 1 ms at 99 %.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is loaded

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from anticipate import Anticipator, InteractionLog, Scorer  # noqa: E402
from anticipate.guards import DuplicateGuard, FitGuard  # noqa: E402
from anticipate.log import History  # noqa: E402
from anticipate.serving.asking import ask  # noqa: E402
from anticipate.serving.cart import read_cart, side_by_side  # noqa: E402
from anticipate.serving.cart_check import GUARDS  # noqa: E402

CUTOFF, MOMENT = "2025-07-01", "2025-07-03T10:00Z"
N_ITEMS, N_CARTS, LINES, ROUNDS, SEED = 4_000, 30_000, 20, 3_000, 0
DUPLICATES = ("double_submit", "already_owned", "substitute_owned")
FIT_KINDS = ("better_fit", "quantity_slip")
MANY = "regular"  # the customer of 1,000 lines


def make_shop() -> History:
    """Items come in pairs of one work, the odd one the larger size."""
    rng = np.random.default_rng(SEED)
    first = rng.integers(0, N_ITEMS // 2, N_CARTS) * 2
    both = rng.random(N_CARTS) < 0.15
    who = np.array([f"c{i:04d}" for i in rng.integers(0, 1_500, N_CARTS)], dtype=object)
    minute = np.sort(rng.integers(0, 540 * 1440, N_CARTS))
    size = rng.integers(0, 2, N_CARTS)
    carts = pd.DataFrame({"customer_id": who, "item": first + size, "minute": minute})
    twins = carts[both].assign(item=first[both] + 1 - size[both])
    own = pd.DataFrame({
        "customer_id": MANY,
        "item": rng.integers(0, N_ITEMS, 1_000),
        "minute": np.repeat(np.sort(rng.integers(0, 540 * 1440, 125)), 8),
    })  # fmt: skip
    bought = pd.concat([carts, twins, own], ignore_index=True)
    large = bought["item"] % 2 == 1
    twin = bought.duplicated(["customer_id", "minute"], keep=False) & (
        bought["customer_id"] != MANY
    )
    back = rng.random(len(bought)) < np.where(twin & large, 0.85, 0.08)
    returned = bought[back].assign(minute=bought["minute"] + 3 * 1440)
    events = pd.concat(
        [bought.assign(event="purchase"), returned.assign(event="return")], ignore_index=True
    )
    day = pd.Timestamp("2024-01-01", tz="UTC")
    table = pd.DataFrame({
        "customer_id": events["customer_id"],
        "item_id": [f"i{i:05d}" for i in events["item"]],
        "timestamp": day + pd.to_timedelta(events["minute"], "min"),
        "event": events["event"],
        "price": 5.0 + events["item"] % 37,
    })  # fmt: skip
    code = np.arange(N_ITEMS)
    items = pd.DataFrame({
        "item_id": [f"i{i:05d}" for i in code],
        "work_id": [f"w{i // 2}" for i in code],
        "category": [f"k{i % 200 // 2}" for i in code],
    })  # fmt: skip
    log = InteractionLog.from_frame(
        table, event="event", price="price", timezone="UTC", items=items
    )
    return log.as_of(CUTOFF)


def scorer_at(folder: Path) -> Scorer:
    if not (folder / "manifest.json").exists():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            history = make_shop()
            model = Anticipator(random_state=0).fit(history)
            model.guard_ = DuplicateGuard(kinds=DUPLICATES).fit(history)  # none is spared the work
            model.fit_guard_ = FitGuard(cost_misfit=4.0).fit(history)
        print({name: model.report_["returns"][name] for name in ("speaks", "silent_because")})
        print({level: of["columns"] for level, of in model.report_["returns"]["levels"].items()})
        print({kind: model.fit_guard_.report_[kind]["speaks"] for kind in FIT_KINDS})
        model.save(folder)
    return Scorer.load(folder, verify="structure")


def carts(rng: np.random.Generator) -> list[list[dict[str, Any]]]:
    """20 lines each: two of one work, the others by chance."""
    drawn = rng.integers(0, N_ITEMS, (ROUNDS, LINES))
    drawn[:, 1] = drawn[:, 0] ^ 1
    return [[{"item_id": f"i{i:05d}", "price": 9.5} for i in one] for one in drawn.tolist()]


def measure(name: str, ask_one: Callable[[Any], Any], asked: list[Any]) -> None:
    for one in asked[:200]:
        ask_one(one)
    took = []
    for one in asked:
        start = time.perf_counter()
        ask_one(one)
        took.append(1e3 * (time.perf_counter() - start))
    print(f"{name:32}{np.median(took):8.3f} ms {np.percentile(took, 99):8.3f} ms at 99 %")


def run(folder: Path) -> None:
    scorer, asked = scorer_at(folder), carts(np.random.default_rng(SEED + 1))
    store = scorer._store
    warned = sum(bool(scorer.check_cart(MANY, cart, as_of=MOMENT)) for cart in asked[:200])
    print(f"{warned} of 200 carts are warned of")
    measure("check_cart, 20 lines", lambda c: scorer.check_cart(MANY, c, as_of=MOMENT), asked)
    measure("  the same, a stranger", lambda c: scorer.check_cart("new", c, as_of=MOMENT), asked)
    measure("  read the cart", lambda c: read_cart(c, store.overlays()["items"]), asked)
    measure("  ask", lambda _: ask(store, [MANY], MOMENT, None), asked)
    measure("  match returns", lambda _: ask(store, [MANY], MOMENT, None).returns, asked)
    moment = ask(store, [MANY], MOMENT, None)
    rows = [side_by_side([read_cart(c, moment.words["items"])], moment.as_of) for c in asked]
    assert moment.returns is not None  # made before the guards are timed
    for judge in GUARDS:  # None is silence
        measure(f"  {judge.__name__}", lambda cart, judge=judge: judge(store, moment, cart), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--bundle", type=Path)
    given = parser.parse_args()
    if given.bundle is not None:
        run(given.bundle)
        return
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder) / "b")


if __name__ == "__main__":
    main()
