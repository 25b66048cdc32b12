"""LensKit, default settings; runs in an environment of its own, so it imports nothing of ours.

    python lenskit_run.py pairs.npz lists.npz n

Its pipeline hides what a customer bought; beside those lists stand some that show it as well.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from lenskit import Pipeline, RecPipelineBuilder, recommend
from lenskit.als import ImplicitMFScorer
from lenskit.basic.candidates import AllTrainingItemsCandidateSelector
from lenskit.data import from_interactions_df
from lenskit.knn import ItemKNNScorer
from lenskit.training import TrainingOptions


def main() -> None:
    source, target, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    pairs = np.load(source)
    frame = pd.DataFrame({"user_id": pairs["customer"], "item_id": pairs["item"]})
    data = from_interactions_df(frame, user_col="user_id", item_col="item_id")
    scorers = {
        "ImplicitMF": (ImplicitMFScorer, {}),
        "item-kNN": (ItemKNNScorer, {"feedback": "implicit"}),
    }
    owned = frame.groupby("user_id")["item_id"].agg(set).to_dict()
    found = {}
    for name, (scorer, config) in scorers.items():
        build = RecPipelineBuilder()
        build.scorer(scorer(**config))
        build.ranker()
        build.candidate_selector(AllTrainingItemsCandidateSelector())
        pipeline = build.build()
        pipeline.train(data, TrainingOptions(rng=0))
        hidden, shown = lists(pipeline, pairs["asked"], owned, n)
        found |= {name: hidden, f"{name}, bought shown": shown}
    np.savez(target, **found)


def lists(
    pipeline: Pipeline, asked: np.ndarray, owned: dict[int, set[int]], n: int
) -> tuple[np.ndarray, np.ndarray]:
    """(len(asked), n) item codes without and with what was bought, -1 where nothing stands.

    An item's score does not depend on the other candidates, so one list long enough serves
    both: without the bought items it is the default pipeline's.
    """
    hidden = np.full((len(asked), n), -1, dtype=np.int64)
    shown = hidden.copy()
    for row, customer in enumerate(asked.tolist()):
        mine = owned.get(customer, set())
        ids = recommend(pipeline, customer, n=n + len(mine)).ids().tolist()
        new = [item for item in ids if item not in mine][:n]
        hidden[row, : len(new)] = new
        shown[row, : min(n, len(ids))] = ids[:n]
    return hidden, shown


if __name__ == "__main__":
    main()
