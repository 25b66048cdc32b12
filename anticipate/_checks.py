"""Checks at the door: each returns the checked value or raises one clear error."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, TypeVar

from .exceptions import ColumnError, OutputError, ParameterError

T = TypeVar("T")


def check_positive(name: str, value: Any) -> float:
    """A finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ParameterError(f"{name} must be a number above 0; got {type(value).__name__}.")
    if not math.isfinite(value) or float(value) <= 0:
        raise ParameterError(f"{name} must be a finite number above 0; got {value}.")
    return float(value)


def check_probability(name: str, value: Any) -> float:
    """A number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= float(value) <= 1:
        raise ParameterError(f"{name} must be a number from 0 to 1; got {value!r}.")
    return float(value)


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
