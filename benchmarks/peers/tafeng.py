"""Ta-Feng, next basket, users split 72/8/20 on the published keysets.

Reads  ``tafeng_merged.json`` (baskets in order, the last one is the target) and keysets 0–4.
Gives  two tables per fold: fitted on all users' baskets without their last; and with the last
       baskets of the *training* users kept in the log.
Never  a test user's last basket; a validation user's only to tune TIFU-KNN and UP-CF.
Source Li et al., A Next Basket Recommendation Reality Check, ACM TOIS 41(4), 2023.

The file has no dates, so each basket gets a day of its own and everybody's target falls on the
same day: the last known basket of each user is one day old when lists are made, whoever they
are. ``NextNeedRanker(target="next_basket")`` labels each customer's last basket *in its log*
from what was before that day (``before_last_basket``, a cutoff per customer). History only: it
learns from everyone's last known basket. With targets: a training user's last basket is the
target, a day before the cutoff of ``fit``; a validation or test user's is still the last known
one. Lists are always made as of the target day, so no target is input, and days of one customer
never mix with another's but through an item's popularity by day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from anticipate.evaluation import (
    MatchedLists,
    hit_at_k,
    match_codes,
    ndcg_at_k,
    new_recall_at_k,
    recall_at_k,
    repeat_recall_at_k,
)
from anticipate.log import InteractionLog
from anticipate.needs import NextNeedRanker

from . import own, tifu, upcf
from .baskets import Array, Visits
from .protocols import data_folder
from .tuning import Setting, tuned

FOLDS = (0, 1, 2, 3, 4)
TARGET_DAY = 100  # everybody's target basket; no user has as many baskets
START = np.datetime64("2001-01-01")
PUBLISHED = """Published for this data (preprocessing of their own, not comparable line by line):
  TIFU-KNN, its paper: Recall@10 .130, NDCG@10 .101;  TAIWI: .164, .126
"""


@dataclass(frozen=True, eq=False)
class Fold:
    """One keyset: rows of all baskets with their day, and who is who."""

    rows: Array  # (n, 3): user, item, day
    users: dict[str, Array]
    n_items: int

    @property
    def n_users(self) -> int:
        return int(self.rows[:, 0].max()) + 1

    def known(self, with_targets: bool) -> Array:
        """Rows that may be learned from."""
        is_target = self.rows[:, 2] == TARGET_DAY
        if with_targets:
            is_target &= ~np.isin(self.rows[:, 0], self.users["train"])
        return self.rows[~is_target]

    def visits(self, with_targets: bool = False) -> Visits:
        user, item, day = self.known(with_targets).T
        return Visits.of(user, item, day, (self.n_users, self.n_items), TARGET_DAY)

    def log(self, with_targets: bool) -> InteractionLog:
        user, item, day = self.known(with_targets).T
        frame = pd.DataFrame({"customer_id": user, "item_id": item, "timestamp": _date(day)})
        return InteractionLog.from_frame(
            frame, timezone="UTC", closed_until=str(_date(TARGET_DAY + 1))
        )

    def match(self, asked: Array, lists: Array) -> MatchedLists:
        """Lists of 20 over the targets of ``asked``."""
        of_target = self.rows[:, 2] == TARGET_DAY
        pair = self.rows[:, 0] * self.n_items + self.rows[:, 1]
        wanted = of_target & np.isin(self.rows[:, 0], asked)
        row, place = np.nonzero(lists >= 0)
        listed = asked[row] * self.n_items + lists[row, place]
        return match_codes(
            listed, place, pair[wanted], n_items=self.n_items, width=20, seen=pair[~of_target]
        )


@cache
def _baskets() -> Array:
    """(n, 3): user, item, day; the target falls on TARGET_DAY, the one before a day earlier."""
    raw = json.loads((data_folder("tafeng") / "tafeng_merged.json").read_text())
    return np.array([
        (int(user), item, TARGET_DAY - (len(baskets) - 1 - number))
        for user, baskets in raw.items()
        for number, basket in enumerate(baskets)
        for item in basket
    ], dtype=np.int64)  # fmt: skip


def read_fold(number: int) -> Fold:
    keys = json.loads((data_folder("tafeng") / f"tafeng_keyset_{number}.json").read_text())
    users = {part: np.unique(np.array(keys[part], int)) for part in ("train", "val", "test")}
    rows = _baskets()
    return Fold(rows, users, int(rows[:, 1].max()) + 1)


def ours(fold: Fold, asked: Array, with_targets: bool) -> Array:
    log = fold.log(with_targets)
    ranker = NextNeedRanker(target="next_basket", random_state=0)
    ranker.fit(log.as_of(str(_date(TARGET_DAY + 1))))
    now = log.as_of(str(_date(TARGET_DAY)))
    table = ranker.recommend(now, customers=asked, n=20)
    lists = np.full((len(asked), 20), -1, dtype=np.int64)
    row = np.searchsorted(asked, table["customer_id"].to_numpy())
    lists[row, table["rank"].to_numpy() - 1] = table["item_id"].to_numpy()
    return lists


def others(fold: Fold, asked: Array, with_targets: bool) -> dict[str, Array]:
    """Own frequency, and TIFU-KNN and UP-CF tuned on the fold's validation users."""
    visits, past = fold.visits(with_targets), fold.users["val"]

    def judge_tifu(setting: Setting) -> float:
        return _quality(fold, past, tifu.tifu_lists(visits, past, **setting, n=20))

    def judge_upcf(setting: Setting) -> float:
        return _quality(fold, past, upcf.upcf_lists(visits, past, **setting, n=20))

    best_tifu = tuned(tifu.GRID, tifu.PUBLISHED, judge_tifu)[0]
    best_upcf = tuned(upcf.GRID, upcf.START, judge_upcf, passes=1)[0]
    print(f"  TIFU-KNN {best_tifu}  UP-CF {best_upcf}", flush=True)
    return {
        "own frequency": own.own_lists(visits, asked, n=20),
        "TIFU-KNN, published": tifu.tifu_lists(visits, asked, **tifu.PUBLISHED, n=20),
        "TIFU-KNN, tuned": tifu.tifu_lists(visits, asked, **best_tifu, n=20),
        "UP-CF, tuned": upcf.upcf_lists(visits, asked, **best_upcf, n=20),
    }


