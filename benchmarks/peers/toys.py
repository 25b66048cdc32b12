"""Toys & Games, next new item: leave-one-out, all items ranked but those of the sequence.

Reads  ``Toys_and_Games.txt``: ``user item item …`` in time order.
Gives  HR@10 and NDCG@10 of ours, item-kNN and transitions beside published neural models.
Never  the last item of anybody; the last but one is input at the end, and no training.
Source Zhou et al., S3-Rec, CIKM 2020 (data, split and published figures).

Each item gets a day of its own, the test item's the same for everybody. Items of one day may
stand in a fixed order in this file, from which directed transitions profit: the symmetric
item-kNN is the number to compare with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix, csr_matrix, diags_array

from anticipate.log import InteractionLog
from anticipate.needs import NextNeedRanker

from .baskets import Array, best_items, blocks
from .protocols import data_folder
from .tuning import Setting, tuned

TEST_DAY = 1000  # longer than any sequence
START = np.datetime64("2001-01-01")
PUBLISHED = {"PopRec": (0.0113, 0.0061), "SASRec": (0.0675, 0.0374), "S3-Rec": (0.0700, 0.0376)}
KNN_START: Setting = {"decay": 0.8, "shrink": 5.0, "power": 0.5}
KNN_GRID: dict[str, tuple[Any, ...]] = {
    "decay": (0.2, 0.4, 0.6, 0.8, 0.9, 1.0),
    "shrink": (0.0, 1.0, 5.0, 20.0, 50.0, 100.0),
    "power": (0.2, 0.3, 0.5, 0.7),
}
STEP_START: Setting = {"decay": 0.3, "shrink": 1.0}
STEP_GRID: dict[str, tuple[Any, ...]] = {
    "decay": (0.0, 0.1, 0.2, 0.3, 0.5, 0.7),
    "shrink": (0.0, 0.5, 1.0, 3.0, 5.0),
}


@dataclass(frozen=True, eq=False)
class Sequences:
    """One row per item of a sequence, in order; ``age`` 0 = the test item."""

    user: Array
    item: Array
    age: Array

    @property
    def n_users(self) -> int:
        return int(self.user.max()) + 1

    @property
    def n_items(self) -> int:
        return int(self.item.max()) + 1

    def until(self, age: int) -> Sequences:
        """What stands before the item of this age."""
        keep = self.age > age
        return Sequences(self.user[keep], self.item[keep], self.age[keep])

    def at(self, age: int) -> Array:
        """The item of this age of every user."""
        here = self.age == age
        found = np.full(self.n_users, -1, dtype=np.int64)
        found[self.user[here]] = self.item[here]
        return found


def read_sequences() -> Sequences:
    lines = (data_folder("toys") / "Toys_and_Games.txt").read_text().splitlines()
    items = [np.array(line.split()[1:], dtype=np.int64) for line in lines]
    lengths = np.array([len(row) for row in items])
    age = np.concatenate([np.arange(n)[::-1] for n in lengths])
    return Sequences(np.repeat(np.arange(len(items)), lengths), np.concatenate(items), age)


def ours(rows: Sequences) -> Array:
    """Fitted before the validation item, asked with it."""
    known = rows.until(0)
    frame = pd.DataFrame({
        "customer_id": known.user, "item_id": known.item,
        "timestamp": START + (TEST_DAY - known.age).astype("timedelta64[D]"),
    })  # fmt: skip
    test_day, validation_day = (str(START + np.timedelta64(TEST_DAY - age, "D")) for age in (0, 1))
    log = InteractionLog.from_frame(frame, timezone="UTC", closed_until=test_day)
    ranker = NextNeedRanker(target="next_basket", random_state=0).fit(log.as_of(validation_day))
    table = ranker.recommend(log.as_of(test_day), n=10, exclude_bought=True)
    lists = np.full((rows.n_users, 10), -1, dtype=np.int64)
    lists[table["customer_id"], table["rank"] - 1] = table["item_id"]
    return lists


def alike(rows: Sequences, *, shrink: float, power: float) -> csr_matrix:
    """Items × items: users with both over (n_i n_j)^power + shrink; symmetric, no diagonal."""
    both, n = _together(rows)
    value = both.data / ((n[both.row] * n[both.col]) ** power + shrink)
    value[both.row == both.col] = 0.0
    return csr_matrix((value, (both.row, both.col)), shape=both.shape)


@cache
def _together(rows: Sequences) -> tuple[coo_matrix, Array]:
    """Users with both of two items, and users of each."""
    owned = _matrix(rows, np.ones(len(rows.item)))
    owned.data[:] = 1.0
    return (owned.T @ owned).tocoo(), np.asarray(owned.sum(axis=0)).ravel()


def steps(rows: Sequences, *, shrink: float) -> csr_matrix:
    """Items × items: how often the second followed right after the first, over n + shrink."""
    follows = np.diff(rows.user) == 0
    shape = (rows.n_items, rows.n_items)
    first, second = rows.item[:-1][follows], rows.item[1:][follows]
    counts = csr_matrix((np.ones(len(first)), (first, second)), shape=shape)
    n = np.asarray(counts.sum(axis=1)).ravel()
    return csr_matrix(diags_array(1.0 / np.maximum(n + shrink, 1e-9)) @ counts)


def ranked(rows: Sequences, links: csr_matrix, decay: float, n_items: int) -> Array:
    """Ten items per user: links from what stands in the sequence, decay per step of age."""
    newest = rows.age.min()
    weight = np.where(rows.age == newest, 1.0, float(decay) ** (rows.age - newest))
    history = _matrix(rows, weight, n_items)
    owned = _matrix(rows, np.ones(len(rows.item)), n_items)
    popular = np.bincount(rows.item, minlength=n_items).astype(float)
    links = csr_matrix(links)
    links.resize((n_items, n_items))
    found = []
    for part in blocks(np.arange(rows.n_users)):
        scores = (history[part] @ links).toarray()
        scores[owned[part].nonzero()] = 0.0
        found.append(best_items(scores, popular, 10))
    return np.concatenate(found)


def numbers(lists: Array, target: Array) -> tuple[float, float]:
    """Hit rate and NDCG (one target: 1 / log2(place + 1)) of the first ten."""
    hits = lists == target[:, None]
    gain = hits / np.log2(np.arange(2, lists.shape[1] + 2))
    return float(hits.any(axis=1).mean()), float(gain.sum(axis=1).mean())


def counting(rows: Sequences) -> dict[str, Array]:
    """Item-kNN and transitions, tuned on the validation item, both fitted without it."""
    training, n_items = rows.until(1), rows.n_items
    validation = rows.at(1)

    def knn(past: Sequences, decay: float, **setting: float) -> Array:
        return ranked(past, alike(training, **setting), decay, n_items)

    def transitions(past: Sequences, decay: float, **setting: float) -> Array:
        return ranked(past, steps(training, **setting), decay, n_items)

    found = {}
    for name, method, grid, start in (
        ("item-kNN, symmetric", knn, KNN_GRID, KNN_START),
        ("first-order transitions", transitions, STEP_GRID, STEP_START),
    ):
        best, _ = tuned(
            grid, start, lambda s, method=method: sum(numbers(method(training, **s), validation))
        )
        print(f"  {name}: {best}", flush=True)
        found[name] = method(rows.until(0), **best)
    return found


def run(with_plain: bool = True) -> None:
    rows = read_sequences()
    target = rows.at(0)
    print(f"\nToys & Games: {rows.n_users} users, {rows.n_items} items, full ranking")
    lists = {"ours": ours(rows)} | (counting(rows) if with_plain else {})
    for name, found in lists.items():
        print("  {:26}HR@10 {:.4f}  NDCG@10 {:.4f}".format(name, *numbers(found, target)))
    for name, (hit_rate, ndcg) in PUBLISHED.items():
        print(f"  {name + ', published':26}HR@10 {hit_rate:.4f}  NDCG@10 {ndcg:.4f}")


def _matrix(rows: Sequences, values: Array, n_items: int | None = None) -> csr_matrix:
    shape = (rows.n_users, rows.n_items if n_items is None else n_items)
    return csr_matrix((values, (rows.user, rows.item)), shape=shape)
