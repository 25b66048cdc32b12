"""Whatever passes the checks can be asked: no forgery that loads makes a scorer fail.

Every array of a trained bundle is changed at random, all hashes as right as can be; either the
checks name its group, or all six questions are answered.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from anticipate import Scorer
from anticipate.bundle import open_bundle
from anticipate.serving.checks import content_faults
from anticipate.serving.checks.schema import GROUPS

pytestmark = pytest.mark.slow
Array = NDArray[Any]
N_CHANGES = 8


@pytest.fixture(scope="module")
def contents(bookshop_bundle: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    return open_bundle(bookshop_bundle)


def values_of(array: Array) -> list[Any]:
    """Extremes of a dtype, and what is just inside or outside of most ranges."""
    if array.dtype.kind == "f":
        return [np.nan, np.inf, -np.inf, 1e100, -1e100, 0.0, -1.0, 5e-324, 1e-90, 1e9]
    if array.dtype.kind == "b":
        return [True, False]
    limits = np.iinfo(array.dtype)
    inside = min(limits.max, len(array))
    return [limits.min, limits.max, 0, 1, inside, -1 if limits.min else 2, limits.max // 2]


def changed_arrays(array: Array, rng: np.random.Generator) -> list[Array]:
    """Eight of: one value or all of them another one, turned round, shuffled."""
    found = []
    for value in values_of(array):
        one = array.copy()
        one.reshape(-1)[rng.integers(array.size)] = value
        found += [one, np.full_like(array, value)]
    found += [np.ascontiguousarray(array[::-1]), rng.permutation(array)]
    return [found[i] for i in rng.permutation(len(found))[:N_CHANGES]]


def loud(arrays: dict[str, Array]) -> dict[str, Array]:
    """Every guard speaks, so that its tables are read."""
    settings = arrays["model_return_guard__settings"].copy()
    settings[-2:] = 0.0
    return {
        **arrays,
        "model_guard__speaking": np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 4.0]),
        "model_return_guard__settings": settings,
        "model_fit_guard__slip.threshold": np.zeros(3),
    }


def ask_everything(scorer: Scorer, items: list[Any]) -> None:
    """All six questions; every answer is finite JSON."""
    at, known = "2025-03-20T10:00Z", scorer.customer_ids()[:3].tolist()
    line = {"item_id": items[2], "quantity": 9, "price": 20.0}
    for customer in (*known, "nobody~"):
        own = {"customer_id": customer, "timestamp": "2025-03-01T00:00Z"}
        recent = [own | {"item_id": items[0]}, own | {"item_id": items[1], "event": "return"}]
        for rows in (None, recent):
            cart = [line, items[3], "new~"]
            asked = {"as_of": at, "recent": rows, "audience": "staff"}
            answers = scorer.suggest(customer, cart=cart, n=32, **asked)
            answers += scorer.check_cart(customer, items[:6], **asked)
            for one in answers:
                json.dumps(one.to_dict(), allow_nan=False)
        json.dumps(scorer.brief(customer, as_of=at), allow_nan=False)
    scorer.suggest_many(known, as_of=at)
    scorer.churn(known, as_of=at)
    scorer.rank_at_risk(as_of=at, top=3, explain=True)


@pytest.mark.parametrize("group", [group.prefix for group in GROUPS])
def test_whatever_passes_can_be_asked(contents: Any, group: str):
    """Random changes of every array: a fault of its group, or answers without an error."""
    manifest, arrays = contents
    arrays = loud({n: a for n, a in arrays.items() if not n.startswith("model_part_")})
    items = [row["item_id"] for row in manifest["golden"][0]["request"]["recent"]]
    items = [*items, *[answer[1] for answer in manifest["golden"][0]["answer"] if answer[1]]][:8]
    rng = np.random.default_rng(9)
    for name in (n for n in arrays if n.startswith(group) and arrays[n].size):
        for changed in changed_arrays(arrays[name], rng):
            other = {**arrays, name: changed}
            fault = next(content_faults(manifest, other, True), None)
            if fault is None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)  # 1e100 squared, say
                    ask_everything(Scorer(manifest, other), items)
            else:
                assert fault[0].startswith((group, "holdings__"))
