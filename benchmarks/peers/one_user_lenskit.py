"""LensKit: how long a list for one user takes; runs in an environment of its own.

    python one_user_lenskit.py

The size that its own documentation calls large would take hours to fit, so it gets 20,000 users,
8,000 items and 400,000 pairs, a fiftieth of ours; ImplicitMF and item-kNN at their defaults.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import pandas as pd
from lenskit import RecPipelineBuilder, recommend
from lenskit.als import ImplicitMFScorer
from lenskit.basic.candidates import AllTrainingItemsCandidateSelector
from lenskit.data import from_interactions_df
from lenskit.knn import ItemKNNScorer
from lenskit.training import TrainingOptions

M, N_ITEMS, N = 20_000, 8_000, 400_000


def main() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({
        "user_id": rng.integers(0, M, N), "item_id": (N_ITEMS * rng.random(N) ** 2).astype(int)
    }).drop_duplicates()  # fmt: skip
    data = from_interactions_df(frame, user_col="user_id", item_col="item_id")
    for name, scorer in (
        ("LensKit ImplicitMF", ImplicitMFScorer(embedding_size=64, epochs=2)),
        ("LensKit item-kNN", ItemKNNScorer(feedback="implicit")),
    ):
        build = RecPipelineBuilder()
        build.scorer(scorer)
        build.ranker()
        build.candidate_selector(AllTrainingItemsCandidateSelector())
        pipeline = build.build()
        pipeline.train(data, TrainingOptions(rng=0))
        took = []
        for user in rng.integers(0, M, 200).tolist():
            start = time.perf_counter()
            recommend(pipeline, user, n=10)
            took.append(1e3 * (time.perf_counter() - start))
        print(f"{name} {statistics.median(took):.4f}")


if __name__ == "__main__":
    main()
