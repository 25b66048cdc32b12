"""A contact plan: how near to the best, how fast, and against ranking by risk.

    python benchmarks/plan.py                     # 20,000 customers beside HiGHS, then a million
    python benchmarks/plan.py --customers 100000  # the second part smaller

Made-up customers with a fixed seed: P(churn) ~ Beta(1, 2), spend ~ log-normal, a tenth departed,
preferred channels, objections, bought levels and earlier contacts. Three levels.

Gap: how far the plan lies below the optimum of the linear programme (SciPy's HiGHS), which no
plan of whole customers can pass. Time: ``knapsack`` is the choice alone; ``assign`` everything
from the churn table to the plan's table, with objections, channels, caps, cool-down, open
matters, eligibility and hold-out. ``attributes`` is reading the customers' attributes as of the
cutoff, once per history, which predicting churn has done before.
By risk: expected net value of the same budget spent on the riskiest first.
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

from anticipate.exceptions import RiskRankingWarning
from anticipate.log import History, InteractionLog
from anticipate.retention import ContactPlan, Level
from anticipate.retention.knapsack import choose_levels
from anticipate.retention.resources import make_resources

CUTOFF = "2025-01-01"
LEVELS = [
    Level("Basic", 0.5, save_probability=0.05, channel="email"),
    Level("Enhanced", 2.0, save_probability=0.12, channel="phone"),
    Level("Premium", 6.0, save_probability=0.22),
]
COSTS = np.array([level.cost for level in LEVELS])
# Shares of the number of customers: budget, contacts in all, contacts of each level.
LIMITS = {
    "budget": (0.1, None, (None, None, None)),
    "contacts": (None, 0.05, (None, None, None)),
    "budget, contacts": (0.1, 0.05, (None, None, None)),
    "budget, contacts, levels": (0.1, 0.05, (0.03, 0.02, 0.005)),
}


def make_world(n: int, seed: int = 0) -> tuple[pd.DataFrame, History]:
    """A churn table and the history behind its limits."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"C{i:07d}" for i in range(n)], dtype=object)
    risk, spend = rng.beta(1, 2, n), rng.lognormal(3, 1, n)
    segments = np.array(["current", "cooling", "at_risk", "departed", "new"], dtype=object)
    predictions = pd.DataFrame(
        {"p_churn": risk, "p_alive": 1 - risk, "expected_value": (1 - risk) * spend,
         "value_at_risk": risk * spend, "segment": _some(rng, segments, n, (5, 2, 1.5, 1, 0.5))},
        index=pd.Index(ids, name="customer_id"),
    )  # fmt: skip
    customers = pd.DataFrame(
        {"customer_id": ids,
         "preferred_channel": _some(rng, ["email", "phone", None], n, (3, 1, 6)),
         "objects_to": _some(rng, ["marketing", "profiling", "phone", None], n, (2, 2, 2, 94)),
         "service": _some(rng, ["Basic", "Basic,Enhanced", "Basic,Enhanced,Premium"], n, (3, 4, 3))}
    )  # fmt: skip
    days = rng.integers(1, 300, n // 2).astype("m8[D]")
    events = pd.DataFrame(
        {"customer_id": ids[rng.integers(0, n, len(days))], "item_id": "item",
         "timestamp": np.datetime64(CUTOFF) - days,
         "event": _some(rng, ["purchase", "contacted", "complaint"], len(days), (80, 19, 1))}
    )  # fmt: skip
    log = InteractionLog.from_frame(
        events, event="event", timezone="UTC", customers=customers, closed_until=CUTOFF
    )
    return predictions, log.as_of(CUTOFF)


def _some(rng: np.random.Generator, words: Any, n: int, weights: tuple[float, ...]) -> np.ndarray:
    share = np.array(weights) / sum(weights)
    return np.array(words, dtype=object)[rng.choice(len(words), n, p=share)]


def worth_of(predictions: pd.DataFrame) -> np.ndarray:
    """Net value of each level, (n, 3)."""
    share = np.array([level.save_probability for level in LEVELS])
    return predictions["value_at_risk"].to_numpy()[:, None] * share - COSTS


def limits_of(name: str, n: int) -> tuple[float | None, int | None, list[int | None]]:
    budget, contacts, levels = LIMITS[name]
    whole = [None if one is None else int(one * n) for one in (contacts, *levels)]
    return None if budget is None else budget * n, whole[0], whole[1:]


def lp_optimum(worth: np.ndarray, limits: tuple[Any, Any, Any]) -> float:
    """The linear programme as SciPy states it."""
    who, level = np.nonzero(worth > 0)
    n = len(worth)
    scarce = make_resources(COSTS, *limits, n)
    once = sparse.csr_matrix((np.ones(len(who)), (who, np.arange(len(who)))), shape=(n, len(who)))
    rows = sparse.vstack([once, sparse.csr_matrix(scarce.use[:, level])])
    most = np.concatenate((np.ones(n), scarce.most))
    return -linprog(-worth[who, level], A_ub=rows, b_ub=most, bounds=(0, 1), method="highs").fun


def timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """The answer, seconds by the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = run()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def show_gaps(n: int) -> None:
    worth = worth_of(make_world(n)[0])
    print(f"{n:,} customers, 3 levels: net value beside the linear programme's optimum")
    print(f"{'limits':26s}{'plan':>12s}{'HiGHS':>12s}{'gap %':>10s}{'plan s':>9s}{'HiGHS s':>9s}")
    for name in LIMITS:
        budget, contacts, caps = limits = limits_of(name, n)
        plan, seconds, _ = timed(
            lambda b=budget, c=contacts, k=caps: choose_levels(
                worth, COSTS, budget=b, capacity=c, level_capacity=k
            )
        )
        best, seconds_lp, _ = timed(lambda limits=limits: lp_optimum(worth, limits))
        gap = 100 * (best - plan.value) / best
        print(f"{name:26s}{plan.value:12.2f}{best:12.2f}{gap:10.6f}{seconds:9.2f}{seconds_lp:9.2f}")


def show_times(n: int) -> None:
    predictions, history = make_world(n)
    print(f"\n{n:,} customers, 3 levels: seconds by the clock (of the processor)")
    worth = worth_of(predictions)
    for name in LIMITS:
        budget, contacts, caps = limits_of(name, n)
        plan, wall, cpu = timed(
            lambda b=budget, c=contacts, k=caps: choose_levels(
                worth, COSTS, budget=b, capacity=c, level_capacity=k
            )
        )
        gap = 100 * (plan.bound - plan.value) / plan.bound
        print(f"knapsack, {name:26s}{wall:7.2f} ({cpu:.2f})   gap to its own bound {gap:.6f} %")
    _, wall, cpu = timed(lambda: history.customers)
    print(f"{'attributes':36s}{wall:7.2f} ({cpu:.2f})")
    plan = ContactPlan(
        LEVELS, budget=0.1 * n, capacity=int(0.08 * n), eligible="service", max_contacts=2,
        cool_down_days=14,
    )  # fmt: skip
    table, wall, cpu = timed(lambda: plan.assign(predictions, history))
    print(f"{'assign, all limits':36s}{wall:7.2f} ({cpu:.2f})")
    mixed = predictions.sample(frac=1, random_state=0)
    _, wall, cpu = timed(lambda: plan.assign(mixed, history))
    print(f"{'assign, table in mixed order':36s}{wall:7.2f} ({cpu:.2f})")
    _, wall, cpu = timed(lambda: plan.win_back(predictions, history))
    print(f"{'win_back':36s}{wall:7.2f} ({cpu:.2f})")
    report = plan.report_
    print(f"table {table.memory_usage(deep=True).sum() / 1e6:.0f} MB; peak of the process "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")  # fmt: skip
    print({name: report[name] for name in ("spent", "n_contacted", "n_held_out", "contacts")})
    print(f"gap {100 * report['gap']:.6f} %, shadow price {report['shadow_price']:.3f}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RiskRankingWarning)
        by_risk = ContactPlan(**{**plan.get_params(deep=False), "rank_by": "risk"})
        by_risk.assign(predictions, history)
    net, risk = report["net_value"], by_risk.report_["net_value"]
    print(f"expected net value: plan {net:,.0f}; riskiest first {risk:,.0f} ({risk / net:.0%})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--beside-highs", type=int, default=20_000)
    arguments = parser.parse_args()
    show_gaps(arguments.beside_highs)
    show_times(arguments.customers)


if __name__ == "__main__":
    main()
