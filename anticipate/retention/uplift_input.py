"""An experiment's columns, checked: who was treated and what came of it.

Reads  columns of n customers: lists, arrays or pandas columns, nullable and Arrow ones too.
Gives  float64 (n,) arrays; a treatment of zeros and ones with both arms.
Never  a guess: a missing value, a third arm or an arm of nobody is one clear error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_numbers
from ..exceptions import ParameterError
from .uplift_columns import table_of

Array = NDArray[Any]


def experiment_of(X: Any, y: Any, treatment: Any) -> tuple[Any, Array, Array]:
    """Table, outcome (int64) and treatment (float64) of n customers, fit to learn from."""
    table = table_of(X)
    treated = treatment_of(treatment, len(table))
    outcome = outcome_of(y, len(table))
    check_learnable(outcome, treated)
    return table, outcome.astype(np.int64), treated


def numbers_of(name: str, values: Any) -> Array:
    """Finite float64 (n,); by position, an index is not looked at."""
    found = check_numbers(name, pd.Series(values, dtype=getattr(values, "dtype", object)))
    bad = int((~np.isfinite(found)).sum())
    if bad:
        raise ParameterError(f"{name}: {bad} of {len(found)} values are missing or infinite.")
    return found


def treatment_of(values: Any, n_rows: int | None = None) -> Array:
    """Zeros (not treated) and ones (treated), float64 (n,), both of them there."""
    found = numbers_of("treatment", values)
    kinds = np.unique(found)
    if not np.isin(kinds, (0.0, 1.0)).all():
        raise ParameterError(
            f"treatment must be 0, 1 or bool; it has {len(kinds)} different values. Compare one "
            "level with the hold-out at a time."
        )
    if len(kinds) < 2:
        seen = "nobody" if not len(kinds) else "everybody" if kinds[0] else "nobody"
        raise ParameterError(
            f"treatment has one arm: {seen} of {len(found)} is treated. What a treatment changes "
            "shows only beside customers without it: keep a random hold-out."
        )
    return _as_long(found, n_rows, "treatment")


def outcome_of(values: Any, n_rows: int | None = None) -> Array:
    """An outcome per customer, 0/1 or any number, float64 (n,)."""
    return _as_long(numbers_of("y", values), n_rows, "y")


def check_learnable(y: Array, treatment: Array) -> None:
    """A yes-or-no outcome, and both answers in both arms."""
    if not np.isin(y, (0.0, 1.0)).all():
        raise ParameterError("y must be 0, 1 or bool: 1 for a customer who did it.")
    for name, arm in (("treated", 1.0), ("not treated", 0.0)):
        found = y[treatment == arm]
        if found.min() == found.max():
            raise ParameterError(
                f"all {len(found)} customers {name} have the outcome {found[0]:g}: nothing tells "
                "them apart. Take a longer horizon or more customers."
            )


def _as_long(found: Array, n_rows: int | None, name: str) -> Array:
    if n_rows is not None and len(found) != n_rows:
        raise ParameterError(f"{name} has {len(found)} values for {n_rows} customers.")
    return found


__all__ = ["check_learnable", "experiment_of", "numbers_of", "outcome_of", "treatment_of"]
