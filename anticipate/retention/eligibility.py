"""Which service levels a customer is entitled to: by need, or by what they bought.

Reads  an attribute, a mapping or a function, as the caller gave it.
Gives  one mask of levels per customer.
Never  a level by the budget: the budget chooses among these only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..exceptions import ColumnError, ParameterError
from ..log import History
from ..log.ids import check_ids
from .answers import distinct
from .people import People

Array = NDArray[Any]
Eligible = str | Mapping[Any, Any] | Callable[[pd.DataFrame], pd.DataFrame] | None


def eligible_levels(
    eligible: Eligible,
    names: list[str],
    people: People,
    predictions: pd.DataFrame,
    history: History,
) -> Array:
    """Which of K levels each of n customers may have, bool (K, n).

    Parameters
    ----------
    eligible : None, str, mapping or callable
        None: every level. Text: a column of the customers' attributes that holds a level's name
        or several (a list, or words between commas). Mapping: customer_id to the same. Callable:
        the predictions to a table of booleans, a column per level, with the same index.
    """
    if eligible is None:
        return np.ones((len(names), len(people.ids)), dtype=bool)
    if isinstance(eligible, str):
        return _by_column(eligible, names, history)[:, people.codes]
    if isinstance(eligible, Mapping):
        check_ids(eligible.keys(), history.customer_ids, "eligible")
        said = [eligible.get(one) for one in people.ids.tolist()]
        return _by_names(pd.Series(said, dtype=object), names, "eligible")
    if callable(eligible):
        return _by_function(eligible, names, predictions)[:, people.rows]
    raise ParameterError(
        "eligible must be None, a column's name, a mapping from customer_id to level names or a "
        f"function of the predictions; got {type(eligible).__name__}."
    )


def _by_column(column: str, names: list[str], history: History) -> Array:
    """By an attribute, with one more column at the end: customers never seen have nothing."""
    table = history.customers
    if column not in table.columns:
        raise ColumnError(
            f"eligible: the customers have no attribute {column!r}; found "
            f"{sorted(map(str, table.columns))}. Give customers= to the log with that column."
        )
    found = _by_names(table[column], names, f"eligible: {column!r}")
    return np.append(found, np.zeros((len(names), 1), dtype=bool), axis=1)


def _by_names(said: pd.Series[Any], names: list[str], where: str) -> Array:
    """Each distinct answer is read once, however many customers gave it."""
    place, answers = distinct(said)
    sets = [_words(one) for one in answers]
    if len(sets) and not any(one & set(names) for one in sets):
        raise ParameterError(
            f"{where} names none of the levels {names} in any of its {len(sets)} different "
            "answers. Use the levels' names."
        )
    table = np.array([[name in one for one in [*sets, set()]] for name in names], dtype=bool)
    return table[:, place]  # -1, nothing said, is the empty set at the end


def _words(value: Any) -> set[str]:
    """Of a list of words, or of words between commas."""
    if isinstance(value, tuple):
        return {str(one) for one in value}
    return {word.strip() for word in str(value).split(",")}


def _by_function(
    function: Callable[[pd.DataFrame], pd.DataFrame], names: list[str], predictions: pd.DataFrame
) -> Array:
    found = function(predictions.copy())
    fits = isinstance(found, pd.DataFrame) and found.index.equals(predictions.index)
    if not fits or set(names) - set(found.columns):
        seen = list(found.columns) if isinstance(found, pd.DataFrame) else type(found).__name__
        raise ParameterError(
            f"eligible: the function must give a DataFrame with the index of the predictions and "
            f"the columns {names}; got {seen}."
        )
    if not all(pd.api.types.is_bool_dtype(found[name]) for name in names):
        raise ParameterError("eligible: the function must give booleans in every column.")
    return found[names].to_numpy(dtype=bool).T
