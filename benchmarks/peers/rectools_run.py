"""RecTools, default settings; runs in an environment of its own, so it imports nothing of ours.

    python rectools_run.py pairs.npz lists.npz n

What was bought is shown (``filter_viewed=False``), the kinder of its two settings here; the
weight of a pair is the number of days on which it was bought.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import TFIDFRecommender
from rectools.dataset import Dataset
from rectools.models import ImplicitALSWrapperModel, ImplicitItemKNNWrapperModel, PopularModel


def main() -> None:
    source, target, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    pairs = np.load(source)
    frame = pd.DataFrame({
        "user_id": pairs["customer"], "item_id": pairs["item"],
        "weight": pairs["days"].astype(float),
        "datetime": pd.to_datetime(pairs["last_day"], unit="D"),
    })  # fmt: skip
    data = Dataset.construct(frame)
    models = {
        "ALS": ImplicitALSWrapperModel(AlternatingLeastSquares(random_state=0, num_threads=2)),
        "item-kNN": ImplicitItemKNNWrapperModel(TFIDFRecommender(num_threads=2)),
        "popular": PopularModel(),
    }
    found = {}
    for name, model in models.items():
        model.fit(data)
        table = model.recommend(pairs["asked"], data, k=n, filter_viewed=False)
        lists = np.full((len(pairs["asked"]), n), -1, dtype=np.int64)
        row = np.searchsorted(pairs["asked"], table["user_id"].to_numpy())
        lists[row, table["rank"].to_numpy() - 1] = table["item_id"].to_numpy()
        found[name] = lists
    np.savez(target, **found)


if __name__ == "__main__":
    main()
