"""RecTools: how long a list for one user takes; runs in an environment of its own.

    python one_user_rectools.py

20,000 users, 8,000 items and 400,000 pairs, a fiftieth of ours.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import pandas as pd
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
from rectools.dataset import Dataset
from rectools.models import ImplicitALSWrapperModel, ImplicitItemKNNWrapperModel

M, N_ITEMS, N = 20_000, 8_000, 400_000


def main() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({
        "user_id": rng.integers(0, M, N), "item_id": (N_ITEMS * rng.random(N) ** 2).astype(int),
        "weight": 1.0, "datetime": pd.Timestamp("2025-01-01"),
    }).drop_duplicates()  # fmt: skip
    data = Dataset.construct(frame)
    als = AlternatingLeastSquares(factors=64, iterations=2, random_state=0, num_threads=1)
    for name, model in (
        ("RecTools ALS", ImplicitALSWrapperModel(als)),
        ("RecTools item-kNN (BM25)", ImplicitItemKNNWrapperModel(BM25Recommender(num_threads=1))),
    ):
        model.fit(data)
        took = []
        for user in rng.choice(frame["user_id"].unique(), 100).tolist():
            start = time.perf_counter()
            model.recommend([user], data, k=10, filter_viewed=False)
            took.append(1e3 * (time.perf_counter() - start))
        print(f"{name} {statistics.median(took):.4f}")


if __name__ == "__main__":
    main()
