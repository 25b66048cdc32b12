"""Nested state as one flat mapping of arrays, and back.

Reads  mappings of arrays; values that JSON can hold.
Gives  ``dict[str, ndarray]`` whose names say which part an array belongs to.
Never  a pickle, or code from a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exceptions import ParameterError

Arrays = dict[str, NDArray[Any]]


def flat(parts: Mapping[str, Mapping[str, NDArray[Any]]]) -> Arrays:
    """All arrays in one mapping, each name behind the head of its part."""
    return {head + name: array for head, part in parts.items() for name, array in part.items()}


def part(arrays: Mapping[str, NDArray[Any]], head: str) -> Arrays:
    """The arrays of one part, by their own names."""
    return {name[len(head) :]: a for name, a in arrays.items() if name.startswith(head)}


def json_array(value: Any) -> NDArray[np.uint8]:
    """A JSON-ready value as bytes."""
    text = json.dumps(value, sort_keys=True, default=_plain_number)
    return np.frombuffer(text.encode("utf-8"), np.uint8)


def array_json(array: NDArray[np.uint8]) -> Any:
    """Inverse of :func:`json_array`."""
    return json.loads(array.tobytes().decode("utf-8"))


def _plain_number(value: Any) -> Any:
    """NumPy numbers as Python's; anything else is refused by name."""
    if isinstance(value, np.generic):
        return value.item()
    raise ParameterError(f"a churn model cannot store a {type(value).__name__} among its settings.")
