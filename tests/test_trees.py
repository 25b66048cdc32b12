"""Flat trees: equal to scikit-learn's, and refused when a file could make them misbehave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from anticipate.exceptions import ParameterError
from anticipate.kernels.trees import check_trees, flatten_hist_gradient_boosting, predict_trees

Array = NDArray[Any]


def stump() -> dict[str, Array]:
    """One tree: x0 <= 2 -> node 1 (value 10), else node 2 (value 20); NaN goes left; + 0.5."""
    return {
        "baseline": np.array([0.5]),
        "children": np.array([[1, 2], [1, 1], [2, 2]]),
        "feature": np.array([0, -1, -1], dtype=np.int32),
        "missing_left": np.array([True, False, False]),
        "n_features": np.array([1]),
        "threshold": np.array([2.0, 0.0, 0.0]),
        "tree_offsets": np.array([0, 3]),
        "value": np.array([0.0, 10.0, 20.0]),
    }


def sample(n_rows: int, n_features: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X[:, 0]) + np.isnan(X[:, -1]) + 0.3 * rng.normal(size=n_rows)
    return X, y


# -- by hand -----------------------------------------------------------------------


def test_a_row_goes_left_up_to_the_threshold():
    """x <= 2 gives 0.5 + 10, x > 2 gives 0.5 + 20, NaN goes left here."""
    actual = predict_trees(stump(), [[2.0], [2.1], [np.nan], [np.inf], [-np.inf]])

    assert actual.tolist() == [10.5, 20.5, 10.5, 20.5, 10.5]


def test_missing_goes_right_where_the_tree_says_so():
    arrays = stump() | {"missing_left": np.array([False, False, False])}

    assert predict_trees(arrays, [[np.nan]]).tolist() == [20.5]


def test_trees_add_up():
    """A second tree that is one leaf of value 3: 0.5 + 10 + 3."""
    arrays = stump()
    arrays["children"] = np.vstack([arrays["children"], [[3, 3]]])
    arrays["tree_offsets"] = np.array([0, 3, 4])
    for name, last in (("feature", -1), ("missing_left", 0), ("threshold", 0), ("value", 3)):
        arrays[name] = np.append(arrays[name], last).astype(arrays[name].dtype)
    check_trees(arrays, 1)

    assert predict_trees(arrays, [[0.0]]).tolist() == [13.5]


# -- edge --------------------------------------------------------------------------


def test_no_rows_give_no_scores():
    assert predict_trees(stump(), np.empty((0, 1))).shape == (0,)


def test_another_number_of_columns_is_refused():
    with pytest.raises(ParameterError, match="shape"):
        predict_trees(stump(), [[1.0, 2.0]])


def test_an_unfitted_model_is_refused():
    with pytest.raises(ParameterError, match="not fitted"):
        flatten_hist_gradient_boosting(HistGradientBoostingRegressor())


def test_three_classes_are_refused():
    X, y = sample(300, 2)
    model = HistGradientBoostingClassifier(max_iter=2).fit(X, np.digitize(y, [-0.5, 0.5]))

    with pytest.raises(ParameterError, match="one tree per iteration"):
        flatten_hist_gradient_boosting(model)


def test_categorical_splits_are_refused():
    X = np.repeat(np.arange(6.0), 50)[:, None]
    model = HistGradientBoostingRegressor(max_iter=2, categorical_features=[0])

    with pytest.raises(ParameterError, match="numeric splits"):
        flatten_hist_gradient_boosting(model.fit(X, X[:, 0] % 2))


# -- law ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_rows", "n_features", "settings"),
    [
        (50, 1, {"max_iter": 3, "min_samples_leaf": 2}),
        (2_000, 12, {"max_iter": 60, "max_leaf_nodes": 31}),
        (3_000, 5, {"max_iter": 40, "max_depth": 3}),
        (1_500, 3, {"max_iter": 30, "max_leaf_nodes": None, "min_samples_leaf": 1}),
        (400, 4, {"max_iter": 5, "min_samples_leaf": 400}),  # nothing to split: single leaves
    ],
)
def test_a_classifier_keeps_its_decision_function(
    n_rows: int, n_features: int, settings: dict[str, Any]
):
    X, y = sample(n_rows, n_features)
    model = HistGradientBoostingClassifier(random_state=0, **settings).fit(X, y > 0)
    arrays = flatten_hist_gradient_boosting(model)
    check_trees(arrays, n_features)

    fresh, _ = sample(2_000, n_features, seed=1)
    fresh[0], fresh[1], fresh[2] = np.inf, -np.inf, np.nan
    expected = model.decision_function(fresh)

    np.testing.assert_allclose(predict_trees(arrays, fresh), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_a_regressor_keeps_its_raw_prediction(loss: str):
    X, y = sample(1_000, 6)
    model = HistGradientBoostingRegressor(loss=loss, max_iter=40, random_state=0)
    arrays = flatten_hist_gradient_boosting(model.fit(X, np.abs(y)))
    inverse_link = np.exp if loss == "poisson" else np.asarray

    np.testing.assert_allclose(
        inverse_link(predict_trees(arrays, X)), model.predict(X), rtol=1e-12, atol=1e-12
    )


def test_a_split_on_missing_survives():
    """Only missingness tells the classes apart: scikit-learn writes the threshold +inf."""
    x = np.where(np.arange(200) % 2 == 0, 7.0, np.nan)[:, None]
    model = HistGradientBoostingClassifier(max_iter=2).fit(x, np.isnan(x[:, 0]))
    arrays = flatten_hist_gradient_boosting(model)
    check_trees(arrays, 1)

    assert np.isposinf(arrays["threshold"]).any()
    np.testing.assert_allclose(predict_trees(arrays, x), model.decision_function(x), rtol=1e-12)


def test_a_row_alone_is_the_row_in_a_batch_bit_for_bit():
    X, y = sample(1_300, 8)
    model = HistGradientBoostingClassifier(max_iter=80, random_state=0).fit(X, y > 0)
    arrays = flatten_hist_gradient_boosting(model)
    whole = predict_trees(arrays, X)

    alone = np.concatenate([predict_trees(arrays, X[i : i + 1]) for i in range(0, 1_300, 7)])
    assert alone.tobytes() == whole[::7].tobytes()
    assert predict_trees(arrays, X[::-1]).tobytes() == whole[::-1].tobytes()


def test_input_is_unchanged():
    X, y = sample(200, 3)
    kept = X.copy()
    arrays = flatten_hist_gradient_boosting(HistGradientBoostingRegressor(max_iter=3).fit(X, y))
    predict_trees(arrays, X)

    np.testing.assert_array_equal(X, kept)


# -- refusals ----------------------------------------------------------------------


def at(index: Any, value: Any) -> Any:
    def change(array: Array) -> Array:
        changed = array.copy()
        changed[index] = value
        return changed

    return change


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [
        ("children", at((0, 1), 3), "children"),  # past the end
        ("children", at((0, 1), -1), "children"),
        ("children", at((0, 1), 0), "children"),  # a cycle
        ("children", at((0, 1), 1), "children"),  # both children the same: node 2 is orphaned
        ("children", at((1, 0), 2), "leaf"),
        ("children", lambda a: a[:, :1], "children"),
        ("children", lambda a: a.astype(np.int32), "children"),
        ("feature", at(0, 1), "feature"),
        ("feature", at(1, 0), "children"),  # a leaf that claims to split
        ("feature", at(0, -1), "children"),  # a root that claims to be a leaf
        ("threshold", at(0, np.nan), "threshold"),
        ("threshold", at(0, -np.inf), "threshold"),
        ("threshold", lambda a: a[:2], "threshold"),
        ("value", at(1, np.inf), "value"),
        ("baseline", at(0, np.nan), "baseline"),
        ("baseline", lambda a: np.repeat(a, 2), "baseline"),
        ("missing_left", lambda a: a.astype(np.int8), "missing_left"),
        ("n_features", lambda a: a + 1, "n_features"),
        ("tree_offsets", at(1, 2), "tree_offsets"),
        ("tree_offsets", lambda a: np.array([0, 1, 3]), "children"),
        ("tree_offsets", lambda a: a[:0], "tree_offsets"),
        ("tree_offsets", lambda a: np.array([0, 3, 3]), "tree_offsets"),
    ],
)
def test_arrays_that_could_misbehave_are_refused(name: str, change: Any, word: str):
    arrays = stump()
    check_trees(arrays, 1)
    arrays[name] = change(arrays[name])

    with pytest.raises(ValueError, match=word):
        check_trees(arrays, 1)


def test_a_branch_into_another_tree_is_refused():
    """Nodes 0-1 and 2-5 are two trees; node 0 claims leaf 5 of the second, each node once."""
    arrays = {
        "baseline": np.array([0.0]),
        "children": np.array([[1, 5], [1, 1], [3, 4], [3, 3], [4, 4], [5, 5]]),
        "feature": np.array([0, -1, 0, -1, -1, -1], dtype=np.int32),
        "missing_left": np.zeros(6, dtype=bool),
        "n_features": np.array([1]),
        "threshold": np.zeros(6),
        "tree_offsets": np.array([0, 2, 6]),
        "value": np.zeros(6),
    }

    with pytest.raises(ParameterError, match="outside their tree"):
        check_trees(arrays, 1)


def test_a_missing_array_is_named():
    arrays = stump()
    del arrays["threshold"]

    with pytest.raises(ParameterError, match="threshold"):
        check_trees(arrays, 1)
