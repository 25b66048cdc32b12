"""Columns for uplift learners: the same ones at prediction, numbers for a linear model.

Reads  a table of n customers: a DataFrame with named columns, or a 2-D array.
Gives  the table as the classifier wants it; a classifier that takes mixed columns.
Never  values of other customers at prediction; the caller's table stays unchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
)

from .._checks import check_numbers
from ..exceptions import ColumnError, ParameterError

Array = NDArray[Any]
WORDS = make_column_selector(dtype_exclude=["number", "bool", "boolean"])


def table_of(X: Any) -> Any:
    """A DataFrame as it is, anything else as a 2-D array."""
    table = X if isinstance(X, pd.DataFrame) else np.asarray(X)
    if table.ndim != 2 or not table.shape[1]:
        raise ParameterError(
            f"X must have a row per customer and at least one column; its shape is {table.shape}."
        )
    if isinstance(table, pd.DataFrame) and table.columns.has_duplicates:
        twice = [str(name) for name in table.columns[table.columns.duplicated()]]
        raise ColumnError(f"X: column {twice[:3]} stands twice; keep one of each.")
    return table


def remember_columns(learner: Any, table: Any) -> None:
    """Sets ``n_features_in_`` and, for named columns, ``feature_names_in_``."""
    learner.n_features_in_ = table.shape[1]
    if isinstance(table, pd.DataFrame):
        learner.feature_names_in_ = np.asarray(table.columns, dtype=object)
    elif hasattr(learner, "feature_names_in_"):
        del learner.feature_names_in_  # fitted on names before


def same_columns(learner: Any, X: Any) -> Any:
    """The columns of ``fit``, in its order; names are matched, others counted."""
    if not hasattr(learner, "n_features_in_"):
        raise NotFittedError(f"this {type(learner).__name__} is not fitted yet; call fit first.")
    table = table_of(X)
    names = getattr(learner, "feature_names_in_", None)
    if names is not None and isinstance(table, pd.DataFrame):
        return _by_name(table, names)
    if (names is not None) != isinstance(table, pd.DataFrame):
        raise ColumnError(
            "X: fitted on named columns and asked without names, or the other way round. "
            "Give a DataFrame both times, or an array both times."
        )
    if table.shape[1] != learner.n_features_in_:
        raise ColumnError(f"X has {table.shape[1]} columns; fitted on {learner.n_features_in_}.")
    return table


def mixed_encoder() -> Pipeline:
    """Any table as scaled numbers: words by kind (new ones: none), gaps by the median, marked."""
    gaps = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    numbers = make_pipeline(FunctionTransformer(_as_floats), gaps)
    kinds = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    words = make_pipeline(FunctionTransformer(_as_words), kinds)
    columns = make_column_transformer((words, WORDS), remainder=numbers)
    return make_pipeline(FunctionTransformer(_as_frame), columns, StandardScaler())


def logistic_on_mixed(penalty: float) -> Pipeline:
    """A ridge logistic regression on ``mixed_encoder``'s columns; ``penalty`` is 1/C."""
    return make_pipeline(mixed_encoder(), LogisticRegression(C=1 / penalty, max_iter=1000))


def _as_frame(table: Any) -> pd.DataFrame:
    """Named columns; objects that are all numbers are numbers, not a kind each."""
    return pd.DataFrame(table).infer_objects()


def _as_words(table: pd.DataFrame) -> pd.DataFrame:
    """Every way to say that a word is missing is None: the encoder cannot sort the others."""
    return table.astype(object).where(table.notna(), None)


def _as_floats(table: pd.DataFrame) -> Array:
    """Numbers, truths and nullable columns as float64; what is missing is NaN."""
    columns = [check_numbers(f"X: column {name}", table[name]) for name in table]
    found = np.column_stack(columns) if columns else np.empty(table.shape)
    if np.isinf(found).any():
        names = [str(name) for name in np.asarray(table.columns)[np.isinf(found).any(axis=0)]]
        raise ParameterError(f"X: infinite values in {names[:3]}; leave out or cap them.")
    return found


def _by_name(table: pd.DataFrame, names: Any) -> pd.DataFrame:
    missing = [str(name) for name in names if name not in table.columns]
    extra = [str(name) for name in table.columns if name not in set(names)]
    if missing or extra:
        raise ColumnError(
            f"X has other columns than at fit: missing {missing}, not known {extra}. "
            "Give the same ones."
        )
    return table[list(names)]


__all__ = ["logistic_on_mixed", "mixed_encoder", "remember_columns", "same_columns", "table_of"]
