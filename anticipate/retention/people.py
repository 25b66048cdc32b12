"""The customers a plan is about: their risk, and their place in the history.

Reads  a churn table and a History.
Gives  arrays in the order of the customers' ids, whatever the order of the table.
Never  a value that is no number: a plan made of such values would be one of chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_columns, check_numbers
from ..columns import CUSTOMER
from ..exceptions import ParameterError
from ..kernels.churn import DEPARTED, PROSPECTIVE, SEGMENTS
from ..log import History
from ..log.ids import check_ids, lookup_codes

Array = NDArray[Any]
_NEEDED = ("p_churn", "value_at_risk", "expected_value", "segment")


@dataclass(frozen=True)
class People:
    """n customers, sorted by id."""

    ids: Array
    rows: Array  # int (n,): their rows in the table
    codes: Array  # int64 (n,): in the history, -1 unknown to it
    p_churn: Array
    value_at_risk: Array  # currency in the horizon; NaN where worth is not asked for
    value_if_active: Array  # what they spend in the horizon if they buy at all
    departed: Array  # bool (n,)
    prospective: Array


def read_people(predictions: pd.DataFrame, history: History, *, with_value: bool) -> People:
    """Check the churn table and sort it.

    Parameters
    ----------
    predictions : DataFrame indexed by customer_id
        ``ChurnModel.predict``'s columns.
    with_value : bool
        Whether the plan is about money: unknown values are refused then.
    """
    table, ids = _checked(predictions, history)
    codes = _codes(ids, history.customer_ids)
    rows = _order(ids, codes)
    if len(rows) > 1 and (ids[rows][1:] == ids[rows][:-1]).any():
        raise ParameterError("predictions: a customer stands in two rows; keep one row each.")
    risk = _numbers(table, "p_churn", rows)
    if ((risk < 0) | (risk > 1)).any() or np.isnan(risk).any():
        _refuse("p_churn", (risk < 0) | (risk > 1) | np.isnan(risk), rows, "numbers from 0 to 1")
    at_risk, expected = (
        _numbers(table, name, rows) for name in ("value_at_risk", "expected_value")
    )
    if with_value:
        _check_values(at_risk, expected, rows)
    segment = pd.Index(SEGMENTS).get_indexer(pd.Index(table["segment"].astype(object)))[rows]
    if (segment < 0).any():
        _refuse("segment", segment < 0, rows, f"one of {', '.join(SEGMENTS)}")
    return People(
        ids[rows], rows, codes[rows], risk, at_risk, at_risk + expected,
        segment == DEPARTED, segment == PROSPECTIVE,
    )  # fmt: skip


def in_first_order(table: pd.DataFrame, people: People) -> pd.DataFrame:
    """A table of the people, in the order of the predictions."""
    places = np.arange(len(people.rows))
    if bool((people.rows == places).all()):
        return table
    back = np.empty_like(places)
    back[people.rows] = places
    return table.iloc[back]


def _checked(predictions: Any, history: History) -> tuple[pd.DataFrame, Array]:
    if not isinstance(predictions, pd.DataFrame):
        raise ParameterError(
            "predictions must be ChurnModel.predict's table, a DataFrame indexed by customer_id; "
            f"got {type(predictions).__name__}."
        )
    if CUSTOMER in predictions.columns:
        raise ParameterError(
            "predictions: customer_id is a column; make it the index: .set_index('customer_id')."
        )
    check_columns("predictions", _NEEDED, predictions.columns, hint="Give ChurnModel.predict's.")
    return predictions, check_ids(predictions.index, history.customer_ids, "predictions")


def _codes(ids: Array, known: Array) -> Array:
    """Codes in the history; at once where the table is the whole history's."""
    if len(ids) == len(known) and bool(np.all(ids == known)):
        return np.arange(len(ids))
    if known.dtype == object and len(known):  # by hash: a search in a million texts takes seconds
        return np.asarray(pd.Index(known).get_indexer(pd.Index(ids)))
    return lookup_codes(ids, known)


def _order(ids: Array, codes: Array) -> Array:
    """Rows in the order of the ids; known codes are in that order already."""
    if (codes >= 0).all():
        ascending = len(codes) < 2 or bool((codes[1:] > codes[:-1]).all())
        return np.arange(len(codes)) if ascending else np.argsort(codes, kind="stable")
    return np.argsort(ids, kind="stable")


def _numbers(table: pd.DataFrame, name: str, rows: Array) -> Array:
    return check_numbers(f"predictions: {name}", table[name])[rows]


def _check_values(at_risk: Array, expected: Array, rows: Array) -> None:
    if len(at_risk) and np.isnan(at_risk).all():
        raise ParameterError(
            "predictions: value_at_risk is unknown for everybody, so what a contact saves cannot "
            "be said in money. Make the log with prices, or count customers instead: "
            "ContactPlan(..., objective='customers')."
        )
    for name, values in (("value_at_risk", at_risk), ("expected_value", expected)):
        bad = ~(np.isfinite(values) & (values >= 0))
        if bad.any():
            _refuse(name, bad, rows, "finite numbers, 0 or above")


def _refuse(name: str, bad: Array, rows: Array, wanted: str) -> None:
    first = ", ".join(map(str, np.sort(rows[bad])[:3].tolist()))
    raise ParameterError(
        f"predictions: {name} must be {wanted}; {int(bad.sum())} row(s) are not (rows {first}). "
        "Correct or remove them."
    )
