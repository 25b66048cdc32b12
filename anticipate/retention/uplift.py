"""Uplift: how much a contact changes the chance that a customer stays.

Reads  a table of n customers, a yes-or-no outcome, and who was treated at random.
Gives  learners whose ``predict_uplift`` is P(y = 1 | treated) − P(y = 1 | not treated).
Never  who would stay anyway: risk is not uplift. Without an experiment nothing can be learned.
       Sums are the classifier's own: another batch may move the last digits of a score.
Source Künzel et al., Metalearners for estimating heterogeneous treatment effects, PNAS 116, 2019
       (T-learner); Jaskowski & Jaroszewicz, Uplift modeling for clinical trial data,
       ICML workshop, 2012 (class transformation); Athey & Imbens, Recursive partitioning for
       heterogeneous causal effects, PNAS 113, 2016 (its weights for arms of unequal size).
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from ..exceptions import ParameterError
from .uplift_columns import logistic_on_mixed, remember_columns, same_columns
from .uplift_input import experiment_of

Array = NDArray[Any]
# Chosen on validation splits inside training parts of Hillstrom's e-mail test (men's arm, visit).
PENALTY = 10.0


class UpliftModel(Protocol):
    """What a service level needs of a measured effect."""

    def predict_uplift(self, X: Any, /) -> Array:
        """Gain in P(y = 1) of each of n customers, float64 (n,)."""
        ...


class TLearner(BaseEstimator):  # type: ignore[misc]
    """Two models, one per arm: p₁(x) − p₀(x), each fitted on its own arm.

    Plain and unbiased where both arms are large; where the effect varies little beside the
    outcome itself, two models' errors add up: ``SharedLearner`` ranks better then.

    Parameters
    ----------
    classifier : scikit-learn classifier with ``predict_proba``, optional
        Cloned per arm. Default: a ridge logistic regression that takes words and gaps.
    random_state : int, optional
        Given to a classifier that has that parameter.

    Attributes
    ----------
    treated_, untreated_ : fitted classifiers

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, treatment = rng.random((4000, 1)), rng.integers(0, 2, 4000)
    >>> y = rng.random(4000) < 0.2 + 0.4 * X[:, 0] * treatment
    >>> low, high = TLearner().fit(X, y, treatment).predict_uplift([[0.1], [0.9]])
    >>> bool(high > low + 0.2)
    True
    """

    def __init__(self, classifier: Any = None, *, random_state: int | None = None) -> None:
        self.classifier = classifier
        self.random_state = random_state

    def fit(self, X: Any, y: Any, treatment: Any) -> Self:
        """Learn from an experiment.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            What was known before the treatment. NaN only if the classifier takes it.
        y : array-like of shape (n,), 0/1 or bool
        treatment : array-like of shape (n,), 0/1 or bool
            Given at random, or the difference is not the treatment's.

        Raises
        ------
        ParameterError
            If the treatment has one arm or an arm one outcome only, with what to do.
        """
        table, outcome, treated = experiment_of(X, y, treatment)
        remember_columns(self, table)
        model = _ready(self.classifier, self.random_state)
        self.treated_ = clone(model).fit(_rows(table, treated == 1), outcome[treated == 1])
        self.untreated_ = clone(model).fit(_rows(table, treated == 0), outcome[treated == 0])
        return self

    def predict_uplift(self, X: Any) -> Array:
        """Gain in P(y = 1) by the treatment, in [−1, 1], float64 (n,)."""
        table = same_columns(self, X)
        return _chance(self.treated_, table) - _chance(self.untreated_, table)


class ClassTransformation(BaseEstimator):  # type: ignore[misc]
    """One model of "treated and bought, or untreated and did not": uplift = 2 · P − 1.

    With z = y for the treated and 1 − y for the others, and weights 1/e and 1/(1 − e), e the
    treated share, P(z = 1 | x) = (1 + uplift(x))/2 whatever the arms' sizes are.

    Parameters
    ----------
    classifier : scikit-learn classifier with ``predict_proba``, optional
        Must take ``sample_weight`` in ``fit`` (a pipeline's last step must).
        Default: a ridge logistic regression that takes words and gaps.
    random_state : int, optional
        Given to a classifier that has that parameter.

    Attributes
    ----------
    classifier_ : fitted classifier
    treated_share_ : float

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, treatment = rng.random((4000, 1)), rng.random(4000) < 0.8
    >>> y = rng.random(4000) < 0.2 + 0.4 * X[:, 0] * treatment
    >>> low, high = ClassTransformation().fit(X, y, treatment).predict_uplift([[0.1], [0.9]])
    >>> bool(high > low + 0.2)
    True
    """

    def __init__(self, classifier: Any = None, *, random_state: int | None = None) -> None:
        self.classifier = classifier
        self.random_state = random_state

    def fit(self, X: Any, y: Any, treatment: Any) -> Self:
        """Learn from an experiment; parameters and errors are those of ``TLearner.fit``."""
        table, outcome, treated = experiment_of(X, y, treatment)
        remember_columns(self, table)
        model = clone(_ready(self.classifier, self.random_state))
        self.treated_share_ = float(treated.mean())
        weights = np.where(treated == 1, 0.5 / self.treated_share_, 0.5 / (1 - self.treated_share_))
        agrees = (outcome == treated).astype(np.int64)
        self.classifier_ = model.fit(table, agrees, **{_weight_name(model): weights})
        return self

    def predict_uplift(self, X: Any) -> Array:
        """Gain in P(y = 1) by the treatment, in [−1, 1], float64 (n,)."""
        table = same_columns(self, X)
        return 2 * _chance(self.classifier_, table) - 1


def _ready(classifier: Any, random_state: int | None) -> Any:
    model = logistic_on_mixed(PENALTY) if classifier is None else clone(classifier)
    if not hasattr(model, "predict_proba"):
        raise ParameterError(
            f"{type(model).__name__} gives no probabilities (predict_proba); "
            "take a classifier that does."
        )
    seeds = [name for name in model.get_params() if name.split("__")[-1] == "random_state"]
    if random_state is not None:
        model.set_params(**dict.fromkeys(seeds, random_state))
    return model


def _rows(table: Any, mask: Array) -> Any:
    return table.iloc[np.flatnonzero(mask)] if hasattr(table, "iloc") else table[mask]


def _chance(model: Any, table: Any) -> Array:
    if not len(table):  # scikit-learn refuses a table of no rows
        return np.zeros(0)
    return np.asarray(model.predict_proba(table)[:, 1], dtype=np.float64)


def _weight_name(model: Any) -> str:
    """The keyword by which ``fit`` takes weights; a pipeline passes it to its last step."""
    name, last = model.steps[-1] if isinstance(model, Pipeline) else ("", model)
    if not has_fit_parameter(last, "sample_weight"):
        raise ParameterError(
            f"{type(last).__name__} takes no sample_weight, which unequal arms need; "
            "take another classifier, or TLearner."
        )
    return f"{name}__sample_weight" if name else "sample_weight"


__all__ = ["ClassTransformation", "TLearner", "UpliftModel"]