def numbers(matched: MatchedLists) -> dict[str, float]:
    found = {
        "Recall@10": recall_at_k(matched, 10), "NDCG@10": ndcg_at_k(matched, 10),
        "PHR@10": hit_at_k(matched, 10), "Recall@20": recall_at_k(matched, 20),
        "repeat@10": repeat_recall_at_k(matched, 10), "new@10": new_recall_at_k(matched, 10),
    }  # fmt: skip
    return {name: float(np.nanmean(values)) for name, values in found.items()}


def run(folds: tuple[int, ...] = FOLDS, with_plain: bool = True) -> None:
    """Both tables: per fold, then mean ± sd over the folds."""
    for with_targets in (False, True):
        label = "with train users' target baskets" if with_targets else "history only"
        print(f"\nTa-Feng, {label}; NDCG over all targets", flush=True)
        rows: list[dict[str, Any]] = []
        for number in folds:
            fold = read_fold(number)
            asked = fold.users["test"]
            lists = {"ours": ours(fold, asked, with_targets)}
            lists |= others(fold, asked, with_targets) if with_plain else {}
            for name, found in lists.items():
                row = numbers(fold.match(asked, found))
                rows.append({"method": name, **row})
                print(f"  fold {number} {name:22}", _line(row), flush=True)
        if len(folds) > 1:
            _show_means(pd.DataFrame(rows))
    print(PUBLISHED)


def _show_means(table: pd.DataFrame) -> None:
    by_method = table.groupby("method", sort=False)
    spread = by_method.std()
    for name, mean in by_method.mean().iterrows():
        values = (f"{key} {mean[key]:.4f} ± {spread.loc[name, key]:.4f}" for key in mean.index)
        print(f"  mean ± sd {name:22}", "  ".join(values), flush=True)


def _line(row: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in row.items())


def _quality(fold: Fold, asked: Array, lists: Array) -> float:
    matched = fold.match(asked, lists)
    return float((recall_at_k(matched, 10) + ndcg_at_k(matched, 10)).mean())


def _date(day: Any) -> Any:
    return START + np.asarray(day).astype("timedelta64[D]")
