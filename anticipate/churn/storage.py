"""A fitted churn model as plain arrays, and back.

Reads  the model, or a mapping of arrays.
Gives  ``dict[str, ndarray]`` without pickles; a model that predicts the same bits.
Never  code from a file; trees that were not bounds-checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exceptions import ParameterError
from ..kernels.churn import ChurnParameters, parameters_from_array, parameters_to_array
from .beta_geo import BetaGeoModel
from .boosted import ChurnClassifier
from .candidates import Members
from .linear import linear_from_arrays
from .rows import Describer

Arrays = dict[str, NDArray[Any]]
DESCRIBER, MEMBERS = "describer.", "members."


def pack(
    parameters: ChurnParameters, describer: Describer, members: Members | None, facts: Any
) -> Arrays:
    """One flat mapping; ``facts`` is whatever JSON can hold."""
    known = {"facts": facts, "features": describer.features}
    text = json.dumps(known, sort_keys=True, default=_plain_number).encode("utf-8")
    parts: dict[str, Mapping[str, NDArray[Any]]] = {
        "": {"parameters": parameters_to_array(parameters), "json": np.frombuffer(text, np.uint8)},
        DESCRIBER: {"mean_gap_days": np.array([describer.mean_gap_days])},
        DESCRIBER + "beta_geo.": describer.beta_geo.to_arrays(),
    }
    if members is not None:
        parts[MEMBERS + "hiatus."] = members.hiatus._asdict()
        parts[MEMBERS + "logistic."] = members.logistic._asdict()
        parts[MEMBERS + "boosted."] = members.boosted.to_arrays()
    return {head + name: array for head, part in parts.items() for name, array in part.items()}


def unpack(
    arrays: Mapping[str, NDArray[Any]],
) -> tuple[ChurnParameters, Describer, Members | None, Any]:
    """Inverse of :func:`pack`."""
    parameters = parameters_from_array(arrays["parameters"])
    has_members = any(name.startswith(MEMBERS) for name in arrays)
    known = json.loads(arrays["json"].tobytes().decode("utf-8"))
    describer = Describer(
        beta_geo=BetaGeoModel.from_arrays(_part(arrays, DESCRIBER + "beta_geo.")),
        features=known["features"],
        mean_gap_days=float(arrays[DESCRIBER + "mean_gap_days"][0]),
        horizon_days=parameters.horizon_days,
    )
    members = (
        Members(
            hiatus=linear_from_arrays(_part(arrays, MEMBERS + "hiatus.")),
            boosted=ChurnClassifier.from_arrays(_part(arrays, MEMBERS + "boosted.")),
            logistic=linear_from_arrays(_part(arrays, MEMBERS + "logistic.")),
        )
        if has_members
        else None
    )
    return parameters, describer, members, known["facts"]


def _part(arrays: Mapping[str, NDArray[Any]], head: str) -> Arrays:
    return {name[len(head) :]: a for name, a in arrays.items() if name.startswith(head)}


def _plain_number(value: Any) -> Any:
    """NumPy numbers as Python's; anything else is refused by name."""
    if isinstance(value, np.generic):
        return value.item()
    raise ParameterError(f"a churn model cannot store a {type(value).__name__} among its settings.")
