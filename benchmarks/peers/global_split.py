"""Global time splits: everything before a date, then the eight weeks after it.

Reads  Complete Journey and Online Retail.
Gives  a table per cutoff: ours, own frequency, TIFU-KNN, UP-CF and the peers' defaults.
Never  tunes on what it reports: settings come from the 56 days before the cutoff.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd

from anticipate.evaluation import (
    MatchedLists,
    brier_skill,
    calibration_line,
    capped_recall_at_k,
    expected_calibration_error,
    ndcg_at_k,
)
from anticipate.needs import NextNeedRanker

from . import own, tifu, upcf
from .baskets import Array
from .outside import peer_lists
from .protocols import CUTOFFS, DAYS, Window, numbers, quality, read_log
from .tuning import Setting, tuned

N_TUNING = 400  # customers of the validation window that settings are judged on
Method = tuple[str, Setting, Array]


def earlier(window: Window) -> Window:
    """The validation window: it ends where the reported one begins."""
    cutoff = window.history.cutoff - pd.Timedelta(days=DAYS)
    return Window.at(window.log, window.name, cutoff).sample(N_TUNING)


def baselines(window: Window) -> list[Method]:
    """Own frequency, TIFU-KNN and UP-CF, tuned on the eight weeks before."""
    past, visits, asked = earlier(window), window.visits, window.asked
    half_life = max(
        own.HALF_LIVES,
        key=lambda days: quality(past, own.own_lists(past.visits, past.asked, half_life_days=days)),
    )
    found: list[Method] = [
        ("popular", {}, own.popular_lists(visits, asked)),
        ("own frequency", {}, own.own_lists(visits, asked)),
        (
            "own frequency, decayed",
            {"half_life_days": half_life},
            own.own_lists(visits, asked, half_life_days=half_life),
        ),
    ]
    best = tuned_tifu(past)
    found.append(("TIFU-KNN, published", tifu.PUBLISHED, _tifu(window, tifu.PUBLISHED)))
    found.append(("TIFU-KNN, tuned", best, _tifu(window, best)))
    best = _tuned_upcf(past)
    found.append(("UP-CF, tuned", best, upcf.upcf_lists(visits, asked, **best)))
    return found


def tuned_tifu(past: Window) -> Setting:
    """Best of the grid; all alphas of one neighbourhood are judged together."""
    best_alpha: dict[tuple[Any, ...], float] = {}
    grid = {name: values for name, values in tifu.GRID.items() if name != "alpha"}

    def judge(setting: Setting) -> float:
        lists = tifu.tifu_lists_of_all_alphas(
            past.visits, past.asked, tifu.GRID["alpha"], **{name: setting[name] for name in grid}
        )
        scores = {alpha: quality(past, found) for alpha, found in lists.items()}
        key = tuple(setting[name] for name in grid)
        best_alpha[key] = max(scores, key=scores.__getitem__)
        return scores[best_alpha[key]]

    best, _ = tuned(grid, tifu.PUBLISHED, judge)
    return best | {"alpha": best_alpha[tuple(best[name] for name in grid)]}


def _tuned_upcf(past: Window) -> Setting:
    def judge(setting: Setting) -> float:
        return quality(past, upcf.upcf_lists(past.visits, past.asked, **setting))

    return tuned(upcf.GRID, upcf.START, judge)[0]


def _tifu(window: Window, setting: Setting) -> Array:
    return tifu.tifu_lists(window.visits, window.asked, **setting)


def ours(window: Window) -> tuple[list[Method], NextNeedRanker]:
    """Fitted and asked through the public door alone."""
    start = time.process_time()
    ranker = NextNeedRanker(horizon_days=DAYS, random_state=0).fit(window.history)
    table = ranker.recommend(window.history, n=10)
    seconds = {"CPU seconds of fit and recommend": round(time.process_time() - start, 1)}
    return [("ours", seconds, window.codes(table))], ranker


def show(window: Window, methods: list[Method]) -> None:
    """One row per method, then how ours stands to the best of the others."""
    rows = {name: numbers(window, lists) for name, _, lists in methods}
    n_baskets = window.visits.n_baskets[window.asked]
    day = window.history.cutoff.tz_convert(window.history.timezone).date()
    print(
        f"\n{window.name}, before {day}, {DAYS} days, {len(window.asked)} customers, "
        f"median {np.median(n_baskets):.0f} baskets; R = hits/min(10, truth), N = NDCG@10"
    )
    print(pd.DataFrame(rows).T.to_string(float_format=lambda v: f"{v:.4f}".replace("0.", ".")))
    for name, setting, _ in methods:
        if setting:
            print(f"  {name}: {setting}")
    lists = {name: found for name, _, found in methods}
    if "ours" in lists and len(lists) > 1:
        _show_gain(window, lists)


def _show_gain(window: Window, lists: dict[str, Array]) -> None:
    """Ours over the best other, by metric, with the standard error of the paired difference."""
    for label, metric in (("Recall@10", capped_recall_at_k), ("NDCG@10", _ndcg)):
        values = {name: metric(window.match(found)) for name, found in lists.items()}
        mine = values.pop("ours")
        best = max(values, key=lambda name: values[name].mean())
        difference = mine - values[best]
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        print(
            f"  {label}: ours {mine.mean():.4f}, best other {best} {values[best].mean():.4f}: "
            f"{100 * (mine.mean() / values[best].mean() - 1):+.1f} % "
            f"(difference {difference.mean():.4f} ± {error:.4f})"
        )


def _ndcg(matched: MatchedLists) -> Array:
    return ndcg_at_k(matched, 10, ideal="cut")


def show_calibration(window: Window, ranker: NextNeedRanker) -> None:
    """Are the probabilities right? All customers of the history, silent ones included."""
    table = ranker.recommend(window.history, n=100)
    bought = _were_bought(window, table)
    chance = table["score"].to_numpy()
    for label, rows in (
        ("top 10", table["rank"].to_numpy() <= 10),
        ("p ≥ .05", chance >= 0.05),
    ):
        y, p = bought[rows], chance[rows]
        slope, _ = calibration_line(y, p)
        print(
            f"  calibration, {label}: {len(y):,} pairs, mean p {p.mean():.4f}, bought "
            f"{y.mean():.4f}; Brier skill {brier_skill(y, p):.3f}, "
            f"ECE {expected_calibration_error(y, p):.4f}, slope {slope:.3f}"
        )


def _were_bought(window: Window, table: pd.DataFrame) -> Array:
    words = window.log.vocabulary
    who = np.searchsorted(words.customer_ids, table["customer_id"].to_numpy())
    what = np.searchsorted(words.item_ids, table["item_id"].to_numpy())
    return np.isin(who * window.visits.n_items + what, window.truth)


def run(
    names: list[str] | None = None, cutoffs: list[str] | None = None,
    *, with_peers: bool = True, with_plain: bool = True,
) -> None:  # fmt: skip
    """Every data set at every cutoff, the last one being the headline."""
    pd.set_option("display.width", 250, "display.max_columns", 30)
    for name in names or CUTOFFS:
        for cutoff in cutoffs or CUTOFFS[name]:
            window = Window.at(read_log(name), name, cutoff)
            methods, ranker = ours(window)
            methods += baselines(window) if with_plain else []
            if with_peers:
                found = peer_lists(window.visits, window.asked)
                methods += [(label, {}, lists) for label, lists in found.items()]
            show(window, methods)
            show_calibration(window, ranker)
