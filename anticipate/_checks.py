"""Checks at the door: each returns the checked value or raises one clear error."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .exceptions import ColumnError, OutputError, ParameterError

T = TypeVar("T")


def check_positive(name: str, value: Any) -> float:
    """A finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ParameterError(f"{name} must be a number above 0; got {type(value).__name__}.")
    number = as_float(value)
    if not math.isfinite(number) or number <= 0:
        raise ParameterError(f"{name} must be a finite number above 0; got {number:g}.")
    return number


def check_probability(name: str, value: Any) -> float:
    """A number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ParameterError(f"{name} must be a number from 0 to 1; got {type(value).__name__}.")
    if not 0 <= (number := as_float(value)) <= 1:
        raise ParameterError(f"{name} must be a number from 0 to 1; got {number:g}.")
    return number


def as_float(value: Any) -> float:
    """A number as float; what is too large for one is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def check_numbers(name: str, values: Any) -> NDArray[np.float64]:
    """Numbers as float64, NaN where one is missing; an error counts the others, by row and type."""
    try:
        if hasattr(values, "iloc"):  # pandas: a missing number of its own kind is no float
            return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(f"{name} must be numbers; {_no_numbers(values)}.") from None


def _no_numbers(values: Any) -> str:
    """How many are none, where the first ones stand, and of which type they are."""
    kinds = {}
    for row, value in enumerate(values if hasattr(values, "__iter__") else [values]):
        try:
            float(value)
        except (TypeError, ValueError, OverflowError):
            kinds[row] = type(value).__name__
    if not kinds:
        return f"got {getattr(values, 'dtype', type(values).__name__)}"
    first = list(kinds)[:3]
    return f"{len(kinds)} are not (rows {first}, of type {kinds[first[0]]})"


def check_confidence(value: Any) -> float:
    """A share strictly between 0 and 1."""
    level = check_positive("confidence", value)
    if level >= 1:
        raise ParameterError(f"confidence must be below 1, such as 0.9; got {level:g}.")
    return level


def check_count(name: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """A whole number in [least, most]."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ParameterError(f"{name} must be a whole number; got {type(value).__name__}.")
    if int(value) < least or (most is not None and int(value) > most):
        upper = "" if most is None else f" and at most {most}"
        raise ParameterError(f"{name} must be at least {least}{upper}; got {value}.")
    return int(value)


def check_option(name: str, value: T, allowed: Collection[T]) -> T:
    """One of the allowed values."""
    if value not in allowed:
        raise ParameterError(f"{name} must be one of {sorted(map(str, allowed))}; got {value!r}.")
    return value


def check_columns(table: str, wanted: Iterable[str], found: Iterable[Any], *, hint: str) -> None:
    """All wanted columns are there."""
    names = [str(name) for name in found]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ColumnError(f"{table}: no column {missing}; found {sorted(names)}. {hint}")


def check_writable_parent(path: str | Path) -> Path:
    """The folder that a file is to be written into exists and may be written into."""
    target = Path(path)
    if not target.parent.is_dir():
        raise OutputError(
            f"cannot write {target.name}: no folder {str(target.parent)!r}. Create it first."
        )
    if target.is_dir():
        raise OutputError(f"cannot write {target.name}: it is a folder. Name a file in it.")
    _check_writable(target.parent, target.name)
    return target


def check_writable_folder(path: str | Path) -> Path:
    """A folder that is there and may be written into, or that can be made."""
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise OutputError(f"cannot write {target.name}: it is a file. Name a folder.")
    there = next(folder for folder in (target, *target.absolute().parents) if folder.exists())
    _check_writable(there, target.name)
    return target


def _check_writable(folder: Path, name: str) -> None:
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise OutputError(
            f"cannot write {name}: {str(folder)!r} is not a folder you may write into."
        )
