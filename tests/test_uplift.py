"""Uplift learners: known effects, arms of unequal size, columns, and experiments that are none."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from anticipate.exceptions import ColumnError, ParameterError
from anticipate.retention.uplift import ClassTransformation, TLearner
from anticipate.retention.uplift_metrics import qini
from anticipate.retention.uplift_shared import PENALTIES, SharedLearner

LEARNERS = (TLearner, ClassTransformation, SharedLearner)
EVERY = pytest.mark.parametrize("learner", LEARNERS, ids=lambda kind: kind.__name__)


def experiment(
    n: int, seed: int, *, share: float = 0.5, effect: float = 0.3
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """P(y) = .1 + .3·risk + effect·gain·t; gain is one column, risk another, a third nothing."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.random((n, 3)), columns=["gain", "risk", "noise"])
    treatment = (rng.random(n) < share).astype(np.int64)
    chance = 0.1 + 0.3 * X["risk"] + effect * X["gain"] * treatment
    return X, (rng.random(n) < chance).to_numpy(np.int64), treatment


def two_groups() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group 0: 4 of 8 treated against 1 of 4; group 1: 2 of 8 against 3 of 4. 16 : 8 in all."""
    group = np.repeat([0, 0, 1, 1], [8, 4, 8, 4])
    treatment = np.repeat([1, 0, 1, 0], [8, 4, 8, 4])
    y = np.concatenate([np.arange(k) < hits for k, hits in ((8, 4), (4, 1), (8, 2), (4, 3))])
    return group[:, None], y.astype(int), treatment


@pytest.mark.parametrize("learner", [TLearner, ClassTransformation], ids=lambda k: k.__name__)
def test_two_groups_give_the_difference_of_their_shares(learner):
    """A tree splits the groups: 4/8 − 1/4 = ¼ and 2/8 − 3/4 = −½, though arms are 2 : 1."""
    model = learner(DecisionTreeClassifier()).fit(*two_groups())

    assert model.predict_uplift([[0], [1], [0]]) == pytest.approx([1 / 4, -1 / 2, 1 / 4])


def test_class_transformation_without_weights_would_be_wrong():
    """Unweighted group 0: (4 + 3)/12, so 2·7/12 − 1 = 1/6, not ¼; the weights are what mends it."""
    X, y, treatment = two_groups()
    plain = DecisionTreeClassifier().fit(X, y == treatment)

    assert 2 * plain.predict_proba([[0]])[0, 1] - 1 == pytest.approx(1 / 6)
    assert ClassTransformation().fit(X, y, treatment).treated_share_ == pytest.approx(2 / 3)


@EVERY
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_known_effect_is_found_whatever_the_arms_sizes(learner, share):
    """The truth is .3 · gain: mean .15, and it orders new customers; risk and noise do not."""
    model = learner().fit(*experiment(20_000, 1, share=share))
    X, y, treatment = experiment(20_000, 2)
    found = model.predict_uplift(X)

    assert found.shape == (20_000,)
    assert found.mean() == pytest.approx(0.15, abs=0.03)
    assert np.corrcoef(found, X["gain"])[0, 1] > 0.8
    assert qini(y, found, treatment) > 0.8 * qini(y, X["gain"], treatment)


def test_no_effect_gives_no_gain_and_the_largest_penalties_are_chosen():
    model = SharedLearner().fit(*experiment(20_000, 3, effect=0.0))

    assert model.difference_penalty_ >= 1000
    assert np.abs(model.predict_uplift(experiment(500, 4)[0])).max() < 0.03


def test_a_clear_difference_between_arms_is_penalised_less():
    """Gain and loss cancel in the mean; the evidence takes a small penalty, and finds both."""
    X, _, treatment = experiment(20_000, 5)
    rng = np.random.default_rng(5)
    truth = np.where(X["gain"] > 0.5, 0.2, -0.2)
    y = rng.random(len(X)) < 0.5 + treatment * truth
    model = SharedLearner().fit(X, y, treatment)

    assert model.difference_penalty_ <= 100
    assert np.corrcoef(model.predict_uplift(X), truth)[0, 1] > 0.8
    assert model.difference_penalty_ in PENALTIES


def test_at_a_huge_penalty_the_effect_is_one_shift_in_log_odds():
    model = SharedLearner(difference_penalty=1e12).fit(*experiment(2000, 6))
    X = experiment(50, 7)[0]
    middle = model.intercept_ + model.encoder_.transform(X) @ model.common_
    shifted = [1 / (1 + np.exp(-middle - side * model.effect_)) for side in (0.5, -0.5)]

    assert np.abs(model.differing_).max() < 1e-6
    assert model.predict_uplift(X) == pytest.approx(shifted[0] - shifted[1], abs=1e-6)


def test_a_customer_alone_scores_as_in_a_batch():
    model = SharedLearner().fit(*experiment(1000, 8))
    X = experiment(300, 9)[0]
    batch = model.predict_uplift(X)

    for i in range(0, 300, 20):
        assert model.predict_uplift(X.iloc[[i]])[0] == batch[i]


@EVERY
def test_row_order_does_not_matter_and_input_stays(learner):
    X, y, treatment = experiment(2000, 10)
    order = np.random.default_rng(0).permutation(2000)
    before = X.copy()
    first = learner().fit(X, y, treatment).predict_uplift(X)
    second = learner().fit(X.iloc[order], y[order], treatment[order]).predict_uplift(X)

    assert first == pytest.approx(second, abs=1e-4)  # solvers stop at a tolerance
    pd.testing.assert_frame_equal(X, before)


@EVERY
def test_words_truths_and_gaps_are_taken(learner):
    """Nullable numbers, booleans, words, kinds; at prediction a word never seen, and gaps."""
    X, y, treatment = experiment(3000, 11)
    X = X.assign(
        channel=np.where(X["gain"] > 0.5, "mail", "phone"),
        kind=pd.Categorical(np.where(X["risk"] > 0.5, "a", "b")),
        member=X["noise"] > 0.5,
        orders=pd.array(np.arange(3000) % 7, dtype="Int64"),
    )
    X.loc[::9, "risk"] = np.nan
    X.loc[::7, "orders"] = pd.NA
    model = learner().fit(X, y, treatment)
    asked = X.head(3).assign(channel=["fax", "mail", None], noise=np.nan)

    assert np.isfinite(model.predict_uplift(asked)).all()


@pytest.mark.parametrize("learner", [TLearner, ClassTransformation], ids=lambda k: k.__name__)
def test_any_classifier_may_serve_and_gaps_are_its_business(learner):
    X, y, treatment = experiment(3000, 12)
    X = X.mask(X > 0.9)
    model = learner(DecisionTreeClassifier(max_depth=4), random_state=3)

    assert np.isfinite(model.fit(X, y, treatment).predict_uplift(X)).all()
    with pytest.raises(ValueError, match="NaN"):
        learner(LogisticRegression()).fit(X, y, treatment)


@EVERY
def test_learners_clone_show_their_parameters_and_pickle(learner):
    X, y, treatment = experiment(500, 13)
    model = learner().fit(X, y, treatment)
    again = pickle.loads(pickle.dumps(model))

    assert clone(model).get_params() == learner().get_params()
    assert not hasattr(clone(model), "n_features_in_")
    assert again.predict_uplift(X).tolist() == model.predict_uplift(X).tolist()


def test_the_seed_reaches_the_classifier_and_repeats():
    X, y, treatment = experiment(800, 14)
    tree = DecisionTreeClassifier(max_features=1, max_depth=4)

    def scores(seed: int) -> list[float]:
        fitted = TLearner(tree, random_state=seed).fit(X, y, treatment)
        return fitted.predict_uplift(X).tolist()

    assert scores(1) == scores(1)
    assert scores(1) != scores(2)
    assert tree.random_state is None


@EVERY
def test_columns_are_matched_by_name(learner):
    X, y, treatment = experiment(500, 15)
    model = learner().fit(X, y, treatment)
    expected = model.predict_uplift(X)

    assert model.predict_uplift(X[["noise", "gain", "risk"]]).tolist() == expected.tolist()
    with pytest.raises(ColumnError, match=r"missing \['risk'\], not known \['age'\]"):
        model.predict_uplift(X.rename(columns={"risk": "age"}))
    with pytest.raises(ColumnError, match="named columns"):
        model.predict_uplift(X.to_numpy())
    model.fit(X.to_numpy(), y, treatment)
    with pytest.raises(ColumnError, match="2 columns; fitted on 3"):
        model.predict_uplift(X.to_numpy()[:, :2])


@EVERY
def test_unfitted_learners_say_so(learner):
    with pytest.raises(NotFittedError, match=learner.__name__):
        learner().predict_uplift([[1.0]])


def broken(y: Any, treatment: Any) -> tuple[Any, Any, Any]:
    return np.arange(8.0)[:, None], y, treatment


@EVERY
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (broken([0, 1] * 4, [1] * 8), "one arm: everybody of 8 is treated.*hold-out"),
        (broken([0, 1] * 4, [0] * 8), "one arm: nobody of 8 is treated"),
        (broken([0, 1] * 4, [0, 1, 2, 0, 1, 2, 0, 1]), "0, 1 or bool; it has 3"),
        (broken([0, 1] * 4, ["men", "none"] * 4), "treatment must be numbers; 8 are not"),
        (broken([0, 1] * 4, [0, 1] * 3), "6 values for 8"),
        (broken([0, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1]), "y has 3 values for 8"),
        (broken([0, 1, 2, 3] * 2, [0, 0, 0, 0, 1, 1, 1, 1]), "y must be 0, 1 or bool"),
        (broken([1] * 4 + [0, 1] * 2, [1] * 4 + [0] * 4), "all 4 customers treated.*outcome 1"),
        (broken([0, 1] * 2 + [0] * 4, [1] * 4 + [0] * 4), "not treated have the outcome 0"),
        (broken([0, 1, None, 1] * 2, [1] * 4 + [0] * 4), "y: 2 of 8"),
        ((np.arange(8.0), [0, 1] * 4, [1] * 4 + [0] * 4), "a row per customer"),
        ((np.empty((0, 2)), [], []), "one arm"),
    ],
)
def test_an_experiment_that_is_none_is_one_clear_error(learner, given, words):
    with pytest.raises(ParameterError, match=words):
        learner().fit(*given)


def test_classifiers_that_cannot_serve_are_named():
    X, y, treatment = experiment(100, 16)

    with pytest.raises(ParameterError, match="LinearSVC gives no probabilities"):
        TLearner(LinearSVC()).fit(X, y, treatment)
    with pytest.raises(ParameterError, match="KNeighborsClassifier takes no sample_weight"):
        ClassTransformation(KNeighborsClassifier()).fit(X, y, treatment)
    assert TLearner(DummyClassifier()).fit(X, y, treatment).predict_uplift(X).shape == (100,)


@EVERY
def test_infinite_numbers_are_named_by_column(learner):
    X, y, treatment = experiment(100, 18)

    with pytest.raises(ParameterError, match=r"infinite values in \['risk'\]"):
        learner().fit(X.assign(risk=np.inf), y, treatment)


@pytest.mark.parametrize("options", [{"penalty": 0}, {"difference_penalty": -1.0}])
def test_a_penalty_must_be_above_zero(options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        SharedLearner(**options).fit(*experiment(100, 17))
