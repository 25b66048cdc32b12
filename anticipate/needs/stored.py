"""A fitted ranker as plain arrays, and back.

Reads  tables, learned weights and cart partners; or the arrays made of them.
Gives  the other one; the same bits either way.
Never  code from a file: text is JSON, trees are checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from .blend import Blend
from .tables import Tables, sparse_arrays, sparse_from
from .training import Learned

Array = NDArray[Any]


def stored(
    tables: Tables, learned: Learned, cart: csr_matrix, settings: dict[str, Any]
) -> dict[str, Array]:
    """All of it by name."""
    head = {
        "settings": settings,
        "dropped": sorted(learned.dropped),
        "missing": learned.missing,
        "report": learned.report,
    }
    arrays = {
        "head": np.frombuffer(json.dumps(head, sort_keys=True).encode(), dtype=np.uint8),
        "shifts": learned.shifts,
        "newcomer_shift": np.array([learned.newcomer_shift]),
    }
    parts = {"tables": tables.to_arrays(), "own": learned.own.to_arrays()}
    parts |= {"new": learned.new.to_arrays(), "cart": sparse_arrays("pairs", cart)}
    return arrays | {f"{part}_{k}": v for part, found in parts.items() for k, v in found.items()}


def restored(
    arrays: Mapping[str, Array],
) -> tuple[Tables, Learned, csr_matrix, dict[str, Any]]:
    """What :func:`stored` was given."""
    head = json.loads(np.asarray(arrays["head"]).tobytes())
    tables = Tables.from_arrays(_part(arrays, "tables"))
    learned = Learned(
        own=Blend.from_arrays(_part(arrays, "own")),
        new=Blend.from_arrays(_part(arrays, "new")),
        shifts=arrays["shifts"],
        newcomer_shift=float(arrays["newcomer_shift"][0]),
        dropped=frozenset(head["dropped"]),
        report=head["report"],
        missing=head["missing"],
    )
    cart = sparse_from(_part(arrays, "cart"), "pairs", len(tables.item_ids))
    return tables, learned, cart, head["settings"]


def _part(arrays: Mapping[str, Array], name: str) -> dict[str, Array]:
    prefix = f"{name}_"
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
