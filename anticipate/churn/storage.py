"""A fitted churn model as plain arrays, and back.

Reads  the fitted state, or a mapping of arrays.
Gives  ``dict[str, ndarray]`` without pickles; a model that predicts the same bits.
Never  code from a file; trees that were not bounds-checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.churn import parameters_from_array, parameters_to_array
from .boosted import ChurnClassifier
from .candidates import Members
from .contracts.hazard import ContractHazard
from .contracts.mode import Coming, LearnedContracts
from .describer import Describer
from .families import FAMILIES
from .interval import Spread
from .learned import Learned
from .linear import linear_from_arrays
from .plain_arrays import Arrays, array_json, flat, json_array, part

DESCRIBER, MEMBERS, SPREAD = "describer.", "members.", "spread."
HAZARD, HALF = "hazard.", "half."


def pack(learned: Learned | LearnedContracts, facts: dict[str, Any]) -> Arrays:
    """One flat mapping; ``facts`` is whatever JSON can hold."""
    if isinstance(learned, LearnedContracts):
        return _pack_contracts(learned, facts)
    describer = learned.describer
    known = {"facts": facts, "features": describer.features, "chosen": learned.chosen}
    parts: dict[str, Mapping[str, NDArray[Any]]] = {
        "": {
            "parameters": parameters_to_array(learned.parameters),
            "json": json_array(known),
            "reference": learned.reference,
        },
        DESCRIBER: {"mean_gap_days": np.array([describer.mean_gap_days])},
        DESCRIBER + "btyd.": describer.btyd.to_arrays(),
    }
    if learned.members is not None:
        parts[MEMBERS] = _pack_members(learned.members)
    if learned.spread is not None:
        parts |= _pack_spread(learned.spread)
    return flat(parts)


def unpack(
    arrays: Mapping[str, NDArray[Any]],
) -> tuple[Learned | LearnedContracts, dict[str, Any]]:
    """Inverse of :func:`pack`."""
    known = array_json(arrays["json"])
    if HAZARD + "json" in arrays:
        return _unpack_contracts(arrays), known["facts"]
    parameters = parameters_from_array(arrays["parameters"])
    family = FAMILIES[known["facts"]["report"]["btyd"]]
    describer = Describer(
        btyd=family.from_arrays(part(arrays, DESCRIBER + "btyd.")),
        features=known["features"],
        mean_gap_days=float(arrays[DESCRIBER + "mean_gap_days"][0]),
        horizon_days=parameters.horizon_days,
    )
    learned = Learned(
        describer=describer,
        chosen=known["chosen"],
        members=_unpack_members(part(arrays, MEMBERS)),
        parameters=parameters,
        reference=np.asarray(arrays["reference"]),
        spread=_unpack_spread(part(arrays, SPREAD)),
    )
    return learned, known["facts"]


def _pack_contracts(learned: LearnedContracts, facts: dict[str, Any]) -> Arrays:
    parts: dict[str, Mapping[str, NDArray[Any]]] = {
        "": {
            "json": json_array({"facts": facts}),
            "reference": learned.reference,
            "numbers": np.array(
                [*learned.reopening, *learned.joining, learned.priced, learned.at_risk]
            ),
        },
        HAZARD: learned.hazard.to_arrays(),
        **{f"{HALF}{i}.": half.to_arrays() for i, half in enumerate(learned.halves)},
    }
    return flat(parts)


def _unpack_contracts(arrays: Mapping[str, NDArray[Any]]) -> LearnedContracts:
    *comings, priced, at_risk = (float(value) for value in arrays["numbers"])
    n_halves = sum(name.startswith(HALF) and name.endswith(".json") for name in arrays)
    return LearnedContracts(
        hazard=ContractHazard.from_arrays(part(arrays, HAZARD)),
        reference=np.asarray(arrays["reference"]),
        reopening=Coming(*comings[:2]),
        joining=Coming(*comings[2:]),
        priced=bool(priced),
        at_risk=at_risk,
        halves=tuple(
            ContractHazard.from_arrays(part(arrays, f"{HALF}{i}.")) for i in range(n_halves)
        ),
    )


def _pack_members(members: Members) -> Arrays:
    linears = {"hiatus.": members.hiatus, "logistic.": members.logistic}
    parts: dict[str, Mapping[str, NDArray[Any]]] = {
        head: linear._asdict() for head, linear in linears.items() if linear is not None
    }
    if members.boosted is not None:
        parts["boosted."] = members.boosted.to_arrays()
    return flat(parts)


def _unpack_members(arrays: Arrays) -> Members | None:
    if not arrays:
        return None
    hiatus, boosted, logistic = (part(arrays, f"{name}.") for name in Members._fields)
    return Members(
        hiatus=linear_from_arrays(hiatus) if hiatus else None,
        boosted=ChurnClassifier.from_arrays(boosted) if boosted else None,
        logistic=linear_from_arrays(logistic) if logistic else None,
    )


def _pack_spread(spread: Spread) -> dict[str, Arrays]:
    numbers = np.array([spread.drift_sd, spread.newcomer_sd, len(spread.members)])
    head: dict[str, Arrays] = {SPREAD: {"numbers": numbers, "btyd": spread.btyd}}
    return head | {
        f"{SPREAD}{number}.": _pack_members(members)
        for number, members in enumerate(spread.members)
    }


def _unpack_spread(arrays: Arrays) -> Spread | None:
    if not arrays:
        return None
    drift_sd, newcomer_sd, n = (float(value) for value in arrays["numbers"])
    found = [_unpack_members(part(arrays, f"{number}.")) for number in range(int(n))]
    members = tuple(one for one in found if one is not None)
    return Spread(members, np.asarray(arrays["btyd"]), drift_sd, newcomer_sd)
