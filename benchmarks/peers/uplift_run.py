"""Learners of scikit-uplift or causalml; runs in an environment of its own: nothing of ours.

    python uplift_run.py scikit-uplift|causalml experiment.npz scores.npz [word]

The experiment: numeric features ``X`` (n, d), ``y`` and ``treatment`` (n,), and row numbers of
each split, ``train`` and ``test`` (splits, ...). Gives scores (splits, n_test) per learner. Base
classifiers are the usual ones: a logistic regression on scaled columns, boosting as its library
sets it up, and shallow boosting (50 trees of 4 leaves) for the data's few signals. CatBoost as in
scikit-uplift's own tutorials: 20 iterations.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Scores = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
SHALLOW = {"max_iter": 50, "max_leaf_nodes": 4, "min_samples_leaf": 100, "random_state": 0}


class Scaled(LogisticRegression):
    """A logistic regression that scales its columns; takes weights, as a pipeline does not."""

    def fit(self, X, y, sample_weight=None):
        self.scaler_ = StandardScaler().fit(X)
        return super().fit(self.scaler_.transform(X), y, sample_weight)

    def predict_proba(self, X):
        return super().predict_proba(self.scaler_.transform(X))


def logistic() -> Scaled:
    return Scaled(max_iter=1000)


def boosted() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(random_state=0)


def shallow() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(**SHALLOW)


def scikit_uplift() -> Iterator[tuple[str, Scores]]:
    from catboost import CatBoostClassifier
    from sklift.models import ClassTransformation, SoloModel, TwoModels

    def catboost() -> CatBoostClassifier:
        return CatBoostClassifier(
            iterations=20, thread_count=1, random_state=42, silent=True, allow_writing_files=False
        )

    bases = {"logistic": logistic, "boosting": boosted, "shallow": shallow, "CatBoost": catboost}
    for base, make in bases.items():
        yield f"SoloModel, {base}", _sklift(lambda m=make: SoloModel(m()))
        yield (
            f"SoloModel with interactions, {base}",
            _sklift(lambda m=make: SoloModel(m(), method="treatment_interaction")),
        )
        for method in ("vanilla", "ddr_control", "ddr_treatment"):
            yield (
                f"TwoModels {method}, {base}",
                _sklift(lambda m=make, how=method: TwoModels(m(), m(), method=how)),
            )
        yield f"ClassTransformation, {base}", _sklift(lambda m=make: ClassTransformation(m()))


def _sklift(make: Callable) -> Scores:
    def scores(X, y, treatment, asked):
        return np.asarray(make().fit(X, y, treatment).predict(asked))

    return scores


def causalml() -> Iterator[tuple[str, Scores]]:
    from causalml.inference.meta import (
        BaseDRLearner,
        BaseRClassifier,
        BaseSClassifier,
        BaseTClassifier,
        BaseXClassifier,
    )
    from lightgbm import LGBMClassifier, LGBMRegressor
    from xgboost import XGBClassifier, XGBRegressor

    pairs = {
        "logistic and ridge": (logistic, lambda: make_pipeline(StandardScaler(), Ridge(1.0))),
        "XGBoost": (lambda: XGBClassifier(n_jobs=1), lambda: XGBRegressor(n_jobs=1)),
        "LightGBM": (
            lambda: LGBMClassifier(n_jobs=1, verbose=-1),
            lambda: LGBMRegressor(n_jobs=1, verbose=-1),
        ),
        "shallow": (shallow, lambda: HistGradientBoostingRegressor(**SHALLOW)),
    }
    for base, (c, r) in pairs.items():
        yield f"S, {base}", _meta(lambda c=c: BaseSClassifier(c()))
        yield f"T, {base}", _meta(lambda c=c: BaseTClassifier(c()))
        yield f"X, {base}", _meta(lambda c=c, r=r: BaseXClassifier(c(), r()))
        if base != "logistic and ridge":  # weights do not go through a pipeline
            yield f"R, {base}", _meta(lambda c=c, r=r: BaseRClassifier(c(), r(), random_state=0))
        else:
            yield f"R, {base}", _meta(lambda c=c: BaseRClassifier(c(), Ridge(1.0), random_state=0))
        yield f"DR, {base}", _meta(lambda r=r: BaseDRLearner(r()))
    for how in ("KL", "ED", "DDP"):
        yield f"UpliftRandomForest {how}", _forest(how)


def _meta(make: Callable) -> Scores:
    def scores(X, y, treatment, asked):
        model, share = make(), treatment.mean()
        options = {"seed": 0} if type(model).__name__ == "BaseDRLearner" else {}
        if type(model).__name__[4] in "XRD":
            options["p"] = np.full(len(X), share)
        model.fit(X=X, treatment=treatment, y=y, **options)
        asking = {"p": np.full(len(asked), share)} if "p" in options else {}
        return np.asarray(model.predict(asked, **asking)).ravel()

    return scores


def _forest(how: str) -> Scores:
    from causalml.inference.tree import UpliftRandomForestClassifier

    def scores(X, y, treatment, asked):
        model = UpliftRandomForestClassifier(
            control_name="0", n_estimators=100, evaluationFunction=how, random_state=0, n_jobs=1
        )
        model.fit(X, treatment.astype(int).astype(str), y)
        return np.asarray(model.predict(asked)).ravel()

    return scores


def main() -> None:
    library, source, target, only = (*sys.argv[1:], "")[:4]
    given = np.load(source)
    X, y, treatment = given["X"], given["y"], given["treatment"]
    found = {}
    for name, scores in {"scikit-uplift": scikit_uplift, "causalml": causalml}[library]():
        if only not in name:
            continue
        try:
            found[name] = np.array(
                [
                    scores(X[train], y[train], treatment[train], X[test])
                    for train, test in zip(given["train"], given["test"], strict=True)
                ]
            )
        except Exception as error:  # one learner that fails must not hide the others
            print(f"{name}: {type(error).__name__}: {error}")
        print(f"  {library}: {name} done", file=sys.stderr, flush=True)
    np.savez(target, **found)


if __name__ == "__main__":
    main()
