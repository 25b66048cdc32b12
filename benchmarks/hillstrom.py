"""Uplift on Hillstrom's e-mail test, beside scikit-uplift and causalml.

    python benchmarks/hillstrom.py              # visit, men's e-mail against none
    python benchmarks/hillstrom.py --arm womens # the other e-mail
    python benchmarks/hillstrom.py --only logistic  # peers whose name holds the word

Ten seeded halvings, each arm's visitors split evenly: learners see one half, all are judged on the
other by ``uplift_metrics.qini`` (area above the random line, in visits per 1,000 treated).
Everybody gets the same columns: words as zeros and ones, the rest as it is; nobody sees a test
half. Peers run in environments of their own, made on first use, with the usual classifiers
(``peers/uplift_run.py``). The data is ``$ANTICIPATE_DATA/hillstrom/hillstrom.csv``.

The paired interval (95 %) is of the mean difference over the ten splits. They share customers, so
a plain t interval is too narrow: ``corrected`` widens it by √(1 + 10 · test/train), after Nadeau &
Bengio, Inference for the generalization error, Machine Learning 52, 2003.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from peers.outside import THREADS, environment, version
from scipy import stats
from sklearn.model_selection import train_test_split

from anticipate.retention.uplift import ClassTransformation, TLearner
from anticipate.retention.uplift_metrics import qini, qini_interval
from anticipate.retention.uplift_shared import SharedLearner

SPLITS = 10
PEERS = {"scikit-uplift": ("scikit-uplift", "catboost"), "causalml": ("causalml",)}
ARMS = {"mens": "Mens E-Mail", "womens": "Womens E-Mail"}
OURS = {
    "ours: SharedLearner": SharedLearner,
    "ours: TLearner": TLearner,
    "ours: ClassTransformation": ClassTransformation,
}


class Experiment(NamedTuple):
    X: pd.DataFrame  # (n, d), numbers only
    y: np.ndarray  # (n,), 0/1
    treatment: np.ndarray  # (n,), 0/1
    train: np.ndarray  # (splits, n / 2), row numbers
    test: np.ndarray


def read(arm: str) -> Experiment:
    folder = Path(__file__).resolve().parents[1] / os.environ.get(
        "ANTICIPATE_DATA", "../shared/data"
    )
    rows = pd.read_csv(folder / "hillstrom" / "hillstrom.csv")
    rows = rows[rows["segment"].isin([ARMS[arm], "No E-Mail"])]
    treatment, y = (rows["segment"] == ARMS[arm]).to_numpy(int), rows["visit"].to_numpy()
    known = rows[["recency", "history", "mens", "womens", "newbie"]].reset_index(drop=True)
    words = pd.get_dummies(rows[["history_segment", "zip_code", "channel"]].reset_index(drop=True))
    halves = [
        train_test_split(
            np.arange(len(y)), test_size=0.5, random_state=seed, stratify=2 * y + treatment
        )
        for seed in range(SPLITS)
    ]
    train, test = (np.array(half) for half in zip(*halves, strict=True))
    return Experiment(known.join(words).astype(float), y, treatment, train, test)


def own_scores(data: Experiment) -> dict[str, list[np.ndarray]]:
    found = {}
    for name, learner in OURS.items():
        found[name] = [
            learner()
            .fit(data.X.iloc[train], data.y[train], data.treatment[train])
            .predict_uplift(data.X.iloc[test])
            for train, test in zip(data.train, data.test, strict=True)
        ]
    return found


def peer_scores(data: Experiment, only: str) -> dict[str, np.ndarray]:
    """Both libraries at once, a thread each: boosting with more waits more than it works."""
    found: dict[str, np.ndarray] = {}
    script = Path(__file__).with_name("peers") / "uplift_run.py"
    one = os.environ | dict.fromkeys(THREADS, "1")
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "experiment.npz"
        np.savez(source, **{**data._asdict(), "X": data.X.to_numpy()})
        running = {}
        for library, packages in PEERS.items():
            target = Path(scratch) / f"{library}.npz"
            command = [peer_python(packages), "-W", "ignore", script, library, source, target, only]
            running[library] = subprocess.Popen(command, env=one)
        for library, process in running.items():
            if process.wait():
                print(f"  {library} failed")
                continue
            label = f"{library} {version(PEERS[library][0])}"
            with np.load(Path(scratch) / f"{library}.npz") as scores:
                found |= {f"{label}: {name}": scores[name] for name in scores.files}
    return found


def peer_python(packages: tuple[str, ...]) -> Path:
    """The environment of the first package, with the others in it."""
    python = environment(packages[0])
    for package in packages[1:]:
        if subprocess.run(
            [python, "-c", f"import {package}"], check=False, capture_output=True
        ).returncode:
            subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
    return python


def judge(data: Experiment, scores: dict[str, np.ndarray]) -> pd.DataFrame:
    """Qini per learner (rows) and split (columns), in visits per 1,000 treated."""
    return pd.DataFrame(
        {
            name: [
                1000 * qini(data.y[test], score, data.treatment[test])
                for score, test in zip(found, data.test, strict=True)
            ]
            for name, found in scores.items()
        }
    ).T


def paired(first: pd.Series, second: pd.Series) -> str:
    """Mean difference with both 95 % intervals."""
    gap = (first - second).to_numpy()
    half = stats.t.ppf(0.975, SPLITS - 1) * gap.std(ddof=1) / np.sqrt(SPLITS)
    wide = half * np.sqrt(1 + SPLITS)  # test and train are halves
    won = f"{int((gap > 0).sum())} of {SPLITS}"
    return f"{gap.mean():+.3f} ± {half:.3f} (corrected ± {wide:.2f}), better on {won}"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--arm", choices=ARMS, default="mens")
    asked.add_argument("--only", default="", help="peers whose name holds this")
    given = asked.parse_args()
    data = read(given.arm)
    own = own_scores(data)
    table = judge(data, own | peer_scores(data, given.only))
    ours = "ours: SharedLearner"
    for name in table.mean(axis=1).sort_values(ascending=False).index:
        row = table.loc[name]
        gap = "" if name == ours else f"  ours minus it {paired(table.loc[ours], row)}"
        print(f"{name:62s} {row.mean():7.3f}  ({row.min():.2f} to {row.max():.2f}){gap}")
    test = data.test[0]
    low, high = qini_interval(data.y[test], own[ours][0], data.treatment[test])
    print(f"{ours}, first split, 90 % bootstrap: {1000 * low:.2f} to {1000 * high:.2f}")


if __name__ == "__main__":
    main()
