"""Small samples: how often does a fit fail, or give a number that is none?

Reads  100 random samples of 30 to 120 customers of CDNOW's sample, in days, weeks and months.
Gives  the number of samples on which each model of ours and of lifetimes fails.
Never  a penalty for lifetimes beyond its default (none), nor a setting of ours but the default.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from churn_samples import cdnow_sample
from peers.btyd_outside import run_peer

N_SAMPLES, SMALLEST, LARGEST, SEED = 100, 30, 120, 0
UNITS = {"days": 1.0, "weeks": 7.0, "months": 365.25 / 12}


def run(*, with_peers: bool = True) -> None:
    given = samples()
    print(f"{N_SAMPLES} samples of {SMALLEST}-{LARGEST} customers: failed or non-finite fits")
    print(f"{'':28}" + "".join(f"{unit:>8}" for unit in UNITS) + f"{'any':>8}")
    for package in ("ours", "lifetimes") if with_peers else ("ours",):
        found = run_peer(package, "small", given)
        for model, bad in by_model(found or {}).items():
            counts = "".join(f"{int(each.sum()):8}" for each in bad)
            print(f"{package + ' ' + model:28}{counts}{int(np.any(bad, axis=0).sum()):8}")


def samples() -> dict[str, Any]:
    """Row numbers, (100, 120), of which the first ``sizes`` count; the sample's arrays in days."""
    draw, days = np.random.default_rng(SEED), cdnow_sample()
    n = len(days["x"])
    return days | {
        "sizes": draw.integers(SMALLEST, LARGEST + 1, N_SAMPLES),
        "rows": np.stack([draw.choice(n, LARGEST, replace=False) for _ in range(N_SAMPLES)]),
        "units": np.array(list(UNITS.values())),
    }


def by_model(found: dict[str, Any]) -> dict[str, list[Any]]:
    models: dict[str, list[Any]] = {}
    for key, bad in found.items():
        models.setdefault(key.split("|")[0], []).append(bad)
    return models
