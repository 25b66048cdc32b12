"""A fitted contract hazard as plain arrays, and back.

Reads  the members and numbers, or a mapping of arrays.
Gives  ``dict[str, ndarray]`` without pickles; a model that predicts the same bits.
Never  code from a file; trees that were not bounds-checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...exceptions import ParameterError
from ...kernels.contract import LifeTable
from ..boosted import ChurnClassifier
from ..linear import linear_from_arrays
from ..plain_arrays import Arrays, array_json, flat, json_array, part
from .candidates import Members, Tables


def pack_members(members: Members, facts: Any) -> Arrays:
    """One flat mapping; ``facts`` is whatever JSON can hold."""
    parts: dict[str, Mapping[str, NDArray[Any]]] = {
        "": {"json": json_array(facts)},
        **{f"{name}.": table._asdict() for name, table in members.tables._asdict().items()},
    }
    if members.logistic is not None and members.boosted is not None:
        parts["logistic."] = members.logistic._asdict()
        parts["boosted."] = members.boosted.to_arrays()
    return flat(parts)


def unpack_members(arrays: Mapping[str, NDArray[Any]]) -> tuple[Members, Any]:
    """Inverse of :func:`pack_members`."""
    tables = Tables(*(_life_table(part(arrays, f"{name}.")) for name in Tables._fields))
    logistic, boosted = part(arrays, "logistic."), part(arrays, "boosted.")
    members = Members(
        tables,
        linear_from_arrays(logistic) if logistic else None,
        ChurnClassifier.from_arrays(boosted) if boosted else None,
    )
    return members, array_json(arrays["json"])


def _life_table(arrays: Mapping[str, NDArray[Any]]) -> LifeTable:
    hazard, width = (np.asarray(arrays[name], dtype=np.float64) for name in LifeTable._fields)
    if hazard.ndim != 1 or not len(hazard) or not ((hazard > 0) & (hazard < 1)).all():
        raise ParameterError("a contract's life table holds a hazard that is no probability.")
    if width.shape != (1,) or not width[0] > 0:
        raise ParameterError("a contract's life table needs one width of its bands, above 0 days.")
    return LifeTable(hazard, width)
