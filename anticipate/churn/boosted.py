"""Boosted trees on customer features: a scikit-learn classifier kept as flat arrays.

Reads  a table of numbers (NaN = unknown) and two classes.
Gives  P(class), each row on its own: alone and in a batch the same, bit for bit.
Never  time: which rows are past and which are labels is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from ..exceptions import ParameterError
from ..kernels.trees import check_trees, flatten_hist_gradient_boosting, predict_trees

Array = NDArray[Any]
Floats = NDArray[np.float64]


class ChurnClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Two-class histogram gradient boosting with small trees.

    Parameters
    ----------
    n_trees : int, default=100
        One per boosting step.
    learning_rate : float, default=0.05
    max_leaf_nodes : int, default=6
    min_samples_leaf : int, default=40
    l2_regularization : float, default=1.0
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    trees_ : dict of ndarray
        The trees as :mod:`anticipate.kernels.trees` stores them.

    Notes
    -----
    Trained on one thread, so that the same seed gives the same trees.

    Examples
    --------
    >>> X, y = np.arange(200.0).reshape(-1, 1), np.arange(200) >= 100
    >>> model = ChurnClassifier(random_state=0).fit(X, y)
    >>> model.predict([[10.0], [190.0]]).tolist()
    [False, True]
    """

    classes_: Array
    trees_: dict[str, Array]

    def __init__(
        self,
        *,
        n_trees: int = 100,
        learning_rate: float = 0.05,
        max_leaf_nodes: int = 6,
        min_samples_leaf: int = 40,
        l2_regularization: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_trees = n_trees
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from X (n, k) and labels y (n,) of exactly two classes.

        Raises
        ------
        ParameterError
            If y does not hold two classes.
        """
        X, y = self._checked(X, y=y)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            raise ParameterError(
                f"y must hold two classes; it holds {len(self.classes_)} "
                f"{'class' if len(self.classes_) == 1 else 'classes'}. "
                "Only binary classification is supported."
            )
        # scikit-learn cannot bin a column that is NaN throughout; a constant is never split on.
        X = np.where(np.isnan(X).all(axis=0), 0.0, X)
        settings = self.get_params()
        booster = HistGradientBoostingClassifier(
            max_iter=settings.pop("n_trees"), early_stopping=False, **settings
        )
        with threadpool_limits(1):
            booster.fit(X, y == self.classes_[1])
        self.trees_ = flatten_hist_gradient_boosting(booster)
        return self

    def decision_function(self, X: Any) -> Floats:
        """Log-odds of the second class, shape (n,)."""
        check_is_fitted(self, "trees_")
        X = self._checked(X, reset=False)
        return predict_trees(self.trees_, X)

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities of both classes, shape (n, 2), columns as in ``classes_``."""
        z = self.decision_function(X)
        return np.stack([expit(-z), expit(z)], axis=1)

    def predict(self, X: Any) -> Array:
        """The likelier class of each row, shape (n,)."""
        second = self.decision_function(X) > 0
        return np.asarray(self.classes_[second.astype(int)])

    def to_arrays(self) -> dict[str, Array]:
        """The trees; labels other than False and True are not kept."""
        check_is_fitted(self, "trees_")
        return dict(self.trees_)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """A fitted classifier of False and True; the arrays are checked."""
        model = cls()
        n_features = int(arrays["n_features"][0])
        check_trees(arrays, n_features)
        model.trees_, model.n_features_in_ = dict(arrays), n_features
        model.classes_ = np.array([False, True])
        return model

    def _checked(self, X: Any, **more: Any) -> Any:
        """X, and y where given, as scikit-learn checks them; no word of a cell in an error."""
        try:
            return validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", **more)
        except ValueError as error:
            if "could not convert" not in str(error):
                raise
        raise ParameterError("X must be numbers; some cells hold text. Encode or drop them.")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags
