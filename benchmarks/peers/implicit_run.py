"""implicit, default settings; runs in an environment of its own, so it imports nothing of ours.

    python implicit_run.py pairs.npz lists.npz n

ALS and BM25 with what was bought shown and hidden; the weight of a pair is the number of days
on which it was bought.
"""

from __future__ import annotations

import sys

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
from scipy.sparse import csr_matrix


def main() -> None:
    source, target, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    pairs = np.load(source)
    shape = (int(pairs["customer"].max()) + 1, int(pairs["item"].max()) + 1)
    days = pairs["days"].astype(np.float32)
    matrix = csr_matrix((days, (pairs["customer"], pairs["item"])), shape=shape)
    asked = pairs["asked"]
    models = {
        "ALS": AlternatingLeastSquares(random_state=0, num_threads=2),
        "BM25": BM25Recommender(num_threads=2),
    }
    found = {}
    for name, model in models.items():
        model.fit(matrix, show_progress=False)
        for hidden in (False, True):
            items, scores = model.recommend(
                asked, matrix[asked], N=n, filter_already_liked_items=hidden
            )
            label = f"{name}, bought {'hidden' if hidden else 'shown'}"
            found[label] = unique_rows(np.where(np.isfinite(scores), items, -1))
    np.savez(target, **found)


def unique_rows(items: np.ndarray) -> np.ndarray:
    """An item named twice (padding of short lists) counts once."""
    found = items.astype(np.int64)
    for row in found:
        _, first = np.unique(row, return_index=True)
        row[~np.isin(np.arange(len(row)), first)] = -1
    return found


if __name__ == "__main__":
    main()
